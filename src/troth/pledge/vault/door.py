"""The way to the keeper, for web and worker. One call, one question, one answer; KeeperAway when none comes.

No call inside a main transaction: it would hold the database's write lock while somebody hashes, and tie two
databases that must never wait for each other. The door refuses that (Misplaced), in tests as in the shop.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from django.db import connections

from troth.pledge.disclosure import messages as disclosure
from troth.pledge.keeper import messages
from troth.pledge.office import messages as office
from troth.pledge.vault.classes import Personal
from troth.pledge.vault.fields import Sealed

TIMEOUT = 20.0  # seconds; a queue of hashes may take some
VARIABLE = "TROTH_DOOR"  # "fd:7" (inherited) or "unix:/run/troth/web.sock"
Answer = TypeVar("Answer", bound=messages.Message)
FromOffice = TypeVar("FromOffice", bound=office.Answer)
OfDisclosure = TypeVar("OfDisclosure", bound=disclosure.Answer)


class KeeperAway(Exception):
    """The keeper does not answer, or its ledger cannot be written. Nothing was opened; try again later."""


class KeeperRefused(Exception):
    """The keeper's no. `code` says why: "credentials", "later", "capability", "purpose", "ticket", "gone", "seal", …

    `after`: how many seconds it is no use to ask again.
    """

    def __init__(self, code: str, after: int = 0) -> None:
        super().__init__(code)
        self.code, self.after = code, after


class Misplaced(Exception):
    """A question to the keeper was asked inside a main transaction."""


class Door:
    """Speaks to the keeper through `say` (one encoded question in, one encoded answer out)."""

    def __init__(self, say: Callable[[bytes], bytes]) -> None:
        self._say = say

    def open(self, sealed: Sequence[Sealed], *, purpose: str, job: str, capability: str = "") -> list[Any]:
        """The values behind `sealed`, in order. The keeper notes person, classes, purpose and job first."""
        ask = messages.Open([value.record for value in sealed], purpose, job, capability)
        opened = self._ask(ask, messages.Opened).values
        return [_decode(raw, value.personal) for raw, value in zip(opened, sealed, strict=True)]

    def blank(self, count: int) -> list[messages.FreshBlank]:
        return self._ask(messages.Blank(count), messages.Blanks).blanks

    def enrol(self, ref: str, secret: bytes, mailbox: str, password: str) -> messages.Session:
        return self._ask(messages.Enrol(ref, secret, mailbox, password), messages.Session)

    def sign_in(self, mailbox: str, password: str, device: str = "") -> messages.Session:
        """`device`: what this browser keeps from the last time that somebody signed in with it."""
        return self._ask(messages.SignIn(mailbox, password, device), messages.Session)

    def challenge(self) -> str:
        """What a passkey is to answer: good once, for five minutes."""
        return self._ask(messages.Passkey("ask"), messages.Ticket).ticket

    def sign_in_by_passkey(self, challenge: str, shown: str) -> messages.Session:
        """`shown`: what the browser made of the challenge."""
        return self._ask(messages.Passkey("sign in", challenge, shown), messages.Session)

    def passkeys(self, capability: str) -> list[tuple[str, int]]:
        """One's own: ids and when they were added (Unix seconds). So answer the next two."""
        return self._ask(messages.Passkey("list", capability=capability), messages.Passkeys).passkeys

    def add_passkey(self, capability: str, password: str, challenge: str, shown: str) -> list[tuple[str, int]]:
        ask = messages.Passkey("add", challenge, shown, capability, password)
        return self._ask(ask, messages.Passkeys).passkeys

    def remove_passkey(self, capability: str, passkey: str) -> list[tuple[str, int]]:
        ask = messages.Passkey("remove", passkey=passkey, capability=capability)
        return self._ask(ask, messages.Passkeys).passkeys

    def recover(self, mailbox: str, kind: str = "recover") -> str:
        return self._ask(messages.Recover(mailbox, kind), messages.Ticket).ticket

    def redeem(self, *, ticket: str = "", ref: str = "", kind: str = "", mailbox: str = "") -> messages.Redeemed:
        return self._ask(messages.Redeem(ticket, ref, kind, mailbox), messages.Redeemed)

    def prove(self, ticket: str, secret: str, password: str = "") -> messages.Proved:
        return self._ask(messages.Prove(ticket, secret, password), messages.Proved)

    def claim(self, ticket: str, secret: str, capability: str) -> str:
        """Take a guest's records over: whoever has this capability opens them too. The guest's reference."""
        return self._ask(messages.Prove(ticket, secret, capability=capability), messages.Proved).session.ref

    def change_password(self, capability: str, password: str, new: str) -> messages.Session:
        return self._ask(messages.Change(capability, password, new_password=new), messages.Session)

    def change_mailbox(self, capability: str, password: str, new: str) -> str:
        return self._ask(messages.Change(capability, password, new_mailbox=new), messages.Ticket).ticket

    def grant(self, capability: str, purpose: str) -> None:
        self._ask(messages.Consent(purpose, True, capability), messages.Done)

    def allow(self, purpose: str, contact: Sealed, *, anew: bool = False) -> None:
        """Worker only: this contact's person allows it. KeeperRefused "objected" where somebody with its mailbox asked
        for none, but for who allows it `anew`."""
        ask = messages.Consent(purpose, True, ref=contact.place.ref, contact=contact.record, anew=anew)
        self._ask(ask, messages.Done)

    def withdraw(self, purpose: str, *, capability: str = "", ref: str = "", objects: Sealed | None = None) -> None:
        """`objects`, worker only: the contact whose mailbox is to be remembered as one that objected."""
        contact = objects.record if objects else None
        self._ask(messages.Consent(purpose, False, capability, ref, contact), messages.Done)

    def restrict(self, ref: str, job: str) -> None:
        """From now on this person opens for that job alone; "": for all again. KeeperRefused("gone") if forgotten."""
        self._ask(messages.Restrict(ref, job), messages.Done)

    def shred(self, ref: str, keep: Sequence[str] = ()) -> int:
        """Forget a person but for the fates in `keep`. Returns how many were erased so far. Cannot be undone."""
        return self._ask(messages.Shred(ref, list(keep)), messages.Done).number

    def rotate(self, what: str, contacts: Sequence[Sealed] = (), *, last: bool = False) -> messages.Rotated:
        """One step of a rotation. `left` is 0 when it has ended."""
        ask = messages.Rotate(what, records=[sealed.record for sealed in contacts], last=last)
        return self._ask(ask, messages.Rotated)

    def renew(self, ref: str, values: Sequence[Sealed] = (), *, last: bool = False) -> messages.Rotated:
        """New keys for a person, beside the former ones: their key set, and `values` of theirs sealed to it.

        With `last`, and no values, the former keys are destroyed. KeeperRefused "gone", or "seal" where one of the
        values is not genuine.
        """
        ask = messages.Rotate("person", records=[sealed.record for sealed in values], last=last, ref=ref)
        return self._ask(ask, messages.Rotated)

    def copy(self, name: str) -> bool:
        """Have a sealed copy of the keyring made by this name. False while it is being made: ask again."""
        return bool(self._ask(messages.Copy(name), messages.Done).number)

    def note(self, event_id: str, event: dict[str, str | int]) -> int:
        return self._ask(messages.Note(event_id, event), messages.Done).number

    def poison(self, ref: str) -> None:
        """Nobody has reason to open this person, who is none: whoever does causes an incident."""
        self._ask(messages.Restrict(ref, messages.NOBODY), messages.Done)

    def acknowledge(self, incidents: int) -> None:
        """The owner knows of this many incidents. KeeperRefused "incidents" where there are others by now."""
        self._ask(messages.Acknowledge(incidents), messages.Done)

    def attest(self) -> messages.Attested:
        return self._ask(messages.Attest(), messages.Attested)

    def checkpoint(self) -> messages.Checkpointed:
        """The ledger as it is, signed by the keeper."""
        return self._ask(messages.Checkpoint(), messages.Checkpointed)

    def tile(self, level: int, n: int) -> bytes:
        """Tile `n` of a level of the ledger, or of level -1 a bundle of entries."""
        return self._ask(messages.Tile(level, n), messages.Piece).content

    def history(self, capability: str, before: int = messages.NEWEST, ref: str = "") -> messages.Entries:
        """The newest entries of the ledger about oneself, or a guest one has claimed, before number `before`."""
        return self._ask(messages.History(capability, before, ref), messages.Entries)

    def greet(self, checkpoint: str = "", erased: int = 0) -> messages.Greeting:
        """Say what the main side has seen; a keeper that does not continue it opens nothing from then on."""
        return self._ask(messages.Hello(checkpoint=checkpoint, erased=erased), messages.Greeting)

    def at_desk(self, question: office.Question, wanted: type[FromOffice]) -> FromOffice:
        """Ask the keeper's part for people who work here (pledge/office)."""
        said = self._ask(messages.Office(office.encode(question)), messages.Answered).answer
        answer = office.read_answer(said)
        if not isinstance(answer, wanted):
            raise KeeperAway
        return answer

    def on_disclosure(self, question: disclosure.Question, wanted: type[OfDisclosure]) -> OfDisclosure:
        """Ask the keeper's part for lawful disclosure (pledge/disclosure)."""
        said = self._ask(messages.Disclosure(disclosure.encode(question)), messages.Answered).answer
        answer = disclosure.read_answer(said)
        if not isinstance(answer, wanted):
            raise KeeperAway
        return answer

    def _ask(self, question: messages.Message, wanted: type[Answer]) -> Answer:
        _outside_transactions()
        try:
            answer = messages.read_answer(self._say(messages.encode(question)))
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            # Outside this block: a traceback that shows the question would show what was typed.
            answer = None
        if answer is None:
            raise KeeperAway
        if isinstance(answer, messages.Refusal):
            away = answer.code in ("ledger", "busy", "fault", "behind")
            raise KeeperAway if away else KeeperRefused(answer.code, answer.after)
        if not isinstance(answer, wanted):
            raise KeeperAway
        return answer


