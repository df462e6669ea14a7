"""Sealing a value so that only the keeper opens it, and only where it lies.

HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, single shot, by pyca/cryptography.
`info` binds format, table, column, row, person, class, schema and key version, each with its length, so that no two
places have one `info` (RFC 9180 section 8.1 tells single-shot users to bind context there).

A sealed value: format (1 byte), schema (1), key version (2, big-endian), then HPKE's encapsulated key and ciphertext.
Whoever can write the database can put another sealed value there; they cannot read one, or move one.
"""

import struct

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from troth.pledge.keeper.messages import Place, Refused

FORMAT = 1
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_HEAD = struct.Struct(">BBH")
_SIGNATURE = 64
_SIGNED_AS = b"troth key set 1\0"


class BadSeal(Refused):
    """The value was not sealed here, for this place and person, or was altered. Never returned as it is."""

    code = "seal"


class KeySet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's public keys by class (32 bytes each), as the keeper signed them."""

    ref: str
    version: int
    publics: dict[str, bytes]


def _info(place: Place, version: int) -> bytes:
    parts = ("troth", place.table, place.column, place.row, place.ref, place.klass)
    packed = b"".join(struct.pack(">H", len(raw)) + raw for raw in (part.encode() for part in parts))
    return packed + _HEAD.pack(FORMAT, place.schema, version)


def seal(keys: KeySet, place: Place, value: bytes) -> bytes:
    """Seal `value` (a msgspec struct, encoded) to the person's class key. KeyError for a class without a key."""
    public = X25519PublicKey.from_public_bytes(keys.publics[place.klass])
    sealed: bytes = SUITE.encrypt(value, public, info=_info(place, keys.version))
    return _HEAD.pack(FORMAT, place.schema, keys.version) + sealed


def unseal(private: X25519PrivateKey, place: Place, sealed: bytes) -> bytes:
    """The value sealed for `place`. BadSeal for anything else."""
    if len(sealed) < _HEAD.size + 48:
        raise BadSeal
    form, schema, version = _HEAD.unpack_from(sealed)
    if form != FORMAT or schema != place.schema:
        raise BadSeal
    try:
        return bytes(SUITE.decrypt(sealed[_HEAD.size :], private, info=_info(place, version)))
    except (InvalidTag, ValueError, struct.error):  # struct: a name in `place` that is longer than any of ours
        raise BadSeal from None


def sign_key_set(key: Ed25519PrivateKey, keys: KeySet) -> bytes:
    body = msgspec.msgpack.encode(keys)
    return key.sign(_SIGNED_AS + body) + body


def read_key_set(verify_key: Ed25519PublicKey, signed: bytes, ref: str) -> KeySet:
    """The key set of `ref`. BadSeal if the keeper did not sign exactly this for exactly this person."""
    try:
        verify_key.verify(signed[:_SIGNATURE], _SIGNED_AS + signed[_SIGNATURE:])
        keys = msgspec.msgpack.decode(signed[_SIGNATURE:], type=KeySet)
    except (InvalidSignature, msgspec.DecodeError, msgspec.ValidationError):
        raise BadSeal from None
    if keys.ref != ref:
        raise BadSeal
    return keys
