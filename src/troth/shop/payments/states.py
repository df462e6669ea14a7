"""What a provider says, what we had, and what happens then. `settle` does what stands here, and nothing else.

`python -m troth.shop.payments.states > docs/payment-states.md` writes the same table for people to read.
"""

from __future__ import annotations

import sys
from enum import StrEnum

from troth.shop.payments.providers.contract import State
from troth.shop.payments.providers.paypal import disputes, refunds, sight
from troth.shop.payments.providers.skrill import status

NEW, SENT, PENDING, DECLINED, CANCELLED, REVIEW, PAID, REFUNDED, REVERSED, REGAINED = HAD = (
    "new", "sent", "pending", "declined", "cancelled", "review", "paid", "refunded", "reversed", "regained",
)  # fmt: skip


class Step(StrEnum):
    """What happens. Whatever is about money is first compared with our own record; see `journeys.settle.mismatch`."""

    WAIT = "wait"
    TAKE = "take"
    HOLD = "hold"
    DECLINE = "decline"
    LET_GO = "let go"
    BELIEVE = "believe"
    GIVEN_BACK = "given back"
    CAME_AND_WENT = "came and went"
    REGAIN = "regain"
    SAME = "same"
    KEEP = "keep"


WORDS = {
    Step.WAIT: "Nothing yet; we look again, with growing pauses.",
    Step.TAKE: "The buyer agreed: we capture, if the order still wants the money, and go on with what that brings.",
    Step.HOLD: "The payment is pending. Nothing is delivered; the order's page says so.",
    Step.DECLINE: "The payment is declined. The buyer may try again, there or here.",
    Step.LET_GO: "The payment is cancelled. The order stays open, until it lapses or is paid another way.",
    Step.BELIEVE: "If everything fits, the order is paid and its delivery due, once. What does not fit waits for a "
    "person. Money that the order no longer needs goes back, or waits for the owner, as `[payments] surplus` says.",
    Step.GIVEN_BACK: "What went back is written down once, by the provider's name of it; the access of what was paid "
    "back ends in the same moment.",
    Step.CAME_AND_WENT: "The money came and went before we saw it: written down as both; nothing is delivered.",
    Step.REGAIN: "After a dispute that we won the money is ours again, and the access with it; without one a person "
    "looks at it.",
    Step.SAME: "We know. Money back that is listed with it is written down, if it is new.",
    Step.KEEP: "What we know is newer, or worth more. Nothing happens.",
}


def _row(unsettled: Step, **others: Step) -> dict[str, Step]:
    """One line of the table: `unsettled` for what has not moved money, KEEP for the rest, but for what is named."""
    row = dict.fromkeys(HAD, Step.KEEP) | dict.fromkeys((NEW, SENT, PENDING, DECLINED, CANCELLED), unsettled)
    return row | others


TABLE: dict[State, dict[str, Step]] = {
    State.OPEN: _row(Step.WAIT),
    State.APPROVED: _row(Step.TAKE),
    State.PENDING: _row(Step.HOLD, pending=Step.SAME),
    State.PAID: _row(
        Step.BELIEVE, review=Step.BELIEVE, paid=Step.SAME, reversed=Step.REGAIN, regained=Step.SAME
    ),
    State.DECLINED: _row(Step.DECLINE, declined=Step.SAME, cancelled=Step.KEEP),
    State.CANCELLED: _row(Step.LET_GO, cancelled=Step.SAME, declined=Step.KEEP),
    State.REFUNDED: _row(
        Step.CAME_AND_WENT, review=Step.CAME_AND_WENT, paid=Step.GIVEN_BACK, refunded=Step.SAME, reversed=Step.SAME
    ),
    State.REVERSED: _row(
        Step.CAME_AND_WENT, review=Step.CAME_AND_WENT, paid=Step.GIVEN_BACK, refunded=Step.SAME, reversed=Step.SAME
    ),
    State.UNKNOWN: _row(Step.WAIT),
}  # fmt: skip


def step(seen: State, had: str) -> Step:
    return TABLE[seen][had]


def as_markdown() -> str:
    """The table as a page, with what PayPal and Skrill call each state."""
    lines = [
        "# What a provider says, what we had, what happens",
        "",
        "Written by `python -m troth.shop.payments.states`; a test compares it with the code that settles.",
        "",
        "| the provider says ↓, we had → | " + " | ".join(HAD) + " |",
        "|---" * (len(HAD) + 1) + "|",
    ]
    lines += [f"| {seen} | " + " | ".join(TABLE[seen][had] for had in HAD) + " |" for seen in State]
    lines += ["", "| what happens | |", "|---|---|"]
    lines += [f"| {one} | {WORDS[one]} |" for one in Step]
    lines += ["", "## In the providers' words", "", "| provider | says | we read |", "|---|---|---|"]
    lines += [f"| {provider} | `{word}` | {state} |" for provider, words in _words() for word, state in words.items()]
    return "\n".join(lines) + "\n"


def _words() -> list[tuple[str, dict[str, str]]]:
    return [
        ("PayPal, order", {word: str(state) for word, state in sight.ORDERS.items()}),
        ("PayPal, capture", {word: str(state) for word, state in sight.CAPTURES.items()}),
        ("PayPal, refund", {word: str(state) for word, state in refunds.STATES.items()}),
        ("PayPal, dispute", {word: str(state) for word, state in disputes.OUTCOMES.items()}),
        ("Skrill, status", {word: str(state) for word, state in status.STATES.items()}),
    ]


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
