"""A look-alike of PayPal's REST API, its buyer's page and its webhooks, in memory.

It validates as strictly as the real one is documented to, so that a shop that pleases it has a fair chance to please
PayPal. Money does not exist here.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
import zlib
from typing import Any

import msgspec

from troth.sandbox import pages
from troth.sandbox.authority import Authority, Signer
from troth.sandbox.courier import Courier, Post, is_local
from troth.sandbox.paypal_books import (
    BUYER,
    Capture,
    Order,
    new_capture,
    new_order,
    now,
    show_capture,
    show_order,
)
from troth.sandbox.paypal_money import AfterCapture
from troth.sandbox.paypal_rules import Issue, check_order
from troth.sandbox.server import Answer, Faults, Request, Route, html_answer, json_answer, redirect, with_query

NAMES = {400: "INVALID_REQUEST", 401: "AUTHENTICATION_FAILURE", 404: "RESOURCE_NOT_FOUND", 422: "UNPROCESSABLE_ENTITY"}


class PayPalMerchant(msgspec.Struct):
    """The shop's account at the look-alike. Its secrets are new with every start."""

    client_id: str = ""
    client_secret: str = ""
    webhook_id: str = ""
    webhook_url: str = ""
    merchant_id: str = "SANDBOXSHOP01"
    email: str = "shop@merchant.example"
    token_life: int = 32400  # seconds
    terse: bool = False  # answer calls with the least, whatever is preferred; captures then lack the shop's references
    old_shape: bool = False  # answer new orders as those without a payment source: 201, CREATED, link "approve"

    def __post_init__(self) -> None:
        self.client_id = self.client_id or "A" + secrets.token_hex(20)
        self.client_secret = self.client_secret or "E" + secrets.token_hex(20)
        self.webhook_id = self.webhook_id or secrets.token_hex(8).upper()


