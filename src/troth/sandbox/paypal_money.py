"""What happens at the PayPal look-alike after the capture: refunds, reversals, disputes, the list of transactions.

Source: PayPal's OpenAPI files payments_payment_v2, customer_disputes_v1, reporting_transactions_v1 and
notifications_webhooks_v1. Written apart from the shop's client on purpose, as all of this package.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from troth.sandbox.paypal_books import (
    Capture,
    Dispute,
    Refund,
    new_id,
    now,
    show_capture,
    show_dispute,
    show_refund,
    transactions,
)
from troth.sandbox.paypal_rules import Issue, check_part
from troth.sandbox.server import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from troth.sandbox.paypal import SandboxPayPal

ENDED = {"COMPLETED", "FAILED", "CANCELLED"}


class AfterCapture:
    """Refunds and disputes of one look-alike; shares its lock, its books and its courier."""

    def __init__(self, paypal: SandboxPayPal) -> None:
        self._paypal = paypal
        self.disputes: dict[str, Dispute] = {}
        self._asked: dict[str, tuple[str, int]] = {}  # PayPal-Request-Id -> refund id
        self._next: list[str] = []

    def routes(self) -> list[Route]:
        return [
            ("POST", r"/paypal/v2/payments/captures/([^/]+)/refund", self._refund),
            ("GET", r"/paypal/v2/payments/refunds/([^/]+)", self._show_refund),
            ("GET", r"/paypal/v1/customer/disputes", self._list_disputes),
            ("GET", r"/paypal/v1/customer/disputes/([^/]+)", self._show_dispute),
            ("GET", r"/paypal/v1/reporting/transactions", self._transactions),
            ("POST", r"/paypal/v1/notifications/verify-webhook-signature", self._verify),
            ("GET", r"/paypal/v1/notifications/webhooks/([^/]+)", self._webhook),
        ]

    # Controls

    def reset(self) -> None:
        for book in (self.disputes, self._asked, self._next):
            book.clear()

    def next_refund(self, outcome: str) -> None:
        """Decide the next refund that the shop asks for: "PENDING", or an issue such as "TRANSACTION_DISPUTED"."""
        with self._paypal.lock:
            self._next.append(outcome)

    def finish_refund(self, refund_id: str, status: str = "COMPLETED") -> None:
        """Let a pending refund end: COMPLETED or FAILED."""
        with self._paypal.lock:
            capture, refund = self._find(refund_id)
            refund.status, refund.reason = status, ""
            _restate(capture)
            kind = "PAYMENT.CAPTURE.REFUNDED" if status == "COMPLETED" else "PAYMENT.REFUND.FAILED"
            self._tell(kind, "refund", show_refund(capture, refund, self._paypal.base))

    def take_back(self, capture_id: str, value: str = "", reversed_: bool = False, listed: bool = True) -> str:
        """Refund or reverse at PayPal's side, in part or (no value) all that is left, and tell the shop.

        `listed`: whether the order shows it among its refunds; whether PayPal shows reversals there is not documented.
        """
        with self._paypal.lock:
            capture = self._paypal.find(capture_id)
            amount = Decimal(value) if value else Decimal(capture.value) - capture.refunded
            note = "Payment reversed" if reversed_ else "Sorry, Sandbox Buyer"
            refund = Refund(new_id(), amount, "COMPLETED", note, made=now(), listed=listed, reversal=reversed_)
            capture.refunds.append(refund)
            _restate(capture)
            kind = "PAYMENT.CAPTURE.REVERSED" if reversed_ else "PAYMENT.CAPTURE.REFUNDED"
            self._tell(kind, "refund", show_refund(capture, refund, self._paypal.base))
            return refund.id

    def dispute(self, capture_id: str, reason: str = "MERCHANDISE_OR_SERVICE_NOT_RECEIVED") -> str:
        """A buyer complains about a capture; the id of the case."""
        with self._paypal.lock:
            capture = self._paypal.find(capture_id)
            case = Dispute(f"PP-D-{secrets.randbelow(10**6)}", capture_id, reason, capture.value, capture.currency)
            self.disputes[case.id] = case
            self._tell("CUSTOMER.DISPUTE.CREATED", "dispute", show_dispute(case))
            return case.id

    def escalate(self, dispute_id: str, status: str = "UNDER_REVIEW", stage: str = "CHARGEBACK") -> None:
        with self._paypal.lock:
            case = self.disputes[dispute_id]
            case.status, case.stage = status, stage
            self._tell("CUSTOMER.DISPUTE.UPDATED", "dispute", show_dispute(case))

    def resolve(self, dispute_id: str, outcome: str) -> None:
        """End a case: for the buyer, the money left is reversed; for the seller, what was reversed comes back."""
        with self._paypal.lock:
            case = self.disputes[dispute_id]
            case.status, case.outcome = "RESOLVED", outcome
            capture = self._paypal.find(case.capture_id)
            if outcome == "RESOLVED_BUYER_FAVOUR" and capture.refunded < Decimal(capture.value):
                self.take_back(case.capture_id, reversed_=True)
            if outcome == "RESOLVED_SELLER_FAVOUR":
                capture.refunds = [one for one in capture.refunds if not one.reversal]
                _restate(capture)
            self._tell("CUSTOMER.DISPUTE.RESOLVED", "dispute", show_dispute(case))

    # The API

    def _refund(self, request: Request, capture_id: str) -> Answer:
        if refused := self._paypal.refuse(request):
            return refused
        request_id = request.headers.get("paypal-request-id", "")
        try:
            with self._paypal.lock:
                if request_id in self._asked:
                    capture, refund = self._find(self._asked[request_id][0])
                    return json_answer(200, show_refund(capture, refund, self._paypal.base))
                capture = self._capture(capture_id)
                refund = self._give(capture, _object(request))
                self._asked[request_id or new_id()] = (refund.id, 0)
                if refund.status == "COMPLETED":
                    self._tell("PAYMENT.CAPTURE.REFUNDED", "refund", show_refund(capture, refund, self._paypal.base))
                return json_answer(201, show_refund(capture, refund, self._paypal.base))
        except Issue as issue:
            return self._paypal.refusal(issue)

    def _give(self, capture: Capture, body: dict[str, Any]) -> Refund:
        if capture.status == "PENDING":
            raise Issue(422, "PENDING_CAPTURE")
        left = Decimal(capture.value) - capture.refunded
        if left <= 0:
            raise Issue(422, "CAPTURE_FULLY_REFUNDED")
        amount = check_part(body["amount"], capture.currency) if "amount" in body else left
        if amount > left:
            raise Issue(422, "REFUND_AMOUNT_EXCEEDED")
        outcome = self._next.pop(0) if self._next else "COMPLETED"
        if outcome not in ("COMPLETED", "PENDING"):
            raise Issue(409 if outcome == "PREVIOUS_REQUEST_IN_PROGRESS" else 422, outcome)
        refund = Refund(new_id(), amount, outcome, str(body.get("note_to_payer", "")), now())
        refund.custom_id, refund.invoice_id = str(body.get("custom_id", "")), str(body.get("invoice_id", ""))
        refund.reason = "ECHECK" if outcome == "PENDING" else ""
        capture.refunds.append(refund)
        _restate(capture)
        return refund

    def _show_refund(self, request: Request, refund_id: str) -> Answer:
        if refused := self._paypal.refuse(request):
            return refused
        try:
            with self._paypal.lock:
                capture, refund = self._find(refund_id)
                return json_answer(200, show_refund(capture, refund, self._paypal.base))
        except KeyError:
            return self._paypal.refusal(Issue(404, "INVALID_RESOURCE_ID"))

    def _list_disputes(self, request: Request) -> Answer:
        if refused := self._paypal.refuse(request):
            return refused
        with self._paypal.lock:
            return json_answer(200, {"items": [show_dispute(case) for case in self.disputes.values()], "links": []})

    def _show_dispute(self, request: Request, dispute_id: str) -> Answer:
        if refused := self._paypal.refuse(request):
            return refused
        case = self.disputes.get(dispute_id)
        return json_answer(200, show_dispute(case)) if case else self._paypal.refusal(Issue(404, "INVALID_RESOURCE_ID"))

    def _transactions(self, request: Request) -> Answer:
        """Both dates are required, 31 days at most, 500 on a page."""
        if refused := self._paypal.refuse(request):
            return refused
        asked = request.query
        try:
            start, end = _time(asked["start_date"]), _time(asked["end_date"])
            size, page = int(asked.get("page_size", "100")), int(asked.get("page", "1"))
            if not 1 <= size <= 500 or page < 1 or (end - start).days > 31:
                raise ValueError("out of range")
        except (KeyError, ValueError):
            return self._paypal.refusal(Issue(400, "INVALID_REQUEST"))
        with self._paypal.lock:
            found = [one for one in transactions(self._paypal.orders.values()) if start <= _made(one) <= end]
        pages = max(1, -(-len(found) // size))
        told = {"transaction_details": found[(page - 1) * size : page * size], "page": page, "total_pages": pages}
        return json_answer(200, told | {"total_items": len(found), "account_number": "SANDBOX"})

    def _verify(self, request: Request) -> Answer:
        """Re-computes the CRC over the event as it stands in the request, as PayPal does."""
        if refused := self._paypal.refuse(request):
            return refused
        text = request.body.decode("utf-8", errors="replace")
        place = re.search(r'"webhook_event"\s*:\s*', text)
        if place is None:
            return self._paypal.refusal(Issue(400, "MISSING_REQUIRED_PARAMETER"))
        try:
            _, end = json.JSONDecoder().raw_decode(text, place.end())
            told = json.loads(text)
        except ValueError:
            return self._paypal.refusal(Issue(400, "MALFORMED_REQUEST_JSON"))
        right = self._paypal.signed_by_us(told, text[place.end() : end].encode())
        return json_answer(200, {"verification_status": "SUCCESS" if right else "FAILURE"})

    def _webhook(self, request: Request, webhook_id: str) -> Answer:
        if refused := self._paypal.refuse(request):
            return refused
        if webhook_id != self._paypal.merchant.webhook_id:
            return self._paypal.refusal(Issue(404, "INVALID_RESOURCE_ID"))
        return json_answer(
            200,
            {"id": webhook_id, "url": self._paypal.merchant.webhook_url, "event_types": [{"name": "*"}]},
        )

    def _capture(self, capture_id: str) -> Capture:
        try:
            return self._paypal.find(capture_id)
        except KeyError:
            raise Issue(404, "INVALID_RESOURCE_ID") from None

    def _find(self, refund_id: str) -> tuple[Capture, Refund]:
        for order in self._paypal.orders.values():
            for capture in order.captures:
                for refund in capture.refunds:
                    if refund.id == refund_id:
                        return capture, refund
        raise KeyError(refund_id)

    def _tell(self, kind: str, resource_type: str, resource: dict[str, Any]) -> None:
        self._paypal.webhook(kind, resource_type, resource)

    def capture_shown(self, capture_id: str) -> dict[str, Any]:
        return show_capture(self._paypal.find(capture_id), self._paypal.base, alone=True)


def _restate(capture: Capture) -> None:
    """A capture's status follows from what has gone back."""
    if capture.status in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"):
        back = sum((one.amount for one in capture.refunds if one.status == "COMPLETED"), Decimal(0))
        whole = back >= Decimal(capture.value)
        capture.status = "REFUNDED" if whole else "PARTIALLY_REFUNDED" if back else "COMPLETED"


def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Issue(400, "MALFORMED_REQUEST_JSON")
    return body


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _made(transaction: dict[str, Any]) -> datetime:
    return datetime.strptime(transaction["transaction_info"]["transaction_initiation_date"], "%Y-%m-%dT%H:%M:%S%z")
