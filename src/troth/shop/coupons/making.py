"""Coupons are made, listed and ended here, whoever asks: the command line and the desk call the same."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.catalogue.models import Product
from troth.shop.coupons.models import Coupon
from troth.shop.coupons.offer import MOST, normal
from troth.shop.money import LARGEST_MINOR
from troth.shop.refusal import Refused

PAGE = 50
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a coupon is for. Either `percent` (1 to 100) or `minor`; sums are in minor units of the shop's currency."""

    percent: int | None = None
    minor: int | None = None
    least_minor: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    limit: int | None = None
    once: bool = False
    again: bool = False


def add(code: str, terms: Terms, products: tuple[str, ...] = ()) -> tuple[Coupon, bool]:
    """The coupon, and whether it is new: the same said twice is one. An empty code gets a random one of 12 characters.

    Refused for terms that contradict themselves, unknown products, and a code that stands for something else.
    """
    code = normal(code) or "".join(secrets.choice(ALPHABET) for _number in range(12))
    _make_sense(code, terms)
    unknown = set(products) - set(Product.objects.filter(pk__in=products).values_list("pk", flat=True))
    if unknown:
        raise Refused(str(_("There is no product {name}; name it as in its address, /p/<name>.")).format(
            name=sorted(unknown)[0]
        ))  # fmt: skip
    values = {**msgspec.structs.asdict(terms), "currency": settings.TROTH.shop.currency}
    with transaction.atomic():
        coupon, made = Coupon.objects.get_or_create(code=code, defaults=values)
        if made:
            coupon.products.set(Product.objects.filter(pk__in=products))
    same = all(getattr(coupon, key) == value for key, value in values.items())
    if not same or {product.pk for product in coupon.products.all()} != set(products):
        raise Refused(_("There is a coupon of this code with other terms; end that one, or choose another code."))
    return coupon, made


def end(code: str) -> bool:
    """From now on it takes nothing off. False if it had ended. Coupon.DoesNotExist."""
    coupon = Coupon.objects.get(pk=normal(code))
    now = clock.now()
    if coupon.ends_at is not None and coupon.ends_at <= now:
        return False
    # Orders that have it keep their price.
    return Coupon.objects.filter(pk=coupon.pk, ends_at=coupon.ends_at).update(ends_at=now) == 1


def every() -> Iterator[Coupon]:
    """All coupons, the newest first, their products at hand."""
    yield from Coupon.objects.prefetch_related("products").order_by("-made_at", "code")


def listed(page: int) -> tuple[list[Coupon], bool]:
    """One page of them, and whether there are more."""
    rows = Coupon.objects.prefetch_related("products").order_by("-made_at", "code")
    found = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def _make_sense(code: str, terms: Terms) -> None:
    if not re.fullmatch(rf"[A-Z0-9][A-Z0-9-]{{2,{MOST - 1}}}", code):
        raise Refused(_("A code has 3 to 40 letters, digits and hyphens."))
    if (terms.percent is None) == (terms.minor is None):
        raise Refused(_("Say what it takes off: percent, or an amount."))
    if terms.percent is not None and not 1 <= terms.percent <= 100:
        raise Refused(_("It takes 1 to 100 percent off."))
    if terms.minor is not None and not 0 < terms.minor <= LARGEST_MINOR:
        raise Refused(_("The amount must be more than nothing."))
    if not 0 <= terms.least_minor <= LARGEST_MINOR:
        raise Refused(_("The least sum of a basket must be an amount."))
    if terms.limit is not None and not 0 < terms.limit < 2**31:
        raise Refused(_("Leave the number of uses out, or say at least 1."))
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        raise Refused(_("It must end after it begins."))
