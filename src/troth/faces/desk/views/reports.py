"""Reports: tables of sums, a plot where there is something to compare, the same as CSV. Nobody is in any of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.guards import open_to
from troth.faces.desk.plot import drawn
from troth.shop.journeys import books, reports
from troth.shop.money import Money
from troth.shop.refusal import Refused

READERS = ("billing", "owner")
LOOKERS = ("officer", "owner")


@require_safe
@open_to(*READERS)
def view(request: HttpRequest, name: str = "sales") -> HttpResponse:
    title, made = _known(name)
    return _told(request, name, title, made)


@require_safe
@open_to(*READERS)
def table(request: HttpRequest, name: str) -> HttpResponse:
    """The same as CSV."""
    _title, made = _known(name)
    return _written(request, name, made)


@require_safe
@open_to(*LOOKERS)
def openings(request: HttpRequest) -> HttpResponse:
    return _told(request, "", _("Openings"), reports.openings)


@require_safe
@open_to(*LOOKERS)
def openings_table(request: HttpRequest) -> HttpResponse:
    return _written(request, "openings", reports.openings)


@require_safe
@open_to(*READERS)
def the_books(request: HttpRequest) -> HttpResponse:
    """A month's invoices and credit notes, one a line: `troth invoices --month … --csv`. Buyers are pseudonyms."""
    text = request.GET.get("month", "")
    try:
        since, until = books.month(text)
    except ValueError:
        raise _no_month() from None
    fields = books.Entry.__struct_fields__
    rows = ([getattr(one, name) for name in fields] for one in books.entries(since, until))
    return _csv(f"books-{text}", fields, rows)


def _known(name: str) -> tuple[object, Callable[[reports.Span], reports.Report]]:
    if name not in reports.REPORTS:
        raise Http404
    return reports.REPORTS[name]


def _asked(request: HttpRequest) -> reports.Span:
    try:
        return reports.span(request.GET.get("from", ""), request.GET.get("to", ""))
    except ValueError:
        raise _no_month() from None


def _no_month() -> Refused:
    return Refused(_("Write months as 2026-11, the first before the last, ten years at most."))


def _told(
    request: HttpRequest, name: str, title: object, made: Callable[[reports.Span], reports.Report]
) -> HttpResponse:
    asked = _asked(request)
    told = made(asked)
    context = {
        "name": name, "title": title, "span": asked, "report": told, "plot": drawn(told.bars), "names": reports.REPORTS,
        "rows": [[_shown(cell) for cell in row] for row in told.rows],
        "roles": request.desk.roles,  # type: ignore[attr-defined]
    }  # fmt: skip
    return page(request, "report.html", context)


def _written(request: HttpRequest, name: str, made: Callable[[reports.Span], reports.Report]) -> HttpResponse:
    asked = _asked(request)
    told = made(asked)
    return _csv(f"{name}-{asked.first}-{asked.last}", told.heads, ([_plain(cell) for cell in row] for row in told.rows))


def _csv(name: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> HttpResponse:
    into = io.StringIO()
    out = csv.writer(into)
    out.writerow([books.cell(head) for head in heads])
    out.writerows([books.cell(text) for text in row] for row in rows)
    answer = HttpResponse(into.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _plain(cell: reports.Cell) -> str:
    """For programs: amounts with a point, times in hours."""
    if isinstance(cell, Money):
        return str(cell.decimal())
    if isinstance(cell, timedelta):
        return f"{cell.total_seconds() / 3600:.1f}"
    return cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(cell)


def _shown(cell: reports.Cell) -> Any:
    """For the page, which writes money by itself."""
    if isinstance(cell, timedelta):
        hours = cell.total_seconds() / 3600
        return _("%(hours).1f h") % {"hours": hours} if hours < 48 else _("%(days).1f days") % {"days": hours / 24}
    return "" if cell is None else cell
