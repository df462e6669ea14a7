"""The marker run: customers whose every value is known go through all journeys; then nothing of them stands in clear.

On SQLite, and on PostgreSQL where TROTH_DATABASE_URL names a server, whose data, WAL and log are searched as well.
One leak each in log, session, job row and exception report, planted from outside the product, is found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.marker.customer import Customer, stem
from tests.marker.looking import EXCLUDED, look
from tests.marker.shop import Watched
from tests.postgres import fresh_database
from tests.processes.running import until
from troth.sandbox import Sandbox

pytestmark = pytest.mark.processes


@pytest.fixture
def database() -> Iterator[str]:
    server = os.environ.get("TROTH_DATABASE_URL", "")
    with fresh_database(server) if server.startswith("postgresql") else nullcontext() as url:
        yield url or ""


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Watched]:
    sandbox = Sandbox(mode="test")
    told = {"TROTH_DATABASE_URL": database} if database else {}
    shop = Watched(tmp_path, sandbox, **told)
    yield shop
    shop.stop()
    sandbox.stop()


def all_journeys(shop: Watched, mark: str) -> None:
    """Played by a member, a guest who becomes one, and one whose form broke in our hands."""
    with Customer(shop, mark) as member:
        assert member.registers().status == 200
        member.confirms()
        member.pays(member.orders("paypal"), "approve")
        member.downloads()
        member.reads_the_bill()
        assert member.sees_themselves()
        member.changes_address()
        member.changes_password()
        member.forgets_password()
        assert member.sees_themselves()
        assert set(member.mistypes()) == {400}
        assert not [status for status in member.wanders() if status >= 500]
    with Customer(shop, mark, "guest") as guest:
        guest.pays(guest.orders("skrill", guest=True), "cancel")
        guest.pays(guest.orders("skrill", guest=True), "pay")
        guest.sets_password(f"{mark} over the lantern 1")
        assert guest.sees_themselves()
    with Customer(shop, mark, "boom") as unlucky:
        broken = unlucky.registers()
        assert broken.status == 500
        assert mark not in broken.text
    assert "builtins.ValueError" in shop.log.read_text()


def found(shop: Watched, database: str, text: str) -> set[str]:
    looked = look(shop.folder, text, database)
    assert looked.unread == []
    assert looked.files >= 8
    assert looked.values > 500
    return looked.hits


def test_nothing_is_passed_over() -> None:
    assert EXCLUDED == {}


LEAKS = {
    "leaklog": "said.log",
    "leakreport": "said.log",
    "leaksession": "accounts_session.session_data",
    "leakjob": "due_due.subject",
}


def is_found(shop: Watched, database: str, leak: str) -> None:
    """A customer with a stem of their own; it stands where it leaked to, and nowhere else but in that table's file."""
    own = stem()
    with Customer(shop, own, leak) as customer:
        assert customer.registers().status == (500 if leak == "leakreport" else 200)
    places = {hit.partition(" (")[0] for hit in until(lambda: found(shop, database, own), 10)}
    there = {place for place in places if place.endswith(LEAKS[leak])}
    assert there, (leak, places)
    table = () if LEAKS[leak] == "said.log" else ("home/data/main.sqlite3", "server/")
    assert not [place for place in places - there if not (table and place.startswith(table))], (leak, places)
    if table:  # the bytes on disk are searched as well, not the columns alone
        assert any(place.startswith(table) for place in places), (leak, places)


def test_nothing_of_the_marker_customer_stands_in_clear_and_leaks_are_found(shop: Watched, database: str) -> None:
    mark = stem()
    all_journeys(shop, mark)
    assert found(shop, database, mark) == set()
    for leak in LEAKS:
        is_found(shop, database, leak)
    assert shop.stop() == 0
    assert found(shop, database, mark) == set()
