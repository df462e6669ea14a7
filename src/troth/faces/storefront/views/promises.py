"""The privacy policy with its live state: for people, and the same for machines."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.pledge.vault import published as published_ledger
from troth.shop import policy_version, recipients
from troth.shop.clauses import published, versions

STATES = ("holds", "broken", "unknown", "gap")
TAGS = {"holds": "", "broken": "tag-bad", "unknown": "tag-wait", "gap": "tag-plain"}


@require_safe
def view(request: HttpRequest) -> HttpResponse:
    """GET /privacy. Never kept by the page cache: a promise that breaks shows within seconds."""
    rows = published.page()
    counts = Counter(row.state for row in rows)
    context = {
        "rows": rows,
        "version": policy_version.current(),
        "versions": versions.kept(),
        "coming": versions.coming(),
        "recipients": recipients.elsewhere(settings.TROTH),
        "tally": [(state, counts[state]) for state in STATES if counts[state]],
        "state_names": {
            "holds": _("holds"),
            "broken": _("broken"),
            "unknown": _("unknown"),
            "gap": _("declared gap"),
        },
        "state_tags": TAGS,
    }
    return page(request, "privacy.html", context)


@require_safe
def as_json(request: HttpRequest) -> JsonResponse:
    """GET /privacy.json: {"version": …, "promises": [{"id", "title", "words", "state", "findings", …}]}"""
    return JsonResponse({"version": policy_version.current(), "promises": [_told(row) for row in published.page()]})


@require_safe
def version(request: HttpRequest, name: str) -> HttpResponse:
    """GET /privacy/<version>: the policy as it was then, and what changed in it. 404 for one that never was."""
    found = versions.find(name)
    if found is None:
        raise Http404
    before = versions.before(found)
    context = {"told": found, "before": before, "changes": versions.difference(before, found)}
    return page(request, "privacy_version.html", context)


@require_safe
def proof(request: HttpRequest, seq: int) -> HttpResponse:
    """GET /privacy/proof/<n>: what shows offline that a verdict stands in the ledger. 404 while it is not published."""
    receipt = published_ledger.everyday(seq) if seq < 1 << 63 else None
    if receipt is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="verdict-{seq}.zip"'}
    return HttpResponse(receipt.archive(), content_type="application/zip", headers=headers)


def _told(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": str(row.title),
        "words": str(row.words),
        "stricter": str(row.stricter),
        "state": row.state,
        "findings": [str(finding) for finding in row.findings],
        "enforced": [str(line) for line in row.enforced],
        "checks": [str(line) for line in row.checks],
        "checked_at": row.checked_at.isoformat() if row.checked_at else None,
        "by_people": str(row.by_people),
        "past": [{"state": state, "checked_at": when.isoformat()} for state, when in row.past],
        "proof": reverse("privacy_proof", args=[row.entry]) if row.entry is not None else None,
        "choices": [{"text": str(text), "href": href} for text, href in row.choices],
    }
