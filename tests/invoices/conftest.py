"""A shop that taxes by the buyer's country, and what a purchase in it leaves."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from troth.config import Tax
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, settle, standby
from troth.shop.orders.models import Basket, BasketLine, Order

ALICE = Billing("Alice Example", "1 Elm Row", "Wien", "1010", "AT")
FIRM = Billing("Alice Example", "1 Elm Row", "Wien", "1010", "AT", "Elm GmbH", "ATU13585627")


@pytest.fixture(autouse=True)
def taxed(house: House) -> Iterator[House]:
    """The house sells from Germany at gross prices. What waits for a document has the worker at hand."""
    settings.TROTH = msgspec.structs.replace(
        settings.TROTH,
        tax=Tax(scheme="destination", vat_number="DE136695976"),
        shop=msgspec.structs.replace(settings.TROTH.shop, address="1 Fern Hill, 00000 Nowhere"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standby, "pause", lambda _: house.works())
        yield house


def ordered(edition: Edition, who: Billing = ALICE, quantity: int = 1, provider: str = "paypal") -> Order:
    key = secrets.token_urlsafe()
    basket = Basket.objects.create(key_hash=hashlib.sha256(key.encode()).hexdigest())
    BasketLine.objects.create(basket=basket, edition=edition, quantity=quantity)
    begun = buy.begin(key, buy.Newcomer("Alice", f"{secrets.token_hex(4)}@b.example"), who, provider)
    return Order.objects.get(pk=begun.order_ref)


def paid(house: House, order: Order) -> Order:
    payment = order.payments.get()
    pages = {"paypal": house.sandbox.paypal.approve, "skrill": house.sandbox.skrill.pay}
    pages[payment.provider](payment.provider_ref)
    settle.look(payment)
    order.refresh_from_db()
    assert order.state == Order.PAID
    return order
