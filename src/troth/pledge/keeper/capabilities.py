"""A capability says: whoever holds this may open that person's own data for a time.

It is a MAC by the keeper over person, credential epoch, scope and end. It lives in an HttpOnly cookie of its own and
in no table, so that who captures the web process or copies its database gains only those who come by meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct

BODY = struct.Struct(">16sIQ8s")  # person, epoch, end (Unix seconds), scope
LIFETIME = 14 * 86400


class NoCapability(Exception):
    """Forged, over, or of an older epoch."""


def issue(key: bytes, raw: bytes, epoch: int, now: int, scope: str = "own", lifetime: int = LIFETIME) -> str:
    body = BODY.pack(raw, epoch, now + lifetime, scope.encode().ljust(8, b"\0"))
    return base64.urlsafe_b64encode(body + _mac(key, body)).decode().rstrip("=")


def read(key: bytes, text: str, now: int) -> tuple[bytes, int, str]:
    """Person, epoch and scope. NoCapability unless the keeper made it and it still runs; the caller compares epochs."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NoCapability from None
    # One text for one capability: the unused bits of the last character must be what we would write.
    canonical = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    if len(raw) != BODY.size + 32 or canonical != text:
        raise NoCapability
    body = raw[: BODY.size]
    if not hmac.compare_digest(_mac(key, body), raw[BODY.size :]):
        raise NoCapability
    person, epoch, ends, scope = BODY.unpack(body)
    if ends <= now:
        raise NoCapability
    return person, epoch, scope.rstrip(b"\0").decode()


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"troth capability 1\0" + body, hashlib.sha256)
