"""The table of states is whole, is what the page says, and is what settling does."""

from itertools import product

from tests.shape.tree import ROOT
from troth.shop.payments import states
from troth.shop.payments.models import Payment
from troth.shop.payments.providers.contract import State
from troth.shop.payments.states import TABLE, Step, step


def test_every_state_meets_every_state() -> None:
    assert set(states.HAD) == set(Payment.RANKS)
    assert set(TABLE) == set(State)
    assert all(set(row) == set(states.HAD) for row in TABLE.values())
    assert {step(seen, had) for seen, had in product(State, states.HAD)} == set(Step) == set(states.WORDS)


def test_the_page_is_the_table() -> None:
    page = (ROOT / "docs/payment-states.md").read_text("utf-8")
    assert page == states.as_markdown(), "python -m troth.shop.payments.states > docs/payment-states.md"


def test_nothing_but_money_leads_to_delivery() -> None:
    """Only a paid sight is believed, and nothing that settled is ever unsettled by a lesser word."""
    believing = {(seen, had) for seen, had in product(State, states.HAD) if step(seen, had) == Step.BELIEVE}
    assert {seen for seen, _ in believing} == {State.PAID}
    lesser = (State.OPEN, State.APPROVED, State.PENDING, State.DECLINED, State.CANCELLED, State.UNKNOWN)
    assert all(step(seen, had) == Step.KEEP for seen in lesser for had in (*Payment.SETTLED, Payment.REVIEW))
