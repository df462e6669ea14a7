"""Skrill's own books: the account's history as a table, by day.

Source: docs.paysafe.com, digital wallets: "Merchant Query Interface", action `history`. Days are Central European; a
line that belongs to another names that one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx

from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import Back, Entry, ProviderDown, ProviderRefused, Returned
from troth.shop.payments.providers.http import send
from troth.shop.payments.providers.skrill.settings import SkrillSettings
from troth.shop.payments.providers.skrill.signature import mqi_password

STATES = {"processed": Back.DONE, "pending": Back.PENDING, "failed": Back.FAILED, "cancelled": Back.FAILED}
LARGEST = 16 * 1024 * 1024  # bytes: some hundred thousand lines
SPAN = timedelta(days=30)
_MARGIN = timedelta(days=1)  # their days are not ours
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def rows(
    http: httpx.Client, settings: SkrillSettings, begin: datetime, end: datetime
) -> Iterator[tuple[Entry, str, Back]]:
    """Each movement between two days, its own Skrill id of the payment it belongs to, and its state."""
    day, last = begin - _MARGIN, end + _MARGIN
    while day <= last:
        until = min(day + SPAN, last)
        yield from _read(_ask(http, settings, day, until))
        day = until + timedelta(days=1)


def returned(
    http: httpx.Client, settings: SkrillSettings, capture_ref: str, begin: datetime, end: datetime
) -> tuple[Returned, ...]:
    """The movements back that belong to one payment."""
    return tuple(
        Returned(entry.ref, entry.amount, state, "", capture_ref, entry.reversal)
        for entry, about, state in rows(http, settings, begin, end)
        if entry.back and about == capture_ref
    )


def _ask(http: httpx.Client, settings: SkrillSettings, begin: datetime, end: datetime) -> str:
    asked = {
        "email": settings.pay_to_email,
        "password": mqi_password(settings.mqi_password),
        "action": "history",
        "start_date": begin.strftime("%d-%m-%Y"),
        "end_date": end.strftime("%d-%m-%Y"),
    }
    content = urlencode(asked).encode()
    answer = send(http, "POST", settings.query_url, headers=_FORM, content=content, largest=LARGEST)
    text = answer.body.decode("utf-8", errors="replace")
    first = text.split("\t", 1)[0].strip()
    if first.isdecimal() and len(first) == 3:  # errors come with status 200, and begin with a code
        raise ProviderRefused(first)
    if answer.status != 200 or not text.startswith("ID,"):
        raise ProviderDown("answer")
    return text


def _read(text: str) -> Iterator[tuple[Entry, str, Back]]:
    table = csv.reader(io.StringIO(text))
    head = next(table)
    places = {name.split(" ")[0] if name[:3] in ("[-]", "[+]") else name: at for at, name in enumerate(head)}
    wanted = ("ID", "Type", "[-]", "[+]", "Status", "Reference", "ID of the corresponding Skrill transaction")
    if any(name not in places for name in wanted):
        raise ProviderDown("columns")
    currency = head[places["[+]"]].removeprefix("[+]").strip()
    for row in table:
        if len(row) != len(head):
            raise ProviderDown("columns")  # half a table is none
        ref, kind, out, came, status, ours, about = (row[places[name]].strip() for name in wanted)
        amount = parse.money(out or came, currency)
        state = STATES.get(status.lower())
        if amount is None or state is None or (out and not about):
            continue  # fees and transfers, and what no order of ours can have caused
        entry = Entry(
            parse.code(ref), amount, bool(out), state != Back.PENDING, parse.code(ours), about, kind == "Chargeback"
        )
        yield entry, parse.code(about), state
