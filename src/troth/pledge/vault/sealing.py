"""What those do who seal: believe a key set that the keeper signed, and encrypt to it, as keeper/seals.py has it."""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from troth.pledge.keeper.messages import Place
from troth.pledge.keeper.seals import FORMAT, HEAD, SIGNED_AS, SUITE, BadSeal, KeySet, info_of

SIGNATURE = 64  # bytes before a signed key set


def seal(keys: KeySet, place: Place, value: bytes) -> bytes:
    """Seal `value` (a msgspec struct, encoded) to the person's class key. KeyError for a class without a key."""
    public = X25519PublicKey.from_public_bytes(keys.publics[place.klass])
    sealed: bytes = SUITE.encrypt(value, public, info=info_of(place, keys.version))
    return HEAD.pack(FORMAT, place.schema, keys.version) + sealed


def read_key_set(verify_key: Ed25519PublicKey, signed: bytes, ref: str) -> KeySet:
    """The key set of `ref`. BadSeal if the keeper did not sign exactly this for exactly this person."""
    try:
        verify_key.verify(signed[:SIGNATURE], SIGNED_AS + signed[SIGNATURE:])
        keys = msgspec.msgpack.decode(signed[SIGNATURE:], type=KeySet)
    except (InvalidSignature, msgspec.DecodeError, msgspec.ValidationError):
        raise BadSeal from None
    if keys.ref != ref:
        raise BadSeal
    return keys
