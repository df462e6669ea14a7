"""The keeper: what may be asked through which door, and who answers it. The loop around it is doors.py.

Verbs are plain functions, or generators that yield slow work (a hash) and go on with its result in a later batch.
A verb that fails for a reason of ours answers a Refusal; a fault is logged by its type and place, never by its text.
"""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from troth.pledge.keeper import keyring, messages
from troth.pledge.keeper.credentials import Credentials, Refused, Steps, Work
from troth.pledge.keeper.endings import Endings
from troth.pledge.keeper.leaves import Leaves
from troth.pledge.keeper.opening import Opening
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import Persons
from troth.pledge.keeper.policy import VERBS
from troth.pledge.keeper.rotation import Rotation
from troth.pledge.kms import RootKey

log = logging.getLogger("troth.keeper")
MOST_BLANKS = 500
DAILY = 20_000


def utc_now() -> datetime:
    return datetime.now(UTC)


class Pending:
    """A verb that waits for slow work."""

    def __init__(self, steps: Steps, work: Work) -> None:
        self.steps, self.work = steps, work


Outcome = messages.Answer | Steps | Pending


class Keeper:
    """Answers one question after another. `db` is the keyring of this process alone; the caller opens the batch.

    `closed`: opens nothing until the worker has said what the main side saw (`_greet`). `journal`: where erasures are
    written down besides.
    """

    def __init__(
        self, db: sqlite3.Connection, root: RootKey, *, daily: int = DAILY, journal: Path | None = None,
        clock: Callable[[], datetime] = utc_now, separate_user: bool = False, closed: bool = False,
    ) -> None:  # fmt: skip
        self.db = db
        with keyring.batch(db):
            self._keys = OwnKeys(db, root)
        self._clock, self._separate_user = clock, separate_user
        self._persons = Persons(db, self._keys)
        self._leaves = Leaves(db)
        self._credentials = Credentials(db, self._keys, self._persons, clock)
        self._rotation = Rotation(db, root, self._keys, self._persons, self._credentials)
        self._endings = Endings(db, self._persons, self._leaves, self._credentials.owner, journal, clock)
        with keyring.batch(db):
            again = self._endings.apply_journal()
        if again:
            log.warning("erased %s persons again: this keyring is older than the journal", again)
            keyring.purge(db)
        self._opening = Opening(db, self._keys, self._persons, self._leaves, daily, clock, self._credentials.signs_in)
        self._opening.behind = closed
        self.connected: Counter[str] = Counter()

    @property
    def verify_key(self) -> bytes:
        return self._keys.verify_key

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One durable transaction: what happened in it is true when this ends, and not before."""
        committed = False
        try:
            with keyring.batch(self.db):
                yield
            committed = True
        finally:
            self._opening.ended(committed)
            if self._rotation.touched:
                self._rotation.touched = False
                self._keys.load()
            if committed and self._endings.forgot:
                self._endings.forgot = False
                keyring.purge(self.db)

    def begin(self, role: str, question: messages.Question) -> messages.Answer | Steps:
        """The answer, or steps towards it. Raises Refused."""
        verb = type(question).__name__
        if verb not in VERBS[role]:
            raise Refused("door")
        match question:
            case messages.Hello():
                return self._greet(role, question)
            case messages.Blank():
                return self._blanks(question.count)
            case messages.Enrol():
                return self._credentials.enrol(question)
            case messages.SignIn():
                return self._credentials.sign_in(question)
            case messages.Recover():
                return self._credentials.recover(question)
            case messages.Redeem():
                return self._credentials.redeem(question)
            case messages.Prove():
                return self._credentials.prove(question)
            case messages.Change():
                return self._credentials.change(question)
            case messages.Open():
                return self._opening.open(role, question)
            case messages.Grant():
                return self._endings.grant(question)
            case messages.Withdraw():
                return self._endings.withdraw(role, question)
            case messages.Shred():
                return self._endings.shred(question)
            case messages.Rotate():
                return self._rotation.step(question)
            case messages.Note():
                return self._note(question)
            case messages.Attest():
                return self._attest()

    def step(self, act: Callable[[], Outcome]) -> Outcome:
        """One verb, or one step of it, that fails alone. sqlite3.Error passes: then the whole batch fails."""
        try:
            with keyring.step(self.db):
                outcome = act()
                return advance(outcome, None) if isinstance(outcome, Generator) else outcome
        except Refused as refused:
            return messages.Refusal(refused.code)
        except sqlite3.Error:
            raise
        except Exception as fault:  # noqa: BLE001 - the keeper goes on; what failed is told by type and place only
            last = traceback.extract_tb(fault.__traceback__)[-1]
            log.error("fault %s at %s:%s", type(fault).__name__, Path(last.filename).name, last.lineno)
            return messages.Refusal("fault")

    def _greet(self, role: str, hello: messages.Hello) -> messages.Greeting:
        """A keeper that has fewer leaves or erasures than the main side saw was put back from an older copy."""
        if role == "worker":
            self._opening.behind = hello.ledger_size > self._leaves.size or hello.erased > self._endings.erased
        return messages.Greeting(messages.PROTOCOL, role, self.verify_key, self._opening.behind)

    def _note(self, ask: messages.Note) -> messages.Noted:
        """Refused "shape" for an event without a type, or with the one that leaves about people have."""
        if not ask.event_id or ask.event.get("type", "person") == "person":
            raise Refused("shape")
        return messages.Noted(self._leaves.everyday(ask.event_id, ask.event, self._clock()))

    def _blanks(self, count: int) -> messages.Blanks:
        if not 0 < count <= MOST_BLANKS:
            raise Refused("shape")
        return messages.Blanks([self._persons.make() for _ in range(count)])

    def _attest(self) -> messages.Attested:
        persons = self.db.execute("SELECT count(*) FROM person").fetchone()[0]
        return messages.Attested(
            messages.PROTOCOL,
            self._leaves.size,
            self._endings.erased,
            persons,
            dict(self.connected),
            self._separate_user,
        )


def advance(steps: Steps, result: Any) -> Outcome:
    """Go on with a verb: its answer, or what it waits for next."""
    try:
        return Pending(steps, steps.send(result))
    except StopIteration as end:
        answer: messages.Answer = end.value
        return answer


def drive(keeper: Keeper, role: str, body: bytes) -> bytes:
    """Answer one encoded question at once, each step in a batch of its own: the keeper without its loop, for tests."""
    question = messages.read_question(body)
    outcome = _committed(keeper, lambda: keeper.begin(role, question))
    while isinstance(outcome, Pending):
        outcome = _committed(keeper, partial(advance, outcome.steps, outcome.work()))
    assert not isinstance(outcome, Generator)
    return messages.encode(outcome)


def _committed(keeper: Keeper, act: Callable[[], Outcome]) -> Outcome:
    try:
        with keeper.batch():
            return keeper.step(act)
    except sqlite3.Error:
        return messages.Refusal("ledger")
