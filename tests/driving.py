"""A keeper without its loop: one question answered at once, through the same encoder and decoder as over a socket."""

from functools import partial

from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper, Pending, advance


def drive(keeper: Keeper, role: str, body: bytes) -> bytes:
    """Answer one encoded question, each step in a batch of its own."""
    (outcome,) = keeper.work_off([partial(keeper.begin, role, messages.read_question(body))])
    while isinstance(outcome, Pending):
        (outcome,) = keeper.work_off([partial(advance, outcome.steps, outcome.work())])
    return messages.encode(outcome)
