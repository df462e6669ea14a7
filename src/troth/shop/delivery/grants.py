"""What a paid line gives: one grant for each product in it. Made once, however often it is asked for."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from troth.pledge import clock, returning
from troth.shop.catalogue.models import Product
from troth.shop.delivery.models import Grant
from troth.shop.orders.models import OrderLine


def give(lines: list[OrderLine]) -> list[Grant]:
    """Grants for the lines of a paid order, as they stand now, with their products at hand.

    A bundle gives what it includes; a service has nothing to fetch.
    """
    policy = settings.TROTH.policy
    ends = clock.now() + timedelta(days=policy.download_days)
    grants = [
        Grant(line=line, product=product, ends_at=ends, limit=policy.download_limit * line.quantity)
        for line in lines
        for product in _given(line.edition.product)
    ]
    if len(returning.insert(Grant, grants)) < len(grants):  # this was delivered before
        grants = list(Grant.objects.filter(line__in=lines).select_related("product"))
    return sorted(grants, key=lambda one: one.id)


def _given(product: Product) -> list[Product]:
    if product.kind == Product.BUNDLE:
        return list(product.includes.all())
    return [product] if product.kind == Product.MODULE else []
