"""What a customer is shown of who looked, beside what is known to have been opened for them (P17)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from troth.pledge.policy.clause import Finding, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Visitor
from troth.shop.clauses import mutations
from troth.shop.delivery.models import Letter
from troth.shop.journeys import who_looked

PAGE, PROOF = "/account/privacy", "/account/privacy/receipt/"


class Compared(msgspec.Struct, frozen=True):
    """Letters about a customer's orders that left, each after one opening; of these, what their page leaves out."""

    letters: int
    left_out: int


def compare(visitor: Visitor, refs: Sequence[str]) -> Compared:
    """`refs`: the orders of this visitor's account. A row with a proof stands for an entry of the ledger."""
    rows = [row for row in re.split(r"<tr\b", visitor.get(PAGE).text) if PROOF in row]
    sent = Letter.objects.filter(kind="deliver", subject__in=refs, state=Letter.SENT).values_list("subject", flat=True)
    return Compared(len(sent), sum(not any(f"/orders/{ref}" in row for row in rows) for ref in sent))


def a_customer_sees_every_opening(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None or not left.openings.letters:
        yield gap("nobody was invented whose letters could be compared with their page: that shops in test mode do")
    elif left.openings.left_out:
        yield broken(
            f"a customer's page leaves out what was opened for letters to them: {left.openings.left_out} of "
            f"{left.openings.letters}"
        )
    else:
        yield holds(f"a customer's page shows what was opened for letters to them: {left.openings.letters}")


def of_people_alone() -> AbstractContextManager[None]:
    """Mutant: what the program opens by itself fills pages, and a colleague leaves it out."""
    looks = who_looked.looks

    def shorter(*given: Any) -> Any:
        entries, more = looks(*given)
        return [one for one in entries if one.role != who_looked.ROLES["worker"]], more

    return mutations.replaced(who_looked, "looks", shorter)
