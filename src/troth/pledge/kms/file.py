"""The root key in a file: 32 random bytes, readable by its owner alone, outside the folder that holds the data.

A file can be copied without a trace: that nobody did is kept by people, and published as such.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.pledge.kms import RootKeyError

SIZE, NONCE = 32, 12


class FileKey:
    """AES-256-GCM under the key in `path`. Raises RootKeyError where the file is missing, open to others or cut."""

    def __init__(self, path: Path) -> None:
        self._aead = AESGCM(_read(path))

    def wrap(self, context: bytes, key: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._aead.encrypt(nonce, key, context)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        try:
            return self._aead.decrypt(wrapped[:NONCE], wrapped[NONCE:], context)
        except (InvalidTag, ValueError):
            raise RootKeyError("the root key does not fit this keyring; put back the one made with it") from None


def create(path: Path) -> None:
    """Make a new root key. Never overwrites one: FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(SIZE))
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno())
            key = file.read(SIZE + 1)
    except OSError:
        raise RootKeyError(f"the root key {path} cannot be read; `troth init` makes one for a new shop") from None
    if stat.S_IMODE(mode.st_mode) & 0o077 or mode.st_uid != os.geteuid():
        raise RootKeyError(f"the root key {path} is open to others; give it to the keeper's user alone: chmod 600")
    if len(key) != SIZE:
        raise RootKeyError(f"the root key {path} is damaged; put back the copy that you kept")
    return key
