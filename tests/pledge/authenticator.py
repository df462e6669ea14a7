"""A passkey's device in software, from the text of W3C Web Authentication 3 alone (sections 5.8.1, 6.1, 6.5.1).

It shares no code with what verifies it, but for the CBOR library. Everything it says can be said wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

SITE, RP_ID = "http://localhost", "localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
CREATE, GET = "webauthn.create", "webauthn.get"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Authenticator:
    """One P-256 passkey of one person (`user`: the handle that it tells)."""

    def __init__(self, user: bytes, id_size: int = 16) -> None:
        self.user, self.id, self.counter = user, secrets.token_bytes(id_size), 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.flags, self.rp_id, self.origin, self.counts = PRESENT | VERIFIED, RP_ID, SITE, True

    def made(self, challenge: str, fmt: str = "none", kind: str = CREATE) -> str:
        """What a browser shows after navigator.credentials.create()."""
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}  # RFC 9053
        about = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        attestation = cbor2.dumps({"fmt": fmt, "attStmt": {}, "authData": self._data(ATTESTED) + about})
        return self._shown(clientDataJSON=self._client(kind, challenge), attestationObject=attestation)

    def shown(self, challenge: str, kind: str = GET) -> str:
        """What a browser shows after navigator.credentials.get()."""
        self.counter += self.counts
        client, data = self._client(kind, challenge), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._shown(clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.user)

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", self.flags | more, self.counter)

    def _shown(self, **response: bytes) -> str:
        parts = {name: b64(value) for name, value in response.items()}
        return json.dumps({"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": parts})
