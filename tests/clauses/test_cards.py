"""P1's own trial looks at its own account alone."""

from tests.house import House
from troth.pledge.policy.clause import State
from troth.pledge.policy.visitor import Page, Visitor
from troth.shop.accounts import newcomer
from troth.shop.clauses import p1_cards


def test_somebody_who_registers_meanwhile_is_no_breach(house: House, monkeypatch) -> None:
    submit = Visitor.submit

    def beside(self: Visitor, *words: str, **more: str) -> Page:
        newcomer.make("Bob", "bob@b.example")
        return submit(self, *words, **more)

    monkeypatch.setattr(Visitor, "submit", beside)
    (found,) = p1_cards.a_pasted_number_is_refused(house.probe())
    assert found.state == State.HOLDS, found.sentence
