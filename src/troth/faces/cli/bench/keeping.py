"""A keeper in a process of its own, for `troth bench`: started as the supervisor does, with a crowd in its keyring."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth import config
from troth.faces.cli import init, process
from troth.faces.cli.bench import processes
from troth.faces.cli.bench.load import WrongAnswer
from troth.faces.cli.demo.stage import PATIENCE, STOP_WITHIN
from troth.faces.cli.doorways import VARIABLE, Doorways
from troth.faces.cli.serve import environment
from troth.faces.cli.supervisor import MEMORY, command
from troth.pledge.keeper import messages
from troth.pledge.keeper.keyring import connect
from troth.pledge.keeper.messages import Place, Record, raw_ref
from troth.pledge.vault.sealing import read_key_set, seal

AT_ONCE = 5000


class Person(NamedTuple):
    """Somebody in the keyring, with what seals for them."""

    ref: str
    key_set: bytes
    verify_key: Ed25519PublicKey
    mailbox: str
    password: str

    def record(self, klass: str, row: str = "row") -> Record:
        place = Place("bench", klass, row, self.ref, klass, 1)
        value = msgspec.msgpack.encode({"name": "Ada Bench", "email": self.mailbox})
        return Record(place, seal(read_key_set(self.verify_key, self.key_set, self.ref), place, value))


class Keeping:
    """`with Keeping(folder) as keeper:` has a shop's folder with a keeper, and nothing else of the shop."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "strongroom"
        init.make(self.home, init.settings_text({"name": "Bench", "url": "http://127.0.0.1:1", "email": "a@b.example"}))
        self._environ = {**environment(), **MEMORY, "TROTH_HOME": str(self.home)}
        self._settings = config.load(self.home)
        self._settings.keyring.parent.mkdir(mode=0o700, exist_ok=True)

    def __enter__(self) -> Keeping:
        self._doorways = Doorways()
        ends = [end.fileno() for end in self._doorways.keepers.values()]
        us = os.getpid()
        self._running = subprocess.Popen(  # noqa: S603 - our own command
            command("keeper"),
            env={**self._environ, VARIABLE: self._doorways.keepers_variable()},
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: process.die_with(us),
        )
        if not self._doorways.answers("web", PATIENCE, lambda: self._running.poll() is None):
            self.__exit__()
            raise click.ClickException("The keeper did not start.")
        with self.line("worker") as line:
            self.say(line, messages.Hello())
        return self

    def __exit__(self, *_: object) -> None:
        self._running.terminate()
        self._running.wait(STOP_WITHIN)
        self._doorways.close()

    @property
    def verify_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex((self.home / "keeper.pub").read_text().strip()))

    def crowd(self, people: int) -> float:
        """Fill the keyring, with the keeper stopped meanwhile: as many rows as `people` have. Bytes of each."""
        model = self.newcomer(password="heron and lantern")  # noqa: S106 - nobody's
        with self.line("worker") as line:
            self.say(line, messages.Redeem(ref=model.ref, kind="confirm", mailbox=model.mailbox))
        self.__exit__()
        db = connect(self._settings.keyring)
        db.purge()
        before = self._settings.keyring.stat().st_size
        rows = _of(db, raw_ref(model.ref))
        for start in range(0, people, AT_ONCE):
            with db.batch():
                refs = [os.urandom(16) for _ in range(min(AT_ONCE, people - start))]
                for table, row in rows:
                    marks = ", ".join("?" * len(row))
                    sql = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 - our own tables
                    db.executemany(sql, ([_alike(name, value, ref) for name, value in row.items()] for ref in refs))
        db.purge()
        db.close()
        after = self._settings.keyring.stat().st_size
        self.__enter__()
        return (after - before) / people

    def newcomer(self, password: str = "") -> Person:
        with self.line("worker") as line, self.line("web") as web:
            (blank,) = self.say(line, messages.Blank(1)).blanks
            person = Person(blank.ref, blank.key_set, self.verify_key, f"{blank.ref}@bench.example", password)
            if password:
                self.say(web, messages.Enrol(blank.ref, blank.secret, person.mailbox, password))
        return person

    def opened(self, line: socket.socket, ask: messages.Open) -> None:
        """WrongAnswer unless all of it opens."""
        if len(self.say(line, ask).values) != len(ask.records):
            raise WrongAnswer("The keeper opened something else.")

    def signed_in(self, line: socket.socket, person: Person) -> None:
        """WrongAnswer unless it is them."""
        if self.say(line, messages.SignIn(person.mailbox, person.password)).ref != person.ref:
            raise WrongAnswer("The keeper knows somebody else.")

    def cpu_ms(self) -> float:
        """CPU time that the process has used so far."""
        return processes.cpu_ms([self._running.pid])

    def resident(self) -> float:
        """MiB of memory that the process holds now, shared pages included."""
        return processes.resident(self._running.pid)

    def line(self, role: str) -> socket.socket:
        """A connection through that role's door."""
        mine, theirs = socket.socketpair()
        mine.settimeout(PATIENCE)
        with theirs:
            socket.send_fds(self._doorways.roles[role], [b"c"], [theirs.fileno()])
        return mine

    def say(self, line: socket.socket, question: messages.Question) -> Any:
        """The answer. WrongAnswer for a refusal."""
        line.sendall(messages.frame(messages.encode(question)))
        (length,) = messages.LENGTH.unpack(line.recv(messages.LENGTH.size, socket.MSG_WAITALL))
        answer = messages.read_answer(line.recv(length, socket.MSG_WAITALL))
        if isinstance(answer, messages.Refusal):
            raise WrongAnswer(f"The keeper refuses {type(question).__name__}: {answer.code}.")
        return answer


def _of(db: Any, raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Every row that the keyring has of a person for as long as they are one, by table."""
    found = []
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        names = [column[1] for column in db.execute(f"PRAGMA table_info({table})")]
        if "ref" in names and "seq" not in names and "ends" not in names:  # neither the ledger nor what passes
            row = db.one(f"SELECT * FROM {table} WHERE ref = ?", raw)  # noqa: S608 - our own tables
            found += [(table, dict(zip(names, row, strict=True)))] if row else []
    return found


def _alike(name: str, value: Any, ref: bytes) -> Any:
    """A value of the same size for somebody else."""
    if name == "ref":
        return ref
    return os.urandom(len(value)) if isinstance(value, bytes) else value
