"""The keeper: what may be asked through which door, and who answers it. The loop around it is doors.py.

Verbs are plain functions, or generators that yield slow work (a hash) and go on with its result in a later batch.
A verb that fails for a reason of ours answers a Refusal; a fault is logged by its type and place, never by its text.
"""

import logging
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from troth.pledge.keeper import messages
from troth.pledge.keeper.copy import Copies, Order
from troth.pledge.keeper.credentials import Credentials, Steps, Work
from troth.pledge.keeper.endings import Endings
from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.opening import Opening
from troth.pledge.keeper.policy import PARTS, PER_MINUTE, VERBS
from troth.pledge.keeper.room import Room
from troth.pledge.kms import RootKey
from troth.pledge.ledger.table import catch_up
from troth.pledge.ledger.tree import LedgerError

log = logging.getLogger("troth.keeper")
MOST_BLANKS = MOST_ENTRIES = 500  # new keys, entries of a history, in one answer
NOW = partial(datetime.now, UTC)
INCIDENTS_TOLD = 20  # of one kind that get a leaf until the owner has acknowledged them; all are counted


class Pending:
    """A verb that waits for slow work."""

    def __init__(self, steps: Steps, work: Work) -> None:
        self.steps, self.work = steps, work


Outcome = messages.Answer | Pending
Act = Callable[[], messages.Answer | Steps | Pending]
Verb = Callable[[str, Any], messages.Answer | Steps]


