"""Audit: the whole ledger read as the keeper has it, against its tree and every checkpoint that this shop keeps.

The tree is grown entry by entry and never looks back, and comparing checkpoints reads the tree alone: an old entry
that somebody altered in the keyring is found here, daily, or when `troth ledger verify` asks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.audit import audit as contradictions
from troth.pledge.ledger.export import bundled, published
from troth.pledge.ledger.tree import HASH, HEIGHT, WIDTH, LedgerError
from troth.pledge.policy.clause import State
from troth.pledge.policy.models import Verdict
from troth.pledge.vault import published as public
from troth.pledge.vault import seen
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door

log = logging.getLogger("troth.audit")
NAME = "log"  # of its verdicts, among those of the clauses: four letters at most
EVERY = 86400  # seconds
GLANCE = 0.3  # seconds between words about how far it is
KEPT = 30  # verdicts


def progress_file() -> Path:
    return Path(settings.TROTH.home) / "run" / "ledger-audit"


def ledger(subject: str, claim: due.Claim) -> None:
    """The errand. Its verdict names entries by number and tiles by place, and nobody."""
    began, again = time.monotonic(), None
    try:
        known = _known()  # before the size: the log may grow meanwhile
        kept = Kept(door().attest().ledger_size)
        found = [*_told(), *contradictions(kept.entries(), kept, known, _tell(claim))]
    except KeeperAway:
        again = due.Again("keeper-away", 5)
    except KeeperRefused as refused:
        again = due.Again(f"keeper-{refused.code}")
    except LedgerError as error:
        found = [f"{error}."]
    progress_file().unlink(missing_ok=True)
    if again is not None:
        raise again
    _keep(found, int((time.monotonic() - began) * 1000))


def _keep(found: list[str], took_ms: int) -> None:
    state = State.BROKEN if found else State.HOLDS
    if found:
        log.error("the ledger contradicts itself or what was signed")
    now = clock.now()
    findings = [{"state": state, "sentence": sentence} for sentence in found or ["entries, tree and checkpoints agree"]]
    Verdict.objects.create(
        clause=NAME,
        state=state,
        findings=findings,
        checked_at=now,
        expires_at=now + 2 * timedelta(seconds=EVERY),
        took_ms=took_ms,
    )
    old = Verdict.objects.filter(clause=NAME).order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 100]
    Verdict.objects.filter(pk__in=list(old)).delete()


def _told() -> list[str]:
    """What the worker heard when it last compared the keeper with what the main side saw."""
    return [f"{said}." for said in [seen.trouble()] if said]


def _known() -> list[checkpoint.Checkpoint]:
    """The checkpoints at hand: the newest seen, and the one that is published."""
    key, noted = seen.verify_key(), seen.latest()
    there = published(public.folder(), key)
    return [*([checkpoint.read(noted, key)] if noted else []), *([there] if there else [])]


class Kept:
    """Tiles and entries as the keeper has them, as of a size."""

    def __init__(self, size: int) -> None:
        self.size = size

    def get(self, level: int, n: int) -> bytes:
        width = min(WIDTH, max(0, (self.size >> (level * HEIGHT)) - n * WIDTH))
        return door().tile(level, n)[: width * HASH]

    def entries(self) -> Iterator[tuple[int, bytes]]:
        for n in range(-(-self.size // WIDTH)):
            for seq, leaf in bundled(door().tile(public.ENTRIES, n), n * WIDTH):
                if seq < self.size:
                    yield seq, leaf


def _tell(claim: due.Claim) -> Callable[[int, int], None]:
    """Say how far it is, for whoever waits, and keep the lease."""
    last = 0.0

    def tell(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last < GLANCE:
            return
        last = time.monotonic()
        progress_file().parent.mkdir(mode=0o700, exist_ok=True)
        progress_file().write_text(f"{done} {of}", "ascii")
        if not claim.still_mine():
            raise due.Again("late", 0)

    return tell
