"""PayPal as the shop uses it: begin, look, capture, receive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

import httpx

from troth.shop.payments.providers.contract import (
    ANOTHER_WAY,
    Ask,
    Begun,
    DisputeSight,
    Entry,
    Message,
    ProviderDown,
    ProviderRefused,
    RefundAsk,
    Returned,
    Sight,
    State,
)
from troth.shop.payments.providers.http import is_loopback
from troth.shop.payments.providers.parse import at, code
from troth.shop.payments.providers.paypal import disputes, examine, refunds, search, sight, webhook
from troth.shop.payments.providers.paypal.api import Api, Reply
from troth.shop.payments.providers.paypal.certificates import Certificates
from troth.shop.payments.providers.paypal.order import order_body
from troth.shop.payments.providers.paypal.settings import PayPalSettings
from troth.shop.payments.providers.paypal.token import Token

_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # PayPal's own have 17 letters and digits: it promises no length
# PayPal: "Handle payment failures" and the errors of orders/{id}/capture.
_BUYER_ACTS = {*ANOTHER_WAY, "ORDER_NOT_APPROVED", "PAYER_ACTION_REQUIRED"}
_ENDED = {
    "TRANSACTION_REFUSED",
    "COMPLIANCE_VIOLATION",
    "PAYER_CANNOT_PAY",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
}
_READ_AGAIN = {
    "ORDER_ALREADY_CAPTURED",  # perhaps by us, and the answer got lost
    "ORDER_COMPLETION_IN_PROGRESS",
    "PREVIOUS_REQUEST_IN_PROGRESS",
    "RESOURCE_CONFLICT",
}
_GONE = {"INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND"}


class PayPal:
    """Safe to share between threads. `http` is the process's one client and stays the caller's to close."""

    name = "paypal"
    by_own_id = False
    payee = ""  # only PayPal knows it: compare with what `begin` told

    def __init__(self, settings: PayPalSettings, http: httpx.Client) -> None:
        self._settings = settings
        self._api = Api(settings, http, Token(settings, http))
        self._certificates = Certificates(settings, http)

    def begin(self, ask: Ask) -> Begun:
        """Create the order. The same `request_id` gives the same order, for six hours."""
        reply = self._api.post("/v2/checkout/orders", order_body(ask), ask.request_id)
        if reply.issue:
            raise ProviderRefused(reply.issue)
        ref, pay_url = code(reply.body.get("id")), sight.link(reply.body, "payer-action", "approve")
        if not _ORDER_ID.fullmatch(ref):
            raise ProviderDown("answer")
        if not pay_url:
            # A repeat of a request whose order has gone on: there is no page to send the buyer to any more.
            raise ProviderRefused("order_not_payable")
        if not pay_url.startswith("https://") and not (is_loopback(self._settings.base_url) and is_loopback(pay_url)):
            raise ProviderDown("pay_url")
        return Begun(ref, pay_url, sight.of_order(reply.body).payee)

    def look(self, provider_ref: str, payment_id: str) -> Sight:
        """Read the order. One that PayPal no longer knows has expired: cancelled."""
        return self._seen(self._api.get(f"/v2/checkout/orders/{_order_id(provider_ref)}"), provider_ref)

    def capture(self, provider_ref: str, payment_id: str, request_id: str) -> Sight:
        """Take the money. Where somebody was first, or the last answer got lost, tell what that call did.

        `open`: the buyer has to go to PayPal's page again (see `reason`); try again under a new `request_id`.
        """
        reply = self._api.post(f"/v2/checkout/orders/{_order_id(provider_ref)}/capture", {}, request_id)
        if reply.issue in _READ_AGAIN:
            return self.look(provider_ref, payment_id)
        if reply.issue in _BUYER_ACTS:
            return Sight(State.OPEN, provider_ref, "", None, "", "", reply.issue)
        if reply.issue in _ENDED:
            return Sight(State.DECLINED, provider_ref, "", None, "", "", reply.issue)
        seen = self._seen(reply, provider_ref)
        # A minimal answer (`Prefer` is a wish) tells neither our id nor, at times, the capture: the order itself does.
        return seen if seen.payment_id and seen.capture_ref else self.look(provider_ref, payment_id)

    def receive(self, headers: Mapping[str, str], body: bytes) -> Message:
        """Verify a webhook by its signature over the raw bytes, then read it.

        PayPal itself is asked where the certificate cannot be had: slower, and a call for each message.
        """
        try:
            webhook.verify(headers, body, self._settings.webhook_id, self._certificates)
        except ProviderDown as down:
            if down.code == "too_many_certificates":
                raise  # somebody makes up names: that must not become calls either
            webhook.verify_online(headers, body, self._settings.webhook_id, self._api)
        return webhook.read(body)

    def returned(self, query: Mapping[str, str]) -> str:
        """The order id in `?token=`, which anybody can write."""
        token = query.get("token", "")
        return token if _ORDER_ID.fullmatch(token) else ""

    def prepare_refund(self, ask: RefundAsk) -> str:
        """Nothing to prepare: the request id is what makes a repeat act once."""
        return ""

    def refund(self, ask: RefundAsk, session: str) -> Returned:
        return refunds.ask(self._api, ask)

    def returned_money(
        self, provider_ref: str, capture_ref: str, begin: datetime, end: datetime
    ) -> tuple[Returned, ...]:
        """As the order lists them; times do not matter here."""
        return self.look(provider_ref, "").refunds

    def look_refund(self, ref: str) -> Returned | None:
        return refunds.look(self._api, ref)

    def look_dispute(self, ref: str) -> DisputeSight:
        return disputes.look(self._api, ref)

    def books(self, begin: datetime, end: datetime) -> Iterator[Entry]:
        return search.books(self._api, begin, end)

    def examine(self, webhook_url: str) -> Iterator[tuple[bool, str, str]]:
        return examine.examine(self._api, self._settings, webhook_url)

    def _seen(self, reply: Reply, provider_ref: str) -> Sight:
        if reply.status == 404 and reply.issue not in _GONE:
            raise ProviderDown("http_404")  # a wrong address or a proxy: no word of PayPal about this order
        if reply.status == 404:
            return Sight(State.CANCELLED, provider_ref, "", None, "", "", "expired")
        if reply.issue:
            raise ProviderRefused(reply.issue)
        if at(reply.body, "id") != provider_ref:
            raise ProviderDown("answer")
        return sight.of_order(reply.body)


def _order_id(ref: str) -> str:
    """An id goes into a path: nothing else may."""
    if not _ORDER_ID.fullmatch(ref):
        raise ProviderRefused("bad_reference")
    return ref
