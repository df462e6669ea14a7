"""P7: a customer's information is shared with no third party."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import mutations, pages
from troth.shop.journeys import reach

REFERRER = re.compile(r"<meta[^>]+name=.?referrer|\sreferrerpolicy=", re.IGNORECASE)  # either outdoes the header


def nothing_from_elsewhere(probe: Probe) -> Iterator[Finding]:
    seen = 0
    for path, page in pages.every(probe):
        seen += 1
        for host in pages.foreign(page):
            yield broken(f"{path} makes the browser fetch from {host}")
    yield holds(f"{seen} kinds of pages make a browser fetch from this shop alone")


def nothing_could_come(probe: Probe) -> Iterator[Finding]:
    for path, page in pages.every(probe):
        for directive in pages.open_doors(page, "form-action"):
            yield broken(f"the policy of {path} lets something foreign in: {directive}")
        if page.headers.get("referrer-policy") not in ("no-referrer", "same-origin"):
            yield broken(f"{path} tells other sites where its visitors come from")
        if REFERRER.search(page.text):
            yield broken(f"{path} says in its own text what other sites are told of its visitors")
    yield holds("every page forbids the browser to fetch from elsewhere or to tell others of the visit")


def styles_are_our_own(probe: Probe) -> Iterator[Finding]:
    sheets = {address for _, page in pages.every(probe) for tag, address in page.resources if tag == "link"}
    for address in sorted(sheets):
        if urlsplit(address).netloc or not address.startswith("/"):
            continue  # told by the first check
        text = probe.page(address).text
        if (
            "url(http" in text.replace(" ", "").replace('"', "").replace("'", "")
            or "url(//" in text
            or "@import" in text
        ):
            yield broken(f"the style {address} fetches from elsewhere")
    yield (
        holds(f"{len(sheets)} styles and icons fetch nothing from elsewhere")
        if sheets
        else broken("no style is served")
    )


def nobody_else_is_shown_it(probe: Probe) -> Iterator[Finding]:
    """Every page about the marker customer, asked for by somebody else who knows its address."""
    left = probe.marker()
    if left is None:
        yield gap("no marker customer beside real providers; this is tried beside look-alikes")
        return
    for kind in left.shown_to_others:
        yield broken(f"{kind} tells whoever knows its address about the customer")
    for kind in left.kept_by_browsers:
        yield broken(f"{kind} is about a customer, and browsers and caches may keep it")
    yield holds("pages about a customer are shown to nobody else, and no browser or cache may keep them")


def _with_font(source: str) -> str:
    return source.replace("</head>", '<link rel="stylesheet" href="https://fonts.example/css?family=Lato"></head>')


def _with_pixel(source: str) -> str:
    return source.replace("<h1", '<img src="https://pixel.example/1.gif" alt=""><h1', 1)


def _with_referrer(source: str) -> str:
    return source.replace("</head>", '<meta name="referrer" content="unsafe-url"></head>')


@contextmanager
def _with_drawing() -> Iterator[None]:
    """An icon for the season, drawn with a font from elsewhere."""
    drawing = Path(settings.MEDIA_ROOT) / "season.svg"
    link = '<link rel="icon" href="/media/season.svg"></head>'
    with mutations.page_edited("storefront/base.html", lambda source: source.replace("</head>", link)):
        drawing.parent.mkdir(exist_ok=True)
        drawing.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg"><style>@import "//fonts.example/a.css"</style></svg>'
        )
        try:
            yield
        finally:
            drawing.unlink(missing_ok=True)


CLAUSE = Clause(
    id="P7",
    title=_("Third parties"),
    words=_("We share your information with no third party, except as the law demands (see P12)."),
    stricter=_("The recipients that technique needs are named: your payment provider and our mail relay."),
    enforced=(
        _("No page loads anything from elsewhere, and browsers are told to refuse it."),
        _("Connections leave for declared recipients only; each process refuses all others (see P14)."),
    ),
    checks=(
        Check("pages fetch nothing from elsewhere", "runtime", nothing_from_elsewhere),
        Check("browsers are told to refuse what is foreign", "runtime", nothing_could_come),
        Check("styles fetch nothing from elsewhere", "static", styles_are_our_own),
        Check("nobody else is shown a customer's pages", "synthetic", nobody_else_is_shown_it),
    ),
    mutants=(
        Mutant(
            "a font from elsewhere",
            lambda: mutations.page_edited("storefront/base.html", _with_font),
            turns=(nothing_from_elsewhere,),
        ),
        Mutant(
            "a pixel on the order's page",
            lambda: mutations.page_edited("storefront/order.html", _with_pixel),
            turns=(nothing_from_elsewhere,),
        ),
        Mutant(
            "other sites are told of the visit",
            lambda: mutations.page_edited("storefront/base.html", _with_referrer),
            turns=(nothing_could_come,),
        ),
        Mutant(
            "an order's page is shown to whoever has its number",
            lambda: mutations.replaced(reach, "may_see", lambda *given: True),
            in_demo=False,
            turns=(nobody_else_is_shown_it,),
        ),
        Mutant("an icon that fetches a font", _with_drawing, turns=(styles_are_our_own,)),
    ),
)
