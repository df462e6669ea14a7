"""What a restore refuses, in one sentence and leaving nothing behind; what it does all the same when told to."""

from __future__ import annotations

import json
import resource
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.backup.conftest import Database
from tests.backup.shops import Buyer, Kept, Owner
from tests.backup.test_bringing_back import brings_back
from tests.marker.customer import stem
from tests.processes.running import until
from troth.pledge.keeper.keyring import connect
from troth.pledge.policy.clause import State
from troth.shop.clauses.p16_at_rest import a_restore_is_vouched_for

pytestmark = pytest.mark.processes
SEEN = """
from troth.pledge.vault.models import Seen
print(json.dumps(Seen.objects.values_list('ledger_size', flat=True).first() or 0))
"""


def restored_leaf(home: Path) -> dict[str, object]:
    db = connect(home / "keeper" / "keyring.sqlite3")
    leaves = [json.loads(leaf) for (leaf,) in db.execute("SELECT leaf FROM leaf ORDER BY seq")]
    db.close()
    (found,) = [leaf for leaf in leaves if leaf["type"] == "restored"]
    return found


def at_rest(shop: Kept) -> int:
    """How much of the ledger the main side has seen, once that grows no more: errands of a purchase come after it."""
    seen, before = shop.asks(SEEN), -1
    while seen != before:
        time.sleep(3)
        seen, before = shop.asks(SEEN), seen
    return seen


def vouched(home: Path) -> State:
    probe = SimpleNamespace(config=SimpleNamespace(home=home))
    return next(iter(a_restore_is_vouched_for(probe))).state


def test_what_cannot_be_vouched_for_is_refused_and_told(shop: Kept, database: Database, tmp_path: Path) -> None:
    with Buyer(shop, stem(), "guest") as alice, Buyer(shop, stem(), "guest") as bob:
        alice.buys()
        old_main, old_keyring = shop.backs_up()
        size = at_rest(shop)  # the copy of the keyring holds no more than that
        bob.buys()
        until(lambda: shop.asks(SEEN) > size + 1, 60)
        main, keyring = shop.backs_up()
    assert shop.stop() == 0
    home, more = tmp_path / "again", database()

    def refused(main: Path, keyring: Path, says: str, *options: str) -> None:
        done = brings_back(shop, main, keyring, home, *options, **more)
        assert done.returncode == 1
        assert says in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert not home.exists() or not list(home.iterdir())

    refused(main, old_keyring, "the keyring is older than the main database")
    refused(keyring, keyring, "is no copy of a shop")
    stranger = Owner(tmp_path / "stranger")
    refused(main, keyring, "none of the keys at hand opens it", "--identity", str(stranger.file))
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(keyring, alone)
    refused(main, alone / keyring.name, "no journal of erasures beside")
    refused(main, alone / keyring.name, "no key of its epoch", "--without-journal")
    for path in keyring.parent.glob("epoch-*.age"):
        shutil.copy(path, alone)

    done = brings_back(shop, main, old_keyring, home, "--older-keyring", **more)
    assert done.returncode == 0, done.stderr
    cut = restored_leaf(home)
    assert cut["entries"] < cut["seen"]
    again = brings_back(shop, main, keyring, home, **more)
    assert again.returncode == 1
    assert "is not empty" in again.stderr
    assert vouched(home) == State.HOLDS

    home, more = tmp_path / "third", database()
    done = brings_back(shop, old_main, alone / keyring.name, home, "--without-journal", **more)
    assert done.returncode == 0, done.stderr
    assert "P16 is unknown" in done.stdout
    assert "1 persons came after" not in done.stdout  # bob has no account; his keys go all the same
    assert restored_leaf(home)["journal"] == "missing"
    assert vouched(home) == State.UNKNOWN
    assert shop.troth("restore", "--acknowledge", home=home).returncode == 0
    assert vouched(home) == State.HOLDS


def test_a_full_disk_leaves_nothing_half_and_the_shop_goes_on(shop: Kept, tmp_path: Path) -> None:
    def nothing_half() -> bool:
        left = [*(tmp_path / "copies").rglob("*.part"), *(shop.home / "run" / "tmp").glob("backup-*")]
        return not left

    with Buyer(shop, stem(), "guest") as alice, Buyer(shop, stem(), "guest") as bob:
        alice.buys()
        shop.backs_up()
        # The process that copies the main database may write no file beyond some size; first the dump, then the copy.
        (shop.home / "files" / "large.zip").write_bytes(secrets.token_bytes(3_000_000))
        for most in (100_000, 2_000_000):
            command = [sys.executable, "-P", "-m", "troth.shop.journeys.main_copy", "20261122T000000Z"]
            limit = (most, most)
            done = subprocess.run(
                command, env=shop.environ, capture_output=True, text=True, timeout=60,
                preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
            )  # fmt: skip
            assert done.returncode == 1
            assert "is the disk full" in done.stderr
            assert nothing_half()
        assert len(shop.copies("main")) == 1

        keeper = shop.pid("keeper")
        most = shop.copies("keyring")[-1].stat().st_size // 2
        resource.prlimit(keeper, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        done = shop.troth("backup")
        assert done.returncode == 1
        assert "the keyring could not be copied" in done.stderr
        assert "no copy of the keyring: " in shop.log.read_text()
        assert nothing_half()
        resource.prlimit(keeper, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        bob.buys()
        until(lambda: len(shop.copies("keyring")) == 2, 60)  # it goes on by itself once there is room
        assert nothing_half()
    verified = shop.troth("backup", "--verify", "--identity", str(shop.owner.file))
    assert verified.returncode == 0, verified.stdout


def test_no_copy_holds_a_page_of_a_database_in_clear(shop: Kept, tmp_path: Path) -> None:
    with Buyer(shop, stem(), "guest") as alice:
        alice.buys()
        main, keyring = shop.backs_up()
    for path in (main, keyring):
        assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
        assert path.stat().st_mode & 0o777 == 0o600
    for path in (tmp_path / "copies").rglob("*"):
        body = path.read_bytes() if path.is_file() else b""
        assert b"SQLite format 3" not in body
        assert b"PGDMP" not in body
        assert alice.mark.encode() not in body
