"""Reports: what was sold, taxed, given back, asked and opened, in a span of months. No field of a person is in any.

Sales, tax and products come from the figures that are kept with each invoice, so that they say what the books say and
take no longer in a large shop. What cost nothing has no invoice, and is in none of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import msgspec
from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troth.pledge import clock
from troth.shop.catalogue.models import Product
from troth.shop.invoices.models import Figure, Invoice
from troth.shop.journeys.books import month
from troth.shop.money import Money
from troth.shop.payments.models import Refund
from troth.shop.staff.models import Job
from troth.shop.support.models import Ticket
from troth.shop.tax.rules import percent

MOST_MONTHS = 120
MOST_TICKETS = 10_000  # that one page adds up; of more, the newest
MOST_PRODUCTS = 500

Cell = str | int | date | Money | timedelta | None


class Span(msgspec.Struct, frozen=True):
    """From the first moment of a month to the last of another (UTC); each written YYYY-MM."""

    first: str
    last: str

    @property
    def since(self) -> datetime:
        return month(self.first)[0]

    @property
    def until(self) -> datetime:
        return month(self.last)[1]

    @property
    def one_month(self) -> bool:
        return self.first == self.last


class Bar(msgspec.Struct, frozen=True):
    label: str
    value: Money


class Report(msgspec.Struct, frozen=True):
    """`heads` and `rows` are the table, and the CSV; `bars`: the same once more, to be drawn; `notes`: what to know."""

    heads: list[str]
    rows: list[list[Cell]]
    bars: list[Bar] = []
    notes: list[str] = []


def span(first: str, last: str) -> Span:
    """The months that somebody asked for; this year's so far where they asked for none. ValueError for what is none."""
    now = clock.now()
    last = last or f"{now:%Y-%m}"
    asked = Span(first or f"{last[:4]}-01", last)
    if not timedelta() < asked.until - asked.since < timedelta(days=31 * MOST_MONTHS):
        raise ValueError("no span of months")
    return asked


def sales(asked: Span) -> Report:
    """By month, or by day where it is one month: invoices, credit notes, and what is left of both."""
    of = Figure.DAY if asked.one_month else Figure.TAX
    sums = _signed(_figures(asked, of), "begins", "currency")
    rows: list[list[Cell]] = [
        [begins.isoformat()[: 10 if asked.one_month else 7], currency, one.papers, one.credits, *one.money(currency)]
        for (begins, currency), one in sorted(sums.items())
    ]
    period = _("Day") if asked.one_month else _("Month")
    heads = [period, _("Currency"), _("Invoices"), _("Credit notes"), _("Net"), _("Tax"), _("Total")]
    main = _main(currency for _begins, currency in sums)
    bars = [Bar(str(row[0]), row[-1]) for row in rows if row[1] == main and isinstance(row[-1], Money)]
    return Report(heads, rows, bars, [_("What cost nothing has no invoice and is not in here.")])


def tax(asked: Span) -> Report:
    """By country whose tax it is, treatment and rate."""
    sums = _signed(_figures(asked, Figure.TAX), "country", "treatment", "rate", "currency")
    rows: list[list[Cell]] = [
        [country, kind, f"{percent(rate)}", currency, one.papers, one.credits, *one.money(currency)]
        for (country, kind, rate, currency), one in sorted(sums.items())
    ]
    heads = [_("Country"), _("Treatment"), _("Rate, %"), _("Currency"), _("Invoices"), _("Credit notes")]
    main = _main(key[3] for key in sums)
    by_country: dict[str, int] = defaultdict(int)
    for (country, _kind, _rate, currency), one in sums.items():
        by_country[country] += one.tax if currency == main else 0
    ranked = sorted(by_country.items(), key=lambda pair: -pair[1])[:12]
    bars = [Bar(country, Money(minor, main)) for country, minor in ranked]
    return Report([*heads, _("Net"), _("Tax"), _("Total")], rows, bars)


def products(asked: Span) -> Report:
    """What sold, the most first."""
    sums = _signed(_figures(asked, Figure.PRODUCT), "product", "currency")
    ranked = sorted(sums.items(), key=lambda pair: (-pair[1].net - pair[1].tax, pair[0]))
    slugs = [key[0] for key, _one in ranked[:MOST_PRODUCTS]]
    names = dict(Product.objects.filter(pk__in=slugs).values_list("pk", "name"))
    rows: list[list[Cell]] = [
        [slug, names.get(slug, slug), currency, one.pieces, one.back, *one.money(currency)]
        for (slug, currency), one in ranked[:MOST_PRODUCTS]
    ]
    heads = [_("Address"), _("Product"), _("Currency"), _("Sold"), _("Credited whole"), _("Net"), _("Tax"), _("Total")]
    main = _main(currency for _slug, currency in sums)
    bars = [Bar(str(row[1]), row[-1]) for row in rows if row[2] == main and isinstance(row[-1], Money)]
    more = _("Only the first %(count)d are listed.") % {"count": MOST_PRODUCTS}
    return Report(heads, rows, bars[:12], [more] if len(ranked) > MOST_PRODUCTS else [])


