"""One purchase in a shop without processes, as a person makes it: again, wherever somebody died under their hands."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.house import House
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.delivery.models import Grant, Letter
from troth.shop.journeys import buy, hear, settle
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments.models import Payment

ADDRESS = Billing(name="Alice Example", street="1 Elm Row", city="Leeds", postcode="LS1 4AP", country="GB")


class Died(BaseException):
    """A process ended here: nothing catches it, transactions roll back, and the next process knows nothing."""


class Purchase:
    """A newcomer with a password buys one thing. `returns`: comes back from the provider's page, or closes it."""

    def __init__(self, house: House, edition: Edition, provider: str, *, returns: bool = True) -> None:
        self.house, self.provider, self.returns = house, provider, returns
        self.key, self.once = secrets.token_urlsafe(), secrets.token_urlsafe(12)
        self.email = f"{secrets.token_hex(6)}@b.example"
        self.deaths = 0
        self.role = "web"  # whose work is being done
        basket = Basket.objects.create(key_hash=hashlib.sha256(self.key.encode()).hexdigest())
        BasketLine.objects.create(basket=basket, edition=edition, quantity=1)

    def complete(self) -> Order:
        """From the checkout to the letter, whoever dies on the way; the order as it then is."""
        order = Order.objects.get(pk=self.again(self.orders))
        back = self.again(lambda: self.pays(order))
        if self.returns:
            self.again(lambda: self.comes_back(back))
        self.again(self.told)
        for minutes in (0, 1, 3, 10):
            self.again(lambda minutes=minutes: self.works(timedelta(minutes=minutes)))
        order.refresh_from_db()
        return order

    def again(self, act: Callable[[], Any]) -> Any:
        """What `act` returns, tried until nobody dies in it."""
        while True:
            try:
                return act()
            except Died:
                self.deaths += 1
                assert self.deaths < 20

    def orders(self) -> str:
        """Send the checkout form; where it leads to no provider, press "pay" on the order's page."""
        buyer = buy.Newcomer("Alice", self.email, "heron and lantern", "LS1 4AP")
        self.role = "web"
        begun = buy.begin(self.key, buyer, ADDRESS, self.provider, once=self.once)
        if not begun.pay_url:
            assert buy.pay_again(Order.objects.get(pk=begun.order_ref), self.provider)
        return begun.order_ref

    def pays(self, order: Order) -> str:
        payment = order.payments.get()
        if self.provider == "paypal":
            return self.house.sandbox.paypal.approve(payment.provider_ref)
        return self.house.sandbox.skrill.pay(payment.provider_ref)

    def comes_back(self, url: str) -> None:
        self.role = "web"
        query = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&") if "=" in pair)
        settle.returned(self.provider, query)

    def told(self) -> None:
        """The provider brings all its messages; it brings them again where it had no answer."""
        self.role = "web"
        for post in self.house.posts():
            provider = "paypal" if "paypal-transmission-id" in {name.lower() for name in post.headers} else "skrill"
            assert hear.received(provider, post.headers, post.body) == 200

    def works(self, later: timedelta) -> None:
        self.role = "worker"
        try:
            self.house.works(later)
        finally:
            self.role = "web"


def faults_of(house: House, order: Order) -> list[str]:
    """What is wrong with an order that was paid: nothing, if the shop keeps its word."""
    wrong = []
    payments = order.payments.all()
    if order.state != Order.PAID or [payment.state for payment in payments].count(Payment.PAID) != 1:
        wrong.append(f"order {order.state}, payments {[payment.state for payment in payments]}")
    if any(payment.reason for payment in payments if payment.state == Payment.PAID):
        wrong.append("a payment is taken for a surplus, or for trouble")
    if Grant.objects.filter(line__order=order).count() != order.lines.count():
        wrong.append("not one grant for each line")
    billed = list(order.invoices.values_list("sequence", flat=True))
    if billed != [1]:  # its purchase is the only one in the house
        wrong.append(f"invoices {billed}")
    letters = list(Letter.objects.filter(kind="deliver", subject=order.ref))
    if [letter.state for letter in letters] != [Letter.SENT]:
        wrong.append(f"letters {[letter.state for letter in letters]}")
    left = [row for row in house.due() if order.ref in row or any(payment.id in row for payment in payments)]
    if left:
        wrong.append(f"due rows {left}")
    return wrong
