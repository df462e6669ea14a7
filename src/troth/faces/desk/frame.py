"""What stands around every page of the desk: the pages of one's roles, and whatever somebody here must know now."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from troth.pledge import clock
from troth.pledge.policy.models import Verdict
from troth.shop.clauses import BY_ID
from troth.shop.staff.short import code

ROLE_NAMES = {
    "support": gettext_lazy("Support"),
    "billing": gettext_lazy("Billing"),
    "catalogue": gettext_lazy("Catalogue"),
    "officer": gettext_lazy("Privacy officer"),
    "owner": gettext_lazy("Owner"),
}
WHYS = {
    "question": gettext_lazy("A question"),
    "payment": gettext_lazy("A payment"),
    "delivery": gettext_lazy("A delivery"),
    "invoice": gettext_lazy("An invoice"),
    "rights": gettext_lazy("Their own data"),
    "glass": gettext_lazy("Break-glass"),
    "disclosure": gettext_lazy("A lawful disclosure"),
}
PURPOSE_NAMES = {"support": gettext_lazy("to answer"), "bill": gettext_lazy("to bill")}


class Banner(msgspec.Struct, frozen=True):
    kind: str  # bad, wait
    text: str
    href: str = ""


class Frame(msgspec.Struct, frozen=True):
    """`who` is None where nobody sits here yet."""

    who: str | None
    roles: list[str]
    pages: list[tuple[str, object]]  # address, label
    banners: list[Banner]
    names: dict[str, dict[str, Any]]


def frame(request: HttpRequest) -> Frame:
    from troth.faces.desk.urls import PAGES  # the pages know their views, which know this

    seat = getattr(request, "desk", None)
    names = {"roles": ROLE_NAMES, "whys": WHYS, "purposes": PURPOSE_NAMES}
    if seat is None:
        return Frame(None, [], [], _mode(), names)
    pages = [
        (reverse(one.name), one.label)
        for one in PAGES
        if one.label and (not one.open_to.roles or one.open_to.roles & seat.roles)
    ]
    return Frame(code(seat.told.colleague.ref), list(seat.told.roles), pages, _banners(seat.told.glass), names)


def _banners(glass: int) -> list[Banner]:
    found = [
        Banner("bad", _("Promise %(id)s is broken: see what was found.") % {"id": one}, f"{reverse('privacy')}#{one}")
        for one in _broken()
    ]
    if glass:
        text = ngettext(
            "The glass is broken: %(count)d job is open without the role for it.",
            "The glass is broken: %(count)d jobs are open without the role for it.", glass,
        ) % {"count": glass}  # fmt: skip
        found.append(Banner("bad", text))
    return found + _mode()


def _mode() -> list[Banner]:
    return [] if settings.TROTH.live else [Banner("wait", _("This is a test shop: no money moves."))]


def _broken() -> list[str]:
    """Promises whose latest verdict, not yet too old, says that they are broken."""
    latest = Verdict.objects.filter(clause__in=list(BY_ID)).values("clause").annotate(last=Max("pk")).values("last")
    rows = Verdict.objects.filter(pk__in=latest, state="broken", expires_at__gt=clock.now())
    return sorted(rows.values_list("clause", flat=True))
