"""The PayPal look-alike's books: orders and captures, and how PayPal shows them in JSON.

Real answers and webhooks are full of the buyer. So are these, of an invented one: a shop that keeps more than it
declared is found out here.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from troth.sandbox.paypal_rules import NO_DECIMALS

BUYER: dict[str, Any] = {
    "name": {"given_name": "Sandbox", "surname": "Buyer"},
    "email_address": "sandbox.buyer@personal.example",
    "payer_id": "SANDBOXPAYER1",
    "phone": {"phone_number": {"national_number": "5550100199"}},
}
ADDRESS = {"address_line_1": "1 Invented Lane", "admin_area_2": "Sandville", "postal_code": "01234"}


class Refund(msgspec.Struct):
    """Money of a capture that went back. `listed`: whether the order shows it; `reversal`: taken, not given."""

    id: str
    amount: Decimal
    status: str
    note: str
    made: str
    custom_id: str = ""
    invoice_id: str = ""
    reason: str = ""
    listed: bool = True
    reversal: bool = False


class Dispute(msgspec.Struct):
    id: str
    capture_id: str
    reason: str
    value: str
    currency: str
    status: str = "OPEN"
    stage: str = "INQUIRY"
    outcome: str = ""


class Capture(msgspec.Struct):
    id: str
    status: str
    value: str
    currency: str
    custom_id: str
    invoice_id: str
    order_id: str
    reason: str = ""
    made: str = ""
    refunds: list[Refund] = []

    @property
    def refunded(self) -> Decimal:
        """What has gone back, or is on its way."""
        return sum((one.amount for one in self.refunds if one.status in ("COMPLETED", "PENDING")), Decimal(0))


class Order(msgspec.Struct):
    id: str
    status: str
    units: list[dict[str, Any]]
    return_url: str
    cancel_url: str
    hosted: bool  # made with payment_source: other status, other links
    created: str
    country: str = "DE"
    approved: bool = False
    captures: list[Capture] = []


def new_id() -> str:
    """Seventeen letters and digits, as PayPal's ids have."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(17))


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_order(body: dict[str, Any], old_shape: bool = False) -> Order:
    """An order as created, its amounts written as PayPal writes them: "0.5" becomes "0.50", "eur" becomes "EUR".

    `old_shape`: to be shown as orders without a payment source are.
    """
    hosted = "payment_source" in body and not old_shape
    told = body.get("payment_source", {}).get("paypal", {}).get("experience_context", {})
    told = told or body.get("application_context", {})
    return Order(
        id=new_id(),
        status="PAYER_ACTION_REQUIRED" if hosted else "CREATED",
        units=[unit | {"amount": _normal(unit["amount"])} for unit in body["purchase_units"]],
        return_url=told.get("return_url", ""),
        cancel_url=told.get("cancel_url", ""),
        hosted=hosted,
        created=now(),
    )


def new_capture(order: Order, status: str, reason: str = "") -> Capture:
    unit = order.units[0]
    amount = unit["amount"]
    return Capture(
        id=new_id(),
        status=status,
        value=amount["value"],
        currency=amount["currency_code"],
        custom_id=unit.get("custom_id", ""),
        invoice_id=unit.get("invoice_id", ""),
        order_id=order.id,
        reason=reason,
        made=now(),
    )


def show_order(order: Order, base: str, merchant: dict[str, str], minimal: bool = False) -> dict[str, Any]:
    """The order's representation, or the three members of `Prefer: return=minimal` (captures are never left out)."""
    shown: dict[str, Any] = {"id": order.id, "status": order.status, "links": _order_links(order, base)}
    units = [_show_unit(order, unit, base, merchant, minimal) for unit in order.units]
    if not minimal:
        shown |= {"intent": "CAPTURE", "create_time": order.created}
    if not minimal or order.captures:
        shown["purchase_units"] = units
    if order.approved:
        address = ADDRESS | {"country_code": order.country}
        shown["payer"] = BUYER | {"address": address if not minimal else {"country_code": order.country}}
        account = {"account_id": BUYER["payer_id"], "account_status": "VERIFIED"}
        shown["payment_source"] = {"paypal": BUYER | account | {"address": address}}
    return shown


def _show_unit(
    order: Order, unit: dict[str, Any], base: str, merchant: dict[str, str], minimal: bool
) -> dict[str, Any]:
    shown: dict[str, Any] = {"reference_id": unit.get("reference_id", "default")}
    if not minimal:
        shown |= unit | {"payee": merchant}
    if order.captures:
        shown["payments"] = {"captures": [show_capture(one, base) for one in order.captures]}
        back = [show_refund(one, refund, base) for one in order.captures for refund in one.refunds if refund.listed]
        if back:
            shown["payments"]["refunds"] = back
    return shown


