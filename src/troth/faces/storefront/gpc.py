"""Global Privacy Control: a browser that sends `Sec-GPC: 1` says no where its reader is asked whether to say no.

W3C, Global Privacy Control (Working Draft), sections 3 and 4. Nothing is sold or shared here, so what is left to honour
is news: where the choice offered is to object, the signal counts as the tick. Who ticks a yes by hand has said yes to
this shop in particular, and that stands.
"""

from __future__ import annotations

import msgspec
from django.http import HttpRequest

from troth.shop.mailings import consent


class Support(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """/.well-known/gpc.json: whether the signal is honoured, and since which day that has been so."""

    gpc: bool
    lastUpdate: str = msgspec.field(default="2026-11-22")


def chosen(request: HttpRequest, place: str, ticked: bool | None) -> bool | None:
    """What the form at `place` says about news; None where it did not ask."""
    if ticked is None:
        return None
    return ticked or (request.headers.get("Sec-GPC") == "1" and consent.offer(place).unless)
