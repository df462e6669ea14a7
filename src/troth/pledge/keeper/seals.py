"""Sealing a value so that only the keeper opens it, and only where it lies.

HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, single shot, by pyca/cryptography.
`info` binds format, table, column, row, person, class, schema and key version, each with its length, so that no two
places have one `info` (RFC 9180 section 8.1 tells single-shot users to bind context there).

A sealed value: format (1 byte), schema (1), key version (2, big-endian), then HPKE's encapsulated key and ciphertext.
Whoever can write the database can put another sealed value there; they cannot read one, or move one.
"""

import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from troth.pledge.keeper.messages import Place, Refused

FORMAT = 1
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
HEAD = struct.Struct(">BBH")
SIGNED_AS = b"troth key set 1\0"


class BadSeal(Refused):
    """The value was not sealed here, for this place and person, or was altered. Never returned as it is."""

    code, incident = "seal", "a sealed value was altered, moved or made elsewhere"


class KeySet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's public keys by class (32 bytes each), as the keeper signed them."""

    ref: str
    version: int
    publics: dict[str, bytes]


def info_of(place: Place, version: int) -> bytes:
    parts = ("troth", place.table, place.column, place.row, place.ref, place.klass)
    packed = b"".join(struct.pack(">H", len(raw)) + raw for raw in (part.encode() for part in parts))
    return packed + HEAD.pack(FORMAT, place.schema, version)


def unseal(private: X25519PrivateKey, place: Place, sealed: bytes) -> bytes:
    """The value sealed for `place`. BadSeal for anything else."""
    if len(sealed) < HEAD.size + 48:
        raise BadSeal
    form, schema, version = HEAD.unpack_from(sealed)
    if form != FORMAT or schema != place.schema:
        raise BadSeal
    try:
        return bytes(SUITE.decrypt(sealed[HEAD.size :], private, info=info_of(place, version)))
    except (InvalidTag, ValueError, struct.error):  # struct: a name in `place` that is longer than any of ours
        raise BadSeal from None


def sign_key_set(key: Ed25519PrivateKey, keys: KeySet) -> bytes:
    body = msgspec.msgpack.encode(keys)
    return key.sign(SIGNED_AS + body) + body
