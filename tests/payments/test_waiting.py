"""Why am I still waiting? Buyer and owner read the truth, and when something happens next."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, KEY, basket, begin, come_back, pay
from tests.payments.test_refund import paid
from troth.pledge import clock
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, download, reach, refund, waiting
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment


def page(order: Order) -> str:
    """The order's page, as who came by the mailed link sees it."""
    visitor = Client()
    assert visitor.get(f"/orders/{order.ref}/key/{reach.order_key(order)}").status_code == 303
    return visitor.get(f"/orders/{order.ref}").content.decode()


def owner(order: Order) -> str:
    return " ".join(told.sentence for told in waiting.to_owner(order))


@pytest.mark.parametrize(
    ("reason", "buyer", "to_owner"),
    [("ECHECK", "three to six working days", "eCheck"), ("", "some days", "holds the payment")],
)
def test_a_pending_payment_says_why_and_when(
    house: House, edition: Edition, reason: str, buyer: str, to_owner: str
) -> None:
    order = begin(edition)
    house.sandbox.paypal.next_capture("PENDING")
    come_back(order, pay(house, order))
    if not reason:
        Payment.objects.update(reason="SOMETHING_NEW")
    assert buyer in page(order)
    assert "We ask again at" in page(order)
    (told,) = waiting.to_owner(order)
    assert to_owner in told.sentence
    assert told.next_at is not None and told.next_at > clock.now() - timedelta(minutes=1)


@pytest.mark.parametrize("provider", ["paypal", "skrill"])
def test_a_provider_that_is_away_is_told_to_both(house: House, edition: Edition, provider: str) -> None:
    house.sandbox.faults.add("503", where="/v2/checkout/orders" if provider == "paypal" else "/skrill/pay")
    basket(edition)
    begun = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, provider)
    order = Order.objects.get(pk=begun.order_ref)
    assert "does not answer just now. Nothing has been charged. You can pay now" in page(order)
    assert buy.pay_again(order, provider)
    assert "does not answer just now" not in page(order)
    assert "has not paid, as far as" in owner(order)
    house.sandbox.faults.add(
        "401" if provider == "skrill" else "503", where="query.pl" if provider == "skrill" else "/"
    )
    house.works(later=timedelta(seconds=50))
    assert "nobody here knows whether the buyer has paid" in owner(order)
    house.works(later=timedelta(minutes=3))
    assert "has not paid, as far as" in owner(order)  # asked again, and answered


def test_why_a_payment_is_pending_outlives_a_question_without_an_answer(house: House, edition: Edition) -> None:
    order = begin(edition)
    house.sandbox.paypal.next_capture("PENDING")
    come_back(order, pay(house, order))
    house.sandbox.faults.add("503", where="/v2/checkout/orders/")
    house.works(later=timedelta(minutes=1))
    assert "three to six working days" in page(order)


def test_a_card_that_paypal_could_not_charge_sends_the_buyer_back_there(house: House, edition: Edition) -> None:
    order = begin(edition)
    house.sandbox.paypal.next_capture("INSTRUMENT_DECLINED")
    back = pay(house, order)
    come_back(order, back)
    assert "PayPal declined the payment" in page(order)
    assert "INSTRUMENT_DECLINED" in owner(order)
    house.works(later=timedelta(minutes=2))
    assert "PayPal declined the payment" in page(order)  # though PayPal says only that it waits, when asked
    assert buy.pay_again(order, "paypal") == order.payments.get().pay_url
    come_back(order, pay(house, order))
    order.refresh_from_db()
    assert order.state == Order.PAID


def test_money_that_came_and_went_is_not_called_nothing(house: House, edition: Edition) -> None:
    order = begin(edition)
    pay(house, order)
    paypal, ref = house.sandbox.paypal, order.payments.get().provider_ref
    gateways.provider("paypal").capture(ref, order.payments.get().pk, "by-hand")
    paypal.take_back(paypal.orders[ref].captures[0].id)
    house.works(later=timedelta(minutes=1))
    assert "What you paid with PayPal went back to you. You can pay now" in page(order)
    assert "Nothing has been charged" not in page(order)


def test_a_declined_card_may_be_followed_by_another(house: House, edition: Edition) -> None:
    order = begin(edition, "skrill")
    house.sandbox.skrill.pay(order.payments.get().provider_ref, "decline")
    house.messages()
    house.works()
    assert "Skrill declined the payment" in page(order)
    assert 'value="paypal"' in page(order)
    assert "05" in owner(order)
    assert buy.pay_again(order, "paypal")


def test_money_that_went_back_is_told_to_both(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    house.sandbox.paypal.money.next_refund("PENDING")
    refund.ask(order, minor=1000)
    house.works()
    assert "On its way back to you" in page(order)
    assert "10.00 EUR are on their way back" in owner(order)
    refund.ask(order)
    house.works()
    assert "Went back to you" in page(order)


@pytest.mark.parametrize("what", ["refunded", "disputed", "reversed"])
def test_access_that_ended_says_why(house: House, edition: Edition, what: str) -> None:
    order = paid(house, edition, "paypal")
    capture = order.payments.get().capture_ref
    if what == "refunded":
        refund.ask(order)
    elif what == "disputed":
        house.sandbox.paypal.money.dispute(capture)
    else:
        house.sandbox.paypal.money.take_back(capture, reversed_=True)
    house.messages()
    house.works()
    words = {
        "refunded": "Your money went back",
        "disputed": "This purchase is disputed",
        "reversed": "The payment was taken back",
    }
    assert words[what] in page(order)
    assert "/download/" not in page(order)
    if what != "refunded":
        assert [ref for ref, _ in waiting.for_a_person()] == [order.ref]


def test_an_order_that_lapsed_can_be_resumed(house: House, edition: Edition) -> None:
    order = begin(edition, "skrill")
    house.works(later=timedelta(hours=49))
    order.refresh_from_db()
    assert order.state == Order.EXPIRED
    assert 'name="provider"' in page(order)
    assert buy.pay_again(order, "skrill")
    latest = order.payments.order_by("-made_at").first()
    assert latest is not None
    house.sandbox.skrill.pay(latest.provider_ref)
    house.messages()
    house.works(later=timedelta(minutes=1))
    order.refresh_from_db()
    assert (order.state, len(download.links(order))) == (Order.PAID, 1)


def test_a_refunded_order_cannot_be_paid_again(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    refund.ask(order)
    house.works()
    assert buy.pay_again(order, "skrill") == ""
    assert order.payments.count() == 1
