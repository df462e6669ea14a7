"""From a basket to a letter with downloads, by PayPal and by Skrill, and what may happen on the way."""

import hashlib
from datetime import timedelta

import pytest

from tests.house import House
from troth.pledge.due.models import Due
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.delivery.models import Grant, Letter
from troth.shop.journeys import buy, download, settle, waiting
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments.models import Payment, ProviderEvent

KEY = "basket-key"
ADDRESS = Billing(name="Alice Example", street="1 Elm Row", city="Leeds", postcode="LS1 4AP", country="GB")
PROVIDERS = ("paypal", "skrill")


def basket(edition: Edition, quantity: int = 1) -> None:
    row = Basket.objects.create(key_hash=hashlib.sha256(KEY.encode()).hexdigest())
    BasketLine.objects.create(basket=row, edition=edition, quantity=quantity)


def begin(edition: Edition, provider: str = "paypal", **more: object) -> Order:
    basket(edition)
    begun = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, provider, **more)
    assert begun.pay_url
    return Order.objects.get(pk=begun.order_ref)


def pay(house: House, order: Order) -> str:
    """Play the buyer on the provider's page; returns where the provider sends them back."""
    payment = order.payments.get()
    if payment.provider == "paypal":
        return house.sandbox.paypal.approve(payment.provider_ref)
    return house.sandbox.skrill.pay(payment.provider_ref)


def come_back(order: Order, url: str) -> str:
    query = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&") if "=" in pair)
    return settle.returned(order.payments.get().provider, query)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_guest_buys_and_the_letter_brings_the_product(house: House, edition: Edition, provider: str) -> None:
    order = begin(edition, provider)
    assert come_back(order, pay(house, order)) == order.ref
    order.refresh_from_db()
    assert order.state == Order.PAID
    house.works()
    (mail,) = house.mails
    assert mail.to == ["alice@b.example"]
    (link,) = download.links(order)
    piece = download.fetch(*link.url.removeprefix("/download/").split("?")[0].split("/"), link.url.split("?s=")[1])
    assert piece.path.read_bytes().startswith(b"PK")
    assert f"/orders/{order.ref}/key/" in mail.text
    assert "/recover/" in mail.text  # a guest may choose a password
    assert all(part in mail.html for part in (f"/orders/{order.ref}/key/", "/download/", "/recover/"))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_buyer_who_never_comes_back_gets_it_by_the_message_alone(
    house: House, edition: Edition, provider: str
) -> None:
    order = begin(edition, provider)
    pay(house, order)
    assert set(house.messages()) == {200}
    house.works()
    order.refresh_from_db()
    assert (order.state, len(house.mails)) == (Order.PAID, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_messages_lost_for_good_are_made_up_by_looking(house: House, edition: Edition, provider: str) -> None:
    order = begin(edition, provider)
    pay(house, order)
    house.works(later=timedelta(minutes=5))
    order.refresh_from_db()
    assert (order.state, len(house.mails)) == (Order.PAID, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_approval_is_not_money_and_a_cancelled_visit_changes_nothing(
    house: House, edition: Edition, provider: str
) -> None:
    order = begin(edition, provider)
    house.works(later=timedelta(minutes=5))
    order.refresh_from_db()
    assert order.state == Order.OPEN
    assert waiting.standing(order).state == "checking"
    assert waiting.standing(order).next_look_at is not None
    assert not house.mails


@pytest.mark.parametrize("times", [2, 50])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_same_message_again_changes_nothing(house: House, edition: Edition, provider: str, times: int) -> None:
    order = begin(edition, provider)
    back = pay(house, order)
    house.messages(times)
    come_back(order, back)
    house.works()
    for post in house.posts():
        house.bring(post)
    house.works(later=timedelta(hours=1))
    assert Order.objects.count() == Grant.objects.count() == len(house.mails) == 1
    assert ProviderEvent.objects.values("event_id").distinct().count() == ProviderEvent.objects.count()


def test_a_mail_server_that_fails_delays_delivery_and_never_loses_it(house: House, edition: Edition) -> None:
    order = begin(edition)
    come_back(order, pay(house, order))
    house.sandbox.mailbox.fails(times=1)
    house.works()
    assert house.mails == []
    assert Letter.objects.get().last_code == "smtp-451"
    house.works(later=timedelta(minutes=1))
    assert [mail.to for mail in house.mails] == [["alice@b.example"]]
    assert Letter.objects.get().state == Letter.SENT


def test_an_address_that_takes_no_mail_is_told_and_not_tried_for_ever(house: House, edition: Edition) -> None:
    order = begin(edition)
    come_back(order, pay(house, order))
    house.sandbox.mailbox.fails(times=5, how="550")
    house.works(later=timedelta(minutes=1))
    letter = Letter.objects.get()
    assert (letter.state, letter.last_code, letter.attempts) == (Letter.FAILED, "smtp-550", 1)
    assert Due.objects.get(kind="deliver").gave_up_at is not None
    assert download.links(order.__class__.objects.get(pk=order.pk))  # the page still has what was paid for


def test_the_keeper_away_delays_delivery(house: House, edition: Edition) -> None:
    order = begin(edition)
    come_back(order, pay(house, order))
    house.keeper.db.execute("CREATE TRIGGER full BEFORE INSERT ON leaf BEGIN SELECT RAISE(ABORT, 'full'); END")
    house.works()
    assert house.mails == []
    house.keeper.db.execute("DROP TRIGGER full")
    house.works(later=timedelta(minutes=1))
    assert len(house.mails) == 1


def test_money_of_another_order_or_amount_is_not_believed(house: House, edition: Edition) -> None:
    order = begin(edition)
    back = pay(house, order)
    Payment.objects.update(amount_minor=4901)  # as if the price had been another when it was asked for
    come_back(order, back)
    house.messages()
    house.works(later=timedelta(minutes=5))
    order.refresh_from_db()
    assert order.state == Order.OPEN
    assert not house.mails


def test_the_same_form_sent_twice_is_one_order(house: House, edition: Edition) -> None:
    first = begin(edition, once="form-1")
    again = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "paypal", once="form-1")
    assert again.order_ref == first.ref
    assert Order.objects.count() == 1


def test_a_provider_that_is_down_leaves_an_order_that_can_be_paid_later(house: House, edition: Edition) -> None:
    basket(edition)
    house.sandbox.faults.add("500", "/v2/checkout/orders")
    begun = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "paypal")
    assert begun.pay_url == ""
    order = Order.objects.get(pk=begun.order_ref)
    assert buy.pay_again(order, "paypal")
    come_back(order, pay(house, order))
    assert Order.objects.get().state == Order.PAID


def test_a_lost_answer_of_the_provider_opens_one_payment(house: House, edition: Edition) -> None:
    basket(edition)
    house.sandbox.faults.add("lost", "/v2/checkout/orders")
    order = Order.objects.get(pk=buy.begin(KEY, buy.Newcomer("A", "a@b.example"), ADDRESS, "paypal").order_ref)
    assert buy.pay_again(order, "paypal")
    assert len(house.sandbox.paypal.orders) == order.payments.count() == 1


def test_an_order_nobody_pays_lapses_and_late_money_still_counts(house: House, edition: Edition) -> None:
    order = begin(edition, "skrill")
    house.works(later=timedelta(hours=49))
    order.refresh_from_db()
    assert order.state == Order.EXPIRED
    house.sandbox.skrill.pay(order.payments.get().provider_ref)
    house.messages()
    house.works(later=timedelta(minutes=1))
    order.refresh_from_db()
    assert (order.state, len(house.mails)) == (Order.PAID, 1)
