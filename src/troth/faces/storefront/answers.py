"""How views answer: a template in Jinja, a page that says one thing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    return render(request, f"storefront/{template}", context or {}, status=status)


def word(
    request: HttpRequest, heading: str, *sentences: str, href: str = "", label: str = "", section: str = "account"
) -> HttpResponse:
    """A page that says what has been done and where to go now."""
    context = {"heading": heading, "sentences": sentences, "href": href, "label": label, "section": section}
    return page(request, "word.html", context)
