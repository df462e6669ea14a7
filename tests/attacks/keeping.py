"""A keeper behind its real loop, and what may be said to it through a door: well or badly formed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from troth.pledge.keeper import messages
from troth.pledge.keeper.doors import Doors
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.messages import Place, Record
from troth.pledge.keeper.seals import KeySet
from troth.pledge.vault.keysets import verify_key
from troth.pledge.vault.sealing import read_key_set, seal

SOON = 5.0  # seconds in which somebody who asks through another door must have an answer; the machine may be busy


class Kept:
    """Both doors of a keeper whose loop runs in a thread of this process."""

    def __init__(self, keeper: Keeper) -> None:
        ours, theirs = {}, {}
        for role in ("web", "worker"):
            ours[role], theirs[role] = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.doors, self.keeper = theirs, keeper
        self.loop = Doors(keeper, {end: (role, None) for role, end in ours.items()})
        self.thread = threading.Thread(target=self.loop.run, name="keeper", daemon=True)
        self.thread.start()
        self._lines: list[socket.socket] = []

    def line(self, role: str) -> socket.socket:
        """A fresh connection through a role's door."""
        mine, theirs = socket.socketpair()
        mine.settimeout(SOON)
        with theirs:
            self.hand(role, theirs.fileno())
        self._lines.append(mine)
        return mine

    def hand(self, role: str, *descriptors: int) -> None:
        """Pass any descriptors through the door, sockets or not."""
        socket.send_fds(self.doors[role], [b"c"], list(descriptors))

    def ask(self, role: str, question: messages.Message) -> messages.Answer:
        with self.line(role) as line:
            return say(line, question)

    def still_serves(self, role: str = "worker") -> None:
        """Somebody at a door is served soon."""
        assert isinstance(self.ask(role, messages.Hello()), messages.Greeting)

    def stop(self) -> None:
        for line in self._lines:
            line.close()
        self.loop.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()
        for door in self.doors.values():
            door.close()


@contextmanager
def kept(keeper: Keeper) -> Iterator[Kept]:
    running = Kept(keeper)
    try:
        yield running
        running.still_serves()
    finally:
        running.stop()


def say(line: socket.socket, question: messages.Message) -> messages.Answer:
    line.sendall(messages.frame(messages.encode(question)))
    return hear(line)


def hear(line: socket.socket) -> messages.Answer:
    """The next answer. ConnectionError where the keeper hung up."""
    (length,) = messages.LENGTH.unpack(exactly(line, messages.LENGTH.size))
    return messages.read_answer(exactly(line, length))


def exactly(line: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = line.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def hung_up(line: socket.socket) -> bool:
    try:
        while line.recv(1 << 16):
            continue
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


ALICE = msgspec.msgpack.encode({"name": "Alice Heronsgate", "email": "alice@heronsgate.example"})


class Somebody:
    """A person of this keeper, with a name sealed for a row."""

    def __init__(self, running: Kept, mailbox: str = "", password: str = "heron and lantern") -> None:
        (self.blank,) = running.ask("worker", messages.Blank(1)).blanks
        self.keys: KeySet = read_key_set(verify_key(), self.blank.key_set, self.blank.ref)
        self.capability = ""
        if mailbox:
            enrol = messages.Enrol(self.blank.ref, self.blank.secret, mailbox, password)
            self.capability = running.ask("web", enrol).capability

    @property
    def ref(self) -> str:
        return self.blank.ref

    def record(self, klass: str = "contact", value: bytes = ALICE, row: str = "row-1") -> Record:
        place = Place("accounts_contact", klass, row, self.ref, klass, 1)
        return Record(place, seal(self.keys, place, value))


def code(answer: messages.Answer) -> str:
    return answer.code if isinstance(answer, messages.Refusal) else type(answer).__name__


VERB_NAMES = {question.__name__ for question in messages.Question.__subclasses__()}


def example(verb: str, alice: Somebody) -> messages.Message:
    """A well-formed question of each verb, about Alice."""
    told = {
        "Hello": messages.Hello(),
        "Blank": messages.Blank(1),
        "Enrol": messages.Enrol(alice.ref, b"x" * 16, "alice@heronsgate.example", "heron and lantern"),
        "SignIn": messages.SignIn("alice@heronsgate.example", "a wrong password"),
        "Recover": messages.Recover("alice@heronsgate.example"),
        "Redeem": messages.Redeem(ref=alice.ref, kind="confirm"),
        "Prove": messages.Prove("ticket", "secret"),
        "Change": messages.Change("capability", "password", "another password"),
        "Open": messages.Open([alice.record()], "deliver", "deliver"),
        "Note": messages.Note("event-1", {"what": "nothing"}),
        "Attest": messages.Attest(),
        "Passkey": messages.Passkey("list", capability="capability"),
    }
    if verb in told:
        return told[verb]
    # A verb that came later: its fields filled with something of the right type.
    kind = getattr(messages, verb)
    about = {field.name: _something(field.type, alice) for field in msgspec.inspect.type_info(kind).fields}
    return msgspec.convert({"type": verb, **about}, kind)


def _something(kind: msgspec.inspect.Type, alice: Somebody) -> object:
    made = {
        msgspec.inspect.StrType: alice.ref,
        msgspec.inspect.IntType: 1,
        msgspec.inspect.ListType: [],
        msgspec.inspect.BytesType: b"x",
        msgspec.inspect.DictType: {},
        msgspec.inspect.BoolType: True,
        msgspec.inspect.UnionType: None,
    }
    return made[type(kind)]
