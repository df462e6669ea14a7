"""Real shops, backed up and brought back: what was erased stays erased, whatever copies somebody has in hand."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.backup.conftest import Database
from tests.backup.shops import Buyer, Kept
from tests.marker.customer import stem
from tests.processes.running import until
from troth.pledge.copies.reading import read_keyring
from troth.pledge.copies.sealing import identities
from troth.pledge.ids import to_bytes
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import Keyring, connect
from troth.pledge.keeper.messages import Place, Record
from troth.pledge.keeper.policy import OPENS
from troth.pledge.kms.file import FileKey

pytestmark = pytest.mark.processes
SQLITE = b"SQLite format 3\0"
SEALED = """
from troth.pledge.policy.probe import sealed_columns
from troth.shop.orders.models import Order
found = {}
for model, field in sealed_columns():
    for row in model._default_manager.filter(**{field.name + "__isnull": False}):
        record = getattr(row, field.name).record
        place = record.place
        told = [place.table, place.column, place.row, place.ref, place.klass, place.schema, record.sealed.hex()]
        found.setdefault(place.ref, []).append(told)
print(json.dumps(found))
"""


def sealed(shop: Kept, **where: Any) -> dict[str, list[Record]]:
    """Everything sealed that the main database holds, by person."""
    told = shop.asks(SEALED, **where)
    return {ref: [Record(Place(*row[:6]), bytes.fromhex(row[6])) for row in rows] for ref, rows in told.items()}


def opens(keeper: Keeper, records: list[Record]) -> int:
    """How many of these records open for any purpose at all, asked by whoever holds keyring and root key."""
    count = 0
    for record in records:
        for klass, purpose in OPENS:
            if klass != record.place.klass:
                continue
            (answer,) = keeper.work_off([lambda r=record, p=purpose: forced(keeper, r, p)])
            count += type(answer).__name__ == "Opened"
    return count


def forced(keeper: Keeper, record: Record, purpose: str) -> Any:
    """Open past the table of roles: as somebody would who wrote a keeper of their own."""
    from troth.pledge.keeper.messages import Opened
    from troth.pledge.keeper.seals import unseal

    persons, fate = keeper.room.persons, OPENS[record.place.klass, purpose]
    raw = to_bytes(record.place.ref)
    private = persons.private(raw, record.place.klass, fate, record.version)
    return Opened([unseal(private, record.place, record.sealed)])


@contextmanager
def keeper_of(keyring: Path | Keyring, root: Path, journal: Path | None = None):
    """A keeper of the attacker's own, over a copy of the file."""
    if isinstance(keyring, Path):
        copy = keyring.with_name("attacker.sqlite3")
        shutil.copy(keyring, copy)
        keyring = connect(copy)
    try:
        yield Keeper(keyring, FileKey(root), journal=journal)
    finally:
        keyring.close()


def ref_of(shop: Kept, order: str) -> str:
    return shop.asks(
        f"from troth.shop.orders.models import Order\nprint(json.dumps(Order.objects.get(pk='{order}').person_id))"
    )


def brings_back(shop: Kept, main: Path, keyring: Path, home: Path, *options: str, **more: str):
    told = ("restore", str(main), str(keyring), "--identity", str(shop.owner.file), *options)
    return shop.troth(*told, home=home, TROTH_HOME=str(home), **root_of(shop), **more)


def root_of(shop: Kept) -> dict[str, str]:
    return {"TROTH_KEEPER_ROOT_KEY_FILE": f"{shop.home}.key/root.key"}


def test_who_was_erased_opens_nowhere_whatever_is_brought_back(shop: Kept, database: Database) -> None:
    with Buyer(shop, stem(), "guest") as alice, Buyer(shop, stem(), "guest") as bob:
        orders = alice.buys(), bob.buys()
        a, b = (ref_of(shop, order) for order in orders)
        before = sealed(shop)
        assert len(before[a]) == len(before[b]) == 3  # contact, billing and the address it came from
        main, keyring = shop.backs_up()
        done = shop.troth("erase", a, "--yes", "--json")
        assert done.returncode == 0, done.stderr
        journal = keyring.parent / "erasures"
        assert journal.read_text().split()[0] == a  # copied at once, not with the next backup
        shop.backs_up()
        assert shop.stop() == 0

        root = Path(f"{shop.home}.key/root.key")
        # Root key, current keyring, and every main database there ever was: only what tax law keeps, for tax.
        with keeper_of(shop.home / "keeper" / "keyring.sqlite3", root) as attacker:
            assert opens(attacker, before[b]) > 2
            assert opens(attacker, before[a]) == 1
        # That attack works on yesterday's keyring: what follows shows something.
        yesterday = read_keyring(keyring, identities(shop.owner.file), {})
        with keeper_of(yesterday, root) as attacker:
            assert opens(attacker, before[a]) > 2

        home, more = shop.folder / "again", database()
        done = brings_back(shop, main, keyring, home, **more)
        assert done.returncode == 0, done.stderr
        assert "1 persons were erased since" in done.stdout
        wraps = _deleted_wraps(keyring, shop, a)
        assert wraps
        for file in [path for path in home.rglob("*") if path.is_file()]:
            body = file.read_bytes()
            assert not any(wrap in body for wrap in wraps), file
        again = shop.again_at(home, **root_of(shop), **more)
        bob.downloads()
        until(lambda: shop.asks(STATE.format(ref=a), home=home, **more) == "kept", 60)
        left = sealed(shop, home=home, **more)
        assert len(left[b]) == len(before[b])
        again.terminate()
        again.wait(20)
        with keeper_of(home / "keeper" / "keyring.sqlite3", root) as attacker:
            assert opens(attacker, before[a]) == 1  # for tax alone, as before
            assert opens(attacker, before[b]) > 2


STATE = """
from troth.pledge.rights.models import Erasure
print(json.dumps(Erasure.objects.filter(person='{ref}').values_list('state', flat=True).first()))
"""


def _deleted_wraps(keyring: Path, shop: Kept, ref: str) -> list[bytes]:
    """The wraps that a copy from before the erasure holds, but for the one that tax law keeps."""
    old = read_keyring(keyring, identities(shop.owner.file), {})
    with keeper_of(old, Path(f"{shop.home}.key/root.key")) as attacker:
        wraps = attacker.room.persons.wraps(to_bytes(ref))
        return [wrap for fates in wraps.values() for fate, wrap in fates.items() if fate != "tax"]
