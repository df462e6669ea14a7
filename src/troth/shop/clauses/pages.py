"""What several clauses look at: the public pages, and what a browser would fetch or send from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from django.apps import apps
from django.conf import settings
from django.template import engines
from jinja2 import Environment, TemplateNotFound

from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Page
from troth.shop.catalogue.models import Product

ALWAYS = ("/", "/basket", "/register", "/sign-in", "/recover", "/privacy", "/terms", "/contact")


def public(probe: Probe) -> Iterator[tuple[str, Page]]:
    """Every kind of page that a visitor sees without signing in, and a product's page, by path."""
    paths = list(ALWAYS)
    slug = Product.objects.filter(published=True).values_list("slug", flat=True).first()
    if slug:
        paths.append(f"/p/{slug}")
    for path in paths:
        yield path, probe.page(path)


def every(probe: Probe) -> Iterator[tuple[str, Page]]:
    """The public pages, and in test mode all that the marker customer was shown: checkout, orders, account."""
    seen = dict(public(probe))
    yield from seen.items()
    left = probe.marker()
    yield from ((path, page) for path, page in (left.pages if left else {}).items() if path not in seen)


def shown(probe: Probe) -> Iterator[tuple[str, Page]]:
    """The public pages, and in test mode every page with a form that a visitor was shown, each time that they were."""
    yield from public(probe)
    left = probe.marker()
    yield from left.forms if left else ()


def sources() -> Iterator[tuple[str, str]]:
    """(name, source) of every page and letter that is ours, with what a mutant or an owner's own folder changed."""
    environment: Environment = engines["jinja2"].env  # type: ignore[attr-defined]
    for config in apps.get_app_configs():
        for folder in ("jinja2", "letters"):
            for path in sorted(Path(config.path, folder).rglob("*.*")):
                if path.suffix not in (".html", ".txt"):
                    continue
                name = str(path.relative_to(Path(config.path, folder)))
                try:
                    source = environment.loader.get_source(environment, name)[0]  # type: ignore[union-attr]
                except TemplateNotFound:
                    own = settings.TROTH.home / "templates" / "letters" / name  # letters have a loader of their own
                    source = (own if own.is_file() else path).read_text("utf-8")
                yield name, source


def foreign(page: Page) -> list[str]:
    """Hosts other than the shop's own from which a browser would fetch something for this page."""
    own = urlsplit(page.url).netloc
    hosts = (urlsplit(urljoin(page.url, address)).netloc for _, address in page.resources if not _inline(address))
    return sorted({host for host in hosts if host and host != own})


def _inline(address: str) -> bool:
    return address.startswith(("data:", "#"))


def policy(page: Page) -> dict[str, list[str]]:
    """The Content-Security-Policy by directive (CSP level 3)."""
    parts = (part.split() for part in page.headers.get("content-security-policy", "").split(";"))
    return {words[0].lower(): words[1:] for words in parts if words}


FOREIGN_SOURCE = re.compile(r"^(\*|https?:|//|[a-z0-9-]+\.)", re.IGNORECASE)


def open_doors(page: Page, *ignored: str) -> list[str]:
    """Directives of the page's policy that let something foreign in, or are missing."""
    rules = policy(page)
    wrong = [] if rules.get("default-src") in (["'none'"], ["'self'"]) else ["default-src"]
    for directive, sources in rules.items():
        if directive not in ignored and any(FOREIGN_SOURCE.match(source) or "unsafe" in source for source in sources):
            wrong.append(directive)
    return wrong


def inputs(page: Page, form: str) -> set[str]:
    """Autocomplete tokens (or names) of what a form asks a person for."""
    asked = set()
    for one in page.forms:
        if form in one.action or form in page.url:
            asked |= {token(field.token) or field.name for field in one.fields if field.kind != "hidden"}
    return asked


def token(autocomplete: str) -> str:
    """The field's own word: "billing postal-code" is postal-code, "off" says nothing."""
    words = [word for word in autocomplete.split() if word not in ("billing", "section-own", "on", "off")]
    return words[-1] if words else ""