class Keeper:
    """Answers one question after another. `db` is the keyring of this process alone; the caller opens the batch.

    `closed`: opens nothing until the worker has said what the main side saw (`_greet`). `journal`: where erasures are
    written down besides, and `elsewhere` as well. `order`: what copies of the keyring are made by (copy.py).
    `site`: the shop's public address, which passkeys are for.
    """

    def __init__(
        self, db: Keyring, root: RootKey, *, daily: int = 20_000, journal: Path | None = None, closed: bool = False,
        clock: Callable[[], datetime] = NOW, separate_user: bool = False, elsewhere: Path | None = None,
        order: Order | None = None, origin: str = "localhost/ledger", site: str = "http://localhost",
    ) -> None:  # fmt: skip
        self.db, self.connected = db, Counter[str]()
        with db.batch():
            self.room = room = Room(db, root, clock, origin, site)
        self._separate_user = separate_user
        self._credentials = Credentials(room)
        self._endings = Endings(room, self._credentials, journal, elsewhere)
        self._copies = Copies(db, order)
        with db.batch():
            again = self._endings.apply_journal()
            catch_up(db)
        if again:
            log.warning("erased %s persons again: this keyring is older than the journal", again)
            db.purge()
        self._opening = Opening(room, self._credentials, daily)
        self._opening.behind = "the worker has not said yet what it saw" if closed else ""
        self._verbs: dict[str, Verb] = {
            "Hello": self._greet, "Blank": self._blanks, "Enrol": self._credentials.enrol,
            "SignIn": self._credentials.sign_in, "Recover": self._credentials.recover,
            "Redeem": self._credentials.redeem, "Prove": self._credentials.prove, "Change": self._credentials.change,
            "Open": self._opening.open, "Consent": self._endings.consent, "Restrict": self._endings.restrict,
            "Shred": self._endings.shred, "Rotate": self._part, "Note": self._note,
            "Acknowledge": self._acknowledge, "Copy": self._copies.ask,
            "Checkpoint": self.room.leaves.checkpoint, "Tile": self.room.leaves.tile, "History": self._history,
            "Attest": self._attest, "Passkey": self._part, "Office": self._part, "Disclosure": self._part,
        }  # fmt: skip

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One durable transaction: what happened in it is true when this ends, and not before."""
        try:
            with self.db.batch():
                yield
                self.room.leaves.grow()
        finally:
            if self.room.keys.changed:
                self.room.keys.load()
        purge, self._endings.forgot = self._endings.forgot, False
        if purge:
            self.db.purge()
        self._copies.tend(purged=purge)

    def begin(self, role: str, question: messages.Question) -> messages.Answer | Steps:
        """The answer, or steps towards it. Raises Refused."""
        verb = type(question).__name__
        if verb not in VERBS[role]:
            raise messages.Refused("door")
        if verb in PER_MINUTE:
            self.room.spend(f"{role} {verb}".encode(), 1, PER_MINUTE[verb], 60)
        return self._verbs[verb](role, question)

    def work_off(self, acts: Sequence[Act]) -> list[Outcome]:
        """Every step of one batch. If that cannot be written, all that was asked in it is refused: "ledger"."""
        try:
            with self.batch():
                return [self.step(act) for act in acts]
        except (sqlite3.Error, LedgerError) as error:
            log.error("the keyring refused a batch: %s", getattr(error, "sqlite_errorname", error))
            return [messages.Refusal("ledger") for _ in acts]

    def step(self, act: Act) -> Outcome:
        """One verb, or one step of it, that fails alone. sqlite3.Error and LedgerError pass: the whole batch fails."""
        try:
            with self.db.step():
                outcome = act()
                return advance(outcome, None) if isinstance(outcome, Generator) else outcome
        except messages.Refused as refused:
            if refused.incident:
                self._note_incident(refused.incident)
            return messages.Refusal(refused.code, refused.after)
        except (sqlite3.Error, LedgerError):
            raise
        except Exception as fault:  # noqa: BLE001 - the keeper goes on; what failed is told by type and place only
            last = traceback.extract_tb(fault.__traceback__)[-1]
            log.error("fault %s at %s:%s", type(fault).__name__, Path(last.filename).name, last.lineno)
            return messages.Refusal("fault")

    def _greet(self, role: str, hello: messages.Hello) -> messages.Greeting:
        """A keeper that lacks leaves or erasures which the main side saw was put back from an older copy."""
        if role == "worker":
            erased, behind = self._endings.erased, ""
            if hello.erased > erased:
                behind = f"{hello.erased} erasures were seen and this keyring knows {erased}: an old copy was restored"
            elif hello.checkpoint:
                behind = self.room.leaves.contradicts(hello.checkpoint)
            self._opening.behind = behind
        return messages.Greeting(role, self.room.keys.verify_key, self._opening.behind)

    def _part(self, role: str, ask: messages.Question) -> Steps:
        """Loaded when first asked for, and beside the loop: a shop that has no passkeys, or no desk, runs without."""
        name = PARTS[type(ask).__name__]
        part = sys.modules.get(name) or (yield lambda: import_module(name))
        answer: messages.Answer | Steps = part.act(self.room, self._credentials, role, ask)
        return (yield from answer) if isinstance(answer, Generator) else answer

    def _history(self, role: str, ask: messages.History) -> messages.Entries:
        owner = self._credentials.owner(ask.capability)
        raw = messages.raw_ref(ask.ref) if ask.ref else owner
        if raw not in self._credentials.own(owner):
            raise messages.Refused("capability")
        key = self.room.persons.history_key(raw)
        entries = self.room.leaves.history(raw, key, min(ask.before, messages.NEWEST), MOST_ENTRIES + 1)
        return messages.Entries(entries[:MOST_ENTRIES], len(entries) > MOST_ENTRIES)

    def _note_incident(self, what: str) -> None:
        """Outside the step that was refused: counted, and a leaf for the first of them, so that nobody floods."""
        sql = "INSERT INTO incident VALUES (?, 1, 0) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times, known"
        times, known = self.db.one(sql, what)
        if times - known <= INCIDENTS_TOLD:
            event = {"type": "incident", "what": what, "times": str(times)}
            self.room.leaves.everyday(f"incident {what} {times}", event, self.room.clock())

    def _acknowledge(self, role: str, ask: messages.Acknowledge) -> messages.Done:
        """Refused "incidents" where there are others by now than those that the owner was shown."""
        if sum(self._incidents().values()) != ask.incidents:
            raise messages.Refused("incidents")
        self.db.execute("UPDATE incident SET known = times")
        event: dict[str, str | int] = {"type": "acknowledged", "incidents": ask.incidents}
        seq = self.room.leaves.everyday(f"acknowledged {self.room.leaves.size}", event, self.room.clock())
        return messages.Done(seq)

    def _incidents(self) -> dict[str, int]:
        return dict(self.db.execute("SELECT what, times - known FROM incident WHERE times > known"))

    def _note(self, role: str, ask: messages.Note) -> messages.Done:
        """Refused "shape" for an event without a type, or with the one that leaves about people have."""
        if not ask.event_id or ask.event.get("type", "person") == "person":
            raise messages.Refused("shape")
        return messages.Done(self.room.leaves.everyday(ask.event_id, ask.event, self.room.clock()))

    def _blanks(self, role: str, ask: messages.Blank) -> messages.Blanks:
        if not 0 < ask.count <= MOST_BLANKS:
            raise messages.Refused("shape")
        return messages.Blanks([self.room.persons.make() for _ in range(ask.count)])

    def _attest(self, role: str, ask: messages.Attest) -> messages.Attested:
        return messages.Attested(
            self.room.leaves.size, self._endings.erased, self._separate_user, self._incidents(),
            self.db.value("SELECT count(*) FROM restricted WHERE job = ?", messages.NOBODY),
        )  # fmt: skip


def advance(steps: Steps, result: Any) -> Outcome:
    """Go on with a verb: its answer, or what it waits for next."""
    try:
        return Pending(steps, steps.send(result))
    except StopIteration as end:
        answer: messages.Answer = end.value
        return answer
