"""The templates' surroundings: what every template may call, and how money, dates and sizes are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from troth.faces.storefront import look, overrides
from troth.faces.storefront.assets import asset
from troth.faces.storefront.views import texts
from troth.pledge.clock import now as clock_now
from troth.shop import written
from troth.shop.clauses import BY_ID
from troth.shop.journeys.entitlement import hours
from troth.shop.money import Money

_CELL = re.compile(r"<(tr|th|td)(?=[ >])")


def environment(**options: Any) -> Environment:
    """The Jinja environment of all faces. A name that a view forgot to give is an error, never an empty space."""
    shipped = PrefixLoader({"shipped": FileSystemLoader(overrides.OURS)})  # for templates that override ours
    options["loader"] = ChoiceLoader([options["loader"], shipped])
    options |= {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    env = Environment(**options, extensions=["jinja2.ext.i18n"])  # noqa: S701 - Django passes autoescape=True
    env.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True, pgettext=translation.pgettext
    )
    env.globals |= {
        "asset": asset,
        "canonical": canonical,
        "footer": look.footer(),
        "language": language,
        "logos": look.logos(),
        "media": media,
        "given": given,
        "policy": settings.TROTH.policy,
        "query": query,
        "shop": settings.TROTH.shop,
        "site": settings.TROTH.web.public_url.rstrip("/"),
        "text_links": texts.links,
        "shop_tax": settings.TROTH.tax,
        "url": address,
    }
    env.filters |= {
        "ago": ago,
        "clock": clock,
        "country": written.country,
        "date": day,
        "datetime": moment,
        "filesize": filesize,
        "headed": headed,
        "hours": hours,
        "money": money,
    }
    return env


def language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


def canonical(path: str) -> Markup:
    """The one address of a public page, for who found it under several (RFC 6596)."""
    return Markup('<link rel="canonical" href="{}">').format(settings.TROTH.web.public_url.rstrip("/") + path)


@lru_cache(maxsize=512)
def _reversed(name: str, args: tuple[object, ...]) -> str:
    return reverse(name, args=args)


def address(name: str, *args: object) -> str:
    """The path of a page by its name in urls.py. NoReverseMatch if there is none."""
    return _reversed(name, args)


def query(**values: object) -> str:
    """A query string of those values that say something: `?kind=module&page=2`, or nothing at all."""
    said = {key: value for key, value in values.items() if value not in ("", None, 1)}
    return "?" + urlencode(said) if said else ""


def headed(rows: Markup, heads: Sequence[str]) -> Markup:
    """A table's rows whose cells say in data-head what stands above them: folded for a narrow page, none is above."""
    column = 0

    def told(cell: re.Match[str]) -> str:
        nonlocal column
        column = 0 if cell[1] == "tr" else column + 1
        head = heads[column - 1] if cell[1] == "td" and column <= len(heads) else ""
        return cell[0] + (f' data-head="{escape(head)}"' if head else "")

    return Markup(_CELL.sub(told, rows))  # noqa: S704 - what was markup, and an escaped word


def given(*ids: str) -> list[str]:
    """Those of the promises that stand on the policy page: a form links no promise that is not given yet."""
    return [name for name in ids if name in BY_ID]


def media(file: str) -> str:
    """The address of a picture that lies below MEDIA_ROOT."""
    return settings.MEDIA_URL + quote(file)


def money(value: Money | tuple[int, str]) -> str:
    """An amount as people of the shop's language write it: €49.00, ¥1,500."""
    return written.money(value if isinstance(value, Money) else Money(*value))


def _time(text: str, stamp: datetime | date) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(stamp.isoformat(), text)


def day(value: date | datetime) -> Markup:
    return _time(written.day(value), value)


def moment(value: datetime) -> Markup:
    """A day and a time, in UTC and saying so: the page does not know where its reader is."""
    return _time(written.moment(value), value)


def clock(value: datetime) -> Markup:
    """The time today, or day and time if it is another day."""
    if value.date() != clock_now().date():
        return moment(value)
    return _time(written.hour(value), value)


def ago(value: datetime) -> Markup:
    return _time(written.ago(value - clock_now()), value)


def filesize(size: int) -> str:
    """Bytes as people say them, in steps of 1,000: 14 kB, 2.1 MB."""
    step = min(len(str(size)) // 3 - (len(str(size)) % 3 == 0), 3)
    scaled = size / 1000**step
    text = written.number(round(scaled, 1 if step and scaled < 10 else 0))
    return f"{text} {('B', 'kB', 'MB', 'GB')[step]}"
