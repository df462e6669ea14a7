"""Who may see an order: its basket's cookie, its owner signed in, or who came by the mailed link. Nobody else.

The reference identifies an order and never authorises; someone who only knows it gets the same "not found" as for
an order that does not exist.
"""

from __future__ import annotations

from django.utils.crypto import constant_time_compare, salted_hmac

from troth.shop.accounts.models import Claim
from troth.shop.orders.models import Order


def order_key(order: Order) -> str:
    """The part of the mailed link that authorises. It stays the same, so that a second copy of the mail is equal, until
    the order's address is put right."""
    return salted_hmac("troth.order-key", order.link_name, algorithm="sha256").hexdigest()[:40]


def open_by_key(order: Order, key: str) -> str | None:
    """The value for this order's cookie, if the mailed link is genuine."""
    return _cookie(order) if constant_time_compare(key, order_key(order)) else None


def may_see(order: Order, basket_key_hash: str | None, person_ref: str | None, order_cookie: str | None) -> bool:
    if basket_key_hash and constant_time_compare(basket_key_hash, order.viewer):
        return True
    if person_ref and order.person_id in Claim.persons_of(person_ref):
        return True
    return bool(order_cookie) and constant_time_compare(order_cookie or "", _cookie(order))


def _cookie(order: Order) -> str:
    return salted_hmac("troth.order-cookie", order.link_name, algorithm="sha256").hexdigest()
