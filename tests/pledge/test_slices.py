"""A long list is opened in slices: others pass between, and what ended meanwhile ends the whole of it."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.attacks.keeping import kept
from tests.pledge.test_keeper import ask, blank, code, record
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper, Outcome, Pending, advance
from troth.pledge.keeper.opening import MOST, SLICE
from troth.pledge.keeper.seals import KeySet

End = Callable[[str], messages.Question]


def listed(keeper: Keeper) -> tuple[list[KeySet], messages.Open]:
    people = [blank(keeper)[1] for _ in range(MOST)]
    records = [record(keys, "contact", f"value {number}".encode()) for number, keys in enumerate(people)]
    return people, messages.Open(records, "deliver", "deliver")


def leaves(keeper: Keeper) -> int:
    return keeper.db.value("SELECT count(*) FROM about")


def step(keeper: Keeper, before: Outcome | None, question: messages.Open) -> Outcome:
    """The next slice of a list, in a batch of its own."""
    act = partial(keeper.begin, "worker", question)
    if isinstance(before, Pending):
        act = partial(advance, before.steps, before.work())
    return keeper.work_off([act])[0]


def test_others_are_answered_between_the_slices_of_a_list(keeper: Keeper) -> None:
    people, question = listed(keeper)
    size, between = leaves(keeper), 0
    outcome = step(keeper, None, question)
    while isinstance(outcome, Pending):
        one = messages.Open([record(people[between], "contact")], "deliver", "deliver")
        assert code(ask(keeper, "worker", one)) == "Opened"
        between += 1
        assert leaves(keeper) == size + between  # of the list nothing stands there before it is answered
        outcome = step(keeper, outcome, question)
    assert between == MOST // SLICE - 1
    assert outcome == messages.Opened([f"value {number}".encode() for number in range(MOST)])
    assert leaves(keeper) == size + between + MOST


@pytest.mark.parametrize("whom", [0, MOST - 1])
@pytest.mark.parametrize(
    ("end", "refused"),
    [(lambda ref: messages.Shred(ref, []), "gone"), (lambda ref: messages.Restrict(ref, "erasing"), "restricted")],
)
def test_who_ends_between_the_slices_ends_the_list(keeper: Keeper, whom: int, end: End, refused: str) -> None:
    """Whether their own slice was over by then or not: nothing is told, nothing noted, nothing used up."""
    people, question = listed(keeper)
    outcome = step(keeper, None, question)
    assert isinstance(outcome, Pending)
    ask(keeper, "worker", end(people[whom].ref))
    size, spent = leaves(keeper), keeper.db.value("SELECT total(used) FROM spent")
    while isinstance(outcome, Pending):
        outcome = step(keeper, outcome, question)
    assert outcome == messages.Refusal(refused)
    assert (leaves(keeper), keeper.db.value("SELECT total(used) FROM spent")) == (size, spent)


def test_a_list_does_not_wait_in_the_queue_of_hashes(keeper: Keeper) -> None:
    _, question = listed(keeper)
    with kept(keeper) as running:
        hashing, held = running.loop._hashing, 0
        while hashing.acquire(blocking=False):
            held += 1
        try:
            assert len(running.ask("worker", question).values) == MOST
        finally:
            hashing.release(held)
    assert held
