"""The ledger's leaves: final bytes, a gapless sequence from one head row, written before an answer leaves.

A leaf about a person is {"c", "day", "type": "person", "v"}: c is SHA-256 of a 32-byte salt and the event. Salt and
event are sealed under that person's history key (AES-256-GCM), so they end with the person and noise remains.
Everyday events stand in clear. Bytes are JSON with sorted keys and no spaces (RFC 8785 for what we use of JSON).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.pledge.keeper.keyring import Keyring

NONCE = 12
Event = Mapping[str, str | int | list[str]]


class Leaves:
    def __init__(self, db: Keyring) -> None:
        self._db = db

    @property
    def size(self) -> int:
        return int(self._db.value("SELECT size FROM head"))

    def about(self, raw: bytes, history_key: bytes, event: Event, now: datetime) -> int:
        """A leaf about a person. Returns its number, counted from 0."""
        salt, body = secrets.token_bytes(32), canonical({**event, "at": now.isoformat(timespec="milliseconds")})
        commitment = base64.b64encode(hashlib.sha256(salt + body).digest()).decode()
        leaf = canonical({"v": 1, "day": _day(now), "type": "person", "c": commitment})
        seq, nonce = self._next(), secrets.token_bytes(NONCE)
        sealed = nonce + AESGCM(history_key).encrypt(nonce, salt + body, b"event " + seq.to_bytes(8, "big"))
        self._db.execute("INSERT INTO leaf VALUES (?, ?, ?)", (seq, leaf, sealed))
        self._db.execute("INSERT INTO about VALUES (?, ?)", (raw, seq))
        return seq

    def everyday(self, event_id: str, event: Event, now: datetime) -> int:
        """A leaf in clear; the same event id again returns the number it has."""
        known = self._db.value("SELECT seq FROM noted WHERE event_id = ?", event_id)
        if known is not None:
            return int(known)
        seq = self._next()
        leaf = canonical({**event, "v": 1, "day": _day(now)})
        self._db.execute("INSERT INTO leaf VALUES (?, ?, NULL)", (seq, leaf))
        self._db.execute("INSERT INTO noted VALUES (?, ?)", (event_id, seq))
        return seq

    def _next(self) -> int:
        return int(self._db.value("UPDATE head SET size = size + 1 RETURNING size - 1"))


def read_event(history_key: bytes, seq: int, sealed: bytes) -> tuple[bytes, bytes]:
    """Salt and event of a leaf about a person. InvalidTag if it is not that person's, or altered."""
    plain = AESGCM(history_key).decrypt(sealed[:NONCE], sealed[NONCE:], b"event " + seq.to_bytes(8, "big"))
    return plain[:32], plain[32:]


def canonical(event: Mapping[str, object]) -> bytes:
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
