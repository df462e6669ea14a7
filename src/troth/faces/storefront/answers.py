"""How views answer: a template in Jinja, a page that says one thing."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from troth.faces.storefront import overrides

_log = logging.getLogger(__name__)


def page(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """A template with its context; ours where the owner's own fails with this context."""
    try:
        return render(request, f"storefront/{template}", context or {}, status=status)
    except overrides.FAULTS:
        if not overrides.any_of(settings.TROTH.home):
            raise
        _log.exception("a template of the owner's failed; ours was taken")
        return render(request, f"storefront/{template}", context or {}, status=status, using="shipped")


def word(
    request: HttpRequest, heading: str, *sentences: str, href: str = "", label: str = "", section: str = "account"
) -> HttpResponse:
    """A page that says what has been done and where to go now."""
    context = {"heading": heading, "sentences": sentences, "href": href, "label": label, "section": section}
    return page(request, "word.html", context)
