"""Events about a person: committed to in the ledger, readable under that person's history key alone.

The commitment is SHA-256 of a 32-byte salt and the event. The salt is HMAC-SHA-256 of the leaf's number under the
history key; the event is packed and sealed under the same key with AES-256-SIV (RFC 5297), which needs no nonce and
bears a number that is given again after a crash. Without the key both are gone, and the commitment is noise.
"""

import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

Event = Mapping[str, str | int | list[str]]
# What such events are made of: as a preset dictionary it makes them a third as long. Part of the format.
WORDS = (
    b'"billing","correspondence","locality","network","marketing","fraud","legal","support","notice","account","tax",'
    b'"grant","withdraw","bill"{"at":"2026-11-22T00:00:00.000+00:00","classes":["contact"],"did":"open","job":"own-data",'
    b'"job":"deliver","job":"ord_","purpose":"deliver","role":"web"}"role":"worker"}'
)


def canonical(event: Mapping[str, object]) -> bytes:
    """JSON with sorted keys and no spaces (RFC 8785 for what we use of it)."""
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def salt(history_key: bytes, seq: int) -> bytes:
    return hmac.digest(history_key, b"troth salt 1" + seq.to_bytes(8, "big"), hashlib.sha256)


def seal(history_key: bytes, seq: int, event: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-9, memLevel=1, zdict=WORDS)
    return _siv(history_key).encrypt(packer.compress(event) + packer.flush(), [seq.to_bytes(8, "big")])


def unseal(history_key: bytes, seq: int, sealed: bytes) -> bytes:
    """The event, byte for byte. InvalidTag if it is not that person's, not of this leaf, or altered."""
    packed = _siv(history_key).decrypt(sealed, [seq.to_bytes(8, "big")])
    return zlib.decompressobj(wbits=-9, zdict=WORDS).decompress(packed)


def _siv(history_key: bytes) -> AESSIV:
    return AESSIV(hmac.digest(history_key, b"troth event 1", hashlib.sha512))
