"""Verify a licence file offline. Needs pyca/cryptography.

licence = verify(Path("licence.json").read_bytes(), "<the shop's public key, base64>")   # its fields, or ValueError

The key stands at /.well-known/licence-key.json of the shop: put it into your program, do not fetch it.
The format is a DSSE envelope spelled in one way only, signed with Ed25519 (docs/licences.md).
Whether `updates_until`, `packages` or `instance` fit is for your program to say. Apache-2.0.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = b"application/vnd.troth.licence+json"
SPELLING = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/]{4,65000}={0,2})","payloadType":"application/vnd\.troth\.licence\+json",'
    rb'"signatures":\[\{"keyid":"([0-9a-f]{16})","sig":"([A-Za-z0-9+/]{86}==)"\}\]\}\n'
)


def verify(file: bytes, public_key: str) -> dict:
    found = SPELLING.fullmatch(file)
    if found is None:
        raise ValueError("This is not a licence file, or it was altered.")
    key = base64.b64decode(public_key, validate=True)
    payload, signature = _decoded(found[1]), _decoded(found[3])
    if found[2].decode() != hashlib.sha256(key).hexdigest()[:16]:
        raise ValueError("This licence file was signed by another shop.")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            signature, b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE, len(payload), payload)
        )
    except InvalidSignature:
        raise ValueError("This licence file was altered.") from None
    return json.loads(payload)


def _decoded(text: bytes) -> bytes:
    raw = base64.b64decode(text, validate=True) if len(text) % 4 == 0 else b""
    if base64.b64encode(raw) != text:
        raise ValueError("This licence file was altered.")
    return raw


if __name__ == "__main__":
    sys.stdout.write(json.dumps(verify(Path(sys.argv[1]).read_bytes(), sys.argv[2])) + "\n")
