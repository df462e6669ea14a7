"""The browsers of the storefront's tests serve attackers as well; Alice has bought, Mallory has registered."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.attacks.keeping import Kept, Somebody, kept
from tests.attacks.visiting import MALLORY
from tests.house import House
from tests.storefront.conftest import Browser, basket, browser
from tests.storefront.test_buying import ALICE, approve
from troth.pledge import clock
from troth.pledge.keeper.keeper import Keeper
from troth.shop.orders.models import Order

__all__ = ["basket", "browser"]


@pytest.fixture
def paid(house: House, basket: Browser) -> Order:
    """Alice's order, paid and delivered."""
    basket.send("/checkout", ALICE, 303)
    order = Order.objects.get()
    basket.get(approve(house, order))
    house.works()
    order.refresh_from_db()
    assert order.state == Order.PAID
    return order


@pytest.fixture
def mallory(house: House) -> Browser:
    browser = Browser()
    browser.send("/register", MALLORY, 200)
    return browser


@pytest.fixture
def running(keeper: Keeper) -> Iterator[Kept]:
    keeper.room.clock = clock.now  # so that tests may travel
    with kept(keeper) as running:
        yield running
    clock.travel(timedelta())


@pytest.fixture
def victim(running: Kept) -> Somebody:
    return Somebody(running, "alice@heronsgate.example")


@pytest.fixture
def attacker(running: Kept) -> Somebody:
    return Somebody(running, "mallory@evil.example")
