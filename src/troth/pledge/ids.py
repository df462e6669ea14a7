"""Names of rows that leave the house: a prefix that tells what it is, 128 random bits, nothing to guess or count."""

from __future__ import annotations

import base64
import re
import secrets

SHAPE = re.compile(r"^[a-z]{3}_[a-z2-7]{26}$")


def new_id(prefix: str) -> str:
    """A fresh name such as ord_k4x…: 128 random bits in lower-case base32 (RFC 4648, without padding)."""
    return from_bytes(prefix, secrets.token_bytes(16))


def from_bytes(prefix: str, raw: bytes) -> str:
    return f"{prefix}_{base64.b32encode(raw).decode().rstrip('=').lower()}"


def to_bytes(name: str) -> bytes:
    """The 16 bytes behind a name. ValueError if it is none of ours."""
    if not SHAPE.match(name):
        raise ValueError("not one of our names")
    return base64.b32decode(name[4:].upper() + "======")
