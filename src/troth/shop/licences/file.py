"""The licence as a file: JSON that anybody with the shop's public key verifies offline, without asking anybody.

It is a DSSE envelope (Dead Simple Signing Envelope, github.com/secure-systems-lab/dsse, protocol.md, version 1.0.2),
signed with Ed25519, spelled in one way only: keys in this order, no spaces, one line, a line feed at the end. So a
verifier can compare byte by byte, and no altered copy verifies, not even one that would mean the same.

    {"payload":"<base64>","payloadType":"application/vnd.troth.licence+json","signatures":[{"keyid":"…","sig":"…"}]}

A file cannot be called back: whether a licence is still in force is what /api/licence/check tells.
"""

from __future__ import annotations

import base64
import hashlib

import msgspec
from django.conf import settings

from troth.pledge import clock
from troth.shop.licences import secret
from troth.shop.licences.standing import Standing

TYPE = "application/vnd.troth.licence+json"


def signed(standing: Standing, products: list[tuple[str, str]], instance: str = "") -> bytes:
    """The file for a licence. `products`: slug and Composer name of what it covers; `instance`: for this one alone."""
    payload = msgspec.json.encode(
        {
            "licence": standing.id,
            "shop": settings.TROTH.web.public_url.rstrip("/"),
            "product": standing.product,
            "edition": standing.edition,
            "products": [slug for slug, _package in products],
            "packages": [package for _slug, package in products if package],
            "sites": standing.sites or None,
            "updates_until": standing.updates_until,
            "instance": instance.strip().casefold() or None,
            "issued_at": clock.now().replace(microsecond=0),
        }
    )
    signature = secret.signing_key().sign(pae(payload))
    return (
        f'{{"payload":"{_base64(payload)}","payloadType":"{TYPE}",'
        f'"signatures":[{{"keyid":"{key_id()}","sig":"{_base64(signature)}"}}]}}\n'
    ).encode()


def pae(payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding of type and payload."""
    return b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)


def key_id() -> str:
    """Sixteen hexadecimal digits that name the public key: a hint, as DSSE has it; never trusted."""
    return hashlib.sha256(secret.public_key()).hexdigest()[:16]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
