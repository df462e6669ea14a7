"""Epochs of the keyring's copies: until the end the owner reads them, after it nobody does, whoever has which key."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.bao import Bao
from troth.pledge import kms
from troth.pledge.copies.__main__ import Order, carry_out
from troth.pledge.copies.epochs import DAY, Epochs, span
from troth.pledge.copies.reading import epoch_keys, read_keyring
from troth.pledge.copies.sealing import SealingError
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms import RootKeyError, Where

NOON = 1795348800 + 43200  # 22 November 2026
NAME = "20261122T120000Z"


@pytest.fixture(params=["file", "openbao"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    if request.param == "file":
        return Where("file", tmp_path / "keys" / "root.key")
    openbao: Bao = request.getfixturevalue("openbao")
    return openbao.where()


class Stage:
    """A keyring at rest, an owner, and a folder for copies."""

    def __init__(self, folder: Path, where: Where, **more: object) -> None:
        self.owner, self.folder, self.where, self.more = (
            pyrage.x25519.Identity.generate(),
            folder / "copies",
            where,
            more,
        )
        self.keyring = folder / "keyring.sqlite3"
        self.places = {where.kind: where}
        kms.find(where, make=True)
        db = connect(self.keyring)
        db.execute("INSERT INTO meta VALUES ('secret of a person', x'1234')")
        db.close()

    def copies(self, name: str = NAME, now: int = NOON, **more: object) -> list[Path]:
        told = {
            "name": name, "keyring": str(self.keyring), "journal": str(self.keyring.with_name("erasures")),
            "folder": str(self.folder), "recipients": [str(self.owner.to_public())], "places": self.places,
            "kind": self.where.kind, "epoch_days": 30, "keep_days": 30, "keep": 3, "now": now, "parent": os.getppid(),
        }  # fmt: skip
        carry_out(Order(**{**told, **self.more, **more}))
        for part in self.folder.glob("*.part"):
            part.rename(part.with_suffix(""))
        return sorted(self.folder.glob("keyring-*.age"))

    def reads(self, path: Path) -> bool:
        db = read_keyring(path, [self.owner], self.places)
        found = db.value("SELECT value FROM meta WHERE name = 'secret of a person'")
        db.close()
        return found == b"\x12\x34"


@pytest.fixture
def stage(tmp_path: Path, where: Where) -> Stage:
    return Stage(tmp_path, where)


def test_a_copy_needs_the_owner_and_its_epoch(stage: Stage) -> None:
    (copy,) = stage.copies()
    assert stage.reads(copy)
    assert b"secret of a person" not in copy.read_bytes()
    with pytest.raises(SealingError):
        read_keyring(copy, [pyrage.x25519.Identity.generate()], stage.places)
    (sidecar,) = stage.folder.glob("epoch-*.age")
    (wrapped,) = stage.folder.glob("epoch-*.kms")
    kept = sidecar.read_bytes(), wrapped.read_bytes()
    sidecar.unlink()
    assert stage.reads(copy)  # by what wraps it where the root key lies
    wrapped.unlink()
    with pytest.raises(SealingError, match="no key of its epoch"):
        stage.reads(copy)
    sidecar.write_bytes(kept[0])
    assert stage.reads(copy)  # by the owner alone
    assert read_keyring(copy, [stage.owner], {}) is not None


def test_past_the_end_nobody_reads_it_with_every_key_there_is(stage: Stage) -> None:
    (copy,) = stage.copies()
    body = copy.read_bytes()
    _, ends = span(NOON, 30)
    stage.copies("", ends + 30 * DAY - 1)
    assert stage.reads(copy)
    stage.copies("", ends + 30 * DAY)
    assert list(stage.folder.iterdir()) == [stage.folder / "erasures"]
    copy.write_bytes(body)  # somebody kept it, off the site
    with pytest.raises(SealingError, match="the epoch is over"):
        stage.reads(copy)
    with pytest.raises(RootKeyError):
        kms.find(stage.where.beside(f"epoch-{span(NOON, 30)[0]}"))
    kms.find(stage.where)  # the root key itself lives on


def test_who_kept_the_epochs_file_keeps_what_it_opens(stage: Stage) -> None:
    """The limit that docs/threats.md tells of."""
    (copy,) = stage.copies()
    (sidecar,) = stage.folder.glob("epoch-*.age")
    kept = copy.read_bytes(), sidecar.read_bytes()
    stage.copies("", NOON + 100 * DAY)
    copy.write_bytes(kept[0])
    sidecar.write_bytes(kept[1])
    assert stage.reads(copy)


def test_each_epoch_has_a_key_of_its_own_and_one_is_kept_for_its_days(stage: Stage) -> None:
    for day in (0, 1, 29, 30, 31):
        stage.copies(f"202611{day + 1:02}T120000Z", NOON + day * DAY, keep=9)
    names = {copy.name.split(".")[1] for copy in stage.folder.glob("keyring-*.age")}
    assert names == {span(NOON + day * DAY, 30)[0] for day in (0, 30)}
    recipients = {epoch.recipient for epoch in Epochs(stage.folder, stage.places, stage.where.kind, 30, 30).all()}
    assert len(recipients) == len(names)


def test_only_so_many_copies_are_kept(stage: Stage) -> None:
    for number in range(6):
        stage.copies(f"20261122T12000{number}Z")
    assert [path.name[8:24] for path in stage.folder.glob("keyring-*.age")].sort() == [
        f"20261122T12000{number}Z" for number in (3, 4, 5)
    ].sort()
    assert len(list(stage.folder.glob("keyring-*.age"))) == 3


def test_a_change_of_recipients_seals_the_epochs_key_anew(stage: Stage) -> None:
    (copy,) = stage.copies()
    new = pyrage.x25519.Identity.generate()
    stage.copies("20261122T130000Z", recipients=[str(new.to_public())])
    assert len(epoch_keys(stage.folder, [new], {})) == 1
    assert epoch_keys(stage.folder, [stage.owner], {}) == []
    with pytest.raises(SealingError):
        read_keyring(copy, [new], stage.places)  # the outer seal is still the former owner's


def test_the_epochs_follow_the_root_key_to_another_place(stage: Stage, tmp_path: Path, openbao: Bao) -> None:
    (copy,) = stage.copies()
    other = openbao.where() if stage.where.kind == "file" else Where("file", tmp_path / "new" / "root.key")
    kms.find(other, make=True)
    stage.places[other.kind] = other
    name = f"epoch-{span(NOON, 30)[0]}"
    stage.copies("", kind=other.kind)
    stage.copies("", kind=other.kind)
    with pytest.raises(RootKeyError):
        kms.find(stage.where.beside(name))
    next(stage.folder.glob("epoch-*.age")).unlink()
    assert stage.reads(copy)
    stage.copies("", NOON + 100 * DAY, kind=other.kind)
    with pytest.raises(RootKeyError):
        kms.find(other.beside(name))


def test_what_was_promised_stays_true_when_the_settings_change(stage: Stage) -> None:
    stage.copies()
    (epoch,) = Epochs(stage.folder, stage.places, stage.where.kind, 30, 30).all()
    promised = epoch.dies
    stage.copies("", NOON + 1, epoch_days=365, keep_days=365)
    (epoch,) = Epochs(stage.folder, stage.places, stage.where.kind, 30, 30).all()
    assert epoch.dies == promised
    stage.copies("", NOON + DAY, epoch_days=7, keep_days=2)
    (epoch,) = Epochs(stage.folder, stage.places, stage.where.kind, 30, 30).all()
    assert epoch.dies == NOON + 3 * DAY


def test_a_place_that_is_away_ends_nothing_and_is_asked_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Where("file", tmp_path / "keys" / "root.key"))
    (copy,) = stage.copies()
    key = next((tmp_path / "keys").glob("root-epoch-*.key"))
    key.chmod(0o644)
    with pytest.raises(RootKeyError, match="open to others"):
        stage.copies("", NOON + 100 * DAY)
    assert copy.exists()
    key.chmod(0o600)
    stage.copies("", NOON + 100 * DAY)
    assert not copy.exists()


def test_what_is_left_of_a_copy_that_died_goes_with_the_next(stage: Stage) -> None:
    stage.copies()
    (stage.folder / "keyring-20261122T110000Z.x.age.part").write_bytes(b"half")
    stage.copies("20261122T130000Z")
    assert list(stage.folder.glob("*.part")) == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "swapped"])
def test_a_damaged_copy_is_refused_in_one_sentence(stage: Stage, damage: str) -> None:
    (copy,) = stage.copies()
    body = bytearray(copy.read_bytes())
    if damage == "cut":
        body = body[:-40]
    elif damage == "flipped":
        body[len(body) // 2] ^= 1
    else:
        body = bytearray(pyrage.encrypt(b"something else", [stage.owner.to_public()]))
    copy.write_bytes(body)
    with pytest.raises(SealingError) as told:
        stage.reads(copy)
    assert "\n" not in str(told.value)


def test_what_opens_and_is_no_keyring_is_refused(stage: Stage) -> None:
    (copy,) = stage.copies()
    (epoch,) = Epochs(stage.folder, stage.places, stage.where.kind, 30, 30).all()
    inner = pyrage.encrypt(b"SQLite format 3\0" + bytes(4096), [pyrage.x25519.Recipient.from_str(epoch.recipient)])
    copy.write_bytes(pyrage.encrypt(inner, [stage.owner.to_public()]))
    with pytest.raises((SealingError, sqlite3.DatabaseError), match="no keyring"):
        stage.reads(copy)


@given(now=st.integers(0, 1 << 36), days=st.integers(1, 400))
@hypothesis_settings(max_examples=200, deadline=None)
def test_every_moment_lies_in_one_epoch_by_the_calendar(now: int, days: int) -> None:
    name, ends = span(now, days)
    assert now < ends <= now + days * DAY
    assert ends % DAY == 0
    assert span(ends - 1, days) == (name, ends)
    assert span(ends, days)[0] != name
