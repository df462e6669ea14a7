"""Large values, sealed piece by piece: memory stays flat whatever their size.

A blob has a random key of its own, good for nothing else; the key lies sealed to a person in a row, and dies with that
person's keys. Each piece is AES-256-GCM (NIST SP 800-38D), its nonce a counter of 11 bytes and one byte that says
"last", as in STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption, 2015): pieces cannot be
changed, reordered, repeated, cut off, or taken for another blob's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE = 128 * 1024  # bytes of plaintext in each piece but the last


class BadBlob(Exception):
    """A piece was altered, moved, or is missing. Nothing of it is returned."""


def new_key() -> bytes:
    """32 random bytes, for one blob."""
    return AESGCM.generate_key(256)


class Sealer:
    """Seals what it is fed. `name` is bound into each piece: the blob's id."""

    def __init__(self, key: bytes, name: str) -> None:
        self._cipher, self._name = AESGCM(key), name.encode()
        self._held, self._count = bytearray(), 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Sealed pieces that are full now; one is always held back, as it may be the last."""
        self._held += data
        while len(self._held) > PIECE:
            yield self._seal(bytes(self._held[:PIECE]), last=False)
            del self._held[:PIECE]

    def end(self) -> bytes:
        """The last piece. An empty blob has one empty piece."""
        return self._seal(bytes(self._held), last=True)

    def _seal(self, data: bytes, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._count, last), data, self._name)
        self._count += 1
        return sealed


def opened(key: bytes, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The plaintext, piece by piece. BadBlob at the first piece that is not as it was sealed, or where one is missing.

    What was yielded before was genuine: whoever passes it on must break off, so that half is not taken for the whole.
    """
    cipher, count, held = AESGCM(key), 0, None
    for piece in pieces:
        if held is not None:
            yield _open(cipher, _nonce(count, False), held, name)
            count += 1
        held = piece
    if held is None:
        raise BadBlob
    yield _open(cipher, _nonce(count, True), held, name)


def _open(cipher: AESGCM, nonce: bytes, piece: bytes, name: str) -> bytes:
    try:
        return cipher.decrypt(nonce, piece, name.encode())
    except InvalidTag:
        raise BadBlob from None


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
