"""What PayPal is told when an order is created: amount, our references, the item's name. Nobody's name or address."""

from __future__ import annotations

import re

from troth.shop.money import Money
from troth.shop.payments.providers.contract import Ask, ProviderRefused

_LOCALE = re.compile(r"[a-z]{2}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")  # PayPal's own pattern
_TEXT = 127  # the longest name, reference or brand PayPal takes


def order_body(ask: Ask) -> dict[str, object]:
    """The body of `POST /v2/checkout/orders`. Raises ProviderRefused for what PayPal would not take."""
    for name in ("payment_id", "order_ref", "return_url", "cancel_url", "request_id"):
        if not getattr(ask, name):
            raise ProviderRefused(f"missing_{name}")
    if len(ask.payment_id) > _TEXT or len(ask.request_id) > 108:
        raise ProviderRefused("reference_too_long")
    if ask.amount.minor <= 0:
        raise ProviderRefused("amount_not_positive")
    return {
        "intent": "CAPTURE",
        "purchase_units": [_unit(ask)],
        "payment_source": {"paypal": {"experience_context": _experience(ask)}},
    }


def _unit(ask: Ask) -> dict[str, object]:
    amount = _amount(ask.amount)
    unit: dict[str, object] = {"custom_id": ask.payment_id, "invoice_id": _invoice_id(ask), "amount": amount}
    if name := _cut(ask.item_name):
        # One line over the whole sum always adds up; several, rounded one by one, would not.
        unit["amount"] = amount | {"breakdown": {"item_total": amount}}
        unit["items"] = [{"name": name, "quantity": "1", "unit_amount": amount, "category": "DIGITAL_GOODS"}]
    return unit


def _invoice_id(ask: Ask) -> str:
    """Our order's reference, told apart by attempt: accounts may refuse an invoice id that they have seen."""
    attempt = re.sub(r"[^A-Za-z0-9]", "", ask.payment_id)[-8:]
    return f"{ask.order_ref[: _TEXT - 9]}-{attempt}"


def _experience(ask: Ask) -> dict[str, str]:
    locale = ask.locale.replace("_", "-")
    told = {
        "return_url": ask.return_url,
        "cancel_url": ask.cancel_url,
        "brand_name": _cut(ask.brand_name),
        "locale": locale if _LOCALE.fullmatch(locale) else "",
        "shipping_preference": "NO_SHIPPING",
        "user_action": "PAY_NOW",
        "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
    }
    return {name: value for name, value in told.items() if value}


def _amount(amount: Money) -> dict[str, object]:
    return {"currency_code": amount.currency, "value": f"{amount.decimal():f}"}


def _cut(text: str) -> str:
    return " ".join(text.split())[:_TEXT].strip()
