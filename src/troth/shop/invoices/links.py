"""Links to an invoice. One in a letter carries an end and a token of the worker's; one on a page carries nothing.

The token is no signature of the web process: whoever has that, or its key, can make no such link (authority.py).
"""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings

from troth.pledge import clock
from troth.shop.invoices import authority
from troth.shop.invoices.authority import Proof
from troth.shop.invoices.models import Invoice

SIGNATURE = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{32})", re.ASCII)


def plain(invoice: Invoice) -> str:
    """The path for who is signed in."""
    return f"/invoice/{invoice.id}"


def lasting(invoice: Invoice) -> str:
    """The path for a letter: the same in every copy of it, good as long as downloads are. For the worker alone."""
    end = int((invoice.issued_at + timedelta(days=settings.TROTH.policy.download_days)).timestamp())
    return f"{plain(invoice)}?s={end:x}.{authority.token(invoice, end)}"


def read(signature: str) -> Proof | None:
    """What a link says of itself: None if that is nothing of ours, or over. Whether it is true, the worker finds."""
    parts = SIGNATURE.fullmatch(signature)
    if parts is None or int(parts[1], 16) <= clock.now().timestamp():
        return None
    return Proof(end=int(parts[1], 16), token=parts[2])
