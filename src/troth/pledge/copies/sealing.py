"""Sealing a stream to age recipients (https://age-encryption.org/v1), once or twice over, without a copy in clear."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import pyrage


class Reader(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class SealingError(Exception):
    """A stream could not be sealed or opened; the text says why, and holds nothing of it."""


def recipients(names: list[str]) -> list[Any]:
    """SealingError for one that is not an age recipient."""
    try:
        return [pyrage.x25519.Recipient.from_str(name) for name in names]
    except pyrage.RecipientError:
        raise SealingError("[backup] recipients names one that is no age recipient; copy it again") from None


def identities(file: Path) -> list[Any]:
    """The age identities in a file as age-keygen writes it. SealingError where there is none."""
    try:
        lines = [line.strip() for line in file.read_text("ascii").splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith("AGE-SECRET-KEY-1")]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        found = []
    if not found:
        raise SealingError(f"{file} holds no age identity; it is the file that age-keygen made")
    return found


def seal(source: Reader, out: IO[bytes], to: list[Any]) -> None:
    """SealingError where source or target fail, such as on a full disk."""
    try:
        pyrage.encrypt_io(source, out, to)
    except (pyrage.EncryptError, OSError):
        raise SealingError("the copy could not be written; is the disk full?") from None


def open_sealed(source: Reader, out: Any, by: list[Any]) -> None:
    """SealingError where none of the identities opens it, or it was cut or altered."""
    try:
        pyrage.decrypt_io(source, out, by)
    except (pyrage.DecryptError, OSError):
        raise SealingError("none of the keys at hand opens it, or it is damaged") from None


@contextmanager
def poured(into: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """What `into` writes, to be read meanwhile. Its own SealingError is raised at the end."""
    reading, writing = os.pipe()
    failed: list[SealingError] = []

    def pour() -> None:
        try:
            with os.fdopen(writing, "wb") as out:
                try:
                    into(out)
                except SealingError as error:
                    failed.append(error)
        except BrokenPipeError:
            return  # who reads has left, and says why

    thread = threading.Thread(target=pour, name="pour")
    thread.start()
    try:
        with os.fdopen(reading, "rb") as source:
            try:
                yield source
            except Exception:
                thread.join(1)
                if failed:  # who reads what was cut off complains of that; this is why it was cut off
                    raise failed[0] from None
                raise
    finally:
        thread.join()
    if failed:
        raise failed[0]


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Written whole, on disk, and then under its name; or not at all. SealingError on a full disk."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError:
        raise SealingError(f"{path.parent} cannot be written; is the disk full?") from None
    finally:
        beside.unlink(missing_ok=True)


def put(path: Path, body: bytes) -> None:
    with new_file(path) as out:
        out.write(body)
