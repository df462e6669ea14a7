"""A desk for tests: a keyring on disk, as an owner is made beside it; alice, who bought something; an owner at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests import conftest as roots
from tests.desk.people import Office
from tests.house import House
from tests.storefront.conftest import Browser
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.pledge.vault import door as doors
from troth.pledge.vault import keysets
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import Order


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """The tests' keeper, with its keyring in a folder."""
    db = connect(tmp_path / "keeper" / "keyring.sqlite3")
    db.execute("PRAGMA synchronous = OFF")  # nothing dies here
    for statement in roots._own_keys:
        db.execute(statement)
    keeper = Keeper(db, FileKey(Path(settings.TROTH.root_key)))
    (settings.TROTH.home / "keeper.pub").write_text(keeper.room.keys.verify_key.hex())
    (settings.TROTH.home / "ledger.pub").write_text(str(keeper.room.leaves.verify_key))
    keysets._read.cache_clear()
    yield keeper
    doors.use(None)
    db.close()


@pytest.fixture
def office(house: House) -> Office:
    return Office(house)


@pytest.fixture
def order(house: House, edition: Edition) -> Order:
    """What alice bought."""
    alice = Browser()
    alice.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN="http://127.0.0.1:8000")
    fields = {
        "name": "Alice Abend", "email": "alice@elsewhere.example", "street": "Amsel 1", "city": "Berlin",
        "billing_postcode": "10115", "country": "DE", "provider": "paypal",
    }  # fmt: skip
    answer = alice.send("/checkout", fields)
    assert answer.status_code == 303, answer.content.decode()
    return Order.objects.get()
