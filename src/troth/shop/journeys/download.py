"""Download: a signed, expiring, counted link fetches a file, in pieces where the browser asks for them.

A download is counted when it begins; for an hour after that its ranges are free, so that an interrupted one goes on.
The count is a conditional update: two browsers at once cannot both take the last one.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import msgspec
from django.conf import settings
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.accounts.models import Claim
from troth.shop.catalogue.keeping import lies
from troth.shop.catalogue.models import Release
from troth.shop.delivery import links as signed
from troth.shop.delivery.links import Link
from troth.shop.delivery.models import Grant
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused

FREE = timedelta(hours=1)
ONE_RANGE = re.compile(r"^bytes=(\d{0,15})-(\d{0,15})$")


class Piece(msgspec.Struct, frozen=True):
    """Bytes `start` to `end` (inclusive) of the file at `path`; status 200, 206 or 416 (then nothing is sent)."""

    path: Path
    name: str
    size: int
    start: int
    end: int
    sha256: str
    status: int


def links(order: Order) -> list[Link]:
    """The links for an order's page, each good for `link_hours`."""
    if order.state != Order.PAID:
        return []
    return signed.of(order, hours=settings.TROTH.policy.link_hours)


def of_person(person_ref: str) -> list[Link]:
    """The same for all that somebody bought, as a guest too where they claimed it: the newest of each product."""
    of_theirs = Grant.objects.filter(
        line__order__person__in=Claim.persons_of(person_ref), line__order__state=Order.PAID, line__ended=""
    )
    return signed.to(of_theirs.select_related("product").order_by("pk"), hours=settings.TROTH.policy.link_hours)


def fetch(grant_id: str, release_id: int, signature: str, range_header: str = "") -> Piece:
    """What to send for a link. Refused if it is not ours, over, used up, or its order is no longer paid."""
    if not signed.is_signed(grant_id, release_id, signature):
        raise Refused(_("This link is not valid any more; open your order for a fresh one."))
    open_still = Grant.objects.filter(line__order__state=Order.PAID, line__ended="", ends_at__gt=clock.now())
    grant = open_still.filter(pk=grant_id).first()
    release = Release.objects.filter(pk=release_id, product=grant.product_id).first() if grant else None
    if grant is None or release is None:
        raise Refused(_("This download has ended; write to us and we will help."))
    path = lies(release.file)
    start, end, status = _range(range_header, release.size)
    if status != 416:
        _count(grant)
    return Piece(path, Path(release.file).name, release.size, start, end, release.sha256, status)


def _count(grant: Grant) -> None:
    now = clock.now()
    begun = Grant.objects.filter(pk=grant.pk).filter(Q(open_until__isnull=True) | Q(open_until__lte=now))
    if begun.filter(used__lt=F("limit")).update(used=F("used") + 1, open_until=now + FREE) == 1:
        return
    if not Grant.objects.filter(pk=grant.pk, open_until__gt=now).exists():
        raise Refused(_("This download was used as often as agreed; write to us and we will help."))


def _range(header: str, size: int) -> tuple[int, int, int]:
    """One range as RFC 9110 section 14 has it; several, or something else, get the whole file."""
    match = ONE_RANGE.match(header.strip())
    if not match or match[1] == match[2] == "":
        return 0, size - 1, 200
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size - 1
    else:
        start, end = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if start > end or start >= size:
        return 0, -1, 416
    return start, end, 206
