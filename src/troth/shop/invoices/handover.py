"""Handing a document over: sealed by the worker to one waiting request, readable by nobody else, kept nowhere.

HPKE base mode (RFC 9180) as everywhere here, to a key pair that the request makes and forgets. What lies in the
database meanwhile is ciphertext, and is wiped when it is taken. `info` binds it to its row.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from troth.shop.invoices import authority
from troth.shop.invoices.authority import Proof
from troth.shop.invoices.models import Handover, Invoice

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Waiting:
    """A request that waits for a document. Its private key is in this object and nowhere else."""

    def __init__(self, invoice: Invoice, form: str, proof: Proof) -> None:
        self._private = X25519PrivateKey.generate()
        self.row = Handover(invoice=invoice, form=form, public=self._private.public_key().public_bytes_raw())
        self.row.proof = authority.bring(self.row, proof)
        self.row.save(force_insert=True)

    def take(self) -> bytes | None:
        """The document once it is there, then never again; None while it is being made. Failed: there is none."""
        row = Handover.objects.get(pk=self.row.pk)
        if row.code:
            raise Failed(row.code)
        if row.sealed is None:
            return None
        Handover.objects.filter(pk=row.pk).update(sealed=None, proof=b"", code="taken")
        try:
            return bytes(SUITE.decrypt(bytes(row.sealed), self._private, info=_info(row)))
        except InvalidTag:
            raise Failed("altered") from None


class Failed(Exception):
    """There is no document; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def give(row: Handover, document: bytes) -> None:
    """Seal a document to who waits for it. Only the first is taken."""
    sealed = SUITE.encrypt(document, X25519PublicKey.from_public_bytes(bytes(row.public)), info=_info(row))
    Handover.objects.filter(pk=row.pk, sealed=None, code="").update(sealed=sealed)


def fail(row: Handover, code: str) -> None:
    Handover.objects.filter(pk=row.pk, sealed=None, code="").update(code=code[:40], proof=b"")


def _info(row: Handover) -> bytes:
    return f"troth handover 1 {row.pk} {row.form}".encode()
