"""`troth ledger verify` and `export`, on a shop that lives: whatever was done to the log, the sentence says what."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from tests.house import House
from troth import config
from troth.faces.cli.ledger import ledger as command
from troth.pledge.due import loop as due
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.pledge.ledger.notes import VerifyKey
from troth.pledge.policy.models import Verdict
from troth.pledge.vault import published, seen
from troth.pledge.vault.models import LedgerEvent, Seen
from troth.shop.journeys import audit
from troth.shop.journeys.register import register

ENTRIES = 600


class Shop:
    """A shop with a log of some hundred entries, published, and the command line before it."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.folder = house, folder
        register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
        self.adds(ENTRIES)
        house.works()
        due.add("audit", "shop", every=audit.EVERY)
        due.add("publish", "shop", every=10)
        due.add("seen", "shop", every=5)
        house.works()

    def adds(self, count: int) -> None:
        start = self.house.worker.attest().ledger_size
        with self.house.keeper.batch():
            for n in range(start, start + count):
                event = {"type": "check", "n": n}
                self.house.keeper.room.leaves.everyday(f"check-{n}", event, self.house.keeper.room.clock())

    def publishes(self) -> None:
        with self.house.as_worker():
            seen.compare()
            published.publish()

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(command, words)

    def found(self, *words: str) -> str:
        done = self.run("verify", *words)
        assert done.exit_code == 1, done.output
        return done.output

    def keyring(self, script: str) -> None:
        self.house.keeper.db.executescript(script)

    def restarts(self, dump: str | None = None) -> None:
        """The keeper anew, from its keyring as it is or from an older copy of it."""
        db = connect(None)
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            db.execute(f"DROP TABLE {table}")
        db.executescript(dump or self.dump())
        self.house.keeper.__dict__ = Keeper(db, FileKey(Path(settings.TROTH.root_key)), closed=True).__dict__

    def dump(self) -> str:
        return "\n".join(self.house.keeper.db.iterdump())


@pytest.fixture
def shop(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shop]:
    settings.TROTH.home.mkdir(exist_ok=True)
    shutil.rmtree(published.folder(), ignore_errors=True)
    monkeypatch.setattr(config, "load", lambda: settings.TROTH)
    monkeypatch.setattr(time, "sleep", lambda seconds: house.works())
    yield Shop(house, published.folder())
    shutil.rmtree(published.folder(), ignore_errors=True)


def test_an_honest_log_is_one_history_while_the_shop_runs(shop: Shop) -> None:
    done = shop.run("verify")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "One history: entries, tree and checkpoints agree.")
    assert {row.state for row in Verdict.objects.filter(clause=audit.NAME)} == {"holds"}
    shop.adds(300)  # not yet published
    assert shop.run("verify").exit_code == 0
    assert not audit.progress_file().exists()


def test_export_takes_the_log_along_and_adds_what_is_new(shop: Shop, tmp_path: Path) -> None:
    done = shop.run("export", str(tmp_path / "log"))
    assert f"{ENTRIES + 1} entries" in done.output, done.output
    assert shop.run("verify", str(tmp_path / "log")).exit_code == 0
    shop.adds(300)
    shop.publishes()
    assert f"{ENTRIES + 301} entries" in shop.run("export", str(tmp_path / "log")).output
    assert shop.run("verify", str(tmp_path / "log"), "--key", str(seen.verify_key())).exit_code == 0
    tile = tmp_path / "log/tile/entries/001"
    tile.write_bytes(tile.read_bytes().replace(b'"n":300', b'"n":999'))
    assert "Entry 300 is not what the tree was made from" in shop.found(str(tmp_path / "log"))


