"""Copies of the keyring for backups: asked for by the worker, sealed by a process of its own, never in clear on disk.

While that process reads the file, changes are kept in the journal alone, so that the file stays one whole state. A
person who is forgotten meanwhile is forgotten at once: the journal is written back, the copy thrown away, made anew.
"""

import logging
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from troth.pledge.keeper import messages
from troth.pledge.keeper.keyring import Keyring

log = logging.getLogger("troth.keeper")
SHAPE = re.compile(r"(\d{8}T\d{6}Z)?")
Order = Callable[[str], dict[str, object]]  # name of a copy -> what the process is told
COMMAND = [sys.executable, "-P", "-m", "troth.pledge.copies"]
KEEP_CHANGES, WRITE_BACK = 0, 1000  # PRAGMA wal_autocheckpoint


class Copies:
    """`order`: what the process is to be told, with the name and time of a copy; None: no copies are made here."""

    def __init__(self, db: Keyring, order: Order | None) -> None:
        self._db = db
        self._order: Any = order
        self._wanted: str | None = None
        self._running: Any = None  # subprocess.Popen
        self._name, self._spoilt = "", False
        self._ended: dict[str, bool] = {}  # the last one, and whether it was made

    def ask(self, role: str, ask: messages.Copy) -> messages.Done:
        """Begin, or say how far it is. Refused "backup" where none are made, "copy" where it failed."""
        if self._order is None:
            raise messages.Refused("backup")
        if not SHAPE.fullmatch(ask.name):
            raise messages.Refused("shape")
        made = self._ended.pop(ask.name, None)
        if made is False:
            raise messages.Refused("copy")
        if made is None and self._running is None:
            self._wanted = ask.name
        return messages.Done(int(bool(made)))

    def tend(self, *, purged: bool) -> None:
        """After each batch: begin what was asked for, end what is done. `purged`: the journal was written back."""
        self._spoilt |= purged
        if self._running is not None and (code := self._running.poll()) is not None:
            self._running = None
            self._db.execute(f"PRAGMA wal_autocheckpoint = {WRITE_BACK}")
            self._end(code == 0)
        if self._wanted is not None and self._running is None:
            name, self._wanted = self._wanted, None
            try:
                self._begin(name)
            except (OSError, sqlite3.Error):
                log.error("no copy of the keyring: its changes cannot be written back; is the disk full?")
                self._ended = {name: False}

    def _begin(self, name: str) -> None:
        if self._db.one("PRAGMA wal_checkpoint(TRUNCATE)")[0]:
            raise sqlite3.OperationalError  # something is still being read: the file is not one whole state
        self._db.execute(f"PRAGMA wal_autocheckpoint = {KEEP_CHANGES}")
        self._name, self._spoilt = name, False
        self._running = subprocess.Popen(COMMAND, stdin=subprocess.PIPE)  # noqa: S603 - our own command
        with self._running.stdin as told:
            told.write(msgspec.json.encode(self._order(name), enc_hook=str))

    def _end(self, done: bool) -> None:
        if done and self._spoilt:
            self._wanted = self._name
            return
        for part in Path(self._order("")["folder"]).glob("keyring-*.part") if done else ():
            part.rename(part.with_suffix(""))
        self._ended = {self._name: done}
