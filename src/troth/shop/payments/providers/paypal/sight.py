"""PayPal's orders, captures and refunds, read as sights.

A COMPLETED order only says that the capture was tried: the money's state is the capture's own status.
"""

from __future__ import annotations

import re

from troth.shop.money import Money
from troth.shop.payments.providers.contract import Sight, State
from troth.shop.payments.providers.parse import at, code, money
from troth.shop.payments.providers.paypal import refunds

ORDERS = {
    "CREATED": State.OPEN,
    "SAVED": State.OPEN,
    "PAYER_ACTION_REQUIRED": State.OPEN,
    "APPROVED": State.APPROVED,
    "VOIDED": State.CANCELLED,
}
CAPTURES = {
    "COMPLETED": State.PAID,
    "PARTIALLY_REFUNDED": State.PAID,  # the money came; what went back are refunds of their own
    "REFUNDED": State.REFUNDED,
    "PENDING": State.PENDING,
    "DECLINED": State.DECLINED,
    "FAILED": State.DECLINED,
}
_RANK = list(CAPTURES)  # where an order has several captures, the one that moved money speaks
_ORDER = re.compile(r"/v2/checkout/orders/([A-Za-z0-9_-]{1,64})$")
_COUNTRY = re.compile(r"[A-Z]{2}")


def of_order(order: object) -> Sight:
    """Read an order as `GET /v2/checkout/orders/{id}`, its capture, or a checkout-order webhook shows it."""
    ref, unit = code(at(order, "id")), at(order, "purchase_units", 0)
    payment_id, payee, country = code(at(unit, "custom_id")), _payee(unit), _country(order)
    if at(order, "purchase_units", 1) is not None:  # never one of ours: the sum of one unit would not be the order's
        return Sight(State.UNKNOWN, ref, payment_id, None, payee, "", "several_units", country)
    captures = at(unit, "payments", "captures")
    if isinstance(captures, list) and captures:
        seen = of_capture(min(captures, key=_rank))
        payment_id = payment_id or seen.payment_id
        told = (seen.state, ref, payment_id, seen.amount, payee or seen.payee, seen.capture_ref, seen.reason, country)
        return Sight(*told, refunds=refunds.of_unit(unit))
    status = code(at(order, "status"))
    state = ORDERS.get(status, State.UNKNOWN)
    reason = "" if state in (State.OPEN, State.APPROVED) else status
    return Sight(state, ref, payment_id, _amount(unit), payee, "", reason, country)


def of_capture(capture: object) -> Sight:
    """Read a capture, alone or inside an order. `provider_ref` is the order's id where the capture tells it."""
    status = code(at(capture, "status"))
    reason = code(at(capture, "status_details", "reason"))
    if not reason and status not in ("COMPLETED", "PENDING"):
        reason = status
    return Sight(
        state=CAPTURES.get(status, State.UNKNOWN),
        provider_ref=code(at(capture, "supplementary_data", "related_ids", "order_id")) or _order(capture),
        payment_id=code(at(capture, "custom_id")),
        amount=_amount(capture),
        payee=_payee(capture),
        capture_ref=code(at(capture, "id")),
        reason=reason,
    )


def of_refund(refund: object, state: State) -> Sight:
    """Read a refund or reversal: its amount is this refund's, its capture stands in the link "up"."""
    reason = code(at(refund, "status_details", "reason"))
    order = code(at(refund, "supplementary_data", "related_ids", "order_id"))
    # The refund's own custom_id is the refund's, not the payment's: the payment is found by its capture.
    return Sight(state, order, "", _amount(refund), _payee(refund), refunds.read(refund).capture_ref, reason)


def link(resource: object, *relations: str) -> str:
    """The address behind the first of these relations, or ""."""
    links = at(resource, "links")
    for relation in relations:
        for one in links if isinstance(links, list) else []:
            href = at(one, "href")
            if at(one, "rel") == relation and isinstance(href, str):
                return href
    return ""


def _order(capture: object) -> str:
    """The order that a capture's link "up" leads to: older events tell it nowhere else."""
    match = _ORDER.search(link(capture, "up"))
    return match[1] if match else ""


def _amount(holder: object) -> Money | None:
    return money(at(holder, "amount", "value"), at(holder, "amount", "currency_code"))


def _payee(holder: object) -> str:
    email = at(holder, "payee", "email_address")  # the merchant's own, in case no id is told
    return code(at(holder, "payee", "merchant_id")) or (email.lower() if isinstance(email, str) else "")


def _country(order: object) -> str:
    told = at(order, "payer", "address", "country_code") or at(
        order, "payment_source", "paypal", "address", "country_code"
    )
    return told if isinstance(told, str) and _COUNTRY.fullmatch(told) else ""


def _rank(capture: object) -> int:
    status = code(at(capture, "status"))
    return _RANK.index(status) if status in _RANK else len(_RANK)
