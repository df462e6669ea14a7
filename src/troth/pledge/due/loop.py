"""Due rows, worked off: leased, fenced, repeated until done, never lost.

`add` writes a row in the caller's transaction. A worker claims one by a conditional update that raises its fence;
a worker that was paused longer than its lease holds an older fence and is too late. Each errand is safe to repeat:
after a crash it is run again. Effects that cannot be taken back (a mail) come right after `claim.still_mine()`.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import DatabaseError, close_old_connections
from django.db.models import F, Q, QuerySet

from troth.pledge import clock, fault
from troth.pledge.due.models import Due
from troth.pledge.prepared import Prepared, PreparedChange, moment, number

log = logging.getLogger("troth.due")
LEASE = timedelta(seconds=90)
MARGIN = timedelta(seconds=2)  # of lease that must be left before an effect
GIVE_UP = timedelta(days=3)
FIRST_PAUSE, LONGEST_PAUSE = 4, 3600  # seconds
POLL = 0.25  # seconds between looks at an empty table


class Again(Exception):
    """Not done yet. `after` seconds from now (None: a growing pause); `code` tells people why, and holds no person.

    Given up at once with `give_up`, else after GIVE_UP; `waits`: never, as somebody else will end it some day.
    """

    def __init__(self, code: str, after: float | None = None, *, give_up: bool = False, waits: bool = False) -> None:
        super().__init__(code)
        self.code, self.after, self.give_up, self.waits = code, after, give_up, waits


class Claim:
    """One row, ours for the length of its lease."""

    def __init__(self, row: Due) -> None:
        self.kind, self.subject, self.attempts = row.kind, row.subject, row.attempts
        self._row = row

    def still_mine(self) -> bool:
        """Ask just before an effect that cannot be taken back: True gives it a whole lease from now on."""
        now = clock.now()
        return _prolong(self._row.pk, self._row.fence, now + MARGIN, now + LEASE) == 1

    def done(self) -> None:
        if self._row.every:
            self._later(timedelta(seconds=self._row.every), attempts=0, last_code="")
        elif not _finish(self._row.pk, self._row.fence, self._row.run_after):
            self._mine().update(lease_until=None)  # as in _end

    def failed(self, again: Again) -> None:
        code = again.code[:60]
        old = not again.waits and not self._row.every and clock.now() - self._row.made_at > GIVE_UP
        if again.give_up or old:
            self._end(gave_up_at=clock.now(), last_code=code)
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.attempts - 1, 12)) * (
            0.8 + secrets.randbelow(400) / 1000
        )
        self._later(timedelta(seconds=pause if again.after is None else again.after), last_code=code)

    def _mine(self) -> QuerySet[Due]:
        return Due.objects.filter(pk=self._row.pk, fence=self._row.fence)

    def _later(self, pause: timedelta, **values: object) -> None:
        self._end(run_after=clock.now() + pause, **values)

    def _end(self, **values: object) -> None:
        """Let go of the row with these values; hastened in the meantime there is news: then look once more."""
        if not self._mine().filter(run_after=self._row.run_after).update(lease_until=None, **values):
            self._mine().update(lease_until=None)


Errand = Callable[[str, Claim], None]


def add(kind: str, subject: str, *, after: float = 0, every: int = 0) -> None:
    """Make something due, in the caller's transaction. Said twice it is due once, as it was said first."""
    when = clock.now() + timedelta(seconds=after)
    Due.objects.bulk_create([Due(kind=kind, subject=subject, run_after=when, every=every)], ignore_conflicts=True)


def add_all(*wanted: tuple[str, str, float]) -> None:
    """Make several things due as `add` does: (kind, subject, seconds from now)."""
    now = clock.now()
    rows = [
        Due(kind=kind, subject=subject, run_after=now + timedelta(seconds=after)) for kind, subject, after in wanted
    ]
    Due.objects.bulk_create(rows, ignore_conflicts=True)


def drop(*unwanted: tuple[str, str]) -> None:
    """Nothing is left to do about these (kind, subject), in the caller's transaction. Who is at one just ends it."""
    Due.objects.filter(reduce(or_, (Q(kind=kind, subject=subject) for kind, subject in unwanted))).delete()


def hasten(kind: str, subject: str) -> None:
    """Make it due now, whether or not it was due later; a worker that is at it will look once more."""
    row = Due.objects.filter(kind=kind, subject=subject)
    # First the update: it locks the row, so that a worker who is just done with it cannot take the news away with it.
    while row.update(run_after=clock.now(), gave_up_at=None) == 0:
        add(kind, subject)


def claim(at: datetime | None = None) -> Claim | None:
    """The next row that is due, leased to the caller; None if there is none."""
    while True:
        now = at or clock.now()
        row = _next.first(now, now)
        if row is None:
            return None
        if _lease(row.pk, row.fence, now + LEASE) == 1:
            row.fence, row.attempts = row.fence + 1, row.attempts + 1
            return Claim(row)


_next: Prepared[Due] = Prepared(
    lambda free, now: Due.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lte=moment(free)),
        run_after__lte=moment(now),
        gave_up_at__isnull=True,
    ).order_by("run_after")[:1],
    gaps=2,
)


def _held(pk: str, fence: str) -> QuerySet[Due]:
    return Due.objects.filter(pk=number(pk), fence=number(fence))


_lease = PreparedChange(
    lambda pk, fence, until: (
        _held(pk, fence),
        {"fence": F("fence") + 1, "attempts": F("attempts") + 1, "lease_until": moment(until)},
    ),
    gaps=3,
)
_prolong = PreparedChange(
    lambda pk, fence, still, until: (
        _held(pk, fence).filter(lease_until__gt=moment(still)),
        {"lease_until": moment(until)},
    ),
    gaps=4,
)
_finish = PreparedChange(
    lambda pk, fence, run_after: (_held(pk, fence).filter(run_after=moment(run_after)), None), gaps=3
)


def work_off(claimed: Claim, errands: Mapping[str, Errand]) -> None:
    """Run one errand. Whatever it raises becomes a code and a later try; its text is never written anywhere."""
    fault.here("work.claimed", claimed.kind)
    try:
        errands[claimed.kind](claimed.subject, claimed)
        fault.here("work.ran", claimed.kind)
    except Again as again:
        claimed.failed(again)
    except DatabaseError:
        raise
    except Exception as trouble:  # noqa: BLE001 - the loop goes on; the row keeps the type
        log.error("errand failed", extra={"fault": trouble})
        claimed.failed(Again(type(trouble).__name__))
    else:
        claimed.done()
        fault.here("work.done", claimed.kind)


def run(errands: Mapping[str, Errand], stop: threading.Event, threads: int = 3) -> None:
    """Work until `stop` is set. Each thread claims for itself, so that a slow mail server stops nobody else."""
    lookout = threading.Lock()
    crew = [threading.Thread(target=_one, args=(errands, stop, lookout), name=f"due-{n}") for n in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def _one(errands: Mapping[str, Errand], stop: threading.Event, lookout: threading.Lock) -> None:
    """Take turns to look: while one thread looks, the others work or wait, so that idling costs one thread's looks."""
    while not stop.is_set():
        try:
            with lookout:
                claimed = None if stop.is_set() else claim()
                if claimed is None:
                    stop.wait(POLL)
            if claimed is not None:
                work_off(claimed, errands)
        except DatabaseError as trouble:
            log.error("database away", extra={"fault": trouble})
            close_old_connections()
            stop.wait(1)
    close_old_connections()
