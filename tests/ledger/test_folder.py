"""A folder that is read while it grows: what was a partial tile a moment ago is the beginning of a full one now."""

from pathlib import Path

from tests.ledger.logs import KEY, entries, log_of
from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.audit import audit
from troth.pledge.ledger.export import Folder, export


def test_a_reader_of_an_older_size_finds_all_of_it(tmp_path: Path) -> None:
    log = log_of(300)
    before = log.export(tmp_path)
    reading = Folder(tmp_path, 300)
    log.add(entries(700, 300))
    log.export(tmp_path)
    assert not (tmp_path / "tile/0/001.p").exists()
    assert [leaf for _, leaf in reading.entries()] == entries(300)
    assert list(reading.leaves(250, 260)) == [(250 + n, leaf) for n, leaf in enumerate(entries(10, 250))]
    assert audit(reading.entries(), reading, [checkpoint.read(before, KEY.verify_key)]) == []


def test_an_exported_log_can_be_exported_again_from_its_folder(tmp_path: Path) -> None:
    note = log_of(600).export(tmp_path / "one")
    there = Folder(tmp_path / "one", 600)
    export(tmp_path / "two", there, there.leaves, note, KEY.verify_key)
    for path in (tmp_path / "one").rglob("*"):
        if path.is_file():
            assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()
