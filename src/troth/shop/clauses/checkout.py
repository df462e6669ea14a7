"""How the marker customer buys: basket, checkout, the provider's page, and back."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from troth.pledge.policy.visitor import Page, Stuck, Visitor
from troth.shop.catalogue.models import Product
from troth.shop.payments.models import Payment
from troth.shop.tax import vat_numbers

APPROVALS = {"paypal": "approve", "skrill": "pay"}


def buys(visitor: Visitor, stem: str, provider: str, typed: dict[str, str] | None = None) -> str:
    """Basket, checkout, the provider's page, and back; who is known and types nothing is billed as the last time.

    Returns the order's reference.
    """
    slug = Product.objects.filter(published=True, kind=Product.MODULE).values_list("slug", flat=True).first()
    visitor.submit(f"/p/{slug}", {}, form="basket")
    page = visitor.get("/checkout")
    form = next((form for form in page.forms if any(field.name == "provider" for field in form.fields)), None)
    if form is None:
        raise Stuck("/checkout has no choice of providers")
    filled = {"provider": provider, **(typed or {})}
    paying = visitor.send(page, _as_named(page, filled), form="checkout")
    if urlsplit(paying.url).path == "/checkout":  # a firm may pay another tax: the form comes back with the new total
        paying = visitor.send(paying, _as_named(paying, filled), form="checkout")
    if urlsplit(paying.url).netloc == urlsplit(visitor.base).netloc:
        raise Stuck(f"/checkout did not lead to {provider}")
    ref = Payment.objects.filter(pay_url__in=paying.redirects).values_list("order", flat=True).first()
    try:
        path = urlsplit(visitor.send(paying, {}, form=APPROVALS[provider]).url).path
    except Stuck:
        path = ""  # its page is none that is known here: whether that may be, `play` knows
    if ref is None and not path.startswith("/orders/"):
        raise Stuck(f"{provider} did not lead back to the order")
    return str(ref or path.split("/")[2])


def bill(stem: str, *, firm: bool = False) -> dict[str, str]:
    own = {
        "billing country": "DE",
        "billing name": f"{stem}bill name",
        "billing street-address": f"{stem}bill street 1",
        "billing address-level2": f"{stem}bill city",
        "billing postal-code": f"{stem}9",
    }
    return own | ({"organization": f"{stem}bill company", "vat_number": _vat_number()} if firm else {})


def _vat_number() -> str:
    """A German one of nobody's, with its check digit (ISO/IEC 7064, MOD 11,10)."""
    digits = f"{secrets.randbelow(9 * 10**7) + 10**7}"
    return next(f"DE{digits}{last}" for last in range(10) if _is_one(f"DE{digits}{last}"))


def _is_one(number: str) -> bool:
    try:
        return bool(vat_numbers.check(number, "DE"))
    except ValueError:
        return False


def _as_named(page: Page, filled: dict[str, str]) -> dict[str, str]:
    """Values by the fields' whole autocomplete: on one page "name" and "billing name" are two fields."""
    fields = [field for form in page.forms for field in form.fields]
    named = {}
    for key, value in filled.items():
        field = next((one for one in fields if key in (one.name, one.token)), None)
        if field is None:
            field = next((one for one in fields if one.token == key.removeprefix("billing ")), None)
        if field is None:
            raise Stuck(f"/checkout has no field {key}")
        named[field.name] = value
    return named
