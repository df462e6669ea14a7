"""Whatever is done to a log is found, and the sentence says what it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.campaign import rounds
from tests.ledger.logs import KEY, ORIGIN, Log, entries, log_of
from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.audit import MOST, audit
from troth.pledge.ledger.checkpoint import Checkpoint
from troth.pledge.ledger.export import Folder
from troth.pledge.ledger.tree import EMPTY

SIZE = 1000
SIZES = (1, 200, 256, 700, SIZE)
SIGNED = [log_of(size).signed() for size in SIZES]


@pytest.fixture
def log() -> Log:
    return log_of(SIZE)


def found(log: Log, signed=SIGNED) -> list[str]:
    return audit(log.rows, log.tiles, signed)


def renumber(log: Log, leaves: list[bytes]) -> None:
    """The rows anew, without touching the tree."""
    log.db.execute("DELETE FROM leaf")
    log.db.executemany("INSERT INTO leaf (seq, leaf) VALUES (?, ?)", enumerate(leaves))


def rewrite(log: Log, leaves: list[bytes]) -> None:
    """Rows and tree anew, in agreement with each other."""
    log.db.execute("DELETE FROM leaf")
    log.db.execute("DELETE FROM tile")
    log.add(leaves)


def test_an_honest_log_gives_no_finding(log):
    assert found(log) == []
    assert found(log, []) == []
    assert found(Log(), []) == []
    log.add(entries(5, SIZE))
    assert found(log) == []


def test_progress_is_told_from_start_to_end(log):
    told = []
    audit(log.rows, log.tiles, SIGNED, lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[-1] == (SIZE, SIZE)
    assert len(told) >= 4


GONE = "missing: deleted, while the tree still has the hash"
EDITED = "not what the tree was made from: edited or replaced"
ALTERED = "was altered: the entries do not lead to it"
CUT = "it was cut, removed or replaced"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("DELETE FROM leaf WHERE seq = 7", f"Entry 7 is {GONE}."),
        ("DELETE FROM leaf WHERE seq BETWEEN 250 AND 259", f"Entries 250 to 259 are {GONE}."),
        ("UPDATE leaf SET leaf = '{}' WHERE seq = 7", f"Entry 7 is {EDITED}."),
        ("UPDATE leaf SET leaf = x'00' WHERE seq > 997", f"Entries 998 to 999 are {EDITED}."),
        ("DELETE FROM leaf WHERE seq >= 990", "The tail was cut off: Entries 990 to 999 are gone."),
        ("DELETE FROM leaf", "The tail was cut off: Entries 0 to 999 are gone."),
        (
            "INSERT INTO leaf VALUES (1000, 'x', 0)",
            "Entry 1000 is in the log but not in the tree: added behind its back.",
        ),
        (
            "INSERT INTO leaf VALUES (5000, 'x', 0)",
            "Entry 5000 stands behind the end of the log, with a gap before it.",
        ),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND n = 1", f"Tile 1 of level 0 {ALTERED}."),
        ("UPDATE tile SET hashes = zeroblob(7424) WHERE level = 0 AND n = 3", f"Tile 3 of level 0 {ALTERED}."),
        ("UPDATE tile SET hashes = zeroblob(96) WHERE level = 1", f"Tile 0 of level 1 {ALTERED}."),
        ("DELETE FROM tile WHERE level = 0 AND n = 1", f"Tile 1 of level 0 has 0 hashes, not 256: {CUT}."),
        ("DELETE FROM tile WHERE level = 1", f"Tile 0 of level 1 has 0 hashes, not 3: {CUT}."),
    ],
)
def test_one_damage_gives_the_one_sentence_that_says_it(log, damage, sentence):
    log.db.execute(damage)
    assert found(log) == [sentence]


def test_entries_that_changed_places_are_recognised(log):
    log.db.execute("UPDATE leaf SET seq = CASE seq WHEN 5 THEN -900 ELSE -5 END WHERE seq IN (5, 900)")
    log.db.execute("UPDATE leaf SET seq = -seq WHERE seq < 0")
    assert found(log) == [
        "Entry 900 now stands at 5: the order was changed.",
        "Entry 5 now stands at 900: the order was changed.",
    ]


def test_rows_that_come_out_of_order_are_named(log):
    rows = list(log.rows)
    rows[10], rows[11] = rows[11], rows[10]
    assert "Entry 10 comes after a later one, or twice: the order was changed." in audit(rows, log.tiles, SIGNED)


def test_an_entry_taken_out_with_the_rest_renumbered_is_recognised(log):
    renumber(log, entries(100) + entries(SIZE - 102, 102))
    first, second = found(log)
    assert first == "The tail was cut off: Entries 998 to 999 are gone."
    assert second == (
        "Entries 102 to 999 now stand at 100 to 997: something was taken out before them and the rest renumbered."
    )


def test_an_entry_put_in_with_the_rest_renumbered_is_recognised(log):
    renumber(log, [*entries(100), b"new", *entries(SIZE - 100, 100)])
    assert found(log) == [
        "Entry 1000 is in the log but not in the tree: added behind its back.",
        "Entries 100 to 998 now stand at 101 to 999: something was put in before them and the rest renumbered.",
        "Entry 100 is not what the tree was made from: edited or replaced.",
    ]


@pytest.mark.parametrize("at", [0, 150, 300, 999])
def test_a_rewritten_history_is_found_by_the_checkpoints_after_it(log, at):
    rewrite(log, [*entries(at), b"new", *entries(SIZE - at - 1, at + 1)])
    assert found(log, []) == []  # the log alone does not show it: others must keep checkpoints
    assert found(log) == [
        f"The first {size} entries are not those that were signed: history was rewritten."
        for size in SIZES
        if size > at
    ]


def test_a_cut_of_rows_and_tree_is_found_by_the_checkpoint(log):
    rewrite(log, entries(990))
    assert found(log) == [
        "A checkpoint knows 1000 entries and the log has 990: its end was cut off, or an old copy restored."
    ]


def test_an_old_copy_that_went_on_is_found_as_well(log):
    rewrite(log, entries(990))
    log.add(entries(50, 2000))
    assert found(log) == ["The first 1000 entries are not those that were signed: history was rewritten."]


def test_a_fork_is_an_alarm(log):
    fork = Checkpoint(ORIGIN, 700, EMPTY)
    said = found(log, [*SIGNED, fork])
    assert said[0] == f"Fork: two checkpoints of {ORIGIN} at 700 entries have different roots: the log was forked."
    assert "The first 700 entries are not those that were signed: history was rewritten." in said
    other = Checkpoint("other.example/ledger", 1, SIGNED[0].root)
    assert found(log, [*SIGNED, other])[0] == f"Checkpoints of different logs: other.example/ledger, {ORIGIN}."


def test_an_edit_and_a_checkpoint_of_the_edited_log_are_both_told(log):
    """The keeper edited an entry, grew another tree and signed it; somebody kept the checkpoint from before."""
    rewrite(log, [*entries(500), b"new", *entries(499, 501)])
    said = found(log, [*SIGNED, log.signed()])
    assert [each.partition(":")[0] for each in said] == [
        "Fork",
        "The first 700 entries are not those that were signed",
        "The first 1000 entries are not those that were signed",
    ]


def test_much_damage_is_summed_up(log):
    log.db.execute("DELETE FROM leaf WHERE seq % 2")
    said = found(log)
    assert len(said) == MOST + 1
    assert said[-1] == f"And {SIZE // 2 - MOST} more of this kind."


def test_more_damage_than_is_looked_at_closely_is_still_counted():
    log = log_of(12_000)
    log.db.execute("UPDATE leaf SET leaf = x'00'")
    assert found(log, []) == [
        "Entries 0 to 9999 are not what the tree was made from: edited or replaced.",
        "2000 more entries differ from the tree.",
    ]


def test_what_moved_is_recognised_as_far_as_is_looked_at_closely():
    log = log_of(12_000)
    renumber(log, entries(11_999, 1))
    assert found(log, []) == [
        "The tail was cut off: Entry 11999 is gone.",
        "Entries 1 to 10000 now stand at 0 to 9999: something was taken out before them and the rest renumbered.",
        "1999 more entries differ from the tree.",
    ]


TABLES = {"leaf": ("leaf", "seq"), "tile": ("hashes", "rowid")}
INTACT = log_of(SIZE)


@given(st.sampled_from(sorted(TABLES)), st.data())
@settings(deadline=None, max_examples=rounds(120, 5000))
def test_no_byte_of_a_leaf_or_a_tile_can_be_flipped(table, data):
    column, key = TABLES[table]
    rows = INTACT.db.execute(f"SELECT {key}, {column} FROM {table}").fetchall()
    which, value = data.draw(st.sampled_from(rows))
    at, by = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(1, 255))
    flipped = value[:at] + bytes([value[at] ^ by]) + value[at + 1 :]
    log = Log()
    INTACT.db.backup(log.db)
    log.db.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (flipped, which))
    (said,) = found(log)
    assert said.startswith("Tile" if table == "tile" else "Entry")
    assert ("altered" if table == "tile" else "edited") in said


def test_a_published_folder_can_be_audited_by_anyone(tmp_path, log):
    log.export(tmp_path)
    assert audit(Folder(tmp_path, SIZE).entries(), Folder(tmp_path, SIZE), SIGNED) == []
    names = [each for each in tmp_path.rglob("*") if each.is_file() and each.name != "checkpoint"]
    assert len(names) == 4 + 4 + 1
    for path in names:
        intact = path.read_bytes()
        for altered in (
            flip(intact, 0),
            flip(intact, len(intact) // 2),
            flip(intact, -1),
            intact[:-1],
            intact[32:],
            b"",
        ):
            path.write_bytes(altered)
            folder = Folder(tmp_path, SIZE)
            assert audit(folder.entries(), folder, SIGNED), path
        path.unlink()
        assert audit(Folder(tmp_path, SIZE).entries(), Folder(tmp_path, SIZE), SIGNED), path
        path.write_bytes(intact)
    note = (tmp_path / "checkpoint").read_bytes()
    with pytest.raises(checkpoint.notes.BadNote):
        checkpoint.read(flip(note, 30).decode(), KEY.verify_key)


def flip(value: bytes, at: int) -> bytes:
    at %= len(value)
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def test_a_log_of_which_little_is_left_is_told_in_one_sentence():
    log = log_of(20_000)
    assert found(log, [log.signed()]) == []
    log.db.execute("DELETE FROM leaf WHERE seq NOT IN (0, 19999)")
    assert found(log, [log.signed()]) == [f"Entries 1 to 19998 are {GONE}."]
