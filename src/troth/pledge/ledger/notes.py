"""Signed notes (C2SP signed-note v1.0.0): a text, an empty line, then one line for each signature. Ed25519 only.

A key is written as name+id+key (vkey), where id is the first four bytes of SHA-256(name, newline, 0x01, public key).
The form of both key strings is that of Go's sumdb/note, which other tools for such logs read.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.pledge.ledger.tree import LedgerError

ED25519 = b"\x01"
LONGEST = 128 << 10  # room for sixteen post-quantum signatures of others
_SECRET = "PRIVATE+KEY+"  # noqa: S105 - the mark before such a key, not a key
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_LINE = re.compile(r"— ([^\s+]+) (\S+)\n")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class BadNote(LedgerError):
    """Not a signed note, or not signed by a key that is trusted. Nothing of it may be used."""


@dataclass(frozen=True)
class VerifyKey:
    """Whose signature is trusted: `name` (for a log its origin) and the public key, 32 bytes."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode(ED25519 + self.public)}"

    @classmethod
    def read(cls, text: str) -> VerifyKey:
        """From its string. BadNote if it is none, or its id is another key's."""
        name, key = _read_key(text)
        found = cls(name, key)
        if str(found) != text:
            raise BadNote("this verification key does not carry its own id")
        return found


@dataclass(frozen=True)
class SignKey:
    """Signs notes as `name`. Its string is a secret; it is not shown where the object is printed."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadNote("a key's name has no spaces and no plus sign, and is not empty")

    @property
    def verify_key(self) -> VerifyKey:
        return VerifyKey(self.name, self.private.public_key().public_bytes_raw())

    def secret_text(self) -> str:
        return f"{_SECRET}{self.name}+{self.verify_key.id.hex()}+{encode(ED25519 + self.private.private_bytes_raw())}"

    @classmethod
    def read(cls, text: str) -> SignKey:
        """From its secret string. BadNote if it is none."""
        name, seed = _read_key(text.removeprefix(_SECRET))
        found = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if found.secret_text() != text:
            raise BadNote("this signing key does not carry its own id")
        return found


def sign(text: str, *keys: SignKey) -> str:
    """The note: `text`, which ends in a newline, with one signature line for each key."""
    lines = [f"— {key.name} {encode(key.verify_key.id + key.private.sign(text.encode()))}\n" for key in keys]
    return f"{text}\n{''.join(lines)}"


def read(note: str, *keys: VerifyKey) -> tuple[str, set[VerifyKey]]:
    """The text of a note and who of `keys` signed it: at least one. Lines of unknown keys are passed over.

    BadNote if it is malformed, no key of `keys` signed it, or a line of one of them is not its signature.
    """
    if len(note) > LONGEST or _CONTROL.search(note):
        raise BadNote("this is no signed note: it is too long, or has control characters")
    text, gap, signatures = note.rpartition("\n\n")
    lines = _LINE.findall(signatures)
    if not gap or not lines or "".join(f"— {name} {value}\n" for name, value in lines) != signatures:
        raise BadNote("this is no signed note: after an empty line it needs lines of signatures")
    text += "\n"
    trusted = {(key.name, key.id): key for key in keys}
    signed = {key for name, value in lines if (key := _signer(trusted, name, decode(value), text))}
    if not signed:
        raise BadNote("no trusted key has signed this note")
    return text, signed


def _signer(trusted: dict[tuple[str, bytes], VerifyKey], name: str, signature: bytes, text: str) -> VerifyKey | None:
    key = trusted.get((name, signature[:4]))
    if key is not None:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature[4:], text.encode())
        except (InvalidSignature, ValueError):
            raise BadNote(f"the signature of {name} does not belong to this text") from None
    return key


def encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def decode(text: str) -> bytes:
    """Standard base64 in its one spelling (RFC 4648 section 4). BadNote for anything else."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("this is not base64") from None
    if encode(value) != text:
        raise BadNote("this is not base64 as it must be spelled")
    return value


def _read_key(text: str) -> tuple[str, bytes]:
    name, _, rest = text.partition("+")
    key = decode(rest.partition("+")[2])
    if not _NAME.fullmatch(name) or len(key) != 33 or key[:1] != ED25519:
        raise BadNote("this is no key: name, id and an Ed25519 key, with a plus sign between them")
    return name, key[1:]
