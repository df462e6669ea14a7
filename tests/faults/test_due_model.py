"""The due table against a model of it, in any order of adding, hastening, claiming, working, failing and crashing."""

from datetime import datetime, timedelta

import hypothesis.core
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests import campaign
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due

SUBJECTS = st.sampled_from(["a", "b", "c"])
PAUSES = st.sampled_from([0.5, 5.0, 60.0, 91.0, 4000.0, 345_600.0])  # one of them longer than anything is tried
CLAIMS = st.integers(0, 3)


class Row:
    """What we think stands in a row. `news`: it was made due, and nobody has claimed it since."""

    def __init__(self, run_after: datetime, every: int) -> None:
        self.run_after, self.every = run_after, every
        self.lease: datetime | None = None
        self.fence, self.gave_up, self.news = 0, False, True


class Machine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        Due.objects.all().delete()
        self.start = self.now = clock.now()
        self.rows: dict[str, Row] = {}
        self.claims: list[tuple[due.Claim, str, int, datetime]] = []  # with fence and run_after as claimed
        self.real, clock.now = clock.now, lambda: self.now

    def teardown(self) -> None:
        if hasattr(self, "real"):
            clock.now = self.real

    @rule(subject=SUBJECTS, after=st.sampled_from([0.0, 45.0]), every=st.sampled_from([0, 0, 30]))
    def add(self, subject: str, after: float, every: int) -> None:
        due.add("try", subject, after=after, every=every)
        self.rows.setdefault(subject, Row(self.now + timedelta(seconds=after), every))

    @rule(subject=SUBJECTS)
    def hasten(self, subject: str) -> None:
        self.now += timedelta(microseconds=1)  # no two things happen at the same moment
        due.hasten("try", subject)
        row = self.rows.setdefault(subject, Row(self.now, 0))
        row.run_after, row.gave_up, row.news = self.now, False, True

    @rule(pause=PAUSES)
    def time_passes(self, pause: float) -> None:
        self.now += timedelta(seconds=pause)

    @rule()
    def claim(self) -> None:
        claimed = due.claim()
        ready = [row for row in self.rows.values() if self._is_free(row)]
        assert (claimed is None) == (not ready)
        if claimed is None:
            return
        row = self.rows[claimed.subject]
        assert self._is_free(row)
        assert row.run_after == min(one.run_after for one in ready)
        row.fence, row.lease, row.news = row.fence + 1, self.now + due.LEASE, False
        self.claims.append((claimed, claimed.subject, row.fence, row.run_after))

    @precondition(lambda self: self.claims)
    @rule(which=CLAIMS)
    def effect(self, which: int) -> None:
        """Whoever may act is alone in that: every other claim of the same row is refused at the same moment."""
        claimed, subject, fence, _ = self.claims[which % len(self.claims)]
        row = self._mine(subject, fence)
        may = row is not None and row.lease is not None and row.lease > self.now + due.MARGIN
        assert claimed.still_mine() is may
        if row is not None and may:
            row.lease = self.now + due.LEASE
            rivals = [one for one, other, number, _ in self.claims if other == subject and number != fence]
            assert not any(rival.still_mine() for rival in rivals)

    @precondition(lambda self: self.claims)
    @rule(which=CLAIMS)
    def done(self, which: int) -> None:
        claimed, subject, fence, seen = self.claims.pop(which % len(self.claims))
        claimed.done()
        row = self._mine(subject, fence)
        if row is None:
            return
        row.lease = None
        if row.run_after == seen and not row.every:
            del self.rows[subject]
        elif row.run_after == seen:
            row.run_after = self.now + timedelta(seconds=row.every)

    @precondition(lambda self: self.claims)
    @rule(which=CLAIMS, after=st.sampled_from([0.0, 7.0]), give_up=st.booleans(), waits=st.booleans())
    def fails(self, which: int, after: float, give_up: bool, waits: bool) -> None:
        claimed, subject, fence, seen = self.claims.pop(which % len(self.claims))
        claimed.failed(due.Again("no", after, give_up=give_up, waits=waits))
        row = self._mine(subject, fence)
        if row is None:
            return
        row.lease = None
        old = not waits and not row.every and self.now - self.start > due.GIVE_UP
        if (give_up or old) and row.run_after == seen:
            row.gave_up = True
        elif row.run_after == seen:
            row.run_after = self.now + timedelta(seconds=after)

    @precondition(lambda self: self.claims)
    @rule(which=CLAIMS)
    def crashes(self, which: int) -> None:
        self.claims.pop(which % len(self.claims))

    @invariant()
    def the_table_is_as_we_think(self) -> None:
        found = {
            row.subject: (row.run_after, row.every, row.lease_until, row.fence, row.gave_up_at is not None)
            for row in Due.objects.all()
        }
        assert found == {
            name: (row.run_after, row.every, row.lease, row.fence, row.gave_up) for name, row in self.rows.items()
        }

    @invariant()
    def news_is_never_lost(self) -> None:
        assert not [name for name, row in self.rows.items() if row.news and row.gave_up]

    def _is_free(self, row: Row) -> bool:
        return not row.gave_up and row.run_after <= self.now and (row.lease is None or row.lease <= self.now)

    def _mine(self, subject: str, fence: int) -> Row | None:
        row = self.rows.get(subject)
        return row if row is not None and row.fence == fence else None


@pytest.mark.soak
@pytest.mark.django_db
def test_the_due_table_does_as_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypothesis.core, "global_force_seed", campaign.SEED)
    extent = settings(max_examples=campaign.rounds(40, 1500), stateful_step_count=40, deadline=None, database=None)
    run_state_machine_as_test(Machine, settings=extent)