class Line:
    """Connections to the keeper, one a thread, made anew when the keeper was."""

    def __init__(self, address: str) -> None:
        self._address, self._own = address, threading.local()
        kind, _, where = address.partition(":")
        self._door = socket.socket(fileno=os.dup(int(where))) if kind == "fd" else None
        if self._door is not None:
            self._door.setblocking(False)

    def say(self, question: bytes) -> bytes:
        """OSError if no answer comes. A question on a line that had died in the meantime is asked once more."""
        line = getattr(self._own, "line", None)
        if line is not None and not _alive(line):
            line.close()
            line = None
        if line is None:
            line = self._own.line = self._connect()
        try:
            line.sendall(messages.frame(question))
            (length,) = messages.LENGTH.unpack(_exactly(line, messages.LENGTH.size))
            return _exactly(line, length)
        except OSError:
            line.close()
            self._own.line = None
            raise

    def _connect(self) -> socket.socket:
        if self._door is None:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(TIMEOUT)
            line.connect(self._address.partition(":")[2])
            return line
        line, theirs = socket.socketpair()
        line.settimeout(TIMEOUT)
        with theirs:
            socket.send_fds(self._door, [b"c"], [theirs.fileno()])
        return line


def _alive(line: socket.socket) -> bool:
    """False if the keeper closed its end. Nothing is ever waiting to be read between two questions."""
    try:
        line.setblocking(False)
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        line.settimeout(TIMEOUT)
    return False


def _exactly(line: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = line.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return bytes(data)


def _decode(raw: bytes, personal: type[Personal]) -> Personal:
    return msgspec.msgpack.decode(raw, type=personal)


def _outside_transactions() -> None:
    for connection in connections.all(initialized_only=True):
        # Django's TestCase wraps each test in blocks that it marks as its own.
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise Misplaced("ask the keeper before or after the transaction, never inside it")


_door: Door | None = None
_lock = threading.Lock()


def door() -> Door:
    """This process's door, as the supervisor handed it down. KeeperAway where there is none."""
    global _door
    if _door is None:
        with _lock:
            address = os.environ.get(VARIABLE, "")
            if not address:
                raise KeeperAway
            _door = Door(Line(address).say)
    return _door


def use(other: Door | None) -> None:
    """Use another door: for tests, and after a fork."""
    global _door
    _door = other
