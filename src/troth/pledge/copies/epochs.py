"""Epochs: a copy of the keyring can be read until the key of its epoch is destroyed, and by nobody after.

Deleting a wrap ends it in the keyring, and leaves it in older copies. So each copy is sealed to an age key of its
epoch besides the owner's. The private half of that key lies beside the copies twice, both ended together:

    epoch-<from>-<to>.kms  wrapped by a key of its own where the root key lies, which is destroyed
    epoch-<from>-<to>.age  sealed to the owner's recipients, for the day when the root key's place has burnt

Whoever copied the second file, and has the owner's identity, keeps what it opens: docs/threats.md.
Epochs follow the calendar, so that anybody can tell their ends: days since 1970, divided by their length.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyrage

from troth.pledge import kms
from troth.pledge.copies.sealing import put, recipients
from troth.pledge.kms import Where

DAY = 86400


class Epoch(msgspec.Struct):
    """A .kms file. `dies`: Unix seconds at which its key is destroyed, never moved later. `kind`: what wraps it."""

    name: str
    recipient: str
    dies: int
    kind: str
    wrapped: bytes
    sealed_to: list[str] = []


class Epochs:
    """Those of one folder. `places`: kind -> where keys lie; `kind`: where new ones are made. Times in Unix seconds.

    RootKeyError where a key is not to be had; then nothing is lost, and the same can be asked for again.
    """

    def __init__(self, folder: Path, places: dict[str, Where], kind: str, days: int, keep: int) -> None:
        self._folder, self._places, self._kind = folder, places, kind
        self._days, self._keep = days, keep

    def current(self, now: int, sealed_to: list[str]) -> Epoch:
        """The epoch that seals what is copied now; made where it has just begun."""
        name, ends = span(now, self._days)
        epoch = {epoch.name: epoch for epoch in self.all()}.get(name)
        if epoch is None:
            secret = pyrage.x25519.Identity.generate()
            epoch = Epoch(name, str(secret.to_public()), ends + self._keep * DAY, self._kind, b"")
            self._wrap(epoch, str(secret))
        if epoch.sealed_to != sealed_to:
            secret = unwrap(epoch, self._places)
            put(self._folder / f"epoch-{name}.age", pyrage.encrypt(secret.encode(), recipients(sealed_to)))
            epoch.sealed_to = sealed_to
            self._store(epoch)
        return epoch

    def all(self) -> list[Epoch]:
        return [msgspec.json.decode(path.read_bytes(), type=Epoch) for path in sorted(self._folder.glob("epoch-*.kms"))]

    def end(self, now: int) -> None:
        """Destroy the keys of epochs that are over, and with them what they sealed."""
        name, _ = span(now, self._days)
        for epoch in self.all():
            if epoch.name != name and epoch.dies > now + self._keep * DAY:
                epoch.dies = now + self._keep * DAY  # the settings were changed: what was promised stays true
                self._store(epoch)
            if epoch.dies <= now:
                self._destroy(epoch, epoch.kind)
                for path in self._folder.glob(f"*{epoch.name}.*"):
                    path.unlink(missing_ok=True)
            elif epoch.kind != self._kind:  # the root key was moved: what wraps the epochs' keys follows it
                old = epoch.kind
                self._wrap(epoch, unwrap(epoch, self._places))
                self._destroy(epoch, old)

    def _wrap(self, epoch: Epoch, secret: str) -> None:
        key = kms.find(self._places[self._kind].beside(f"epoch-{epoch.name}"), make=True)
        epoch.kind, epoch.wrapped = self._kind, key.wrap(_context(epoch.name), secret.encode())
        self._store(epoch)

    def _destroy(self, epoch: Epoch, kind: str) -> None:
        kms.find(self._places[kind].beside(f"epoch-{epoch.name}"), make=True).destroy()

    def _store(self, epoch: Epoch) -> None:
        put(self._folder / f"epoch-{epoch.name}.kms", msgspec.json.encode(epoch))


def unwrap(epoch: Epoch, places: dict[str, Where]) -> str:
    """The epoch's age identity. RootKeyError once its key is destroyed, or where it is not to be had."""
    key = kms.find(places[epoch.kind].beside(f"epoch-{epoch.name}"))
    return key.unwrap(_context(epoch.name), epoch.wrapped).decode()


def span(now: int, days: int) -> tuple[str, int]:
    """The name of the epoch of `days` days at that time, by its first and last day, and when it ends."""
    begins = now - now % (days * DAY)
    first, last = (datetime.fromtimestamp(at, UTC) for at in (begins, begins + days * DAY - 1))
    return f"{first:%Y%m%d}-{last:%Y%m%d}", begins + days * DAY


def _context(name: str) -> bytes:
    return f"epoch {name}".encode()
