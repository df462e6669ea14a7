"""How the desk answers: a page in its frame, or a page that says one thing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from troth.faces.desk.frame import frame


def page(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """`template` lies in jinja2/desk and extends desk/base.html, which wants `desk`: who sits here, what is wrong."""
    response = render(request, f"desk/{template}", {"desk": frame(request), **(context or {})}, status=status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def word(
    request: HttpRequest, heading: str, *sentences: str, status: int = 200, href: str = "", label: str = ""
) -> HttpResponse:
    context = {"heading": heading, "sentences": sentences, "href": href, "label": label}
    return page(request, "word.html", context, status)
