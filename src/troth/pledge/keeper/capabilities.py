"""A capability says: whoever holds this may open that person's own data for a time.

It is a MAC by the keeper over person, credential epoch, scope and end. It lives in an HttpOnly cookie of its own and
in no table, so that who captures the web process or copies its database gains only those who come by meanwhile.
"""

import base64
import hashlib
import hmac
import struct

from troth.pledge.keeper.messages import Refused

BODY = struct.Struct(">16sIQ9s")  # person, epoch, end (Unix seconds), scope: with the MAC a multiple of three bytes
LENGTH = (BODY.size + 32) // 3 * 4  # characters
LIFETIME = 14 * 86400


def issue(key: bytes, raw: bytes, epoch: int, now: int, scope: str = "own", lifetime: int = LIFETIME) -> str:
    body = BODY.pack(raw, epoch, now + lifetime, scope.encode().ljust(9, b"\0"))
    return base64.urlsafe_b64encode(body + _mac(key, body)).decode()


def read(key: bytes, text: str, now: int) -> tuple[bytes, int, str]:
    """Person, epoch and scope. Refused "capability" unless we made it and it still runs; the caller compares epochs."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        raise Refused("capability") from None
    body, mac = raw[: BODY.size], raw[BODY.size :]
    if len(text) != LENGTH or not hmac.compare_digest(_mac(key, body), mac):
        raise Refused("capability")
    person, epoch, ends, scope = BODY.unpack(body)
    if ends <= now:
        raise Refused("capability")
    return person, epoch, scope.rstrip(b"\0").decode()


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"troth capability 1\0" + body, hashlib.sha256)