def show_capture(capture: Capture, base: str, alone: bool = False) -> dict[str, Any]:
    """A capture inside its order, or `alone` with the order's id as the payments API and the webhooks show it."""
    amount = {"currency_code": capture.currency, "value": capture.value}
    here = f"{base}/v2/payments/captures/{capture.id}"
    shown: dict[str, Any] = {
        "id": capture.id,
        "status": capture.status,
        "amount": amount,
        "final_capture": True,
        "seller_protection": {"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED"]},
        "links": [
            {"href": here, "rel": "self", "method": "GET"},
            {"href": f"{here}/refund", "rel": "refund", "method": "POST"},
            {"href": f"{base}/v2/checkout/orders/{capture.order_id}", "rel": "up", "method": "GET"},
        ],
        "create_time": now(),
        "update_time": now(),
    }
    for name in ("custom_id", "invoice_id"):
        if value := getattr(capture, name):
            shown[name] = value
    if capture.reason:
        shown["status_details"] = {"reason": capture.reason}
    if capture.status == "COMPLETED":
        shown["seller_receivable_breakdown"] = _breakdown(capture)
    if alone:
        shown["supplementary_data"] = {"related_ids": {"order_id": capture.order_id}}
    return shown


def show_refund(capture: Capture, refund: Refund, base: str) -> dict[str, Any]:
    amount = {"currency_code": capture.currency, "value": f"{refund.amount:f}"}
    total = {"currency_code": capture.currency, "value": f"{capture.refunded:f}"}
    shown: dict[str, Any] = {
        "id": refund.id,
        "status": refund.status,
        "amount": amount,
        "note_to_payer": refund.note,
        "seller_payable_breakdown": {"gross_amount": amount, "total_refunded_amount": total},
        "links": [
            {"href": f"{base}/v2/payments/refunds/{refund.id}", "rel": "self", "method": "GET"},
            {"href": f"{base}/v2/payments/captures/{capture.id}", "rel": "up", "method": "GET"},
        ],
        "create_time": refund.made.replace("Z", "-00:00"),
        "update_time": refund.made.replace("Z", "-00:00"),
    }
    shown |= {name: value for name in ("custom_id", "invoice_id") if (value := getattr(refund, name))}
    if refund.reason:
        shown["status_details"] = {"reason": refund.reason}
    return shown


def show_dispute(case: Dispute) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "dispute_id": case.id,
        "create_time": now(),
        "update_time": now(),
        "disputed_transactions": [
            {"seller_transaction_id": case.capture_id, "buyer": {"name": BUYER["name"]["given_name"]}}
        ],
        "reason": case.reason,
        "status": case.status,
        "dispute_amount": {"currency_code": case.currency, "value": case.value},
        "dispute_life_cycle_stage": case.stage,
        "messages": [{"posted_by": "BUYER", "content": "I am Sandbox Buyer and I never got it"}],
    }
    if case.outcome:
        shown["dispute_outcome"] = {"outcome_code": case.outcome}
    return shown


def transactions(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """The books as the transaction search tells them: a capture, and each movement of its money back."""
    found = []
    for capture in [capture for order in orders for capture in order.captures]:
        if capture.status in ("DECLINED", "FAILED"):
            continue
        state = "P" if capture.status == "PENDING" else "S"
        found.append(_transaction(capture, capture.id, "T0006", capture.value, capture.made, state, capture.order_id))
        for refund in capture.refunds:
            code = "T1106" if refund.reversal else "T1107"
            states = {"COMPLETED": "S", "PENDING": "P"}
            state = states.get(refund.status, "D")
            found.append(_transaction(capture, refund.id, code, f"-{refund.amount:f}", refund.made, state, capture.id))
    return found


def _transaction(
    capture: Capture, ref: str, code: str, value: str, made: str, state: str, about: str
) -> dict[str, Any]:
    info = {
        "transaction_id": ref,
        "paypal_reference_id": about,
        "paypal_reference_id_type": "ODR" if about == capture.order_id else "TXN",
        "transaction_event_code": code,
        "transaction_initiation_date": made.replace("Z", "+0000"),
        "transaction_amount": {"currency_code": capture.currency, "value": value},
        "transaction_status": state,
        "invoice_id": capture.invoice_id,
        "custom_field": capture.custom_id,
    }
    return {"transaction_info": info, "payer_info": {"email_address": BUYER["email_address"]}}


def _order_links(order: Order, base: str) -> list[dict[str, str]]:
    here = f"{base}/v2/checkout/orders/{order.id}"
    links = [{"href": here, "rel": "self", "method": "GET"}]
    page = f"{base}/checkoutnow?token={order.id}"
    if order.status == "PAYER_ACTION_REQUIRED":
        links.append({"href": page, "rel": "payer-action", "method": "GET"})
    if order.status == "CREATED":
        links.append({"href": page, "rel": "approve", "method": "GET"})
    if order.status == "APPROVED" or not order.hosted:
        links.append({"href": here, "rel": "update", "method": "PATCH"})
        links.append({"href": f"{here}/capture", "rel": "capture", "method": "POST"})
    return links


def _normal(amount: dict[str, Any]) -> dict[str, Any]:
    currency = amount["currency_code"].upper()
    places = 0 if currency in NO_DECIMALS else 2
    return amount | {"currency_code": currency, "value": f"{Decimal(amount['value']):.{places}f}"}


def _breakdown(capture: Capture) -> dict[str, Any]:
    gross = Decimal(capture.value)
    fee = (gross * Decimal("0.03")).quantize(gross)
    parts = {"gross_amount": gross, "paypal_fee": fee, "net_amount": gross - fee}
    return {name: {"currency_code": capture.currency, "value": f"{part:f}"} for name, part in parts.items()}
