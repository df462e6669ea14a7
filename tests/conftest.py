"""What every test may use: a keeper of its own, a stock of blanks, and a shop around them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.house import House, goods, settings_of
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.pledge.vault import door as doors
from troth.pledge.vault import keysets, published
from troth.sandbox import Addresses, Sandbox
from troth.shop.catalogue.models import Edition
from troth.shop.delivery import often

_own_keys: list[str] = []


def _keyring():
    """A fresh keyring in memory whose own keys are the process's: keys of one test are good in the next."""
    db = connect(None)
    for statement in _own_keys:
        db.execute(statement)
    return db


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A keeper in this process, spoken to through the same encoder and decoder as over a socket."""
    db = _keyring()
    # What an earlier test published is of another log, which this one does not continue.
    shutil.rmtree(published.folder(), ignore_errors=True)
    # A campaign of ten thousand orders is one day to the keeper: more letters than a small shop may open in one.
    keeper = Keeper(db, FileKey(Path(settings.TROTH.root_key)), daily=1_000_000)
    if not _own_keys:
        _own_keys.extend(line for line in db.iterdump() if line.startswith(('INSERT INTO "own_key"',)))
    (settings.TROTH.home / "keeper.pub").write_text(keeper.room.keys.verify_key.hex())
    (settings.TROTH.home / "ledger.pub").write_text(str(keeper.room.leaves.verify_key))
    keysets._read.cache_clear()
    yield keeper
    doors.use(None)
    db.close()


@pytest.fixture(scope="session")
def world() -> Iterator[tuple[Sandbox, Addresses]]:
    """The look-alikes of PayPal and Skrill and the mailbox, once a process."""
    sandbox = Sandbox(mode="test")
    yield sandbox, sandbox.start()
    sandbox.stop()


@pytest.fixture
def house(db: None, keeper: Keeper, world: tuple[Sandbox, Addresses]) -> Iterator[House]:
    """A shop with blanks in stock; web's and worker's doors lead to the test's keeper, providers are the sandbox."""
    sandbox, told = world
    with settings_of(told):
        house = House(keeper, sandbox)
        often.forget()
        yield house
        house.close()
    sandbox.reset()


@pytest.fixture
def edition(house: House) -> Edition:
    return goods()
