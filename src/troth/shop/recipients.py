"""Everybody outside this machine to whom the shop connects, with what each may get. Nothing leaves for anybody else.

The guard of each process (pledge/egress.py) is handed this list; /privacy and the record of processing show it. A
recipient that gets something about a person names the promise that allows it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.config import Config, is_loopback
from troth.pledge.egress import Address

PORTS = {
    "https": 443, "http": 80, "smtp": 25, "smtp+starttls": 587, "smtps": 465, "imap": 143, "imaps": 993,
    "postgres": 5432, "postgresql": 5432,
}  # fmt: skip
# As its webhooks name them: payments/providers/paypal/certificates.py takes no others.
PAYPAL_CERTIFICATES = tuple(
    f"https://{host}{world}paypal.com"
    for world in (".", ".sandbox.")
    for host in ("api", "api-m", "messageverificationcerts")
)
SALE = "payment_id order_ref amount item_name return_url cancel_url status_url locale request_id brand_name"


class Recipient(msgspec.Struct, frozen=True):
    """`fields`: what it may get; `personal`: the classes of data about a person among it (pledge/vault/classes.py)."""

    name: object
    why: object
    addresses: tuple[Address, ...]
    roles: tuple[str, ...]
    clause: str
    fields: str
    personal: tuple[str, ...] = ()


def declared(config: Config) -> list[Recipient]:
    """The recipients of this shop, as it is set up. Those without an address are not used here, and left out."""
    both = ("web", "worker")
    certificates = (config.paypal.cert_url_prefix,) if config.paypal.cert_url_prefix else PAYPAL_CERTIFICATES
    paypal = _of(config.paypal.base_url, *certificates) if config.paypal.client_id else ()
    at_skrill = (config.skrill.pay_url, config.skrill.query_url, config.skrill.refund_url)
    skrill = _of(*at_skrill) if config.skrill.merchant_id else ()
    known = [
        Recipient("PayPal", _("takes your payment"), paypal, both, "P2", SALE),
        Recipient("Skrill", _("takes your payment"), skrill, both, "P2", SALE),
        Recipient(
            _("the mail relay"), _("brings our letters to your mailbox"), _of(config.mail.url), ("worker",), "P8",
            "name email letter", ("contact",),
        ),
        Recipient(
            _("the mailbox of the shop"), _("has the letters that you write to us"), _of(config.support.imap_url),
            ("worker",), "P19", "nothing: it is only asked",
        ),
        Recipient(
            _("the keeper of the root key"), _("keeps the key that opens the other keys"), _of(config.keys.url),
            ("keeper",), "P16", "wrapped keys",
        ),
        Recipient(
            _("the database"), _("has what you see listed, sealed where it is about you"), _of(config.database.url),
            both, "P16", "ciphertext orders", ("contact", "locality", "billing", "network", "correspondence"),
        ),
        Recipient(
            _("this shop itself"), _("is asked from outside whether it keeps its word"), _own(config), ("worker",),
            "P15", "nothing",
        ),
    ]  # fmt: skip
    return [one for one in known if one.addresses]


def allowed(config: Config, role: str) -> set[Address]:
    """The addresses to which a process of this role may connect."""
    return {address for one in declared(config) if role in one.roles for address in one.addresses}


def elsewhere(config: Config) -> list[Recipient]:
    """Those of the declared recipients that are other parties: none of this machine, nor the shop itself."""
    own = set(_own(config))
    return [one for one in declared(config) if any(not is_loopback(a[0]) and a not in own for a in one.addresses)]


def _of(*urls: str) -> tuple[Address, ...]:
    parts = [urlsplit(url) for url in urls if url]
    return tuple(
        dict.fromkeys((part.hostname, part.port or PORTS.get(part.scheme, 0)) for part in parts if part.hostname)
    )


def _own(config: Config) -> tuple[Address, ...]:
    """The public name, by TLS and at port 80 as a stranger would try, and where this process listens."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.web.host, config.web.host)  # noqa: S104 - compared only
    name = urlsplit(config.web.public_url).hostname or ""
    return (*_of(config.web.public_url), (name, 80), (here, config.web.port))
