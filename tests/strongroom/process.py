"""A keeper in a process of its own, as the supervisor starts it, and both roles' ends of its doors in our hands."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests import home
from tests.processes.running import plain_environment
from troth.faces.cli.doorways import VARIABLE, Doorways
from troth.faces.cli.supervisor import MEMORY
from troth.pledge.keeper import messages
from troth.pledge.keeper.messages import Place, Record
from troth.pledge.keeper.seals import KeySet
from troth.pledge.vault.sealing import read_key_set, seal

WITHIN = 15.0  # seconds until it answers


class KeeperProcess:
    """`with KeeperProcess(folder) as keeper:` runs one; its keyring and root key lie in and beside the folder."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.home = folder if folder.exists() else home.make(folder)
        self.log = folder.with_name(f"{folder.name}.log")
        self._environ = plain_environment(TROTH_HOME=str(self.home), **MEMORY, **environ)

    def __enter__(self) -> KeeperProcess:
        self.doorways = Doorways()
        ends = [end.fileno() for end in self.doorways.keepers.values()]
        line = [sys.executable, "-P", "-m", "troth", "keeper"]
        environ = {**self._environ, VARIABLE: self.doorways.keepers_variable()}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(line, env=environ, pass_fds=ends, stderr=log)
        assert self.doorways.answers("web", WITHIN, lambda: self.process.poll() is None), self.log.read_text()
        self._lines = {role: self.line(role) for role in self.doorways.roles}
        assert not self.ask("worker", messages.Hello()).behind
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(15)
        self.doorways.close()
        for line in self._lines.values():
            line.close()

    def line(self, role: str) -> socket.socket:
        """A fresh connection through that role's door."""
        mine, theirs = socket.socketpair()
        mine.settimeout(WITHIN)
        with theirs:
            socket.send_fds(self.doorways.roles[role], [b"c"], [theirs.fileno()])
        return mine

    def ask(self, role: str, question: messages.Question) -> messages.Answer:
        return say(self._lines[role], question)

    def verify_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex((self.home / "keeper.pub").read_text().strip()))

    def newcomer(self, password: str = "") -> Newcomer:
        """Somebody with keys, and a mailbox and a password where one is given."""
        (blank,) = self.ask("worker", messages.Blank(1)).blanks
        keys = read_key_set(self.verify_key(), blank.key_set, blank.ref)
        mailbox, capability = f"{blank.ref}@b.example", ""
        if password:
            capability = self.ask("web", messages.Enrol(blank.ref, blank.secret, mailbox, password)).capability
        return Newcomer(keys, mailbox, password, capability)


class Newcomer(msgspec.Struct, frozen=True):
    """A person as web and worker know them."""

    keys: KeySet
    mailbox: str
    password: str
    capability: str

    @property
    def ref(self) -> str:
        return self.keys.ref

    def record(self, klass: str, row: str = "row") -> Record:
        """Something of this class, sealed for a row; a contact holds the mailbox that they sign in with."""
        place = Place("anywhere", klass, row, self.ref, klass, 1)
        return Record(place, seal(self.keys, place, self.value(klass)))

    def holding(self, capability: str) -> Newcomer:
        return msgspec.structs.replace(self, capability=capability)

    def value(self, klass: str) -> bytes:
        return msgspec.msgpack.encode({"name": "Alice", "email": self.mailbox} if klass == "contact" else {"is": klass})


def say(line: socket.socket, question: messages.Question) -> messages.Answer:
    line.sendall(messages.frame(messages.encode(question)))
    (length,) = messages.LENGTH.unpack(line.recv(messages.LENGTH.size, socket.MSG_WAITALL))
    return messages.read_answer(line.recv(length, socket.MSG_WAITALL))


def code(answer: messages.Answer) -> str:
    return answer.code if isinstance(answer, messages.Refusal) else type(answer).__name__


def values(answer: messages.Answer) -> Sequence[bytes]:
    return answer.values if isinstance(answer, messages.Opened) else []
