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

# Every step between checkout and delivery: who comes by, and what has just happened.
POINTS: dict[str, tuple[tuple[str, ...], str]] = {
    "buy.begin": (("web",), "a checkout was sent; nothing is written"),
    "buy.person": (("web",), "a blank is taken and the contact sealed, in the transaction"),
    "buy.billing": (("web",), "the billing address is sealed, in the transaction"),
    "buy.order": (("web",), "the order is written, in the transaction"),
    "buy.payment": (("web",), "lines and the attempt to pay are written, in the transaction"),
    "buy.due": (("web",), "what is due later is written, in the transaction"),
    "buy.committed": (("web",), "the order is there; the keeper and the provider know nothing of it"),
    "buy.enrolled": (("web",), "the keeper knows the newcomer's password"),
    "pay.begun": (("web",), "the provider has opened the payment; we have not written that down"),
    "pay.noted": (("web",), "the provider's page is written down; the buyer has no answer"),
    "return.found": (("web",), "the buyer is back; nothing was asked"),
    "look.seen": (("web", "worker"), "the provider said where the payment stands"),
    "look.captured": (("web", "worker"), "the provider has taken the money; we have not written that down"),
    "settle.paid": (("web", "worker"), "the payment is marked paid, in the transaction"),
    "settle.marked": (("web", "worker"), "the order is marked paid, in the transaction"),
    "settle.due": (("web", "worker"), "the delivery is due, in the transaction"),
    "settle.committed": (("web", "worker"), "the order is paid"),
    "hook.verified": (("web",), "a message is genuine; nothing is written"),
    "hook.kept": (("web",), "the message is kept and a look is due, in the transaction"),
    "hook.committed": (("web",), "a look is due; the provider has no answer"),
    "work.claimed": (("worker",), "a due row is leased to this worker"),
    "work.ran": (("worker",), "its errand ran; that is not written down"),
    "work.done": (("worker",), "the due row is done with"),
    "deliver.granted": (("worker",), "the downloads are granted"),
    "deliver.opened": (("worker",), "the keeper has noted and opened the address"),
    "deliver.invited": (("worker",), "the keeper has made what the letter's links need"),
    "send.fenced": (("worker",), "the letter is written and the lease still ours"),
    "send.sent": (("worker",), "the mail relay has the letter; we have not written that down"),
    "send.noted": (("worker",), "the letter is marked sent"),
    "keeper.begun": (("keeper",), "a batch is begun"),
    "keeper.leaf": (("keeper",), "an opening's leaf is written, in the batch"),
    "keeper.stepped": (("keeper",), "all questions of a batch are worked off; nothing is committed"),
    "keeper.committed": (("keeper",), "a batch is on disk; nobody has an answer"),
}

Reaction = Callable[[str, str], None]


def here(point: str, kind: str = "") -> None:
    """This process has come to `point` (a key of POINTS), with an errand of this kind where there is one."""
    if _reaction is not None:
        _reaction(point, kind)


def read(text: str) -> tuple[str, str, int] | None:
    """(point, kind, which time) of a text such as "work.claimed/deliver:1"; None where nothing is asked for.

    ValueError, in one sentence, for a step that there is not: a fault that never comes would prove nothing.
    """
    if not text:
        return None
    where, _, times = text.partition(":")
    point, _, kind = where.partition("/")
    if point not in POINTS or not (times or "1").isdecimal() or int(times or 1) < 1:
        raise ValueError(f"{VARIABLE} must look like settle.marked:1 and name one of the steps in troth.pledge.fault")
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
