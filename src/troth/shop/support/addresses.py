"""What leads back to a ticket: an address for answers, and a link. Each carries the ticket and a MAC, and no person.

    support+k4x2…(26)m7qa…(16)@shop.example     local parts are read without regard to case (RFC 5321, 2.4)

Neither opens anything by itself: a letter to the address counts as the customer's only if it comes from the mailbox on
file, and the link's page shows states and dates unless its owner is signed in.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from troth.pledge import ids
from troth.shop.support.models import Ticket

MAC = 10  # bytes
TOKEN = re.compile(r"\+([a-z2-7]{26})([a-z2-7]{16})$")


def reply_to(ticket: Ticket) -> str:
    """Where answers to this ticket's letters go; "" where the shop reads no mail."""
    local, _at, host = settings.TROTH.support.address.partition("@")
    return f"{local}+{ticket.ref[4:]}{_mac(ticket.ref)}@{host}" if host else ""


def ticket_of(addresses: Iterable[str]) -> str:
    """The reference that one of these addresses stands for; "" if none is of our making."""
    ours = settings.TROTH.support.address.lower()
    for address in addresses:
        local, _at, host = address.strip().lower().rpartition("@")
        found = TOKEN.search(local)
        if found is None or f"{local[: found.start()]}@{host}" != ours:
            continue
        ref = f"tkt_{found[1]}"
        if ids.SHAPE.match(ref) and constant_time_compare(found[2], _mac(ref)):
            return ref
    return ""


def key(ticket: Ticket) -> str:
    """The part of the mailed link that shows this ticket's page."""
    return salted_hmac("troth.ticket-key", ticket.ref, algorithm="sha256").hexdigest()[:40]


def cookie(ticket: Ticket) -> str:
    """What a browser keeps that came by the link."""
    return salted_hmac("troth.ticket-cookie", ticket.ref, algorithm="sha256").hexdigest()


def _mac(ref: str) -> str:
    raw = salted_hmac("troth.ticket-address", ref, algorithm="sha256").digest()[:MAC]
    return base64.b32encode(raw).decode().lower()
