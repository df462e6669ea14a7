"""Links to an invoice: they carry its id, an end and a signature, and no name. Signed as downloads are."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from troth.pledge import clock
from troth.shop.invoices.models import Invoice

SIGNATURE = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{32})", re.ASCII)


def lasting(invoice: Invoice) -> str:
    """The path for a letter: the same in every copy of it, good as long as downloads are."""
    return _path(invoice, invoice.issued_at + timedelta(days=settings.TROTH.policy.download_days))


def fresh(invoice: Invoice) -> str:
    """The path for an order's page, good for `link_hours`."""
    return _path(invoice, clock.now() + timedelta(hours=settings.TROTH.policy.link_hours))


def is_signed(invoice_id: str, signature: str) -> bool:
    """True for a link of ours whose time is not over."""
    parts = SIGNATURE.fullmatch(signature)
    if parts is None:
        return False
    end = int(parts[1], 16)
    return constant_time_compare(parts[2], _mac(invoice_id, end)) and clock.now().timestamp() < end


def _path(invoice: Invoice, until: datetime) -> str:
    end = int(until.timestamp())
    return f"/invoice/{invoice.id}?s={end:x}.{_mac(invoice.id, end)}"


def _mac(invoice_id: str, end: int) -> str:
    return salted_hmac("troth.invoice", f"{invoice_id}/{end}", algorithm="sha256").hexdigest()[:32]
