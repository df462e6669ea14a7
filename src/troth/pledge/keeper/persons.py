"""Persons in the keyring: a random key pair for each class, its private half wrapped once for each fate.

Random, never derived: a derived key comes back as long as its master lives, so it cannot be forgotten.
"""

import hashlib
import hmac
import secrets
import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.messages import FreshBlank, Refused, ref_name
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.policy import WRAPS
from troth.pledge.keeper.seals import KeySet, sign_key_set

NONCE = 12
HISTORY = "history"  # the AES key of a person's ledger events; dies with the person
Wraps = dict[str, dict[str, bytes]]  # class -> fate -> version (2 bytes), nonce, wrapped private key


class Gone(Refused):
    """There is no such wrap: never granted, withdrawn, or the person is forgotten."""

    code = "gone"


class Persons:
    def __init__(self, db: Keyring, keys: OwnKeys) -> None:
        self._db, self._keys = db, keys

    def make(self) -> FreshBlank:
        """A blank: keys that are nobody's yet. `secret` is asked for once, when somebody enrols."""
        raw, secret = secrets.token_bytes(16), secrets.token_bytes(16)
        ref = ref_name(raw)
        privates = {klass: X25519PrivateKey.generate() for klass in WRAPS}
        wraps: Wraps = {
            klass: {fate: self._wrap(raw, klass, fate, privates[klass].private_bytes_raw()) for fate in fates}
            for klass, fates in WRAPS.items()
        }
        wraps[HISTORY] = {"standing": self._wrap(raw, HISTORY, "standing", secrets.token_bytes(32))}
        row = (raw, hashlib.sha256(secret).digest(), msgspec.msgpack.encode(wraps))
        self._db.execute("INSERT INTO person (ref, secret, wraps) VALUES (?, ?, ?)", row)
        publics = {klass: key.public_key().public_bytes_raw() for klass, key in privates.items()}
        return FreshBlank(ref, sign_key_set(self._keys.sign, KeySet(ref, 1, publics)), secret)

    def wraps(self, raw: bytes) -> Wraps:
        """Gone if no such person is known, or no longer."""
        packed = self._db.value("SELECT wraps FROM person WHERE ref = ?", raw)
        if packed is None:
            raise Gone
        return msgspec.msgpack.decode(packed, type=Wraps)

    def private(self, raw: bytes, klass: str, fate: str) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self._unwrap(raw, self.wraps(raw), klass, fate))

    def history_key(self, raw: bytes) -> bytes:
        return self._unwrap(raw, self.wraps(raw), HISTORY, "standing")

    def add_wrap(self, raw: bytes, klass: str, fate: str) -> None:
        """Wrap a class's private key for another fate as well. Gone for an erased person."""
        wraps = self.wraps(raw)
        wraps.get(klass, {})[fate] = self._wrap(raw, klass, fate, self._unwrap(raw, wraps, klass, "standing"))
        self._store(raw, wraps)

    def delete_wrap(self, raw: bytes, klass: str, fate: str) -> None:
        """End what needs this wrap, for good."""
        wraps = self.wraps(raw)
        wraps.get(klass, {}).pop(fate, None)
        self._store(raw, wraps)

    def shred(self, raw: bytes, keep: frozenset[str]) -> bool:
        """Delete every wrap but those of the fates in `keep`. False if nothing was left to delete. Gone if unknown."""
        wraps = self.wraps(raw)
        kept = {klass: {f: wrap for f, wrap in fates.items() if f in keep} for klass, fates in wraps.items()}
        kept = {klass: fates for klass, fates in kept.items() if fates}
        if kept == wraps:
            return False
        self._store(raw, kept)
        sql = "UPDATE person SET epoch = epoch + 1, secret = ? WHERE ref = ?"
        self._db.execute(sql, (secrets.token_bytes(32), raw))
        return True

    def _store(self, raw: bytes, wraps: Wraps) -> None:
        self._db.execute("UPDATE person SET wraps = ? WHERE ref = ?", (msgspec.msgpack.encode(wraps), raw))

    def rewrap(self, raw: bytes) -> None:
        """Make every wrap anew under the newest wrapping keys."""
        wraps = self.wraps(raw)
        fresh = {
            klass: {fate: self._wrap(raw, klass, fate, self._unwrap(raw, wraps, klass, fate)) for fate in fates}
            for klass, fates in wraps.items()
        }
        self._store(raw, fresh)

    def after(self, cursor: bytes, limit: int) -> list[bytes]:
        """The next persons in the order of their references."""
        sql = "SELECT ref FROM person WHERE ref > ? ORDER BY ref LIMIT ?"
        return [row[0] for row in self._db.execute(sql, (cursor, limit))]

    def count(self, after: bytes = b"") -> int:
        return int(self._db.value("SELECT count(*) FROM person WHERE ref > ?", after))

    def epoch(self, raw: bytes) -> int:
        epoch = self._db.value("SELECT epoch FROM person WHERE ref = ?", raw)
        if epoch is None:
            raise Gone
        return int(epoch)

    def raise_epoch(self, raw: bytes) -> None:
        """End every older capability of this person."""
        self._db.execute("UPDATE person SET epoch = epoch + 1 WHERE ref = ?", (raw,))

    def knows_secret(self, raw: bytes, secret: bytes) -> bool:
        """True for who took the blank: its secret is wiped from the main database in taking."""
        known = self._db.value("SELECT secret FROM person WHERE ref = ?", raw)
        return known is not None and hmac.compare_digest(known, hashlib.sha256(secret).digest())

    def _wrap(self, raw: bytes, klass: str, fate: str, private: bytes) -> bytes:
        version, aead = self._keys.current(fate)
        nonce = secrets.token_bytes(NONCE)
        return struct.pack(">H", version) + nonce + aead.encrypt(nonce, private, _context(raw, klass, fate))

    def _unwrap(self, raw: bytes, wraps: Wraps, klass: str, fate: str) -> bytes:
        try:
            wrapped = wraps[klass][fate]
            aead = self._keys.of_version(fate, int.from_bytes(wrapped[:2], "big"))
            return aead.decrypt(wrapped[2 : 2 + NONCE], wrapped[2 + NONCE :], _context(raw, klass, fate))
        except (KeyError, InvalidTag, ValueError):  # ValueError: cut short
            raise Gone from None


def _context(raw: bytes, klass: str, fate: str) -> bytes:
    return b"wrap " + raw + klass.encode() + b" " + fate.encode()
