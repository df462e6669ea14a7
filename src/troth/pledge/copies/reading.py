"""Opening a sealed copy of the keyring: by the owner's identity, and the key of its epoch, wherever that still is.

The keyring never lies on a disk in this: an older one holds keys of people who were forgotten since, and what is
written once, a disk may keep. It is read into memory, the erasures are applied again there; then it is written.
"""

from __future__ import annotations

import io
import re
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pyrage

from troth.pledge import older_keyrings
from troth.pledge.copies.epochs import Epoch, unwrap
from troth.pledge.copies.sealing import SealingError, open_sealed, poured
from troth.pledge.keeper.keyring import Keyring, connect
from troth.pledge.kms import RootKeyError, Where

STAMP = re.compile(r"\d{8}T\d{6}Z")
JOURNAL_MODES = slice(18, 20)  # of SQLite's header: 2 says that changes go to a journal beside, which memory has not


def read_keyring(path: Path, owner: list[Any], places: dict[str, Where]) -> Keyring:
    """The keyring in a sealed copy, in memory. SealingError where it cannot be read, or not any more."""
    body = io.BytesIO()
    try:
        with path.open("rb") as sealed, poured(lambda pipe: open_sealed(sealed, pipe, owner)) as inner:
            by = epoch_keys(path.parent, owner, places)
            if not by:
                raise SealingError(ENDED)
            open_sealed(inner, body, by)
    except OSError:
        raise SealingError(f"{path} cannot be read") from None
    return _loaded(body)


ENDED = (
    "no key of its epoch can be had: either the epoch is over and nobody can read this copy any more, "
    "or the files epoch-…  that lay beside it are missing; put them there"
)


def epoch_keys(folder: Path, owner: list[Any], places: dict[str, Where]) -> list[Any]:
    """Every epoch's age identity that the files in a folder give: to the owner's, else where the root key lies."""
    found: dict[str, str] = {}
    for path in folder.glob("epoch-*.age"):
        try:
            found[path.stem] = pyrage.decrypt(path.read_bytes(), owner).decode("ascii")
        except (pyrage.DecryptError, OSError):
            continue  # sealed to other recipients
    for path in folder.glob("epoch-*.kms"):
        if path.stem not in found:
            try:
                found[path.stem] = unwrap(msgspec.json.decode(path.read_bytes(), type=Epoch), places)
            except (RootKeyError, msgspec.MsgspecError, OSError, KeyError):
                continue  # that key is destroyed, or its place is away
    return [pyrage.x25519.Identity.from_str(secret) for secret in found.values()]


def _loaded(body: io.BytesIO) -> Keyring:
    raw = bytearray(body.getbuffer())
    raw[JOURNAL_MODES] = b"\1\1"
    plain = sqlite3.connect(":memory:")
    keyring = connect(None)
    try:
        plain.deserialize(bytes(raw))
        if plain.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise SealingError("what was sealed is no keyring, or was damaged before")
        plain.backup(keyring)
        older_keyrings.bring_up(keyring)
    except sqlite3.Error:
        raise SealingError("what was sealed is no keyring, or was damaged before") from None
    finally:
        plain.close()
    return keyring
