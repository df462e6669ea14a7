"""The classes of personal data: what is sealed together, and how it is called in public."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Personal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, repr_omit_defaults=True):
    """Values of one class. They exist in the clear only between a form and seal(), or between open() and a letter."""

    klass: ClassVar[str]
    schema: ClassVar[int] = 1

    def __repr__(self) -> str:
        return f"<{self.klass}>"

    __str__ = __repr__


class Contact(Personal, frozen=True):
    klass = "contact"
    name: str
    email: str


class Locality(Personal, frozen=True):
    klass = "locality"
    postcode: str


class Billing(Personal, frozen=True):
    klass = "billing"
    name: str
    street: str
    city: str
    postcode: str
    country: str  # ISO 3166-1 alpha-2
    company: str = ""
    vat_number: str = ""
    salt: str = ""  # random: without it the hash of a document with this address in it can be checked against no guess


class Words(Personal, frozen=True):
    """A message: what somebody wrote to the shop, or the shop to them."""

    klass = "correspondence"
    text: str
    subject: str = ""


class Enclosure(Personal, frozen=True):
    """A file that came with a message: its name, its media type, and the key of the blob that holds it."""

    klass = "correspondence"
    name: str
    kind: str
    key: bytes


class Network(Personal, frozen=True):
    """Where an order or a registration came from, and what was thought of it: it ends with its address (P11)."""

    klass = "network"
    address: bytes  # 4 or 16, as on the wire: written out, an IPv6 address can look like a card number
    points: int = 0
    signs: tuple[str, ...] = ()  # codes of shop/fraud/signs.py
