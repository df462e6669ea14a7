"""Who may be handed an invoice: proved to the worker, by what the web process cannot make by itself.

The worker opens addresses "to bill" by its door alone. So that nobody who has the web process, its key or the
database can have it open them one by one, each request brings a proof sealed to the worker (HPKE, bound to the
request's row and its public key, so that it serves no other): the token of a link that only the worker makes, for
letters, or the capability of somebody signed in, which the keeper verifies.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.conf import settings

from troth.pledge import clock
from troth.shop.invoices import worker_key
from troth.shop.invoices.models import Handover, Invoice

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Proof(msgspec.Struct, frozen=True):
    """What a request has in hand: a link's end (Unix seconds) and token, or a capability."""

    end: int = 0
    token: str = ""
    capability: str = ""

    def __repr__(self) -> str:
        return "<proof>"


def token(invoice: Invoice, end: int) -> str:
    """What authorises a link until its end, or until its order's address is put right. For the worker alone."""
    moved = f"/{invoice.order.link_name}" if invoice.order.moved_at else ""
    key = hmac.digest(worker_key.private(settings.TROTH.home).private_bytes_raw(), b"troth invoice link 1", "sha256")
    return hmac.new(key, f"{invoice.id}/{end}{moved}".encode(), hashlib.sha256).hexdigest()[:32]


def is_linked(invoice: Invoice, proof: Proof) -> bool:
    """True for a link of ours whose time is not over."""
    return hmac.compare_digest(proof.token, token(invoice, proof.end)) and clock.now().timestamp() < proof.end


def bring(row: Handover, proof: Proof) -> bytes:
    """The proof for this request's row, readable by the worker and good for this row alone."""
    public = X25519PublicKey.from_public_bytes(worker_key.public(settings.TROTH.home))
    return bytes(SUITE.encrypt(msgspec.json.encode(proof), public, info=_info(row)))


def read(row: Handover) -> Proof:
    """What a request brought; an empty proof where it was not brought for exactly this row."""
    try:
        told = SUITE.decrypt(bytes(row.proof), worker_key.private(settings.TROTH.home), info=_info(row))
        return msgspec.json.decode(told, type=Proof)
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        return Proof()


def _info(row: Handover) -> bytes:
    return f"troth handover proof 1 {row.pk} {row.invoice_id} {row.form} ".encode() + bytes(row.public)
