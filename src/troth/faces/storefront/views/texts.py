"""Terms, imprint and the other texts of law: as they count now, and as they counted when somebody agreed to them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.law_texts import USUAL
from troth.shop import policy_version
from troth.shop.texts import standing
from troth.shop.texts.markdown import html


def url_name(name: str) -> str:
    """What urls.py calls the page of a usual text."""
    return name if name == "terms" else f"{name}_text"


def address_of(name: str) -> str:
    """Where a text stands: the usual ones at an address of their own, all others below /texts/."""
    return reverse(url_name(name)) if name in USUAL else reverse("text", args=[name])


def version_address(name: str, version: str) -> str:
    """Where a text stands as it was."""
    return (
        reverse(f"{name}_version", args=[version]) if name in USUAL else reverse("text_version", args=[name, version])
    )


def links() -> list[tuple[str, str]]:
    """Address and title of each text, for the foot of every page."""
    return [(address_of(name), text.title) for name, text in standing.texts().items()]


def agreeing() -> dict[str, str]:
    """What a form names to which its sender agrees: the versions that count, put down before anybody can agree."""
    standing.announce()
    notice = address_of("withdrawal") if "withdrawal" in standing.texts() else ""
    versions = {"terms_version": standing.terms_version(), "policy_version": policy_version.current()}
    return {**versions, "withdrawal_notice": notice}


@require_safe
def current(request: HttpRequest, name: str) -> HttpResponse:
    """GET /terms, /imprint, /withdrawal, /licence, /texts/<name>"""
    return _show(request, standing.current(name))


@require_safe
def version(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """GET /terms/<version>: what somebody agreed to, for as long as the shop lasts."""
    return _show(request, standing.version(name, version))


def _show(request: HttpRequest, found: standing.Published | None) -> HttpResponse:
    if found is None:
        raise Http404
    earlier = [
        {"since": row.since, "version": row.version, "url": version_address(row.name, row.version)}
        for row in standing.history(found.row.name)
        if row.number != found.row.number
    ]
    context = {
        "text": found.text,
        "body": html(found.text.body),
        "since": found.row.since,
        "current": found.current,
        "now_at": address_of(found.row.name),
        "others": earlier,
    }
    return page(request, "text.html", context)
