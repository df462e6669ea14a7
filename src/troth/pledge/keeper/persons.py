"""Persons in the keyring: a random key pair for each class, its private half wrapped once for each fate.

Random, never derived: a derived key comes back as long as its master lives, so it cannot be forgotten.
"""

import hashlib
import hmac
import secrets
from operator import itemgetter

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.messages import FreshBlank, Refused, ref_name
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.policy import FATES, WRAPS
from troth.pledge.keeper.seals import KeySet, sign_key_set

NONCE = 12
WRAP = 1 + 2 + NONCE + 32 + 16  # bytes: its number, the wrapping key's version, nonce, what is wrapped, tag
HISTORY = "history"  # the AES key of a person's ledger events; dies with the person
FORMER = "former "  # before the name of a class: the key pair that a rotation is replacing
HELD = (HISTORY, *WRAPS, *(FORMER + klass for klass in WRAPS))
# Wraps are kept under these: whatever is new in HELD or FATES comes at the end.
NUMBER = {(k, f): i * 16 + n for i, k in enumerate(HELD) for n, f in enumerate(FATES)}
SLOT = {number: slot for slot, number in NUMBER.items()}
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
        keys = {klass: secrets.token_bytes(32) for klass in (HISTORY, *WRAPS)}  # any 32 bytes are one (RFC 7748, 5)
        wraps = {k: {f: self._wrap(raw, k, f, key) for f in WRAPS.get(k, ("standing",))} for k, key in keys.items()}
        row = (raw, hashlib.sha256(secret).digest(), packed(wraps))
        self._db.execute("INSERT INTO person (ref, secret, wraps) VALUES (?, ?, ?)", row)
        return FreshBlank(ref, self._key_set(raw, {k: keys[k] for k in WRAPS}), secret)

    def renew(self, raw: bytes) -> bytes:
        """New key pairs beside the former ones, unless there are some already; the signed key set. Gone if erased."""
        wraps = self.wraps(raw)
        held = {k: self._unwrap(raw, wraps, k, fates[0]) for k, fates in WRAPS.items()}
        if FORMER + "contact" not in wraps:
            self._db.execute(
                "INSERT INTO renewed VALUES (?, 2) ON CONFLICT DO UPDATE SET version = version + 1", (raw,)
            )
            for k, key in held.items():
                held[k] = secrets.token_bytes(32)
                wraps[FORMER + k] = {f: self._wrap(raw, FORMER + k, f, key) for f in wraps[k]}
                wraps[k] = {f: self._wrap(raw, k, f, held[k]) for f in wraps[k]}
            self._store(raw, wraps)
        return self._key_set(raw, held)

    def end_former(self, raw: bytes) -> None:
        """Destroy the private keys of before."""
        self._store(raw, {k: fates for k, fates in self.wraps(raw).items() if not k.startswith(FORMER)})

    def wraps(self, raw: bytes) -> Wraps:
        """Gone if no such person is known, or no longer."""
        if (row := self._db.value("SELECT wraps FROM person WHERE ref = ?", raw)) is None:
            raise Gone
        return unpacked(row)

    def private(self, raw: bytes, klass: str, fate: str, version: int) -> X25519PrivateKey:
        """The key by which something opens that was sealed to the person's key pairs of this version."""
        wraps = self.wraps(raw)
        older = FORMER + klass in wraps and version < self._version(raw)
        return X25519PrivateKey.from_private_bytes(self._unwrap(raw, wraps, FORMER + klass if older else klass, fate))

    def history_key(self, raw: bytes) -> bytes:
        return self._unwrap(raw, self.wraps(raw), HISTORY, "standing")

    def add_wrap(self, raw: bytes, klass: str, fate: str) -> None:
        """Wrap a class's private key for another fate as well. Gone for an erased person."""
        wraps = self.wraps(raw)
        for k in {FORMER + klass} & wraps.keys() | {klass}:
            wraps.get(k, {})[fate] = self._wrap(raw, k, fate, self._unwrap(raw, wraps, k, "standing"))
        self._store(raw, wraps)

    def delete_wrap(self, raw: bytes, klass: str, fate: str) -> None:
        """End what needs this wrap, for good."""
        wraps = self.wraps(raw)
        for k in (klass, FORMER + klass):
            wraps.get(k, {}).pop(fate, None)
        self._store(raw, wraps)

    def shred(self, raw: bytes, keep: frozenset[str]) -> bool:
        """Delete every wrap but those of the fates in `keep`. False if nothing was left to delete. Gone if unknown."""
        wraps = self.wraps(raw)
        kept = {k: left for k, fates in wraps.items() if (left := {f: fates[f] for f in keep & fates.keys()})}
        if kept == wraps:
            return False
        self._store(raw, kept)
        sql = "UPDATE person SET epoch = epoch + 1, secret = ? WHERE ref = ?"
        self._db.execute(sql, (secrets.token_bytes(32), raw))
        return True

    def _store(self, raw: bytes, wraps: Wraps) -> None:
        self._db.execute("UPDATE person SET wraps = ? WHERE ref = ?", (packed(wraps), raw))

    def rewrap(self, raw: bytes) -> None:
        """Make every wrap anew under the newest wrapping keys."""
        wraps = self.wraps(raw)
        for klass, fates in wraps.items():
            for fate in fates:
                fates[fate] = self._wrap(raw, klass, fate, self._unwrap(raw, wraps, klass, fate))
        self._store(raw, wraps)

    def after(self, cursor: bytes, limit: int) -> list[bytes]:
        """The next persons in the order of their references."""
        sql = "SELECT ref FROM person WHERE ref > ? ORDER BY ref LIMIT ?"
        return [row[0] for row in self._db.execute(sql, (cursor, limit))]

    def count(self, after: bytes = b"") -> int:
        return int(self._db.value("SELECT count(*) FROM person WHERE ref > ?", after))

    def epoch(self, raw: bytes) -> int:
        if (epoch := self._db.value("SELECT epoch FROM person WHERE ref = ?", raw)) is None:
            raise Gone
        return int(epoch)

    def raise_epoch(self, raw: bytes) -> None:
        """End every older capability of this person."""
        self._db.execute("UPDATE person SET epoch = epoch + 1 WHERE ref = ?", (raw,))

    def knows_secret(self, raw: bytes, secret: bytes) -> bool:
        """True for who took the blank: its secret is wiped from the main database in taking."""
        known = self._db.value("SELECT secret FROM person WHERE ref = ?", raw)
        return known is not None and hmac.compare_digest(known, hashlib.sha256(secret).digest())

    def _version(self, raw: bytes) -> int:
        return int(self._db.value("SELECT version FROM renewed WHERE ref = ?", raw) or 1)

    def _key_set(self, raw: bytes, keys: dict[str, bytes]) -> bytes:
        publics = {
            k: X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() for k, key in keys.items()
        }
        return sign_key_set(self._keys.sign, KeySet(ref_name(raw), self._version(raw), publics))

    def _wrap(self, raw: bytes, klass: str, fate: str, private: bytes) -> bytes:
        version, aead = max(self._keys.wrapping[fate].items(), key=itemgetter(0))
        nonce = secrets.token_bytes(NONCE)
        return version.to_bytes(2, "big") + nonce + aead.encrypt(nonce, private, _context(raw, klass, fate))

    def _unwrap(self, raw: bytes, wraps: Wraps, klass: str, fate: str) -> bytes:
        try:
            wrapped = wraps[klass][fate]
            aead = self._keys.wrapping[fate][int.from_bytes(wrapped[:2], "big")]
            return aead.decrypt(wrapped[2 : 2 + NONCE], wrapped[2 + NONCE :], _context(raw, klass, fate))
        except (KeyError, InvalidTag, ValueError):  # KeyError: destroyed; ValueError: cut short
            raise Gone from None


def packed(wraps: Wraps) -> bytes:
    """One after the other, each of the same length, after its number: names would take a quarter of the keyring."""
    return b"".join(bytes([NUMBER[k, f]]) + wraps[k][f] for k in wraps for f in wraps[k])


def unpacked(row: bytes) -> Wraps:
    wraps: Wraps = {}
    for at in range(0, len(row), WRAP):
        klass, fate = SLOT.get(row[at], ("", ""))  # altered, or cut short before it: nobody's
        wraps.setdefault(klass, {})[fate] = row[at + 1 : at + WRAP]
    return wraps


def _context(raw: bytes, klass: str, fate: str) -> bytes:
    return b"wrap " + raw + klass.encode() + b" " + fate.encode()