class SandboxPayPal:
    """The provider's side. `orders` are its books; the verbs below `routes` are the tests' and the demo's controls."""

    def __init__(self, merchant: PayPalMerchant, authority: Authority, faults: Faults) -> None:
        self.merchant = merchant
        self.faults = faults
        self.authority = authority
        self.base = ""  # where we are mounted, set when the port is known
        self.courier = Courier(done=lambda status: 200 <= status < 300)
        self.signer = authority.leaf()
        self.certificates: dict[str, bytes] = {self.signer.cert_id: self.signer.pem}
        self.orders: dict[str, Order] = {}
        self._tokens: dict[str, float] = {}
        self._requests: dict[tuple[str, str], str] = {}  # (what, PayPal-Request-Id) -> order id
        self._next: list[str] = []
        self.lock = threading.RLock()
        self.money = AfterCapture(self)

    def routes(self) -> list[Route]:
        return [
            ("POST", r"/paypal/v1/oauth2/token", self._token),
            ("POST", r"/paypal/v2/checkout/orders", self._create),
            ("GET", r"/paypal/v2/checkout/orders/([^/]+)", self._show),
            ("POST", r"/paypal/v2/checkout/orders/([^/]+)/capture", self._capture),
            ("GET", r"/paypal/v2/payments/captures/([^/]+)", self._show_capture),
            ("GET", r"/paypal/v1/notifications/certs/([^/]+)", self._certificate),
            ("GET", r"/paypal/checkoutnow", self._page),
            ("POST", r"/paypal/checkoutnow", self._pressed),
            *self.money.routes(),
        ]

    # Controls

    def reset(self) -> None:
        """Forget orders, requests, tokens and messages."""
        self.courier.clear()
        with self.lock:
            for book in (self.orders, self._tokens, self._requests, self._next):
                book.clear()
            self.money.reset()

    def approve(self, order_id: str, country: str = "DE") -> str:
        """Do what the buyer's Approve button does; the address the browser would go to next."""
        with self.lock:
            order = self.orders[order_id]
            if not order.captures and not order.approved:
                order.approved, order.status, order.country = True, "APPROVED", country
                self._tell("CHECKOUT.ORDER.APPROVED", "checkout-order", self._shown(order))
            return with_query(order.return_url, {"token": order.id, "PayerID": str(BUYER["payer_id"])})

    def cancel(self, order_id: str) -> str:
        """Do what the Cancel link does: nothing at all but going back; the order can still be approved."""
        return with_query(self.orders[order_id].cancel_url, {"token": order_id})

    def next_capture(self, outcome: str) -> None:
        """Decide the next capture: "PENDING", "DECLINED", or an issue such as "INSTRUMENT_DECLINED"."""
        with self.lock:
            self._next.append(outcome)

    def finish_pending(self, capture_id: str, status: str = "COMPLETED") -> None:
        """Let a pending capture end: COMPLETED or DECLINED."""
        with self.lock:
            capture = self.find(capture_id)
            capture.status, capture.reason = status, ""
            kind = "PAYMENT.CAPTURE.COMPLETED" if status == "COMPLETED" else "PAYMENT.CAPTURE.DENIED"
            self._tell(kind, "capture", show_capture(capture, self.base, alone=True))

    def take_back(self, capture_id: str, value: str = "", reversed_: bool = False) -> str:
        """As `money.take_back`."""
        return self.money.take_back(capture_id, value, reversed_)

    def expire(self, order_id: str) -> None:
        """Forget an order, as PayPal does three hours after the buyer was sent there."""
        with self.lock:
            del self.orders[order_id]

    def kill_tokens(self) -> None:
        """Make every token that was handed out invalid."""
        with self.lock:
            self._tokens.clear()

    def use_certificate(self, signer: Signer) -> None:
        """Sign from now on with this key, and serve its certificate."""
        self.signer = signer
        self.certificates[signer.cert_id] = signer.pem

    def webhook(self, kind: str, resource_type: str, resource: dict[str, Any]) -> Post:
        """Sign an event and hand it to the courier."""
        event_id = f"WH-{secrets.token_hex(9).upper()}-{secrets.token_hex(9).upper()}"
        event = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": now().replace("Z", ".000Z"),
            "resource_type": resource_type,
            "resource_version": "2.0",
            "event_type": kind,
            "summary": "A sandbox event for Sandbox Buyer",
            "resource": resource,
            "links": [{"href": f"{self.base}/v1/notifications/webhooks-events/{event_id}", "rel": "self"}],
        }
        body = json.dumps(event).encode()
        url = self.merchant.webhook_url
        return self.courier.post(kind, url if is_local(url) else "", self.signed(body), body)

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers under which PayPal would send this body to our webhook."""
        transmission, at = secrets.token_hex(16), now()
        return {
            "Content-Type": "application/json",
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": at,
            "PAYPAL-TRANSMISSION-SIG": self.signer.sign(transmission, at, self.merchant.webhook_id, body),
            "PAYPAL-CERT-URL": f"{self.base}/v1/notifications/certs/{self.signer.cert_id}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "PAYPAL-AUTH-VERSION": "v2",
            "CORRELATION-ID": secrets.token_hex(7),
        }

    def signed_by_us(self, told: dict[str, Any], event: bytes) -> bool:
        """Whether this event, under these headers, is one that we signed: what the online check answers."""
        with self.lock:
            posts = list(self.courier.posts)
        wanted = {"transmission_id": "PAYPAL-TRANSMISSION-ID", "transmission_sig": "PAYPAL-TRANSMISSION-SIG"}
        ours = told.get("webhook_id") == self.merchant.webhook_id
        return ours and any(
            zlib.crc32(post.body) == zlib.crc32(event)
            and all(told.get(name) == post.headers.get(header) for name, header in wanted.items())
            for post in posts
        )

    def refusal(self, issue: Issue) -> Answer:
        return _refusal(issue)

    # The API

    def _token(self, request: Request) -> Answer:
        pair = f"{self.merchant.client_id}:{self.merchant.client_secret}".encode()
        right = "Basic " + base64.b64encode(pair).decode()
        if not secrets.compare_digest(request.headers.get("authorization", "").encode(), right.encode()):
            told = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return json_answer(401, told)
        if request.form().get("grant_type") != "client_credentials":
            return json_answer(400, {"error": "unsupported_grant_type", "error_description": "Grant Type is NULL"})
        token = "A21AA" + secrets.token_urlsafe(40)
        with self.lock:
            self._tokens[token] = time.monotonic() + self.merchant.token_life
        told = {"scope": "https://uri.paypal.com/services/payments/payment", "access_token": token}
        more = {"token_type": "Bearer", "app_id": "APP-SANDBOX", "expires_in": self.merchant.token_life}
        return json_answer(200, told | more | {"nonce": now() + secrets.token_urlsafe(8)})

    def _create(self, request: Request) -> Answer:
        if refused := self.refuse(request):
            return refused
        request_id = request.headers.get("paypal-request-id", "")
        try:
            body = _body(request)
            if "payment_source" in body and not 1 <= len(request_id) <= 108:
                raise Issue(400, "PAYPAL_REQUEST_ID_REQUIRED")
            with self.lock:
                known = self.orders.get(self._requests.get(("create", request_id), ""))
                if known and request_id:
                    return json_answer(200, self._answer(request, known))
                check_order(body)
                order = new_order(body, self.merchant.old_shape)
                self.orders[order.id] = order
                self._requests["create", request_id] = order.id
        except Issue as issue:
            return _refusal(issue)
        except (AttributeError, TypeError, KeyError):  # a member of another type than PayPal's schema has
            return _refusal(Issue(400, "MALFORMED_REQUEST_JSON"))
        return json_answer(200 if order.hosted else 201, self._answer(request, order))

    def _show(self, request: Request, order_id: str) -> Answer:
        if refused := self.refuse(request):
            return refused
        with self.lock:
            order = self.orders.get(order_id)
            return json_answer(200, self._shown(order)) if order else _refusal(Issue(404, "INVALID_RESOURCE_ID"))

    def _capture(self, request: Request, order_id: str) -> Answer:
        if refused := self.refuse(request):
            return refused
        request_id = request.headers.get("paypal-request-id", "")
        with self.lock:
            order = self.orders.get(order_id)
            if order is None:
                return _refusal(Issue(404, "INVALID_RESOURCE_ID"))
            if request_id and self._requests.get(("capture", request_id)) == order_id:
                return json_answer(200, self._answer(request, order))
            try:
                self._take(order)
            except Issue as issue:
                return _refusal(issue)
            self._requests["capture", request_id] = order_id
            return json_answer(201, self._answer(request, order))

    def _take(self, order: Order) -> None:
        """Capture, or raise the Issue that stands in the way."""
        if order.captures:
            raise Issue(422, "ORDER_ALREADY_CAPTURED")
        if order.status != "APPROVED":
            raise Issue(422, "ORDER_NOT_APPROVED")
        outcome = self._next.pop(0) if self._next else "COMPLETED"
        if outcome not in ("COMPLETED", "PENDING", "DECLINED"):
            if outcome in ("INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED"):
                order.status, order.approved = "PAYER_ACTION_REQUIRED", False
            raise Issue(409 if outcome == "RESOURCE_CONFLICT" else 422, outcome)
        capture = new_capture(order, outcome, "ECHECK" if outcome == "PENDING" else "")
        order.captures.append(capture)
        order.status = "COMPLETED"
        event = "DENIED" if outcome == "DECLINED" else outcome
        self._tell(f"PAYMENT.CAPTURE.{event}", "capture", show_capture(capture, self.base, alone=True))

    def _show_capture(self, request: Request, capture_id: str) -> Answer:
        if refused := self.refuse(request):
            return refused
        with self.lock:
            try:
                return json_answer(200, show_capture(self.find(capture_id), self.base, alone=True))
            except KeyError:
                return _refusal(Issue(404, "INVALID_RESOURCE_ID"))

    def _certificate(self, request: Request, cert_id: str) -> Answer:
        pem = self.certificates.get(cert_id)
        return Answer(200, pem, "application/x-x509-ca-cert") if pem else json_answer(404, {"name": "NOT_FOUND"})

    # The buyer's page

    def _page(self, request: Request) -> Answer:
        with self.lock:
            order = self.orders.get(request.query.get("token", ""))
            if order is None:
                return html_answer(404, pages.gone("PayPal"))
            if order.captures:
                return redirect(with_query(order.return_url, {"token": order.id}))
            unit = order.units[0]
        amount = f"{unit['amount']['value']} {unit['amount']['currency_code']}"
        buttons = [("approve", "Approve"), ("cancel", "Cancel")]
        item = (unit.get("items") or [{}])[0].get("name", "")
        return html_answer(
            200,
            pages.pay("PayPal", self.merchant.email, unit.get("invoice_id", ""), item, amount, order.id, buttons),
        )

    def _pressed(self, request: Request) -> Answer:
        form = request.form()
        if form.get("token", "") not in self.orders:
            return html_answer(404, pages.gone("PayPal"))
        press = self.approve if form.get("action") == "approve" else self.cancel
        return redirect(press(form["token"]))

    # Within

    def refuse(self, request: Request) -> Answer | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        with self.lock:
            if self._tokens.get(token, 0) < time.monotonic():
                told = {"error": "invalid_token", "error_description": "Token signature verification failed"}
                return json_answer(401, told)
        if request.method == "POST" and request.headers.get("content-type", "") != "application/json":
            return json_answer(415, {"name": "UNSUPPORTED_MEDIA_TYPE"})
        return None

    def _tell(self, kind: str, resource_type: str, resource: dict[str, Any]) -> None:
        self.webhook(kind, resource_type, resource)

    def _shown(self, order: Order) -> dict[str, Any]:
        return show_order(order, self.base, self._payee())

    def _answer(self, request: Request, order: Order) -> dict[str, Any]:
        minimal = self.merchant.terse or request.headers.get("prefer", "") != "return=representation"
        shown = show_order(order, self.base, self._payee(), minimal)
        if self.merchant.terse:
            captures = [one for unit in shown.get("purchase_units", []) for one in unit["payments"]["captures"]]
            for capture in captures:
                del capture["custom_id"], capture["invoice_id"]
        return shown

    def _payee(self) -> dict[str, str]:
        return {"email_address": self.merchant.email, "merchant_id": self.merchant.merchant_id}

    def find(self, capture_id: str) -> Capture:
        for order in self.orders.values():
            for capture in order.captures:
                if capture.id == capture_id:
                    return capture
        raise KeyError(capture_id)


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Issue(400, "MALFORMED_REQUEST_JSON") from None
    if not isinstance(body, dict):
        raise Issue(400, "MALFORMED_REQUEST_JSON")
    return body


def _refusal(issue: Issue) -> Answer:
    details = {"issue": issue.issue, "description": "A sandbox refusal."} | (
        {"field": issue.field} if issue.field else {}
    )
    debug = secrets.token_hex(7)
    name = NAMES.get(issue.status, issue.issue)
    body = {"name": name, "message": "See details.", "debug_id": debug, "details": [details], "links": []}
    return Answer(issue.status, json.dumps(body).encode(), headers={"Paypal-Debug-Id": debug})
