"""Renewing a licence: one date, moved once for each order that paid for it, and moved back with its money."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.test_storms import at_once
from tests.house import House
from tests.journeys.test_buy_to_delivery import come_back, pay
from tests.licences.bought import bought, key_of
from tests.storefront.conftest import ORIGIN, Browser, browser
from tests.storefront.test_buying import ALICE
from troth.pledge import clock
from troth.shop.catalogue.models import Edition, Price
from troth.shop.journeys import deliver, download, licence, refund, settle
from troth.shop.licences.models import Licence
from troth.shop.licences.months import months_later
from troth.shop.orders.models import Order
from troth.shop.renewals.dates import prolonged
from troth.shop.renewals.models import Renewal

__all__ = ["browser"]


@pytest.fixture
def renewable(edition: Edition) -> Edition:
    Price.objects.update(renewal_minor=1900)
    return edition


def first(house: House, edition: Edition, quantity: int = 1) -> Licence:
    bought(house, edition, quantity)
    return Licence.objects.get()


def link(one: Licence) -> str:
    (shown,) = licence.of(one.line.order)
    return shown.renew


def ordered(visitor: Browser, one: Licence) -> Order:
    """The renewal, ordered through the door and not paid."""
    path = link(one)
    page = visitor.page(path)
    assert "€19.00" in page.text
    assert one.key not in visitor.get(path).content.decode()
    answer = visitor.send(path, {}, 303)
    assert answer.headers["Location"] == "/basket"  # type: ignore[attr-defined]
    visitor.send(path, {}, 303)
    assert "Renewal: Single site" in visitor.page("/basket").text
    visitor.send("/checkout", ALICE | {"provider": "skrill"}, 303)
    return Order.objects.latest("made_at")


def test_a_renewal_moves_the_date_of_the_same_licence(house: House, renewable: Edition, browser: Browser) -> None:
    one = first(house, renewable)
    key, until = one.key, one.updates_until
    house.works(later=timedelta(days=300))
    order = ordered(browser, one)
    assert (order.total_minor, order.lines.get().renews) == (1900, one.id)
    come_back(order, pay(house, order))
    house.works()
    one.refresh_from_db()
    order.refresh_from_db()
    assert (one.updates_until, one.key, Licence.objects.count()) == (months_later(until, 12), key, 1)
    assert len(download.links(order)) == 1
    letter = house.mails[-1]
    assert "Renewal: Field Guide, Single site" in letter.text
    assert key not in letter.text  # whoever pays for somebody's renewal gets no key of theirs
    assert "updates until" in browser.page(f"/orders/{order.ref}").text
    deliver.deliver(order.ref, claim=None)  # type: ignore[arg-type]  # its letter is sent: nothing is left to do
    one.refresh_from_db()
    assert one.updates_until == months_later(until, 12)


def test_after_the_end_it_counts_from_the_day_of_payment(house: House, renewable: Edition, browser: Browser) -> None:
    one = first(house, renewable)
    house.works(later=timedelta(days=500))
    order = ordered(browser, one)
    come_back(order, pay(house, order))
    house.works()
    one.refresh_from_db()
    assert one.updates_until == months_later(clock.now().date(), 12)


def test_money_that_goes_back_takes_its_months_along(house: House, renewable: Edition, browser: Browser) -> None:
    one = first(house, renewable)
    until = one.updates_until
    orders = []
    for _ in range(2):
        orders.append(ordered(browser, one))
        come_back(orders[-1], pay(house, orders[-1]))
        house.works()
    one.refresh_from_db()
    assert one.updates_until == months_later(until, 24)
    refund.ask(orders[0])
    house.works()
    one.refresh_from_db()
    assert one.updates_until == months_later(until, 12)
    assert key_of(one.line.order) == one.key  # the licence itself stays


def test_what_ended_meanwhile_is_not_paid_for(house: House, renewable: Edition, browser: Browser) -> None:
    one = first(house, renewable, 3)
    path = link(one)
    assert "€57.00" in browser.page(path).text  # for all that was bought
    browser.send(path, {}, 303)
    licence.revoke(one.id)
    answer = browser.send("/checkout", ALICE, 400)
    assert "cannot be renewed any more" in answer.content.decode()  # type: ignore[attr-defined]
    browser.page(path, 404)
    other = path[:-4] + "0000"
    browser.page(other, 404)
    page = browser.page("/basket")
    fields = next(form for form in page.forms if form.get("action") == "remove")
    browser.post("/basket", fields, HTTP_ORIGIN=ORIGIN)
    assert "Nothing in it yet" in browser.page("/basket").text


def test_without_a_price_nothing_is_offered(house: House, edition: Edition, browser: Browser) -> None:
    one = first(house, edition)
    assert link(one) == ""


@pytest.mark.django_db(transaction=True)
def test_fifty_who_settle_and_deliver_at_once_move_it_once(house: House, renewable: Edition, browser: Browser) -> None:
    one = first(house, renewable)
    until = one.updates_until
    order = ordered(browser, one)
    house.sandbox.skrill.pay(order.payments.get().provider_ref)
    at_once([lambda: settle.look(order.payments.get()) for _ in range(50)])
    order.refresh_from_db()
    assert order.state == Order.PAID
    house.works()

    class Mine:
        def still_mine(self) -> bool:
            return False

    with house.as_worker():
        at_once([lambda: deliver.deliver(order.ref, Mine()) for _ in range(20)])  # type: ignore[arg-type]
    one.refresh_from_db()
    assert one.updates_until == months_later(until, 12)
    assert Renewal.objects.count() == 1


days = st.dates(date(2020, 1, 1), date(2060, 1, 1))


@given(days, st.lists(st.tuples(days, st.integers(1, 36)), max_size=8))
def test_each_renewal_gives_all_its_months(until: date, paid: list[tuple[date, int]]) -> None:
    paid.sort()
    end = prolonged(until, paid)
    assert end >= until
    for number, (day, months) in enumerate(paid):
        before = prolonged(until, paid[:number])
        assert prolonged(until, paid[: number + 1]) == months_later(max(before, day), months)
