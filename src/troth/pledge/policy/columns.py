"""Read every column of every table once, for all that must not stand there: needles in any spelling, card numbers,
addresses; and hashes, in the small tables and at the end of the large ones, where the newest rows stand.

Many rows at a time: what a column holds in them is laid end to end, with a mark between two values that ends a piece
of base64 and a row of digits alike, and is searched as one run of bytes. Nothing is held in memory but some megabytes.

A table is read in slices by its rows' numbers on SQLite, each by a statement of its own, so that no reader holds up
the journal of a shop that sells meanwhile; on PostgreSQL by a cursor of the server's, one short transaction a table.
A row that is written meanwhile may be missed; one that was there before is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from django.db import OperationalError, connection, transaction

from troth.pledge.policy import addresses, card_sieve, needles
from troth.pledge.policy.spellings import Pattern

AIM = 2 << 20  # bytes of a table's rows in memory at a time
FIRST, MOST = 100, 4000  # rows in a slice: at first, and at most
BETWEEN = card_sieve.BETWEEN
HASHED = 2 << 20  # bytes of a table in which hashes are looked for, besides its last slice
ADDRESSES = 1000  # that are kept of a place: more of them say no more
_BEFORE_ALL = -(2**63)
_BYTEA = 17  # PostgreSQL's number of the type

Slice = list[tuple[bytes | None, ...]]


class Reading(msgspec.Struct):
    """What was seen: `hits` as (needle, place, spelling), `cards` as places, with a place like "orders_order.state".

    `addresses`: of mailboxes and machines in each place that holds text, the first ADDRESSES of them.
    """

    needles: frozenset[str]
    hashes: frozenset[Pattern]
    hits: set[tuple[str, str, str]]
    cards: set[str]
    bytes: int = 0
    addresses: dict[str, set[str]] = {}


def read(
    wanted: Sequence[str], only: frozenset[str] | None = None, hashes: frozenset[Pattern] = frozenset()
) -> Reading:
    """Read every table, those too that no model declares; with `only` these tables alone."""
    reading = Reading(frozenset(wanted), hashes, set(), set())
    sieve, hashed = needles.Sieve(wanted), needles.Sieve((), tuple(hashes))
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    for table in tables:
        if only is None or table in only:
            _read_table(table, sieve, hashed, reading)
    return reading


def _read_table(table: str, sieve: needles.Sieve, hashed: needles.Sieve, reading: Reading) -> None:
    columns = _columns(table)
    places = [f"{table}.{name}" for name, _ in columns]
    scans, before, last = [needles.Scan(sieve) for _ in places], reading.bytes, Slice()
    for rows in _slices(table, columns):
        last = rows
        if reading.hashes and reading.bytes - before < HASHED:
            _note_hashes(places, rows, hashed, reading)
            last = []
        for place, scan, column in zip(places, scans, zip(*rows, strict=True), strict=True):
            values = list(filter(None, column))
            if not values:
                continue
            run = BETWEEN.join(values) + BETWEEN
            reading.bytes += len(run)
            reading.hits.update((needle, place, spelling) for spelling, _, needle in scan.feed(run))
            if place not in reading.cards and card_sieve.any_holds(values, run):
                reading.cards.add(place)
            _note_addresses(reading.addresses.setdefault(place, set()), run)
    if reading.hashes and last:
        _note_hashes(places, last, hashed, reading)


def _note_hashes(places: list[str], rows: Slice, hashed: needles.Sieve, reading: Reading) -> None:
    for place, column in zip(places, zip(*rows, strict=True), strict=True):
        run = BETWEEN.join(filter(None, column))
        reading.hits.update((needle, place, spelling) for spelling, _, needle in hashed.hits(run, 0))


def _note_addresses(known: set[str], run: bytes) -> None:
    if len(known) < ADDRESSES:
        found = set(addresses.found(run))
        if found and addresses.is_text(run):
            known |= found


def _columns(table: str) -> list[tuple[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {_quoted(table)} LIMIT 0")  # noqa: S608 - our own tables' names
        return [(column[0], column[1]) for column in cursor.description or ()]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name).replace("%", "%%")


def _slices(table: str, columns: list[tuple[str, Any]]) -> Iterator[Slice]:
    if connection.vendor == "postgresql":
        yield from _by_cursor(table, columns)
        return
    selected = ", ".join(f"CAST({_quoted(name)} AS BLOB)" for name, _ in columns)
    try:
        yield from _by_number(f"SELECT _rowid_, {selected} FROM {_quoted(table)}")  # noqa: S608
    except OperationalError:  # a table WITHOUT ROWID: none of ours, perhaps somebody else's
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {selected} FROM {_quoted(table)}")  # noqa: S608
            while rows := cursor.fetchmany(FIRST):
                yield rows


def _by_number(select: str) -> Iterator[Slice]:
    last, many = _BEFORE_ALL, FIRST
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"{select} WHERE _rowid_ > %s ORDER BY _rowid_ LIMIT %s", [last, many])
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield (slice_ := [row[1:] for row in rows])
        many = _next(many, slice_)


def _by_cursor(table: str, columns: list[tuple[str, Any]]) -> Iterator[Slice]:
    selected = ", ".join(
        _quoted(name) if kind == _BYTEA else f"convert_to({_quoted(name)}::text, 'UTF8')" for name, kind in columns
    )
    many = FIRST
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {selected} FROM {_quoted(table)}".replace("%%", "%"))  # noqa: S608
        while rows := cursor.fetchmany(many):
            yield (slice_ := [tuple(value and bytes(value) for value in row) for row in rows])
            many = _next(many, slice_)


def _next(many: int, rows: Slice) -> int:
    """How many rows to read next, so that they have about AIM bytes, as every tenth of these tells."""
    size = 10 * sum(len(value) for row in rows[::10] for value in row if value)
    return max(1, min(MOST, 4 * many, AIM * len(rows) // max(size, 1)))
