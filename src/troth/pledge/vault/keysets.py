"""A person's public keys, believed only when the keeper signed them: one swapped in the database seals nothing."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from troth.pledge.keeper.seals import KeySet
from troth.pledge.vault.models import Person
from troth.pledge.vault.sealing import read_key_set


def verify_key() -> Ed25519PublicKey:
    """The keeper's public key, from the shop's folder: not from the database that holds what it signs."""
    return _read(str(settings.TROTH.home / "keeper.pub"))


@lru_cache(maxsize=4)
def _read(path: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(Path(path).read_text("ascii").strip()))


def keys_of(person: Person) -> KeySet:
    """BadSeal if the row's key set was not signed by the keeper for this very person."""
    return read_key_set(verify_key(), bytes(person.key_set), person.ref)
