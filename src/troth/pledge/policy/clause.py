"""A clause: the words we publish, what enforces them, how that is checked, and the change that must turn it red.

Nothing holds by default. A check says what it found; a check that fails to run leaves the clause unknown; a finding
grows old. A *mutant* is the smallest change that would break the promise: the tests plant each one and demand that
the clause's own check catches it, or the check is decoration.

Each check has its cadence, by its kind: what is cheap every ten minutes, a played customer hourly, a search through
all that was written twice a day. Between its turns a check's last findings stand, with the time at which they were
made; what is broken or unknown is looked at again each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
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


# Seconds between the runs of a check, by its kind. GREATEST_AGE: what is older is not believed any more.
CADENCE = {"static": 600, "runtime": 600, "synthetic": 3600, "forensic": 12 * 3600}
GREATEST_AGE = timedelta(hours=26)


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing seen. `sentence` names places (a page, a column, a file), never persons or their values."""

    state: State
    sentence: str
    check: str = ""  # the name of the check that found it
    at: datetime | None = None


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
    kind: str  # static, runtime, forensic, synthetic: sets its cadence
    run: Callable[[Probe], Iterator[Finding]]
    shuts: str = ""  # the door (policy/shutting.py) that stays shut while this check finds the promise broken


class Mutant(msgspec.Struct, frozen=True):
    """A planted breach, in this process, for as long as the context lasts. Never outside test mode."""

    name: str
    planted: Callable[[], AbstractContextManager[None]]
    in_demo: bool = True  # can be planted in a running demo's web and worker, without a database of a test
    turns: tuple[Callable[[Probe], Iterator[Finding]], ...] = ()  # the functions of the checks that must catch it
    becomes: State = State.BROKEN  # what they then find: less where a promise cannot be seen to be broken from here


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


def judge(clause: Clause, probe: Probe, known: Sequence[Finding] = ()) -> Verdict:
    """Run the checks of a clause whose turn it is. The worst finding decides; a check that raises leaves it unknown.

    `known`: what the last round found. A check that found nothing wrong then, and whose turn is not come, is not run.
    """
    findings: list[Finding] = []
    for check in clause.checks:
        findings += _still_good(check, probe.now, known) or _run(check, probe)
    worst = max((finding.state for finding in findings), key=WORST_LAST.index, default=State.UNKNOWN)
    return Verdict(clause.id, worst, findings)


def _still_good(check: Check, now: datetime, known: Sequence[Finding]) -> list[Finding]:
    """The findings of this check's last run, if they may stand until its next turn."""
    found = [finding for finding in known if finding.check == check.name]
    calm = all(finding.state in (State.HOLDS, State.GAP) for finding in found)
    # A little less than the cadence, as rounds begin a little early or late.
    since = now - timedelta(seconds=0.95 * CADENCE[check.kind])
    return found if calm and all(finding.at and since < finding.at <= now for finding in found) else []


def _run(check: Check, probe: Probe) -> list[Finding]:
    try:
        seen = list(check.run(probe))
    except Stuck as stuck:
        seen = [unknown(f"the visitor got stuck: {stuck}")]
    except Exception as fault:  # noqa: BLE001 - whatever fails, the answer is "unknown", never "holds"
        seen = [unknown(f"the check could not run ({type(fault).__name__}): {check.name}")]
    if any(finding.state == State.BROKEN for finding in seen):
        seen = [finding for finding in seen if finding.state != State.HOLDS]
    seen = seen or [unknown(f"the check saw nothing to check: {check.name}")]
    return [msgspec.structs.replace(finding, check=check.name, at=probe.now) for finding in seen]
