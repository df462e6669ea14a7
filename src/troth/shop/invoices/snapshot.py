"""What an invoice says, kept as it was: the seller and the lines in clear, the buyer in the order's sealed address.

The digest covers every field of the row, the snapshot and the sealed address as bytes: whatever was altered behind
the shop's back, the invoice no longer fits it and is not rendered (Altered).
"""

from __future__ import annotations

import hashlib
from datetime import UTC

import msgspec
from django.conf import settings

from troth.shop.invoices.models import Invoice
from troth.shop.orders.models import Billing


class Altered(Exception):
    """The row, its snapshot or its address is not what was issued."""


class Seller(msgspec.Struct, frozen=True):
    shop: str
    name: str
    address: str
    country: str
    vat_number: str
    email: str


class Line(msgspec.Struct, frozen=True):
    """`line`: the order line's key, by which credit notes add up."""

    line: int
    name: str
    quantity: int  # 0: a part of the line, in money
    net: int
    tax: int
    off: int = 0  # what a coupon took off the list price


class Snapshot(msgspec.Struct, frozen=True):
    form: int  # the design that renders it: forms/1
    seller: Seller
    lines: list[Line]
    order: str
    ordered_on: str  # ISO dates, UTC
    paid_by: str
    exempt_words: str
    language: str
    coupon: str = ""  # the code of the coupon that took it off
    corrects: str = ""  # the number of the invoice that this one corrects


def seller() -> Seller:
    """The seller as the settings have them now."""
    shop, tax = settings.TROTH.shop, settings.TROTH.tax
    return Seller(
        shop.name, shop.legal_name or shop.name, shop.address, shop.country, tax.vat_number, shop.contact_email
    )


def digest(invoice: Invoice, billing: Billing) -> str:
    """SHA-256 in hexadecimal over the JSON array of the invoice's fields and the hash of the sealed address."""
    sealed = bytes(billing.billing.ciphertext) if billing.billing is not None else b""
    fields = [
        invoice.id, invoice.kind, invoice.number, invoice.series_id, invoice.sequence, invoice.cause,
        invoice.order_id, invoice.person_id, invoice.billing_id, invoice.corrects_id, invoice.treatment,
        invoice.tax_country, invoice.rate, invoice.currency, invoice.net_minor, invoice.tax_minor, invoice.snapshot,
        invoice.issued_at.astimezone(UTC).isoformat(timespec="microseconds"), hashlib.sha256(sealed).hexdigest(),
    ]  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


def read(invoice: Invoice) -> Snapshot:
    """The snapshot of an invoice with its address at hand (select_related). Altered if anything is not as issued."""
    if digest(invoice, invoice.billing) != invoice.digest:
        raise Altered
    return msgspec.json.decode(invoice.snapshot, type=Snapshot)
