"""A clause: the words we publish, what enforces them, how that is checked, and the change that must turn it red.

Nothing holds by default. A check says what it found; a check that fails to run leaves the clause unknown; a finding
grows old. A *mutant* is the smallest change that would break the promise: the tests plant each one and demand that
the clause's own check catches it, or the check is decoration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum

import msgspec

from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Stuck


class State(StrEnum):
    HOLDS = "holds"
    GAP = "gap"  # declared: this machine or mode cannot show it, and why
    UNKNOWN = "unknown"
    BROKEN = "broken"


WORST_LAST = (State.HOLDS, State.GAP, State.UNKNOWN, State.BROKEN)


class Finding(msgspec.Struct, frozen=True):
    """One thing seen. `sentence` names places (a page, a column, a file), never persons or their values."""

    state: State
    sentence: str


def holds(sentence: str) -> Finding:
    return Finding(State.HOLDS, sentence)


def gap(sentence: str) -> Finding:
    return Finding(State.GAP, sentence)


def broken(sentence: str) -> Finding:
    return Finding(State.BROKEN, sentence)


def unknown(sentence: str) -> Finding:
    return Finding(State.UNKNOWN, sentence)


class Check(msgspec.Struct, frozen=True):
    """`run` yields findings; nothing yielded means that nothing was checked, which is unknown."""

    name: str  # what it does, in words for the page
    kind: str  # static, runtime, forensic, synthetic
    run: Callable[[Probe], Iterator[Finding]]


class Mutant(msgspec.Struct, frozen=True):
    """A planted breach, in this process, for as long as the context lasts. Never outside test mode."""

    name: str
    planted: Callable[[], AbstractContextManager[None]]
    in_demo: bool = True  # can be planted in a running demo's web and worker, without a database of a test


class Clause(msgspec.Struct, frozen=True):
    id: str
    title: object  # translated when shown
    words: object
    stricter: object  # how this differs from the text of 2010, or ""
    enforced: tuple[object, ...]
    checks: tuple[Check, ...]
    mutants: tuple[Mutant, ...]
    choices: tuple[tuple[object, str], ...] = ()  # what the customer may do about it, and where
    by_people: object = ""  # what only people can keep


class Verdict(msgspec.Struct, frozen=True):
    clause: str
    state: State
    findings: list[Finding]


def judge(clause: Clause, probe: Probe) -> Verdict:
    """Run all checks of a clause. The worst finding decides; a check that raises leaves the clause unknown."""
    findings: list[Finding] = []
    for check in clause.checks:
        try:
            seen = list(check.run(probe))
        except Stuck as stuck:
            seen = [unknown(f"the visitor got stuck: {stuck}")]
        except Exception as fault:  # noqa: BLE001 - whatever fails, the answer is "unknown", never "holds"
            seen = [unknown(f"the check could not run ({type(fault).__name__}): {check.name}")]
        if any(finding.state == State.BROKEN for finding in seen):
            seen = [finding for finding in seen if finding.state != State.HOLDS]
        findings += seen or [unknown(f"the check saw nothing to check: {check.name}")]
    worst = max((finding.state for finding in findings), key=WORST_LAST.index, default=State.UNKNOWN)
    return Verdict(clause.id, worst, findings)
