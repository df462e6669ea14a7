"""All that may happen to a payment, in any order, with messages doubled, lost and late, and calls that fail.

Hypothesis plays buyer, owner, provider and network against the look-alikes; their books are the referee.
"""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.campaign import rounds
from tests.house import House
from tests.journeys.test_buy_to_delivery import begin
from tests.payments import books
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, reconcile, refund, settle
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment
from troth.shop.refusal import Refused

PROVIDERS = ("paypal", "skrill")
FAULTS = ("lost", "half", "html", "500", "429", "503")
CAPTURES = ("PENDING", "DECLINED", "INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED", "ORDER_ALREADY_CAPTURED",
            "RESOURCE_CONFLICT", "TRANSACTION_REFUSED")  # fmt: skip
PLACES = ("/v2/checkout", "/refund", "/capture", "/oauth2", "query.pl", "refund.pl", "/pay")
VERDICTS = ("RESOLVED_SELLER_FAVOUR", "RESOLVED_BUYER_FAVOUR", "CANCELED_BY_BUYER")


class Payments(RuleBasedStateMachine):
    house: House
    edition: Edition

    def __init__(self) -> None:
        super().__init__()
        self.world = books.afresh(self.house, people=2)
        self.world.__enter__()
        self.cases: list[str] = []

    @initialize(provider=st.sampled_from(PROVIDERS))
    def ordered(self, provider: str) -> None:
        self.order = begin(self.edition, provider)

    def payment(self, provider: str) -> Payment | None:
        return self.order.payments.filter(provider=provider).exclude(provider_ref="").order_by("-made_at").first()

    @rule(provider=st.sampled_from(PROVIDERS))
    def tries_another_way(self, provider: str) -> None:
        self.order.refresh_from_db()
        buy.pay_again(self.order, provider)

    @rule(outcome=st.sampled_from(("pay", "pay", "pay", "pend", "decline", "cancel")))
    def at_skrill(self, outcome: str) -> None:
        if payment := self.payment("skrill"):
            self.house.sandbox.skrill.pay(payment.provider_ref, outcome)

    @rule(outcome=st.sampled_from(("2", "-1", "-2")))
    def skrill_ends_a_pending_one(self, outcome: str) -> None:
        payment = self.payment("skrill")
        if payment and self.house.sandbox.skrill.sessions[payment.provider_ref].status in ("0", "-2"):
            self.house.sandbox.skrill.becomes(payment.provider_ref, outcome)

    @rule()
    def charged_back(self) -> None:
        payment = self.payment("skrill")
        if payment and self.house.sandbox.skrill.sessions[payment.provider_ref].status == "2":
            self.house.sandbox.skrill.becomes(payment.provider_ref, "-3")

    @rule()
    def approves_at_paypal(self) -> None:
        if (payment := self.payment("paypal")) and payment.provider_ref in self.house.sandbox.paypal.orders:
            self.house.sandbox.paypal.approve(payment.provider_ref)

    @rule(outcome=st.sampled_from(CAPTURES))
    def the_next_capture(self, outcome: str) -> None:
        self.house.sandbox.paypal.next_capture(outcome)

    @rule(status=st.sampled_from(("COMPLETED", "DECLINED")))
    def paypal_ends_a_pending_one(self, status: str) -> None:
        for capture in self.captures():
            if capture.status == "PENDING":
                self.house.sandbox.paypal.finish_pending(capture.id, status)

    def captures(self) -> list[Any]:
        return [capture for order in self.house.sandbox.paypal.orders.values() for capture in order.captures]

    @rule(reversed_=st.booleans(), listed=st.booleans(), part=st.sampled_from(("", "10.00")))
    def taken_back_at_paypal(self, reversed_: bool, listed: bool, part: str) -> None:
        for capture in self.captures():
            if capture.status in ("COMPLETED", "PARTIALLY_REFUNDED") and capture.refunded < 39:
                self.house.sandbox.paypal.money.take_back(capture.id, part, reversed_, listed)

    @rule(part=st.sampled_from(("", "10.00")))
    def given_back_at_skrill(self, part: str) -> None:
        payment = self.payment("skrill")
        session = payment and self.house.sandbox.skrill.sessions[payment.provider_ref]
        if session and session.status == "2" and sum(one.amount for one in session.movements) < 39:
            self.house.sandbox.skrill.money.give_back(session.sid, part)

    @rule()
    def complains(self) -> None:
        for capture in self.captures():
            if capture.status in ("COMPLETED", "PARTIALLY_REFUNDED") and not self.cases:
                self.cases.append(self.house.sandbox.paypal.money.dispute(capture.id))

    @precondition(lambda self: self.cases)
    @rule(verdict=st.sampled_from(VERDICTS))
    def a_case_ends(self, verdict: str) -> None:
        case = self.cases[0]
        if self.house.sandbox.paypal.money.disputes[case].status != "RESOLVED":
            self.house.sandbox.paypal.money.resolve(case, verdict)

    @rule(minor=st.sampled_from((None, 1000, 4900)))
    def the_owner_gives_back(self, minor: int | None) -> None:
        try:
            refund.ask(self.order, minor=minor)
        except Refused:
            pass

    @rule(outcome=st.sampled_from(("PENDING", "REFUND_FAILED_INSUFFICIENT_FUNDS", "REFUND_NOT_ALLOWED")))
    def the_next_refund_at_paypal(self, outcome: str) -> None:
        self.house.sandbox.paypal.money.next_refund(outcome)

    @rule(outcome=st.sampled_from(("0", "-2", "ALREADY_REFUNDED", "BALANCE_NOT_ENOUGH", "GENERIC_ERROR")))
    def the_next_refund_at_skrill(self, outcome: str) -> None:
        self.house.sandbox.skrill.money.next_refund(outcome)

    @rule()
    def comes_back(self) -> None:
        for payment in self.order.payments.exclude(provider_ref=""):
            told = {"token": payment.provider_ref} if payment.provider == "paypal" else {}
            try:
                settle.returned(payment.provider, told)
            except Refused:
                pass

    @precondition(lambda self: self.house.posts())
    @rule(data=st.data())
    def one_message_comes(self, data: st.DataObject) -> None:
        """Any one of them: a late one, one that came before, one that overtakes another."""
        self.house.bring(data.draw(st.sampled_from(self.house.posts())))

    @rule(kind=st.sampled_from(FAULTS), where=st.sampled_from(PLACES), times=st.integers(1, 3))
    def something_breaks(self, kind: str, where: str, times: int) -> None:
        self.house.sandbox.faults.add(kind, where, times)

    @rule()
    def tokens_die(self) -> None:
        self.house.sandbox.paypal.kill_tokens()

    @rule(minutes=st.sampled_from((0, 1, 5, 90)))
    def time_goes_by(self, minutes: int) -> None:
        self.house.works(later=timedelta(minutes=minutes))

    @rule(provider=st.sampled_from(PROVIDERS))
    def the_books_are_compared(self, provider: str) -> None:
        reconcile.compare(provider)

    @invariant()
    def nothing_is_ever_wrong(self) -> None:
        books.never_wrong(self.house)

    def teardown(self) -> None:
        try:
            if hasattr(self, "order"):
                self.catch_up()
                books.all_agrees(self.house)
        finally:
            self.world.__exit__(None, None, None)

    def catch_up(self) -> None:
        """The network heals, pending things end, messages come, a day goes by."""
        self.house.sandbox.faults.clear()
        self.house.sandbox.paypal.money._next.clear()
        self.house.sandbox.skrill.money._next.clear()
        for capture in self.captures():
            for one in capture.refunds:
                if one.status == "PENDING":
                    self.house.sandbox.paypal.money.finish_refund(one.id)
        for _ in range(3):
            self.house.messages()
            self.house.works(later=timedelta(hours=1))
            for provider in PROVIDERS:
                assert reconcile.compare(provider).trouble == ""
        self.house.works(later=timedelta(hours=2))
        assert Order.objects.count() == 1


def test_all_events_in_all_orders(house: House, edition: Edition) -> None:
    machine = type("Machine", (Payments,), {"house": house, "edition": edition})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=rounds(25, 1000),
            stateful_step_count=18,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
