"""Is PayPal set up so that money can come in? Asked without moving any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from troth.shop.payments.providers.contract import ProviderDown, ProviderRefused
from troth.shop.payments.providers.parse import at
from troth.shop.payments.providers.paypal import search
from troth.shop.payments.providers.paypal.api import Api
from troth.shop.payments.providers.paypal.settings import PayPalSettings

# What the shop must hear about. Without the rest it finds out by looking, only later.
NEEDED = (
    "CHECKOUT.ORDER.APPROVED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
)
Seen = tuple[bool, str, str]


def examine(api: Api, settings: PayPalSettings, webhook_url: str) -> Iterator[Seen]:
    try:
        reply = api.get(f"/v1/notifications/webhooks/{settings.webhook_id}")
    except ProviderDown:
        yield False, "PayPal does not answer.", "Check the way to the internet, and [paypal] base_url."
        return
    except ProviderRefused:
        mend = "Copy client_id and client_secret from PayPal's dashboard; sandbox and live have different ones."
        yield False, "PayPal does not know these credentials.", mend
        return
    yield True, "PayPal knows our credentials.", ""
    yield from _webhook(reply.status, reply.body, webhook_url)
    yield from _disputes(api)
    yield from _books(api)


def _webhook(status: int, body: dict[str, object], webhook_url: str) -> Iterator[Seen]:
    if status != 200:
        yield False, "PayPal knows no webhook of this id.", f"Make one for {webhook_url}; set [paypal] webhook_id."
        return
    if body.get("url") != webhook_url:
        mend = f"Set the webhook's address at PayPal to {webhook_url}."
        yield False, "PayPal's webhook leads to another address.", mend
        return
    listed = body.get("event_types")
    names = {at(one, "name") for one in listed} if isinstance(listed, list) else set()
    missing = [name for name in NEEDED if name not in names and "*" not in names]
    if missing:
        yield False, f"PayPal's webhook leaves out {len(missing)} kinds of event.", f"Add {', '.join(missing)}."
    else:
        yield True, "PayPal's webhook leads here and tells all that is needed.", ""


def _disputes(api: Api) -> Iterator[Seen]:
    """Without this right a dispute is heard of and cannot be looked at: access to what was bought goes on."""
    try:
        reply = api.get("/v1/customer/disputes?page_size=1")
    except ProviderDown:
        return  # look-alikes may have no such list
    if reply.status in (401, 403):
        mend = 'Tick "Customer disputes" for the app in PayPal\'s dashboard; it takes some hours to work.'
        yield False, "PayPal does not let us look at disputes.", mend
    elif reply.status == 200:
        yield True, "PayPal lets us look at disputes.", ""


def _books(api: Api) -> Iterator[Seen]:
    now = datetime.now(UTC)
    try:
        next(search.books(api, now - timedelta(hours=1), now), None)
    except ProviderRefused:
        mend = 'Tick "Transaction search" for the app in PayPal\'s dashboard; it takes some hours to work.'
        yield False, "PayPal does not let us compare its books with ours.", mend
    except ProviderDown:
        yield False, "PayPal's transaction search does not answer.", "Try again later."
    else:
        yield True, "PayPal lets us compare its books with ours.", ""
