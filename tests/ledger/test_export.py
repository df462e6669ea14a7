"""The static files: laid out as C2SP says, complete, only ever growing, and never published wrong."""

import shutil

import pytest

from tests.ledger.logs import KEY, Log, entries, log_of
from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.checkpoint import Behind, Fork
from troth.pledge.ledger.export import Folder, export, published, tile_path
from troth.pledge.ledger.notes import SignKey, sign
from troth.pledge.ledger.tree import BrokenTree, Tree


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_paths_of_the_specification():
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(2, 0, 1) == "tile/2/000.p/1"
    assert tile_path("entries", 1000) == "tile/entries/x001/000"


def test_the_specification_s_example_of_70_000(tmp_path):
    log_of(70_000).export(tmp_path)
    names = set(files(tmp_path))
    full = {tile_path(level, n) for level in (0, "entries") for n in range(273)} | {"tile/1/000"}
    partial = {"tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
    assert names == full | partial | {"checkpoint"}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_536])
def test_sizes_at_the_edges(tmp_path, size):
    log = log_of(size)
    log.export(tmp_path)
    folder = Folder(tmp_path, size)
    assert Tree(folder).root(size) == log.tree.root(size)
    assert list(folder.entries()) == list(log.rows)
    assert all(len(content) for name, content in files(tmp_path).items())


def test_growing_changes_no_published_file_but_the_checkpoint(tmp_path):
    log, seen = Log(), {}
    for step in (1, 3, 250, 2, 0, 300, 700):
        log.add(entries(step, log.tiles.size))
        log.export(tmp_path)
        now = files(tmp_path)
        assert {name for name in seen if name in now and now[name] != seen[name]} <= {"checkpoint"}
        gone = {name for name in seen if name not in now}
        assert all(name.rpartition(".p/")[0] in now for name in gone)  # partial ones whose full tile is there
        seen = now
    shutil.rmtree(tmp_path)
    log.export(tmp_path)  # at once, the same full files
    assert {name: content for name, content in seen.items() if ".p/" not in name}.items() <= files(tmp_path).items()


def test_a_crash_before_the_checkpoint_is_made_good(tmp_path):
    log = log_of(300)
    log.export(tmp_path)
    (tmp_path / "tile/0/001.p").rename(tmp_path / "kept")
    log.add(entries(300, 300))
    (tmp_path / "tile/0/001").write_bytes(b"")  # the file was made, its content never came to the disk
    log.export(tmp_path)
    assert Tree(Folder(tmp_path, 600)).root(600) == log.tree.root(600)
    assert (tmp_path / "tile/0/001").read_bytes() == log.tiles.get(0, 1)


def test_an_earlier_log_or_another_is_not_published_over_a_newer_one(tmp_path):
    log_of(300).export(tmp_path)
    before = files(tmp_path)
    with pytest.raises(Behind, match="300 entries are published"):
        log_of(299).export(tmp_path)
    fork = Log()
    fork.add([b"another", *entries(400, 1)])
    with pytest.raises(Fork):
        fork.export(tmp_path)
    assert files(tmp_path) == before


def test_a_folder_belongs_to_one_log(tmp_path):
    log, other = log_of(10), SignKey("other.example/ledger", KEY.private)
    log.export(tmp_path)
    note = checkpoint.write(log.tree, other)
    with pytest.raises(Fork, match="holds the log shop"):
        export(tmp_path, log.tiles, log.leaves, note, other.verify_key, KEY.verify_key)


@pytest.mark.parametrize(
    "damage",
    ["UPDATE leaf SET leaf = 'text' WHERE seq = 7", "DELETE FROM leaf WHERE seq = 299",
     "DELETE FROM leaf WHERE seq = 7", "UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND n = 0",
     "DELETE FROM tile WHERE level = 1"],
)  # fmt: skip
def test_what_would_not_verify_is_not_published(tmp_path, damage):
    log = log_of(300)
    note = checkpoint.write(log.tree, KEY)
    log.db.execute(damage)
    with pytest.raises((BrokenTree, Fork)):
        export(tmp_path, log.tiles, log.leaves, note, KEY.verify_key)
    assert published(tmp_path, KEY.verify_key) is None


def test_a_tile_that_no_root_needs_must_be_there_all_the_same(tmp_path):
    log = log_of(65_536)
    note = checkpoint.write(log.tree, KEY)
    log.db.execute("DELETE FROM tile WHERE level = 1")
    with pytest.raises(BrokenTree, match="tile 0 of level 1 lacks hashes"):
        export(tmp_path, log.tiles, log.leaves, note, KEY.verify_key)
    assert published(tmp_path, KEY.verify_key) is None


def test_a_checkpoint_that_is_not_of_this_tree_is_not_published(tmp_path):
    log = log_of(300)
    wrong = str(checkpoint.Checkpoint(KEY.name, 300, log.tree.root(299)))
    for note, error in ((sign(wrong, KEY), Fork), (checkpoint.write(log_of(301).tree, KEY), Behind)):
        with pytest.raises(error):
            export(tmp_path, log.tiles, log.leaves, note, KEY.verify_key)
    assert files(tmp_path) == {}


def test_a_bundle_that_ends_in_the_middle_of_an_entry_is_no_bundle(tmp_path):
    log_of(2).export(tmp_path)
    bundle = tmp_path / tile_path("entries", 0, 2)
    bundle.write_bytes(bundle.read_bytes()[:-1])
    with pytest.raises(BrokenTree, match="ends in the middle of one"):
        list(Folder(tmp_path, 2).entries())


def test_an_entry_that_no_bundle_can_hold_is_refused(tmp_path):
    log = log_of(2)
    log.add([b"x" * 65_535])
    log.export(tmp_path)
    log.add([b"x" * 65_536])
    with pytest.raises(BrokenTree, match=r"entry 3 is longer than 65,535 bytes"):
        log.export(tmp_path)
