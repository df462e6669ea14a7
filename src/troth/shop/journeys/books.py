"""Books: invoices and credit notes by month, with no personal field; and what in them somebody should look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice

import msgspec
from django.db.models import Count, Max, Q
from django.utils.crypto import salted_hmac

from troth.shop.invoices.models import Invoice, Series
from troth.shop.money import Money
from troth.shop.payments.models import Payment
from troth.shop.tax.rates import vat_country
from troth.shop.tax.rules import percent

SLICE = 500  # entries in memory, whose payments are asked for together


class Entry(msgspec.Struct, frozen=True):
    """One line of the books. Sums in major units; those of credit notes are negative."""

    number: str
    kind: str
    date: str
    order: str
    corrects: str
    country: str  # whose tax it is, or would be
    payment_country: str  # as the provider reports it: the second piece of evidence; "" if it says nothing
    treatment: str
    rate: str
    currency: str
    net: str
    tax: str
    total: str
    buyer: str  # a pseudonym: the same buyer has the same one in these books, and nowhere else


def month(text: str) -> tuple[datetime, datetime]:
    """The first moment of a month written YYYY-MM and of the next (UTC). ValueError if it is none."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
    if match is None:
        raise ValueError("not a month")
    first = date(int(match[1]), int(match[2]), 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return _start(first), _start(following)


def entries(since: datetime | None = None, until: datetime | None = None) -> Iterator[Entry]:
    """The books in the order of issue; read in steps, so that their size does not matter."""
    wanted = Q()
    if since is not None:
        wanted &= Q(issued_at__gte=since)
    if until is not None:
        wanted &= Q(issued_at__lt=until)
    rows = Invoice.objects.filter(wanted).select_related("corrects").order_by("issued_at", "series", "sequence")
    found = rows.iterator(SLICE)
    while some := list(islice(found, SLICE)):
        countries = _payment_countries([row.order_id for row in some])
        yield from (_entry(row, countries.get(row.order_id, "")) for row in some)


def doubts() -> Iterator[Entry]:
    """Invoices whose payment came from another country than the one that was taxed. Told, never guessed away."""
    for entry in entries():
        paid_from = vat_country(entry.payment_country)
        if entry.kind == Invoice.INVOICE and paid_from and paid_from != _lives_in(entry.order):
            yield entry


def gaps() -> list[str]:
    """Series whose numbers are not exactly 1 to their last. Always empty, or something was done behind the guards."""
    had = {
        row["series"]: (row["count"], row["last"])
        for row in Invoice.objects.values("series").annotate(count=Count("pk"), last=Max("sequence"))
    }
    return [one.name for one in Series.objects.order_by("name") if had.get(one.name, (0, 0)) != (one.last, one.last)]


def cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula (OWASP, CSV injection). Numbers stay numbers."""
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return text
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _entry(row: Invoice, payment_country: str) -> Entry:
    sign = -1 if row.kind == Invoice.CREDIT else 1

    def amount(minor: int) -> str:
        return str(Money(sign * minor, row.currency).decimal())

    return Entry(
        number=row.number,
        kind=row.kind,
        date=row.issued_at.astimezone(UTC).date().isoformat(),
        order=row.order_id,
        corrects=row.corrects.number if row.corrects else "",
        country=row.tax_country,
        payment_country=payment_country,
        treatment=row.treatment,
        rate=percent(row.rate),
        currency=row.currency,
        net=amount(row.net_minor),
        tax=amount(row.tax_minor),
        total=amount(row.net_minor + row.tax_minor),
        buyer=salted_hmac("troth.books", row.person_id, algorithm="sha256").hexdigest()[:12],
    )


def _payment_countries(orders: list[str]) -> dict[str, str]:
    """Of each order the country of its first payment that counts."""
    settled = Payment.objects.filter(order__in=orders, state__in=Payment.SETTLED, surplus=False)
    return dict(settled.order_by("-pk").values_list("order_id", "payer_country"))


def _lives_in(order_ref: str) -> str:
    return vat_country(Invoice.objects.filter(order=order_ref).values_list("order__country", flat=True)[0])


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
