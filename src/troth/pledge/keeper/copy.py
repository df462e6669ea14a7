"""Copies of the keyring for backups: asked for by the worker, sealed by a process of its own, never in clear on disk.

While that process reads the file, changes are kept in the journal alone, so that the file stays one whole state. A
person who is forgotten meanwhile is forgotten at once: the journal is written back, the copy thrown away, made anew.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from troth.pledge.keeper import messages
from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.messages import Refused

SHAPE = re.compile(r"(\d{8}T\d{6}Z)?")
COMMAND = [sys.executable, "-P", "-m", "troth.pledge.copies"]
KEEP_CHANGES, WRITE_BACK = 0, 1000  # PRAGMA wal_autocheckpoint


class Copies:
    """`order`: what the process is to be told, with the name and time of a copy; None: no copies are made here."""

    def __init__(self, db: Keyring, order: Callable[[str], dict[str, object]] | None) -> None:
        self._db, self._order = db, order
        self._wanted: str | None = None
        self._name, self._running, self._spoilt = "", None, False  # type: str, subprocess.Popen[bytes] | None, bool
        self._ended: dict[str, bool] = {}  # the last one, and whether it was made

    def ask(self, role: str, ask: messages.Copy) -> messages.Copied:
        """Begin, or say how far it is. Refused "backup" where none are made, "copy" where it failed."""
        if self._order is None:
            raise Refused("backup")
        if not SHAPE.fullmatch(ask.name):
            raise Refused("shape")
        made = self._ended.pop(ask.name, None)
        if made is False:
            raise Refused("copy")
        if made is None and self._running is None:
            self._wanted = ask.name
        return messages.Copied(bool(made))

    def tend(self, *, purged: bool) -> None:
        """After each batch: begin what was asked for, end what is done. `purged`: the journal was written back."""
        self._spoilt |= purged
        if self._running is not None and (code := self._running.poll()) is not None:
            self._end(code == 0)
        if self._wanted is not None and self._running is None:
            self._begin(self._wanted)

    def _begin(self, name: str) -> None:
        assert self._order is not None
        self._wanted, self._name, self._spoilt = None, name, False
        self._db.purge()
        self._db.execute(f"PRAGMA wal_autocheckpoint = {KEEP_CHANGES}")
        self._running = subprocess.Popen(COMMAND, stdin=subprocess.PIPE)  # noqa: S603 - our own command
        assert self._running.stdin is not None
        with self._running.stdin as told:
            told.write(msgspec.json.encode(self._order(name)))

    def _end(self, done: bool) -> None:
        self._running = None
        self._db.execute(f"PRAGMA wal_autocheckpoint = {WRITE_BACK}")
        folder = Path(str(self._order("")["folder"])) if self._order else Path()
        for part in folder.glob("keyring-*.part") if done and not self._spoilt else ():
            part.rename(part.with_suffix(""))
        if done and self._spoilt:
            self._wanted = self._name
        else:
            self._ended = {self._name: done}
