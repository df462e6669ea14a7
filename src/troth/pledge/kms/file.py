"""The root key in a file: 32 random bytes, readable by its owner alone, outside the folder that holds the data.

During a rotation the file holds two keys, the newest last. A wrapped key names its root key by four bytes of its
SHA-256. A file can be copied without a trace: that nobody did is kept by people, and published as such.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.pledge.kms import RootKeyError

SIZE, NONCE, NAME = 32, 12, 4
MOST = 4  # keys in one file; more means that rotations were begun and never ended


class FileKey:
    """AES-256-GCM under the keys in `path`. Raises RootKeyError where the file is missing, open to others or cut."""

    def __init__(self, path: Path, *, make: bool = False) -> None:
        self._path = path
        if make and not path.exists():
            create(path)
        self._keys = _read(path)

    def wrap(self, context: bytes, key: bytes) -> bytes:
        if not self._keys:
            raise RootKeyError(f"the key {self._path} was destroyed")
        root, nonce = self._keys[-1], secrets.token_bytes(NONCE)
        return _name(root) + nonce + AESGCM(root).encrypt(nonce, key, context)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        name, nonce, body = wrapped[:NAME], wrapped[NAME : NAME + NONCE], wrapped[NAME + NONCE :]
        for root in self._keys:
            if _name(root) == name:
                try:
                    return AESGCM(root).decrypt(nonce, body, context)
                except (InvalidTag, ValueError):
                    break
        raise RootKeyError("the root key does not fit this keyring; put back the one made with it")

    def rotate(self) -> None:
        """Add a new key, which wraps from now on. RootKeyError if the file cannot be written."""
        if len(self._keys) >= MOST:
            raise RootKeyError(
                f"the root key {self._path} was rotated again and again without an end; finish one first"
            )
        self._replace([*self._keys, secrets.token_bytes(SIZE)])

    def retire(self) -> None:
        """Destroy all keys but the newest. What was wrapped by them, and is in a backup only, is unreadable then."""
        self._replace(self._keys[-1:])

    def destroy(self) -> None:
        """Overwrite and remove the file. Disks and file systems may keep what was overwritten: see the threats."""
        try:
            with self._path.open("r+b") as file:
                file.write(bytes(len(self._keys) * SIZE))
                file.flush()
                os.fsync(file.fileno())
            self._path.unlink()
        except FileNotFoundError:
            pass  # destroyed before
        except OSError:
            raise RootKeyError(f"the key {self._path} cannot be destroyed; remove it by hand") from None
        self._keys = []

    def _replace(self, keys: list[bytes]) -> None:
        try:
            _put(self._path, b"".join(keys), os.replace)
        except OSError:
            raise RootKeyError(f"the root key {self._path} cannot be written; nothing was changed") from None
        self._keys = keys


def create(path: Path) -> None:
    """Make a new root key. Never overwrites one: FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _put(path, secrets.token_bytes(SIZE), os.link)  # refuses what is there, as os.replace does not


def _put(path: Path, body: bytes, place: Callable[[Path, Path], None]) -> None:
    """All of a file or nothing, whatever dies meanwhile."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    try:
        place(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"troth root key\0" + key).digest()[:NAME]


def _read(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno())
            body = file.read(SIZE * MOST + 1)
    except OSError:
        raise RootKeyError(f"the root key {path} cannot be read; `troth init` makes one for a new shop") from None
    if stat.S_IMODE(mode.st_mode) & 0o077 or mode.st_uid != os.geteuid():
        raise RootKeyError(f"the root key {path} is open to others; give it to the keeper's user alone: chmod 600")
    if not body or len(body) % SIZE or len(body) > SIZE * MOST:
        raise RootKeyError(f"the root key {path} is damaged; put back the copy that you kept")
    return [body[start : start + SIZE] for start in range(0, len(body), SIZE)]
