"""What PayPal takes as an order, and the issue it names for what it does not.

Source: PayPal's OpenAPI file checkout_orders_v2, its list of 400 and 422 issues.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

CURRENCIES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN RUB SEK SGD THB TWD USD"
NO_DECIMALS = {"HUF", "JPY", "TWD"}
_VALUE = re.compile(r"(-?[0-9]+)|(-?[0-9]*[.][0-9]+)")
_LOCALE = re.compile(r"[a-z]{2}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_LENGTHS = {"reference_id": 256, "description": 127, "custom_id": 127, "invoice_id": 127, "soft_descriptor": 22}
_CHOICES = {
    "shipping_preference": {"GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"},
    "user_action": {"CONTINUE", "PAY_NOW"},
    "landing_page": {"LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE"},
    "payment_method_preference": {"UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"},
}
_ADDED = ("item_total", "tax_total", "shipping", "handling", "insurance")
_TAKEN = ("shipping_discount", "discount")


class Issue(Exception):
    """A refusal as PayPal words it: status 400 for what cannot be read, 422 for what cannot be done."""

    def __init__(self, status: int, issue: str, field: str = "") -> None:
        super().__init__(issue)
        self.status, self.issue, self.field = status, issue, field


def check_order(body: dict[str, Any]) -> None:
    """Raise the first Issue that PayPal would find in this order."""
    if body.get("intent") not in ("CAPTURE", "AUTHORIZE"):
        raise Issue(400, "INVALID_PARAMETER_VALUE" if "intent" in body else "MISSING_REQUIRED_PARAMETER", "/intent")
    units = body.get("purchase_units")
    if not isinstance(units, list) or not units:
        raise Issue(400, "MISSING_REQUIRED_PARAMETER", "/purchase_units")
    if len(units) > 10:
        raise Issue(400, "INVALID_ARRAY_MAX_ITEMS", "/purchase_units")
    for index, unit in enumerate(units):
        _unit(unit, f"/purchase_units/{index}")
    names = [unit.get("reference_id", "default") for unit in units]
    if len(set(names)) != len(names):
        raise Issue(422, "DUPLICATE_REFERENCE_ID", "/purchase_units")
    if len({unit["amount"]["currency_code"].upper() for unit in units}) > 1:
        raise Issue(422, "MULTI_CURRENCY_ORDER", "/purchase_units")
    if "payment_source" in body:
        _source(body["payment_source"])


def check_part(amount: Any, currency: str) -> Decimal:
    """The amount of a refund. Raises the Issue that PayPal would find in it."""
    value = _money(amount if isinstance(amount, dict) else {}, "/amount")
    if amount["currency_code"].upper() != currency:
        raise Issue(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
    if value <= 0:
        raise Issue(422, "CANNOT_BE_ZERO_OR_NEGATIVE", "/amount/value")
    return value


def _unit(unit: Any, where: str) -> None:
    if not isinstance(unit, dict):
        raise Issue(400, "MALFORMED_REQUEST_JSON", where)
    for name, longest in _LENGTHS.items():
        _text(unit, name, longest, where)
    amount = unit.get("amount")
    if not isinstance(amount, dict):
        raise Issue(400, "MISSING_REQUIRED_PARAMETER", where + "/amount")
    value = _money(amount, where + "/amount")
    if value <= 0:
        raise Issue(422, "CANNOT_BE_ZERO_OR_NEGATIVE", where + "/amount/value")
    parts = {name: _money(part, f"{where}/amount/{name}") for name, part in amount.get("breakdown", {}).items()}
    if parts:
        total = sum(parts.get(name, 0) for name in _ADDED) - sum(parts.get(name, 0) for name in _TAKEN)
        if total != value:
            raise Issue(422, "AMOUNT_MISMATCH", where + "/amount/value")
    if "items" in unit:
        _items(unit["items"], parts, where)


def _items(items: Any, parts: dict[str, Decimal], where: str) -> None:
    total, taxes, taxed = Decimal(0), Decimal(0), False
    for index, item in enumerate(items):
        here = f"{where}/items/{index}"
        if not item.get("name") or "unit_amount" not in item or not str(item.get("quantity", "")).isdigit():
            raise Issue(400, "MISSING_REQUIRED_PARAMETER", here)
        for name in ("name", "description", "sku"):
            _text(item, name, 127, here)
        if item.get("category", "PHYSICAL_GOODS") not in ("DIGITAL_GOODS", "PHYSICAL_GOODS", "DONATION"):
            raise Issue(400, "INVALID_PARAMETER_VALUE", here + "/category")
        number, one = int(item["quantity"]), _money(item["unit_amount"], here + "/unit_amount")
        if one < 0:
            raise Issue(422, "CANNOT_BE_NEGATIVE", here + "/unit_amount")
        total += one * number
        if "tax" in item:
            taxed, taxes = True, taxes + _money(item["tax"], here + "/tax") * number
    if "item_total" not in parts:
        raise Issue(422, "ITEM_TOTAL_REQUIRED", where + "/amount/breakdown")
    if parts["item_total"] != total:
        raise Issue(422, "ITEM_TOTAL_MISMATCH", where + "/amount/breakdown/item_total")
    if taxed and "tax_total" not in parts:
        raise Issue(422, "TAX_TOTAL_REQUIRED", where + "/amount/breakdown")
    if taxed and parts["tax_total"] != taxes:
        raise Issue(422, "TAX_TOTAL_MISMATCH", where + "/amount/breakdown/tax_total")


def _source(source: Any) -> None:
    if not isinstance(source, dict) or not source:
        raise Issue(422, "NO_PAYMENT_SOURCE_PROVIDED", "/payment_source")
    where = "/payment_source/paypal/experience_context"
    told = (source.get("paypal") or {}).get("experience_context", {})
    for name in ("return_url", "cancel_url"):
        if name in told and not re.fullmatch(r"https?://[^\s]+", told[name]):
            raise Issue(400, "INVALID_PARAMETER_SYNTAX", f"{where}/{name}")
    for name, choices in _CHOICES.items():
        if told.get(name, next(iter(choices))) not in choices:
            raise Issue(400, "INVALID_PARAMETER_VALUE", f"{where}/{name}")
    if "locale" in told and not _LOCALE.fullmatch(told["locale"]):
        raise Issue(400, "INVALID_PARAMETER_SYNTAX", f"{where}/locale")
    _text(told, "brand_name", 127, where)


def _text(holder: dict[str, Any], name: str, longest: int, where: str) -> None:
    if name in holder and not (isinstance(holder[name], str) and 1 <= len(holder[name]) <= longest):
        raise Issue(400, "INVALID_STRING_LENGTH", f"{where}/{name}")


def _money(money: Any, where: str) -> Decimal:
    value, currency = money.get("value"), money.get("currency_code")
    if not isinstance(currency, str) or not isinstance(value, str):
        raise Issue(400, "MISSING_REQUIRED_PARAMETER", where)
    if len(currency) != 3 or not 1 <= len(value) <= 32:
        raise Issue(400, "INVALID_STRING_LENGTH", where)
    if not _VALUE.fullmatch(value):
        raise Issue(400, "INVALID_PARAMETER_SYNTAX", where + "/value")
    if currency.upper() not in CURRENCIES.split():
        raise Issue(422, "INVALID_CURRENCY_CODE", where + "/currency_code")
    number = Decimal(value)
    places = 0 if currency.upper() in NO_DECIMALS else 2
    if -int(number.as_tuple().exponent) > places:
        raise Issue(422, "DECIMAL_PRECISION", where + "/value")
    return number
