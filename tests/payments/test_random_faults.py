"""People buy while every call to a provider may fail, messages get lost or doubled, and money goes back again.

Seeded: the same TROTH_SEED draws the same people and the same faults. At the end of each hundred the network heals, a
day goes by, and the look-alikes' books are the referee: paid = delivered, nothing taken or given back twice, invoice
numbers without gaps. `make test` takes a sample, `make soak` ten thousand orders.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests import campaign
from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS
from tests.payments import books
from troth.sandbox.server import Fault
from troth.shop.catalogue.models import Edition
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import buy, reconcile, refund, settle
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments.models import Payment, Refund
from troth.shop.refusal import Refused

ORDERS = campaign.rounds(60, 10_000)
BATCH = 20
KINDS = ("lost", "lost", "half", "html", "500", "503", "429", "token")
OFTEN = 0.15  # of the shop's calls fail
PROVIDERS = ("paypal", "skrill")
pytestmark = pytest.mark.soak


class People:
    """One batch of orders, from its own draws."""

    def __init__(self, house: House, edition: Edition, draw: random.Random, counts: Counter[str]) -> None:
        self.house, self.edition, self.draw, self.counts = house, edition, draw, counts

    def chance(self, of: float) -> bool:
        return self.draw.random() < of

    @contextmanager
    def unreliable(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Each call of the shop's to a provider may fail."""

        def take(path: str) -> Fault | None:
            if path.endswith("/checkoutnow") or not self.chance(OFTEN):
                return None
            kind = self.draw.choice(KINDS)
            self.counts[f"calls: {kind}"] += 1
            if kind == "token":
                self.house.sandbox.paypal.kill_tokens()
                return None
            return Fault(kind)

        with monkeypatch.context() as patch:
            patch.setattr(self.house.sandbox.faults, "take", take)
            yield

    def buy(self) -> None:
        key = f"key-{self.draw.random()}"
        row = Basket.objects.create(key_hash=hashlib.sha256(key.encode()).hexdigest())
        BasketLine.objects.create(basket=row, edition=self.edition, quantity=1)
        provider = self.draw.choice(PROVIDERS)
        ref = buy.begin(
            key, buy.Newcomer("A", f"{self.draw.getrandbits(40):010x}@b.example"), ADDRESS, provider
        ).order_ref
        order = Order.objects.get(pk=ref)
        for _ in range(6):
            if buy.pay_again(order, provider):
                break
        for payment in order.payments.exclude(provider_ref=""):
            self.pays(payment)
        if self.chance(0.15):
            self.pays_again(order, "skrill" if provider == "paypal" else "paypal")
        self.counts[f"orders: {provider}"] += 1

    def pays(self, payment: Payment) -> None:
        if self.chance(0.1):
            return  # changed their mind
        if payment.provider == "paypal":
            if self.chance(0.1):
                self.house.sandbox.paypal.next_capture(self.draw.choice(("PENDING", "INSTRUMENT_DECLINED", "DECLINED")))
            self.house.sandbox.paypal.approve(payment.provider_ref)
            told = {"token": payment.provider_ref}
        else:
            if self.chance(0.2):
                self.house.sandbox.skrill.pay(payment.provider_ref, self.draw.choice(("decline", "pend")))
            self.house.sandbox.skrill.pay(payment.provider_ref)
            told = {}
        if told and self.chance(0.5):
            settle.returned(payment.provider, told)

    def pays_again(self, order: Order, other: str) -> None:
        if buy.pay_again(order, other) and (payment := order.payments.filter(provider=other).first()):
            self.pays(payment)
            self.counts["paid another way as well, or tried"] += 1

    def messages(self) -> None:
        """Some come, some twice, some never."""
        for post in self.house.posts():
            for _ in range(self.draw.choice((0, 0, 1, 1, 2))):
                self.house.bring(post)

    def money_back(self) -> None:
        for order in Order.objects.filter(state=Order.PAID):
            if self.chance(0.3):
                try:
                    refund.ask(order, minor=self.draw.choice((None, 1000, 2450)))
                    self.counts["refunds asked"] += 1
                except Refused:
                    pass
        for payment in Payment.objects.filter(state=Payment.PAID, provider="paypal"):
            if self.chance(0.1) and payment.refunding_minor == 0:
                self.house.sandbox.paypal.money.take_back(
                    payment.capture_ref, "5.00", self.chance(0.3), self.chance(0.5)
                )
                self.counts["taken back at PayPal"] += 1
            elif self.chance(0.1):
                case = self.house.sandbox.paypal.money.dispute(payment.capture_ref)
                verdict = self.draw.choice(("RESOLVED_SELLER_FAVOUR", "RESOLVED_BUYER_FAVOUR"))
                self.house.sandbox.paypal.money.resolve(case, verdict)
                self.counts["disputes"] += 1

    def heal(self) -> None:
        sandbox = self.house.sandbox
        for payment in Payment.objects.filter(state__in=(Payment.PENDING, Payment.SENT)):
            if payment.provider == "skrill" and sandbox.skrill.sessions[payment.provider_ref].status == "0":
                sandbox.skrill.becomes(payment.provider_ref, "2")
        for order in list(sandbox.paypal.orders.values()):
            for capture in order.captures:
                if capture.status == "PENDING":
                    sandbox.paypal.finish_pending(capture.id)
        for _ in range(3):
            self.house.works(later=timedelta(hours=1))
        for provider in PROVIDERS:
            assert reconcile.compare(provider).trouble == ""
        self.house.works(later=timedelta(hours=2))


def check(house: House, counts: Counter[str]) -> None:
    books.all_agrees(house)
    for order in Order.objects.all():
        counts[f"ended: {order.state}"] += 1
    for payment in Payment.objects.all():
        assert books.gone(house, payment) <= books.came(house, payment)
    counts["refunds done"] += Refund.objects.filter(state=Refund.DONE).count()
    numbers = sorted(Invoice.objects.filter(kind="invoice").values_list("sequence", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)), "a gap between invoices"
    assert len(numbers) == Order.objects.filter(state__in=(Order.PAID, Order.REFUNDED)).count()
    counts["invoices"] += len(numbers)


def test_orders_end_right_whatever_fails(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    counts: Counter[str] = Counter()
    for number in range(ORDERS // BATCH):
        with books.afresh(house, people=BATCH):
            people = People(house, edition, campaign.draws(f"payments/{number}"), counts)
            with people.unreliable(monkeypatch):
                for _ in range(BATCH):
                    people.buy()
                people.messages()
                house.works(later=timedelta(minutes=5))
                people.money_back()
                people.messages()
                for minutes in (0, 1, 10, 60):
                    house.works(later=timedelta(minutes=minutes))
            people.heal()
            check(house, counts)
    rows = [f"{what:<40} {count:>6}" for what, count in sorted(counts.items())]
    record_property("table", "\n".join([f"TROTH_SEED={campaign.SEED}, {campaign.commit()}: {ORDERS} orders", *rows]))
    assert counts["ended: paid"] > ORDERS / 3
    assert sum(count for what, count in counts.items() if what.startswith("calls: ")) > ORDERS / 2
