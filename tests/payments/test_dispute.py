"""A dispute holds what was bought until it ends: won, it comes back; lost, it is gone, and the money with it."""

from datetime import timedelta
from itertools import permutations

import pytest

from tests.house import House
from tests.payments.test_refund import paid
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import download, refund, stuck
from troth.shop.payments.models import Dispute, Payment, ProviderEvent


def told(house: House, times: int = 1) -> None:
    assert set(house.messages(times)) <= {200}
    house.works()


def test_a_dispute_that_is_won_gives_access_back(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    case = house.sandbox.paypal.money.dispute(order.payments.get().capture_ref)
    told(house)
    assert (Dispute.objects.get().state, download.links(order)) == (Dispute.OPEN, [])
    house.sandbox.paypal.money.escalate(case)
    told(house, 2)
    assert (Dispute.objects.get().stage, download.links(order)) == ("CHARGEBACK", [])
    house.sandbox.paypal.money.resolve(case, "RESOLVED_SELLER_FAVOUR")
    told(house)
    assert (Dispute.objects.get().state, len(download.links(order))) == (Dispute.WON, 1)
    payment = order.payments.get()
    assert (payment.state, payment.refunded_minor) == (Payment.PAID, 0)


def test_a_dispute_that_is_lost_takes_the_money_and_the_access(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    case = house.sandbox.paypal.money.dispute(order.payments.get().capture_ref)
    house.sandbox.paypal.money.resolve(case, "RESOLVED_BUYER_FAVOUR")
    told(house, 3)
    payment = order.payments.get()
    assert (Dispute.objects.get().state, payment.state, payment.refunded_minor) == ("lost", "reversed", 4900)
    assert download.links(order) == []


def test_money_that_was_reversed_and_won_back_is_ours_again(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    payment = order.payments.get()
    case = house.sandbox.paypal.money.dispute(payment.capture_ref)
    house.sandbox.paypal.money.take_back(payment.capture_ref, reversed_=True)
    told(house)
    payment.refresh_from_db()
    assert (payment.state, download.links(order)) == (Payment.REVERSED, [])
    house.sandbox.paypal.money.resolve(case, "RESOLVED_SELLER_FAVOUR")
    told(house)
    payment.refresh_from_db()
    assert (payment.state, payment.regained_minor, len(download.links(order))) == (Payment.REGAINED, 4900, 1)
    for post in house.posts():  # every message once more, in the wrong order
        house.bring(post)
    house.works(later=timedelta(hours=1))
    payment.refresh_from_db()
    assert (payment.state, payment.refunded_minor, payment.regained_minor) == (Payment.REGAINED, 4900, 4900)
    assert len(download.links(order)) == 1


def test_late_completed_after_refunded_changes_nothing(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    house.messages()
    refund.ask(order)
    house.works()
    for post in house.posts():
        assert house.bring(post) == 200
    house.works(later=timedelta(hours=1))
    payment = order.payments.get()
    assert (payment.state, payment.refunded_minor, download.links(order)) == (Payment.REFUNDED, 4900, [])


@pytest.mark.parametrize("order_of_posts", list(permutations(range(3))))
def test_the_news_of_a_dispute_may_come_in_any_order(
    house: House, edition: Edition, order_of_posts: tuple[int, ...]
) -> None:
    order = paid(house, edition, "paypal")
    house.messages()
    case = house.sandbox.paypal.money.dispute(order.payments.get().capture_ref)
    house.sandbox.paypal.money.escalate(case)
    house.sandbox.paypal.money.resolve(case, "CANCELED_BY_BUYER")
    posts = house.posts()[-3:]
    for number in order_of_posts:
        house.bring(posts[number])
        house.works()
    assert (Dispute.objects.get().state, len(download.links(order))) == (Dispute.WON, 1)


def test_a_dispute_about_somebody_elses_sale_is_kept_apart(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    payment = order.payments.get()
    house.sandbox.paypal.money.dispute(payment.capture_ref)
    Payment.objects.filter(pk=payment.pk).update(provider="skrill")  # as if that money were another shop's
    house.messages()
    house.works()
    assert Dispute.objects.count() == 0
    assert ProviderEvent.objects.filter(kind="CUSTOMER.DISPUTE.CREATED").get().outcome == "unmatched"
    assert len(download.links(order)) == 1


def test_nobody_in_a_dispute_is_kept(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    house.sandbox.paypal.money.dispute(order.payments.get().capture_ref)
    told(house)
    kept = repr(list(Dispute.objects.values())) + repr(list(ProviderEvent.objects.values()))
    assert "Buyer" not in kept
    assert "never got it" not in kept


def test_a_dispute_that_paypal_does_not_show_is_told_to_the_owner(house: House, edition: Edition) -> None:
    """The app's right to look at disputes is one of its own, and easily forgotten."""
    order = paid(house, edition, "paypal")
    house.sandbox.faults.add("403", where="/customer/disputes/", times=100)
    case = house.sandbox.paypal.money.dispute(order.payments.get().capture_ref)
    told(house)
    assert [one.what for one in stuck.found()] == []  # it may be a matter of a moment
    house.works(later=timedelta(minutes=20))
    (found,) = stuck.found()
    assert f"PayPal does not let us look at dispute {case}" in found.what
    house.sandbox.faults.clear()
    house.works(later=timedelta(hours=2))
    assert (Dispute.objects.get().state, download.links(order)) == (Dispute.OPEN, [])
    assert "does not let us" not in "".join(one.what for one in stuck.found())
