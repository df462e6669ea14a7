"""Every way out of this shop, each with the promise that allows it. What does not stand here stops the start (P3).

There are six: tables and fields (holdings.py), recipients of connections (recipients.py), and here modules that can
reach outside, write files or give cookies, letters, fields of the log, and folders. An app that somebody puts in is
held to the same lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from troth.pledge.rights import ways

# Module -> its promise, and what it does: reach other machines, write files, print, give cookies,
# see IP addresses, place them in countries. A dot at the end: all
# that begin so.
MODULES = {
    "troth.shop.delivery.post": ("P8", "reach"),
    "troth.shop.payments.providers.": ("P2", "reach"),
    "troth.shop.support.imap": ("P19", "reach"),
    "troth.shop.clauses.asked_from_outside": ("P15", "reach"),
    "troth.shop.clauses.p2_direct_payment": ("P2", "reach"),  # looks at the lines to providers; opens none
    "troth.shop.clauses.p18_safe_servers": ("P18", "reach write"),
    "troth.shop.journeys.backup": ("P16", "reach"),  # a process of its own seals copies
    "troth.shop.journeys.main_copy": ("P16", "reach write print"),
    "troth.pledge.policy.": ("P3", "reach print"),  # visitors that ask this shop; a process that searches files
    "troth.pledge.egress": ("P14", "reach write print"),
    "troth.pledge.vault.door": ("P16", "reach"),  # the socket to the keeper
    "troth.pledge.keeper.": ("P16", "reach write print"),
    "troth.pledge.kms.": ("P16", "reach write"),
    "troth.pledge.copies.": ("P16", "write print"),
    # Files, each of which says nothing of anybody or lies sealed; words for a terminal; the two makers of cookies.
    "troth.shop.journeys.audit": ("P16", "write"),  # how far an audit is, in numbers
    "troth.shop.invoices.worker_key": ("P16", "write"),
    "troth.shop.fraud.keyed": ("P11", "write"),  # a key of the day
    "troth.shop.support.files": ("P19", "write"),  # what was attached, until it is sealed
    "troth.shop.texts.drafts": ("P3", "write"),
    "troth.shop.payments.states": ("P3", "print"),  # a document
    "troth.shop.catalogue.": ("P3", "write"),  # archives and pictures of what is sold
    "troth.faces.desk.arriving": ("P3", "write"),
    "troth.shop.clauses.": ("P3", "write see"),  # mutants, in test mode alone
    "troth.pledge.ledger.": ("P3", "write"),  # the public ledger
    "troth.pledge.rights.ways": ("P3", "write print give see place"),  # names what it looks for
    # An IP address: who sees one, to pass it on to fraud's journey or to count it, and who asks where it is.
    "troth.faces.api.callers": ("P11", "see"),
    "troth.faces.api.composer": ("P11", "see"),
    "troth.faces.api.licences": ("P11", "see"),
    "troth.faces.storefront.limits": ("P11", "see"),
    "troth.faces.storefront.views.health": ("P11", "see"),  # whether a program of this machine asks
    "troth.faces.storefront.transport": ("P11", "see"),  # whether a proxy stands in front
    "troth.faces.storefront.views.accounts": ("P11", "see"),
    "troth.faces.storefront.views.checkout": ("P11", "see"),
    "troth.faces.storefront.views.orders": ("P11", "see"),
    "troth.shop.fraud.": ("P11", "place"),
    "troth.shop.journeys.weigh": ("P11", "place"),
    "troth.faces.storefront.signed_in": ("P5", "give"),
    "troth.faces.desk.seat": ("P17", "give"),
}
HOUSE = ("troth.pledge", "troth.shop", "troth.faces.storefront", "troth.faces.api")

# Kind of letter -> its promise.
LETTERS = {
    "deliver": "P8", "redeliver": "P8", "redirected": "P8",
    "withdraw": "P8", "withdrawn": "P8", "renew": "P8", "ends": "P8",
    "confirm": "P5", "recover": "P5", "taken": "P5", "change": "P5", "changing": "P5",
    "passkey-added": "P5", "passkey-removed": "P5",
    "erase": "P16", "erasing": "P16", "erased": "P16",
    "mailing": "P9", "release": "P9", "policy": "P20",
    "hold-released": "P11", "hold-refused": "P11",
    "ticket-received": "P19", "ticket-answer": "P19", "break-glass": "P17", "invite": "P5",
    "disclosure-notice": "P12", "disclosure-told": "P12",
}  # fmt: skip

# Fields of a line in the log, all in clear and about nobody (P13).
LOG = frozenset(
    ("time", "level", "logger", "event", "where", "view", "status", "exception", "frames")
)  # fmt: skip

# What lies in the shop's folder, by first part of the name.
FILES = {
    "data": "P16", "files": "P3", "uploads": "P3", "media": "P3", "keeper": "P16", "run": "P16", "texts": "P3",
    "templates": "P3", "answers": "P19", "attachments": "P19",
}  # fmt: skip


def undeclared(packages: tuple[str, ...] = ()) -> Iterator[str]:
    """One sentence for each way out that nobody declared. `packages`: to look into besides all installed apps."""
    added = [config.name for config in apps.get_app_configs() if not config.name.startswith(("django.", "troth."))]
    desk = ("troth.faces.desk",) if apps.is_installed("troth.faces.desk") else ()
    kinds = {name: kinds for name, (_, kinds) in MODULES.items()}
    yield from ways.undeclared((*HOUSE, *desk, *added, *packages), kinds)
    for kind in letters():
        if kind not in LETTERS:
            yield f"The letter “{kind}” is not declared: say in shop/ways_out.py which promise it serves."


def letters() -> list[str]:
    """The kinds of letters that there are templates of, in every installed app."""
    folders = [Path(config.path) / "letters" for config in apps.get_app_configs()]
    return sorted(path.name.split(".")[0] for folder in folders for path in folder.glob("*.subject.txt"))
