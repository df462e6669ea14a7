"""Money back at PayPal: asking for it, and reading what PayPal shows of it.

Source: PayPal's OpenAPI file payments_payment_v2. A repeat under the same PayPal-Request-Id gives the same refund, for
45 days.
"""

from __future__ import annotations

import re

from troth.shop.payments.providers.contract import Back, ProviderDown, ProviderRefused, RefundAsk, Returned
from troth.shop.payments.providers.parse import at, code, money
from troth.shop.payments.providers.paypal.api import Api, Reply

STATES = {"COMPLETED": Back.DONE, "PENDING": Back.PENDING, "FAILED": Back.FAILED, "CANCELLED": Back.FAILED}
# A definite no. Everything else is asked again: it may be a matter of money in the account, of rights, or of time.
NEVER = {
    "CAPTURE_FULLY_REFUNDED",
    "REFUND_AMOUNT_EXCEEDED",
    "REFUND_CAPTURE_CURRENCY_MISMATCH",
    "REFUND_NOT_ALLOWED",
    "REFUND_TIME_LIMIT_EXCEEDED",
    "PARTIAL_REFUND_NOT_ALLOWED",
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED",
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK",
    "DECIMAL_PRECISION",
    "DECIMALS_NOT_SUPPORTED",
    "INVALID_RESOURCE_ID",
    "RESOURCE_NOT_FOUND",
}
REVERSED = "Payment reversed"  # PayPal's own note where money was taken, not given
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UP = re.compile(r"/v2/payments/captures/([A-Za-z0-9_-]{1,64})$")


def ask(api: Api, wanted: RefundAsk) -> Returned:
    """Refund a capture. Always with its amount: without one PayPal gives what is left, which may be another sum."""
    if not _ID.fullmatch(wanted.capture_ref):
        raise ProviderRefused("bad_reference")
    body: dict[str, object] = {
        "custom_id": wanted.refund_id,
        "invoice_id": wanted.refund_id,
        "amount": {"currency_code": wanted.amount.currency, "value": f"{wanted.amount.decimal():f}"},
    }
    reply = api.post(f"/v2/payments/captures/{wanted.capture_ref}/refund", body, wanted.request_id)
    if reply.issue in NEVER:
        raise ProviderRefused(reply.issue)
    return _seen(reply)


def look(api: Api, ref: str) -> Returned:
    """A refund by PayPal's id of it."""
    if not _ID.fullmatch(ref):
        raise ProviderRefused("bad_reference")
    reply = api.get(f"/v2/payments/refunds/{ref}")
    if reply.issue in NEVER:
        raise ProviderRefused(reply.issue)
    return _seen(reply)


def of_unit(unit: object) -> tuple[Returned, ...]:
    """The refunds that an order lists beside its captures."""
    listed = at(unit, "payments", "refunds")
    return tuple(read(one) for one in listed) if isinstance(listed, list) else ()


def read(refund: object) -> Returned:
    """A refund as PayPal shows it: in an order, by itself, or in a webhook."""
    return Returned(
        ref=code(at(refund, "id")),
        amount=money(at(refund, "amount", "value"), at(refund, "amount", "currency_code")),
        state=STATES.get(code(at(refund, "status")), Back.PENDING),
        ours=code(at(refund, "custom_id")) or code(at(refund, "invoice_id")),
        capture_ref=_up(refund),
        reversal=at(refund, "note_to_payer") == REVERSED,
        reason=code(at(refund, "status_details", "reason")),
    )


def _seen(reply: Reply) -> Returned:
    if reply.issue:
        raise ProviderDown(reply.issue[:40])
    seen = read(reply.body)
    if not seen.ref or code(at(reply.body, "status")) not in STATES:
        raise ProviderDown("answer")
    return seen


def _up(refund: object) -> str:
    links = at(refund, "links")
    for link in links if isinstance(links, list) else []:
        href = at(link, "href")
        if at(link, "rel") == "up" and isinstance(href, str) and (match := _UP.search(href)):
            return match[1]
    return code(at(refund, "supplementary_data", "related_ids", "capture_id"))