def refunds(asked: Span) -> Report:
    """Money that went back or is on its way, by provider, why it went and how far it is."""
    rows_of = Refund.objects.filter(made_at__gte=asked.since, made_at__lt=asked.until)
    keys = ("provider", "kind", "why", "state", "payment__currency")
    found = rows_of.values(*keys).annotate(count=Count("pk"), sum=Sum("amount_minor")).order_by(*keys)
    rows: list[list[Cell]] = [
        [one["provider"], one["kind"], one["why"], one["state"], one["payment__currency"], one["count"],
         Money(int(one["sum"]), one["payment__currency"])]
        for one in found
    ]  # fmt: skip
    heads = [_("Provider"), _("By whom"), _("Why"), _("State"), _("Currency"), _("Number"), _("Sum")]
    return Report(heads, rows)


def support(asked: Span) -> Report:
    """Questions by the month in which they were asked: how long until the first answer, and until they were closed."""
    found = Ticket.objects.filter(made_at__gte=asked.since, made_at__lt=asked.until, merged_into=None)
    taken = list(found.order_by("-made_at").values_list("made_at", "answered_at", "closed_at")[: MOST_TICKETS + 1])
    by_month: dict[str, list[tuple[datetime, datetime | None, datetime | None]]] = defaultdict(list)
    for one in taken[:MOST_TICKETS]:
        by_month[f"{one[0]:%Y-%m}"].append(one)
    rows: list[list[Cell]] = []
    for name, asked_then in sorted(by_month.items()):
        first = [answered - made for made, answered, _closed in asked_then if answered]
        closed = [closed - made for made, _answered, closed in asked_then if closed]
        rows.append([name, len(asked_then), len(first), *_times(first), len(closed), *_times(closed)])
    heads = [_("Month"), _("Questions"), _("Answered"), _("First answer, median"), _("First answer, longest")]
    heads += [_("Closed"), _("Closing, median"), _("Closing, longest")]
    more = _("Only the newest %(count)d are in here.") % {"count": MOST_TICKETS}
    return Report(heads, rows, [], [more] if len(taken) > MOST_TICKETS else [])


def openings(asked: Span) -> Report:
    """Jobs that were taken, by role and purpose, and how often each kind opened its customer."""
    rows_of = Job.objects.filter(taken_at__gte=asked.since, taken_at__lt=asked.until)
    keys = ("role", "purpose", "why")
    found = rows_of.values(*keys).annotate(count=Count("pk"), opened=Sum("openings")).order_by(*keys)
    rows: list[list[Cell]] = [
        [one["role"], one["purpose"], one["why"], one["count"], int(one["opened"] or 0)] for one in found
    ]
    heads = [_("Role"), _("Purpose"), _("About"), _("Jobs"), _("Openings")]
    notes = [
        _("Each of these openings is an entry of the keeper's ledger, which its customer can read and nobody else."),
        _("What the shop's program opens by itself, to deliver or to bill, is not in here."),
    ]
    return Report(heads, rows, [], notes)


REPORTS: dict[str, tuple[object, Callable[[Span], Report]]] = {
    "sales": (gettext_lazy("Sales"), sales),
    "tax": (gettext_lazy("Tax"), tax),
    "products": (gettext_lazy("Products"), products),
    "refunds": (gettext_lazy("Money back"), refunds),
    "support": (gettext_lazy("Support"), support),
}


class Signed(msgspec.Struct):
    """Invoices less credit notes, in minor units."""

    papers: int = 0
    credits: int = 0
    pieces: int = 0
    back: int = 0
    net: int = 0
    tax: int = 0

    def money(self, currency: str) -> list[Money]:
        return [Money(minor, currency) for minor in (self.net, self.tax, self.net + self.tax)]


def _figures(asked: Span, of: str) -> QuerySet[Figure]:
    return Figure.objects.filter(of=of, begins__gte=asked.since.date(), begins__lt=asked.until.date())


def _signed(rows: QuerySet[Figure], *keys: str) -> dict[tuple[Any, ...], Signed]:
    """Added up by the database; one row for each key and kind."""
    sums = ("papers", "pieces", "net_minor", "tax_minor")
    found: dict[tuple[Any, ...], Signed] = defaultdict(Signed)
    for row in rows.values(*keys, "kind").annotate(**{f"all_{name}": Sum(name) for name in sums}):
        one = found[tuple(row[key] for key in keys)]
        papers, pieces, net, tax = (int(row[f"all_{name}"]) for name in sums)
        if row["kind"] == Invoice.CREDIT:
            one.credits, one.back = one.credits + papers, one.back + pieces
            one.net, one.tax = one.net - net, one.tax - tax
        else:
            one.papers, one.pieces = one.papers + papers, one.pieces + pieces
            one.net, one.tax = one.net + net, one.tax + tax
    return found


def _main(currencies: Iterable[str]) -> str:
    """The currency in which most rows are: what is drawn."""
    counts: dict[str, int] = defaultdict(int)
    for one in currencies:
        counts[one] += 1
    return max(sorted(counts), key=lambda one: counts[one], default="EUR")


def _times(gaps: Sequence[timedelta]) -> list[Cell]:
    return [timedelta(seconds=median(gap.total_seconds() for gap in gaps)), max(gaps)] if gaps else [None, None]
