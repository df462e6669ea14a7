"""Links to downloads: they carry a grant, a release, an end and a signature, and no name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from troth.pledge import clock
from troth.shop.catalogue.models import Release
from troth.shop.delivery.models import Grant
from troth.shop.orders.models import Order

SIGNATURE = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{32})")  # its end in Unix seconds, and the MAC


class Link(msgspec.Struct, frozen=True):
    product_name: str
    version: str
    released_on: object
    size: int
    url: str  # path on this site
    uses_left: int
    ends_at: datetime


def of(order: Order, *, hours: int | None = None) -> list[Link]:
    """The newest release of each product granted, but for lines whose access has ended.

    `hours`: how long the link itself is good (None: as the grant).
    """
    granted = Grant.objects.filter(line__order=order, line__ended="").select_related("product").order_by("pk")
    return to(granted, hours=hours)


def to(granted: Iterable[Grant], *, hours: int | None = None) -> list[Link]:
    """The same for grants of lines whose access has not ended, with their products at hand.

    What was bought twice, in a bundle and by itself, is listed once: by the grant that is good for more.
    """
    best: dict[str, Grant] = {}
    for grant in granted:
        had = best.get(grant.product_id)
        if grant.ends_at > clock.now() and (had is None or _worth(grant) > _worth(had)):
            best[grant.product_id] = grant
    grants = list(best.values())
    releases: dict[str, Release] = {}
    held = {grant.product_id for grant in grants}
    for release in Release.objects.filter(product__in=held).order_by("-position") if held else ():
        releases[release.product_id] = release  # position 0 is the newest: the last one stays
    return [_link(grant, releases[grant.product_id], hours) for grant in grants if grant.product_id in releases]


def _worth(grant: Grant) -> tuple[bool, datetime, int]:
    return grant.used < grant.limit, grant.ends_at, grant.limit - grant.used


def sign(grant: Grant, release_id: int, hours: int | None = None) -> str:
    ends = grant.ends_at
    if hours is not None:
        ends = min(ends, clock.now() + timedelta(hours=hours))
    until = int(ends.timestamp())
    return f"{until:x}.{_mac(grant.id, release_id, until)}"


def is_signed(grant_id: str, release_id: int, signature: str) -> bool:
    """True for a link of ours whose time is not over."""
    parts = SIGNATURE.fullmatch(signature)
    if parts is None:
        return False
    end = int(parts[1], 16)
    return constant_time_compare(parts[2], _mac(grant_id, release_id, end)) and clock.now().timestamp() < end


def _mac(grant_id: str, release_id: int, until: int) -> str:
    return salted_hmac("troth.download", f"{grant_id}/{release_id}/{until}", algorithm="sha256").hexdigest()[:32]


def _link(grant: Grant, release: Release, hours: int | None) -> Link:
    return Link(
        grant.product.name,
        release.version,
        release.released_on,
        release.size,
        f"/download/{grant.id}/{release.pk}?s={sign(grant, release.pk, hours)}",
        max(0, grant.limit - grant.used),
        grant.ends_at,
    )


def absolute(path: str) -> str:
    return f"{settings.TROTH.web.public_url.rstrip('/')}{path}"
