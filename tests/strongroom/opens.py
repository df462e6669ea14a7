"""What opens, for whom and in which state, worked out from the policy; and the table of it in docs/opens.md.

`python -m tests.strongroom.opens` writes that document anew from the policy. The test compares it with what the
sockets of a keeper's process gave, so that whoever changes what opens changes a page that others read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.shape.tree import ROOT
from troth.pledge.keeper.policy import BY_CAPABILITY, BY_DOOR, CLASSES, OPENS, OPTIONAL, PURPOSES, ROLES, WRAPS

PAGE = ROOT / "docs" / "opens.md"

# state -> the fates whose keys stand, and the only job that may open (None: any)
FATES_OF_ALL = tuple(dict.fromkeys(fate for fates in WRAPS.values() for fate in fates))
OPTIONAL_FATES = tuple(fate for _, fate in OPTIONAL.values())
STATES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "registered": (FATES_OF_ALL, None),
    "allowed marketing": (FATES_OF_ALL + OPTIONAL_FATES, None),
    "allowed it and objected": (FATES_OF_ALL, None),
    "a guest whom an account took over": (FATES_OF_ALL, None),
    "a guest whom somebody took over who is to be forgotten": (FATES_OF_ALL, "another"),
    "to be forgotten, for its own letter": (FATES_OF_ALL, "its-own-letter"),
    "to be forgotten, for all else": (FATES_OF_ALL, "another"),
    "forgotten, tax law keeps the bill": (("tax",), None),
    "forgotten": ((), None),
}
JOB = "its-own-letter"
# what is shown as a capability -> whether it is this person's, good now, for their own data
CAPABILITIES = {
    "their own": True, "none": False, "somebody else's": False, "their own, of before the password changed": False,
    "their own, of a fortnight ago": False, "their own, for a scope that there is not": False, "an invented one": False,
}  # fmt: skip


class Case(NamedTuple):
    state: str
    role: str
    capability: str


Table = Mapping[Case, frozenset[tuple[str, str]]]  # what opens: (class, purpose)


def cases() -> list[Case]:
    return [Case(*one) for one in itertools.product(STATES, ROLES, CAPABILITIES)]


def by_policy() -> Table:
    """What the policy says must open, worked out from its data alone."""
    return {case: frozenset(_granted(case)) for case in cases()}


def _granted(case: Case) -> Iterator[tuple[str, str]]:
    standing, only = STATES[case.state]
    if only not in (None, JOB):
        return
    for (klass, purpose), fate in OPENS.items():
        own = CAPABILITIES[case.capability] and purpose in BY_CAPABILITY["own"] and "standing" in standing
        has_wrap = fate in (*WRAPS[klass], *(f for k, f in OPTIONAL.values() if k == klass))
        if (purpose in BY_DOOR[case.role] or own) and has_wrap and fate in standing:
            yield klass, purpose


def page(table: Table) -> str:
    """The table as a document: what is alike stands in one line."""
    lines = [HEAD.strip(), ""]
    for role in ROLES:
        lines += [
            f"## Through the {role}'s door",
            "",
            "| somebody who is | with this capability | opens |",
            "|---|---|---|",
        ]
        for state in STATES:
            by_outcome: dict[str, list[str]] = {}
            for capability in CAPABILITIES:
                by_outcome.setdefault(_said(table[Case(state, role, capability)]), []).append(capability)
            lines += [f"| {state} | {_named(kinds)} | {outcome} |" for outcome, kinds in by_outcome.items()]
        lines.append("")
    return "\n".join(lines)


def _said(opened: frozenset[tuple[str, str]]) -> str:
    by_class = {klass: [p for p in PURPOSES if (klass, p) in opened] for klass in CLASSES}
    return "; ".join(f"{klass} for {', '.join(found)}" for klass, found in by_class.items() if found) or "nothing"


def _named(kinds: list[str]) -> str:
    if len(kinds) == len(CAPABILITIES):
        return "any or none"
    return "none, or any but their own" if len(kinds) == len(CAPABILITIES) - 1 else "; ".join(kinds)


HEAD = """
# What opens

Every door, every kind of capability, every state of a person, every class and every purpose, those that no policy
names included: what the keeper opened when all of it was tried over the sockets of its process. It is what
`src/troth/pledge/keeper/policy.py` says, and this page is compared with both: `tests/strongroom/test_opens.py`.
What does not stand here is refused. A change of the policy shows here, for whoever reviews it:
`python -m tests.strongroom.opens` writes the page anew.

A capability that is not "their own" is: somebody else's; their own of before the password changed, of a fortnight ago,
or for a scope that there is not; an invented one. With their own, people's own contact must be among what is opened,
and hold the mailbox that they sign in with. Who works here opens through the web's door as well, with a capability of
the desk and an open job on one customer, what [desk.md](desk.md) says: `tests/desk/test_jobs.py`. A guest has no
capability: "their own" is that of the account which took them over.
"""


def main(path: Path = PAGE) -> None:
    path.write_text(page(by_policy()), "utf-8")


if __name__ == "__main__":
    main()
