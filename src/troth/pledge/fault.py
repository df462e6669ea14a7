"""Fault points: named steps at which a process can be made to die, so that tests can show that nothing is lost there.

`here("settle.marked")` does nothing, unless TROTH_FAULT in this process's environment names that step:
`TROTH_FAULT=settle.marked:2` ends the process by SIGKILL the second time it comes by, with no chance to tidy up.
`work.claimed/deliver:1` dies only where the errand is of that kind. A live shop does not start with TROTH_FAULT set
(troth.config). Knows nothing of Django or the shop: the keeper has such steps, too.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

VARIABLE = "TROTH_FAULT"

Reaction = Callable[[str, str], None]


def here(point: str, kind: str = "") -> None:
    """This process has come to `point` (one of fault_points.py), with an errand of this kind where there is one."""
    if _reaction is not None:
        _reaction(point, kind)


def read(text: str) -> tuple[str, str, int] | None:
    """(point, kind, which time) of a text such as "work.claimed/deliver:1"; None where nothing is asked for.

    ValueError, in one sentence, for a step that there is not: a fault that never comes would prove nothing.
    """
    if not text:
        return None
    from troth.pledge.fault_points import POINTS  # not loaded, and not to be read by who audits the keeper, in a shop

    where, _, times = text.partition(":")
    point, _, kind = where.partition("/")
    if point not in POINTS or not (times or "1").isdecimal() or int(times or 1) < 1:
        raise ValueError(f"{VARIABLE} must look like settle.marked:1 and name one of the steps in fault_points.py")
    return point, kind, int(times or 1)


def of_environment(environ: Mapping[str, str] = os.environ) -> Reaction | None:
    """What this process does at its fault points: nothing (None), or die at the one that its environment names."""
    asked = read(environ.get(VARIABLE, ""))
    if asked is None:
        return None
    wanted, wanted_kind, left = asked

    def react(point: str, kind: str) -> None:
        nonlocal left
        if point != wanted or wanted_kind not in ("", kind):
            return
        left -= 1
        if left <= 0:
            os.write(2, f"troth: fault {point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    return react


@contextmanager
def watched(reaction: Reaction) -> Iterator[None]:
    """For tests in one process: call `reaction` at every point in place of what the environment says."""
    global _reaction
    before, _reaction = _reaction, reaction
    try:
        yield
    finally:
        _reaction = before


_reaction = of_environment()
