"""The shop's secret for licences, `licence.key` beside web.key: 32 random bytes that are not in the database.

Three keys come from it (HKDF-SHA256, RFC 5869), one for each use: look-up (HMAC-SHA256 of a key, so that the database
finds it and gives away none, short ones from elsewhere included), showing (AES-256-GCM, so that a buyer reads their key
again), and signing licence files (Ed25519, RFC 8032). Web and worker read it. Who has it and the database has the keys.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from troth import licence_secret
from troth.config import ConfigError
from troth.shop.licences.keys import canonical

NONCE = 12


def look_up(key: str) -> str:
    """What a key is found by, 64 hexadecimal digits; the same for every spelling of one key."""
    return hmac.new(_derived("look-up"), canonical(key).encode(), hashlib.sha256).hexdigest()


def hide(key: str, found_by: str) -> bytes:
    """The key, sealed for `show`; bound to what it is found by."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _box().encrypt(nonce, key.encode(), found_by.encode())


def show(hidden: bytes, found_by: str) -> str:
    """The key again. ConfigError where licence.key is not the one that it was hidden with."""
    try:
        return _box().decrypt(hidden[:NONCE], hidden[NONCE:], found_by.encode()).decode()
    except InvalidTag:
        path = settings.TROTH.home / licence_secret.NAME
        raise ConfigError([f"{path} is not the one that this shop's licences were made with: restore that."]) from None


def instance_hash(licence_id: str, name: str) -> str:
    """An instance of a licence without its name: keyed, and another for each licence."""
    text = f"{licence_id}\n{name.strip().casefold()}".encode()
    return hmac.new(_derived("instance"), text, hashlib.sha256).hexdigest()


@cache
def signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_derived("signing"))


def public_key() -> bytes:
    """32 bytes: what verifies licence files, for everybody to have."""
    return signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@cache
def _box() -> AESGCM:
    return AESGCM(_derived("show"))


@cache
def _derived(use: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"troth licences: {use}".encode()).derive(
        licence_secret.read(settings.TROTH.home)
    )