def test_an_earlier_checkpoint_may_stand_in_a_letter(shop: Shop, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(f"Hello Alice,\n\nyour payment has arrived.\n\n  {seen.verify_key()}\n\n{seen.latest()}\nBye\n")
    shop.adds(5)
    shop.publishes()
    assert shop.run("verify", "--from", str(letter)).exit_code == 0
    letter.write_text("Hello Alice")
    assert "There is no checkpoint of" in shop.run("verify", "--from", str(letter)).output
    other = VerifyKey("shop.example/ledger", bytes(32))
    assert shop.run("verify", "--key", str(other)).exit_code == 1


TAMPERED = {
    "edited": ("""UPDATE leaf SET leaf = CAST('{"n":7,"type":"nothing"}' AS BLOB) WHERE seq = 7""",
               "Entry 7 is not what the tree was made from: edited or replaced."),
    "deleted": ("DELETE FROM leaf WHERE seq = 300", "something was taken out before them and the rest renumbered"),
    "reordered": ("UPDATE leaf SET seq = -1 WHERE seq = 20; UPDATE leaf SET seq = 20 WHERE seq = 21;"
                  "UPDATE leaf SET seq = 21 WHERE seq = -1", "Entry 21 now stands at 20: the order was changed."),
    "tile altered": ("UPDATE tile SET hashes = zeroblob(32) || substr(hashes, 33) WHERE level = 0 AND n = 0",
                     "Tile 0 of level 0 was altered"),
}  # fmt: skip


@pytest.mark.parametrize("damage", TAMPERED)
def test_what_was_done_to_entries_in_the_keyring_is_said(shop: Shop, damage: str) -> None:
    script, sentence = TAMPERED[damage]
    shop.keyring(script)
    assert sentence in shop.found()
    row = Verdict.objects.filter(clause=audit.NAME).latest("pk")
    assert row.state == "broken"


def test_a_tail_that_was_cut_is_said_and_nothing_opens(shop: Shop) -> None:
    shop.keyring("DELETE FROM leaf WHERE seq >= 590; DELETE FROM tile; DELETE FROM checkpoint;"
                 "UPDATE head SET size = 590")  # fmt: skip
    shop.restarts()
    assert "its end was cut off, or an old copy" in shop.found()


def test_a_rewritten_history_is_said(shop: Shop) -> None:
    shop.keyring("UPDATE leaf SET leaf = CAST('{}' AS BLOB) WHERE seq = 5; DELETE FROM tile; DELETE FROM checkpoint")
    shop.restarts()
    assert "history was rewritten" in shop.found()


def test_an_old_keyring_is_said(shop: Shop) -> None:
    old = shop.dump()
    shop.adds(50)
    shop.publishes()
    shop.restarts(old)
    assert "its end was cut off, or an old copy" in shop.found()


def test_an_old_keyring_that_went_on_is_a_fork(shop: Shop, tmp_path: Path) -> None:
    """A letter from before the copy was put back contradicts the log that went on without it."""
    old = shop.dump()
    shop.adds(10)
    letter = tmp_path / "letter"
    letter.write_text(shop.house.web.checkpoint().note)
    shop.restarts(old)
    shop.house.worker.greet()
    with shop.house.keeper.batch():
        for n in range(10):
            event = {"type": "other", "n": n}
            shop.house.keeper.room.leaves.everyday(f"other-{n}", event, shop.house.keeper.room.clock())
    shop.publishes()
    said = shop.found("--from", str(letter))
    assert "different roots: the log was forked" in said


def test_an_old_main_database_is_said_in_the_ledger_itself(shop: Shop) -> None:
    before = Seen.objects.values().get()
    shop.adds(50)
    shop.publishes()
    Seen.objects.filter(pk=before["id"]).update(**before)
    shop.house.works(later=timedelta(seconds=6))
    assert LedgerEvent.objects.filter(event_id__startswith="main-restored").count() == 1
    row = LedgerEvent.objects.get(event_id__startswith="main-restored")
    assert row.event == {"type": "main-restored", "seen": ENTRIES + 1, "published": ENTRIES + 51}
    assert row.seq is not None


def test_both_put_back_contradict_what_is_published_and_what_customers_keep(shop: Shop, tmp_path: Path) -> None:
    keyring, main = shop.dump(), Seen.objects.values().get()
    shop.adds(50)
    shop.publishes()
    letter = tmp_path / "letter"
    letter.write_text(seen.latest())
    shop.restarts(keyring)
    Seen.objects.filter(pk=main["id"]).update(**main)
    shop.house.worker.greet()
    assert "an old copy" in shop.found()
    shutil.rmtree(shop.folder)
    shop.publishes()
    assert "an old copy" in shop.found("--from", str(letter))


def test_while_no_worker_works_it_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.faces.cli.ledger.PATIENCE", 0.2)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    done = shop.run("verify")
    assert done.exit_code == 2
    assert "is the shop running?" in done.output
