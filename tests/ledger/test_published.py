"""The shop's own ledger: published for strangers, told to the people it is about, and never rewritten unnoticed."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from tests.house import House
from troth.pledge.due.models import Due
from troth.pledge.keeper import messages
from troth.pledge.ledger.events import canonical
from troth.pledge.ledger.tree import BrokenTree, leaf_hash
from troth.pledge.ledger.verify import verify
from troth.pledge.vault import outbox, published, seen
from troth.pledge.vault.door import KeeperAway, KeeperRefused
from troth.pledge.vault.models import LedgerEvent, Seen
from troth.shop.accounts.models import Contact
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import own_data, register
from troth.shop.journeys.errands import ensure


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(published, "folder", lambda: tmp_path / "ledger")
    return tmp_path / "ledger"


def publish(house: House) -> int:
    with house.as_worker():
        return published.publish()


def compare(house: House) -> bool:
    with house.as_worker():
        return seen.compare()


def started_again(house: House) -> None:
    """What a keeper does first: the tree catches up with the leaves that it finds."""
    house.keeper.room.leaves.added = True
    with house.keeper.batch():
        pass


@pytest.fixture
def alice(house: House, edition: Edition) -> register.SignedIn:
    """Registered, told by a letter, and has looked at herself once."""
    account = register.register("Alice", "alice@heronsgate.example", "heron and lantern", "LS1 4AP")
    assert account is not None
    house.works()
    own_data.show(account.person_ref, account.capability)
    return account


def test_every_opening_is_in_ones_history_with_a_proof_that_holds(house: House, folder: Path, alice) -> None:
    publish(house)
    history = house.web.history(alice.capability)
    did = [(json.loads(entry.event)["purpose"], json.loads(entry.event)["role"]) for entry in history.entries]
    assert did == [("account", "web"), ("notice", "worker")]
    assert not history.more
    for entry in history.entries:
        receipt = published.receipt(entry.seq, entry.leaf, entry.event, entry.salt)
        assert receipt is not None
        assert verify(receipt, seen.verify_key()).index == entry.seq
        with pytest.raises(Exception, match="not the one"):
            forged = entry.event.replace(b"notice", b"market").replace(b"account", b"support")
            verify(published.receipt(entry.seq, entry.leaf, forged, entry.salt), seen.verify_key())


def test_a_history_is_told_page_by_page_and_is_ones_own(house: House, alice, monkeypatch) -> None:
    from troth.pledge.keeper import keeper as module

    bob = register.register("Bob", "bob@heronsgate.example", "heron and lantern", "LS1 4AP")
    contact = Contact.objects.get(person=alice.person_ref)
    for _ in range(5):
        house.worker.open([contact.contact], purpose="notice", job="notice")
    monkeypatch.setattr(module, "MOST_ENTRIES", 3)
    seqs, before = [], messages.NEWEST
    while True:
        page = house.web.history(alice.capability, before)
        seqs += [entry.seq for entry in page.entries]
        if not page.more:
            break
        before = page.entries[-1].seq
    assert len(seqs) == 7
    assert seqs == sorted(set(seqs), reverse=True)
    assert house.web.history(bob.capability).entries == []
    assert len(house.web.history(alice.capability, 2**64 - 1).entries) == 3  # whatever number somebody types
    assert house.web.history(alice.capability, -(2**63)).entries == []
    with pytest.raises(KeeperRefused, match="capability"):
        house.web.history("A" * 92)
    with pytest.raises(KeeperRefused, match="door"):
        house.worker.history(alice.capability)


def test_after_erasing_nothing_links_a_leaf_to_anybody(house: House, folder: Path, alice) -> None:
    entries = house.web.history(alice.capability).entries
    with house.as_worker() as door:
        door.shred(alice.person_ref)
    with pytest.raises(KeeperRefused):
        house.web.history(alice.capability)
    publish(house)
    held = "\n".join(house.keeper.db.iterdump()).encode() + b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )
    for entry in entries:
        assert entry.salt not in held
        assert entry.salt.hex().encode() not in held.lower()
        assert hashlib.sha256(entry.salt + entry.event).digest() not in held  # in the leaf by base64 alone
    assert alice.person_ref.encode() not in held
    assert house.keeper.db.value("SELECT count(*) FROM about") == 0


def test_anybody_may_fetch_the_log_and_its_tiles_are_for_ever(house: House, folder: Path, alice) -> None:
    assert Client().get("/ledger/checkpoint").status_code == 404
    publish(house)
    note = Client().get("/ledger/checkpoint")
    assert note.content.decode() == house.web.checkpoint().note
    size = int(note.content.split(b"\n")[1])
    assert size == 2
    tile = Client().get(f"/ledger/tile/0/000.p/{size}")
    assert "immutable" in tile.headers["Cache-Control"]
    assert "immutable" not in note.headers["Cache-Control"]
    bundle = Client().get(f"/ledger/tile/entries/000.p/{size}").content
    leaves = [leaf for _, leaf in published.bundled(bundle, 0)]
    assert b"".join(map(leaf_hash, leaves)) == tile.content
    assert Client().get("/ledger/vkey").content.decode().strip() == str(seen.verify_key())
    for path in ("0/../../checkpoint", "0/000.p", "9/000", "entries/../../../main.sqlite3", "0/0000", "0//000"):
        assert Client().get(f"/ledger/tile/{path}").status_code == 404, path


def test_what_is_published_grows_and_nothing_is_written_twice(house: House, folder: Path, alice) -> None:
    assert publish(house) > 0
    assert publish(house) == 0
    for number in range(600):
        house.worker.note(f"filler-{number}", {"type": "filler", "n": number})
    assert publish(house) > 0
    assert (folder / "tile/0/000").stat().st_size == 256 * 32
    assert not (folder / "tile/0/000.p").exists()


def test_a_log_that_contradicts_what_was_published_is_not_published(house: House, folder: Path, alice, caplog) -> None:
    publish(house)
    before = (folder / "checkpoint").read_bytes()
    leaf = canonical({"type": "person", "v": 1, "day": "2026-11-22", "c": "x"})
    house.keeper.db.execute("UPDATE leaf SET leaf = ? WHERE seq = 0", (leaf,))
    house.keeper.db.executescript("DELETE FROM tile; DELETE FROM checkpoint")
    started_again(house)
    ensure()
    house.works()
    assert Due.objects.get(kind="publish").last_code == "ledger"
    assert "rewritten" in caplog.text or "different roots" in caplog.text
    assert (folder / "checkpoint").read_bytes() == before


class TestSeen:
    """What the main side saw, and a keyring that is not its continuation."""

    def test_a_keyring_whose_end_was_cut_opens_nothing_and_says_so(self, house: House, alice) -> None:
        assert compare(house)
        house.keeper.db.executescript(
            "DELETE FROM leaf WHERE seq > 0; DELETE FROM about WHERE seq > 0; UPDATE head SET size = 1;"
            "DELETE FROM tile; DELETE FROM checkpoint"
        )
        started_again(house)
        assert not compare(house)
        assert "cut off, or an old copy was restored" in seen.trouble()
        with pytest.raises(KeeperAway):
            own_data.show(alice.person_ref, alice.capability)

    def test_a_rewritten_keyring_opens_nothing_and_says_so(self, house: House, alice) -> None:
        assert compare(house)
        house.keeper.db.executescript(
            'UPDATE leaf SET leaf = CAST(\'{"type":"nothing"}\' AS BLOB) WHERE seq = 0;'
            "DELETE FROM tile; DELETE FROM checkpoint"
        )
        started_again(house)
        assert not compare(house)
        assert "rewritten" in seen.trouble()

    def test_trouble_is_forgotten_when_it_is_over(self, house: House, alice) -> None:
        assert compare(house)
        Seen.objects.update(trouble="an old copy was restored")
        assert compare(house)
        assert seen.trouble() == ""
        assert seen.latest() == house.web.checkpoint().note

    def test_an_entry_that_was_taken_out_is_never_passed_over(self, house: House, folder: Path, alice) -> None:
        house.keeper.db.execute("DELETE FROM leaf WHERE seq = 0")
        with house.as_worker(), pytest.raises(BrokenTree, match="not the one in the tree"):
            published.publish()
        assert not (folder / "checkpoint").exists()


class TestOutbox:
    def test_an_event_is_carried_once_however_often_it_is_tried(self, house: House) -> None:
        outbox.note("policy-7", {"type": "policy", "version": 7})
        outbox.note("policy-7", {"type": "policy", "version": 7})
        house.works()
        row = LedgerEvent.objects.get()
        assert row.seq == 0
        outbox.note("policy-7", {"type": "policy", "version": 7})
        house.works()
        assert house.worker.attest().ledger_size == 1
        assert b'"version":7' in house.keeper.db.value("SELECT leaf FROM leaf")

    def test_it_waits_for_the_keeper(self, house: House, monkeypatch) -> None:
        outbox.note("policy-8", {"type": "policy", "version": 8})
        with monkeypatch.context() as away:
            away.setattr(house.worker, "_say", lambda body: (_ for _ in ()).throw(OSError))
            house.works()
        assert LedgerEvent.objects.get().seq is None
        house.works(later=timedelta(minutes=1))
        assert LedgerEvent.objects.get().seq == 0

    def test_nothing_about_a_person_goes_this_way(self, house: House) -> None:
        for event in ({"type": "person"}, {"version": 1}):
            with pytest.raises(ValueError, match="everyday event"):
                outbox.note("evil", event)
        with pytest.raises(KeeperRefused, match="shape"):
            house.worker.note("huge", {"type": "test", "text": "x" * 5000})
