"""Keys are rotated under readers while the keeper is killed every few seconds: all goes on, nothing old is left."""

from __future__ import annotations

import random
import secrets
import threading
import time
from pathlib import Path

import pytest

from tests.backup.shops import Buyer, Kept
from tests.campaign import draws, rounds
from tests.marker.customer import stem
from tests.processes.running import kill, until
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.keeper.persons import FORMER, packed, unpacked
from troth.pledge.keeper.policy import FATES, WRAPS
from troth.pledge.kms import RootKeyError
from troth.pledge.kms.file import FileKey
from troth.sandbox import Sandbox

pytestmark = pytest.mark.processes


# Former keys rest for some minutes before they are destroyed: let those be over. How many persons are left.
SOONER = """
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.models import Rotation
left = Rotation.objects.get(pk="person").left
if left and Rotation.objects.filter(pk="person", rests_until__gt=clock.now()).update(rests_until=clock.now()):
    due.hasten("rotate", "person")
print(left)
"""
# Versions of key sets, and of those that values are sealed to.
SEALED_TO = """
from troth.pledge.vault.keysets import keys_of
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
told = [(keys_of(row.person).version, row.contact.record.version) for row in Contact.objects.all()]
print(json.dumps(told))
"""


class Crowded(Kept):
    """A shop whose keyring has many persons already, with wraps as real ones have."""

    PERSONS = rounds(sample=20_000, full=100_000)

    def _prepare(self) -> None:
        super()._prepare()
        db = connect(self.home / "keeper" / "keyring.sqlite3")
        persons = Keeper(db, FileKey(Path(f"{self.home}.key/root.key"))).room.persons
        with db.batch():
            for _ in range(self.PERSONS):
                raw = secrets.token_bytes(16)
                wraps = {
                    klass: {fate: persons._wrap(raw, klass, fate, secrets.token_bytes(32)) for fate in fates}
                    for klass, fates in WRAPS.items()
                }
                row = (raw, secrets.token_bytes(32), packed(wraps))
                db.execute("INSERT INTO person (ref, secret, wraps) VALUES (?, ?, ?)", row)
        db.close()


def kills(shop: Kept, over: threading.Event, draw: random.Random) -> int:
    """Kill the keeper every few seconds until it is `over`. How often.

    The supervisor waits longer each time before it starts the keeper again, up to ten seconds.
    """
    killed = 0
    while not over.wait(draw.uniform(0.3, rounds(sample=1.0, full=4.0))) and killed < rounds(sample=3, full=200):
        kill(shop.pid("keeper"))
        killed += 1
        shop.pid("keeper")  # started again
    return killed


@pytest.mark.soak
def test_rotation_ends_under_readers_and_kills(tmp_path: Path, record_property) -> None:
    sandbox = Sandbox(mode="test")
    shop = Crowded(tmp_path, sandbox)
    draw, over, killed = draws("rotation"), threading.Event(), [0]
    root = Path(f"{shop.home}.key/root.key")
    old = root.read_bytes()
    try:
        with Buyer(shop, stem()) as alice:
            alice.registers()
            until(alice.sees_themselves)
            killer = threading.Thread(target=lambda: killed.append(kills(shop, over, draw)))
            killer.start()
            began = time.monotonic()
            try:
                for what in ["person", "wrapping", "root"] * rounds(sample=1, full=10):
                    rotating = shop.begins("keys", "rotate", what)
                    while rotating.poll() is None:
                        until(alice.sees_themselves, 60)  # no read fails for good
                    assert rotating.returncode == 0
                    while what == "person" and shop.asks(SOONER):
                        until(alice.sees_themselves, 60)
            finally:
                over.set()
                killer.join()
            until(alice.sees_themselves, 60)
            sealed_to = shop.asks(SEALED_TO)
    finally:
        assert shop.stop() == 0
        sandbox.stop()
    assert sum(killed) >= 1
    assert sealed_to
    assert all(keys == sealed == 1 + rounds(sample=1, full=10) for keys, sealed in sealed_to)
    record_property("table", f"rotation: {shop.PERSONS} persons, {sum(killed)} kills, {time.monotonic() - began:.0f} s")
    _nothing_old_is_left(shop, old)


def _nothing_old_is_left(shop: Kept, old: bytes) -> None:
    root = Path(f"{shop.home}.key/root.key")
    assert len(root.read_bytes()) == 32
    assert root.read_bytes() != old
    db = connect(shop.home / "keeper" / "keyring.sqlite3")
    versions: dict[str, list[int]] = {}
    for name, version in db.execute("SELECT name, version FROM own_key WHERE name LIKE 'wrapping %'"):
        versions.setdefault(name, []).append(version)
    assert {name: len(held) for name, held in versions.items()} == {f"wrapping {fate}": 1 for fate in FATES}
    held = {
        (f"wrapping {fate}", int.from_bytes(wrap[:2], "big"))
        for (row,) in db.execute("SELECT wraps FROM person")
        for fates in unpacked(row).values()
        for fate, wrap in fates.items()
    }
    assert not any(
        name.startswith(FORMER) for (row,) in db.execute("SELECT wraps FROM person") for name in unpacked(row)
    )
    assert held <= {(name, newest) for name, (newest,) in versions.items()}
    assert db.value("SELECT count(*) FROM meta WHERE name LIKE 'rotating %'") == 0
    root.write_bytes(old)
    with pytest.raises(RootKeyError):
        Keeper(db, FileKey(root))
    db.close()
