"""Every column is read, many rows at a time; what stands in it is found as if each value were looked at by itself."""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from tests.storefront.test_cards import PUBLISHED, SEPARATORS, ZEROS, numbers
from troth.pledge import clock
from troth.pledge.policy import card_sieve, columns, digests
from troth.pledge.policy.cards import holds_card_number
from troth.shop.accounts.models import Session

NEEDLE = "qmarkerword"
TIMES = ["2026-11-22 23:40:00.123456", "2026-11-22 23:40:00.123456+00", "2026-11-22T23:40:00", "20261122234000123456"]
HASHES = ["4111111111111111ab" + "0" * 14, "A4111111111111111B" + "f" * 46, "a" + "4111111111111111" * 2]
PIECES = st.one_of(
    numbers(),
    st.sampled_from([*PUBLISHED, *TIMES, *HASHES, "2026-11-22 23:40 4111", "²", "x", "+", "Ünder ", "\n+\n", "0" * 40]),
    SEPARATORS,
    st.text(max_size=6),
    st.builds(lambda number, zero: "".join(chr(ord(zero) + int(one)) for one in number), numbers(), ZEROS),
)
TEXTS = st.lists(PIECES, min_size=1, max_size=4).map(lambda pieces: "".join(pieces).encode("utf-8", "replace"))
BLOBS = st.builds(lambda before, text: before + text, st.binary(max_size=8), TEXTS)


@given(st.lists(st.one_of(TEXTS, BLOBS), min_size=1, max_size=5).map(lambda values: list(filter(None, values))))
@example([b"4111111111111111ab" + b"0" * 14, b"411111111111111", b"a" + b"4111111111111111" * 2])
@example([b"4111 1111", b"1111 1111"])  # two values are two values
@example([b"\xff\xfe", "".join(chr(0xFF10 + int(one)) for one in PUBLISHED[0]).encode()])  # full-width
def test_the_sieve_lets_no_card_number_pass_and_decides_nothing_itself(values: list[bytes]) -> None:
    run = b"".join(value + card_sieve.BETWEEN for value in values)
    assert card_sieve.any_holds(values, run) == any(map(_holds, values)) or not values


def _holds(value: bytes) -> bool:
    """Each value by itself: as text where it is one, else byte by byte."""
    try:
        return holds_card_number(value.decode())
    except UnicodeDecodeError:
        return holds_card_number(value.decode("latin-1"))


PLANTS: dict[str, Callable[[str], object]] = {
    "text": lambda text: f"of {text}, who",
    "capitals": str.upper,
    "bytes": lambda text: b"\x00\xff" + text.encode() + b"\xfe",
    "utf-16": lambda text: b"\xff\x00" + text.encode("utf-16-le"),
    "gzip": lambda text: gzip.compress(text.encode() * 3),
    "base64 of json": lambda text: base64.b64encode(json.dumps({"who": text}).encode()).decode(),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_planted_is_found_in_any_row_of_any_table(
    db: None, plant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a table that no model declares, in slices of a few rows, in the last one and beside a card number."""
    monkeypatch.setattr(columns, "AIM", 300)
    value = PLANTS[plant](NEEDLE)
    binary = "bytea" if connection.vendor == "postgresql" else "blob"
    column, other = ("kept", "note") if isinstance(value, bytes) else ("note", "kept")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE beside (id integer PRIMARY KEY, note text, kept {binary})")
        for number in range(700):
            cursor.execute("INSERT INTO beside VALUES (%s, %s, %s)", [number - 5, f"note {number}", b"\xffkept"])
        cursor.execute(f"INSERT INTO beside (id, {column}) VALUES (9999, %s)", [value])
    try:
        read = columns.read([NEEDLE, "another word"])
        assert {(needle, place) for needle, place, _ in read.hits} == {(NEEDLE, f"beside.{column}")}
        assert read.cards == set()
        assert columns.read([NEEDLE], frozenset({"accounts_session"})).hits == set()
        assert f"beside.{other}" not in {place for _, place, _ in read.hits}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE beside")


def test_a_table_without_row_numbers_is_read_too(db: None) -> None:
    if connection.vendor != "sqlite":
        return  # PostgreSQL's tables have none at all
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE beside (name text PRIMARY KEY) WITHOUT ROWID")
        cursor.executemany("INSERT INTO beside VALUES (%s)", [[f"row {number}"] for number in range(300)])
        cursor.execute("INSERT INTO beside VALUES (%s)", [f"{NEEDLE} too"])
    assert {place for _, place, _ in columns.read([NEEDLE]).hits} == {"beside.name"}


def test_a_card_number_among_times_is_found_and_times_are_none(db: None) -> None:
    for number in range(50):
        Session.objects.create(session_key=f"key-{number}", session_data="x", expire_date=clock.now())
    assert columns.read([]).cards == set()
    typed = "UPDATE accounts_session SET session_data = '4111 1111 1111 1111' WHERE session_key = 'key-31'"
    # The guard before each write is passed by, as somebody with a database client does.
    wrappers, connection.execute_wrappers = connection.execute_wrappers, []
    try:
        with connection.cursor() as cursor:
            cursor.execute(typed)
    finally:
        connection.execute_wrappers = wrappers
    assert columns.read([]).cards == {"accounts_session.session_data"}


def test_a_plain_hash_is_found_at_the_end_of_a_large_table_too(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "HASHED", 1)  # after the first slice every table is large
    monkeypatch.setattr(columns, "FIRST", 2)
    monkeypatch.setattr(columns, "MOST", 2)
    texts = [*(f"row {number}" for number in range(6)), hashlib.md5(b"ada finch", usedforsecurity=False).hexdigest()]
    for number, text in enumerate(texts):
        Session.objects.create(session_key=f"{number:032}", session_data=text, expire_date=clock.now())
    hashes = frozenset(digests.patterns(["Ada Finch"], "ada"))
    read = columns.read([], frozenset({"accounts_session"}), hashes)
    assert read.hits == {("ada", "accounts_session.session_data", "md5")}
    assert columns.read([], frozenset({"accounts_session"})).hits == set()
