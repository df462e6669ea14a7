"""To withdraw from a purchase: by the order's page or its number, in two steps, within the days that the law gives."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from tests.house import House, InProcess
from tests.journeys.test_buy_to_delivery import KEY, basket, come_back, pay
from troth.pledge import clock
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, reach, withdraw
from troth.shop.orders.models import Basket, Order
from troth.shop.payments.models import Refund
from troth.shop.refusal import Refused
from troth.shop.withdrawals import rules
from troth.shop.withdrawals.models import Withdrawal

BERLIN = Billing(name="Alice Example", street="Ulmenweg 1", city="Berlin", postcode="10115", country="DE")
LEEDS = Billing(name="Alice Example", street="1 Elm Row", city="Leeds", postcode="LS1 4AP", country="GB")


def bought(house: House, edition: Edition, address: Billing = BERLIN, *, waived: bool = False) -> Order:
    basket(edition)
    alice = buy.Newcomer("Alice", "alice@b.example")
    order = Order.objects.get(pk=buy.begin(KEY, alice, address, "paypal", waiver=waived).order_ref)
    come_back(order, pay(house, order))
    house.works()
    house.mails.clear()
    return Order.objects.get(pk=order.ref)


def test_who_sees_the_order_withdraws_and_the_money_goes_back(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    shop = InProcess(house)
    assert shop.get(f"/orders/{order.ref}/key/{reach.order_key(order)}").status == 200
    page = shop.get(f"/orders/{order.ref}/withdraw")
    assert "without giving a reason" in page.text
    done = shop.visitor.send(page, {}, "Confirm the withdrawal")
    assert "You have withdrawn" in done.text
    house.works()
    (refund,) = Refund.objects.filter(payment__order=order)
    assert (refund.why, refund.state, refund.amount_minor) == ("withdrawn", Refund.DONE, order.total_minor)
    assert [line.ended for line in order.lines.all()] == ["refunded"]
    letters = [mail for mail in house.mails if "withdrawn" in mail.text]
    assert [mail.to for mail in letters] == [["alice@b.example"]]
    assert order.ref in letters[0].text
    shop.close()


def test_by_the_number_alone_the_mailbox_decides(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    shop = InProcess(house)
    known = shop.visitor.submit("/withdraw", {"order": order.ref})
    unknown = shop.visitor.submit("/withdraw", {"order": order.ref[:-4] + "aaaa"})
    assert (known.status, known.text) == (unknown.status, unknown.text)
    other = shop.visitor.submit("/withdraw", {"order": "2026-00001"})  # of the invoice
    assert other.status == 400 and "begins with ord_" in other.text
    house.works()
    (mail,) = house.mails
    assert not Refund.objects.exists()  # the number alone gives nobody anything
    path = next(line for line in mail.text.splitlines() if "/withdrawals/" in line).partition("8000")[2]
    assert "You have withdrawn" in shop.visitor.send(shop.get(path), {}, "Confirm").text
    shop.visitor.submit("/withdraw", {"order": order.ref})  # and again: nothing more comes of it
    house.works()
    assert Refund.objects.count() == 1
    assert len(house.mails) == 2
    assert shop.get(path[:-1] + ("0" if path[-1] != "0" else "1")).status == 404
    shop.close()


def test_it_counts_from_when_it_was_said_not_from_when_the_letter_was_read(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    clock.travel(timedelta(days=13))
    withdraw.ask(order.ref)
    clock.travel(timedelta(days=16))
    asked = Withdrawal.objects.get()
    withdraw.confirm(asked)
    assert asked.outcome == Withdrawal.REFUND


@pytest.mark.parametrize(
    ("address", "waived", "days", "why"),
    [
        (BERLIN, True, 0, rules.WAIVED),
        (BERLIN, False, 16, rules.OVER),
        (LEEDS, False, 0, rules.ELSEWHERE),
    ],
)
def test_where_the_right_has_ended_the_owner_decides_and_the_letter_says_so(
    house: House, edition: Edition, address: Billing, waived: bool, days: int, why: str
) -> None:
    order = bought(house, edition, address, waived=waived)
    clock.travel(timedelta(days=days))
    declared = withdraw.declare(order)
    assert (declared.outcome, declared.reason) == (Withdrawal.OWNER, why)
    house.works()
    assert not Refund.objects.exists()
    assert "had ended" in house.mails[-1].text


def test_declared_twice_is_declared_once_and_of_nothing_paid_there_is_nothing_to_withdraw(
    house: House, edition: Edition
) -> None:
    order = bought(house, edition)
    assert withdraw.declare(order).id == withdraw.declare(order).id
    assert Refund.objects.count() == 1
    unpaid = Order(state=Order.OPEN, total_minor=100)
    with pytest.raises(Refused) as no:
        withdraw.declare(unpaid)
    assert str(no.value.sentence).startswith("Nothing was paid")


def test_a_shop_that_asks_for_the_waiver_sells_without_it_to_no_consumer_in_the_union(
    house: House, edition: Edition
) -> None:
    shop = msgspec.structs.replace(settings.TROTH.shop, waiver="required")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, shop=shop)
    with pytest.raises(Refused) as no:
        bought(house, edition)
    assert (no.value.field, Order.objects.count()) == ("waiver", 0)
    Basket.objects.all().delete()
    assert "at once" in bought(house, edition, waived=True).waiver.words
    Basket.objects.all().delete()
    assert bought(house, edition, LEEDS).state == Order.PAID


def test_a_stranger_is_told_that_there_is_no_such_order(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    shop = InProcess(house)
    assert shop.get(f"/orders/{order.ref}/withdraw").status == 404
    shop.close()


moments = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(concluded=moments, days=st.integers(1, 60))
def test_the_days_are_whole_days_and_never_fewer(concluded: datetime, days: int) -> None:
    until = rules.last_moment(days, concluded)
    assert timedelta(days=days) <= until - concluded < timedelta(days=days + 1)
    told = [
        rules.right(days, "DE", False, concluded, True, False, at).ended
        for at in (until, until + timedelta(microseconds=1))
    ]
    assert told == ["", rules.OVER]
