"""The tree hashes as RFC 6962 says, its proofs verify, and nothing that differs by a byte does."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.logs import Log, entries, log_of, mth, path, subproof
from troth.pledge.ledger.paths import NotProven, check_consistency, check_inclusion
from troth.pledge.ledger.table import Table, catch_up
from troth.pledge.ledger.tree import EMPTY, BrokenTree, grow, leaf_hash, node_hash

# The test vectors of the reference implementation of RFC 6962 (google/certificate-transparency, merkletree tests).
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
P = {
    "a": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "b": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "c": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "d": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "e": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "f": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "g": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "h": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
}
BIG = 70_000  # three levels of tiles


@pytest.fixture(scope="module")
def big() -> Log:
    return log_of(BIG)


def hexed(hashes: list[bytes]) -> list[str]:
    return [each.hex() for each in hashes]


def test_the_reference_vectors():
    log = Log()
    assert log.tree.root(0) == EMPTY == mth([])
    log.add(LEAVES)
    assert hexed([log.tree.root(size) for size in range(1, 9)]) == ROOTS
    assert hexed(log.tree.inclusion(0, 8)) == [P["a"], P["b"], P["c"]]
    assert hexed(log.tree.inclusion(5, 8)) == [P["d"], P["e"], P["f"]]
    assert hexed(log.tree.inclusion(2, 3)) == [P["h"]]
    assert hexed(log.tree.consistency(1, 8)) == [P["a"], P["b"], P["c"]]
    assert hexed(log.tree.consistency(6, 8)) == [P["g"], P["e"], P["f"]]
    assert hexed(log.tree.consistency(2, 5)) == [P["b"], P["d"]]
    assert log.tree.consistency(8, 8) == log.tree.consistency(0, 8) == log.tree.inclusion(0, 1) == []


@given(st.integers(1, 700), st.data())
@settings(deadline=None, max_examples=40)
def test_roots_and_proofs_are_those_of_the_rfc(size, data):
    leaves, log = entries(size), Log()
    cuts = sorted(data.draw(st.sets(st.integers(0, size), max_size=5)) | {0, size})
    for start, end in pairwise(cuts):  # however they come, in however many batches
        log.add(leaves[start:end])
    old, index = data.draw(st.integers(1, size)), data.draw(st.integers(0, size - 1))
    assert log.tree.root(size) == mth(leaves)
    assert log.tree.root(old) == mth(leaves[:old])
    assert log.tree.inclusion(index, size) == path(index, leaves)
    assert log.tree.consistency(old, size) == subproof(old, leaves, True)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_every_inclusion_verifies_and_nothing_near_it(big, data):
    size = data.draw(st.integers(1, BIG))
    index = data.draw(st.integers(0, size - 1))
    leaf, root, proof = leaf_hash(b'{"n":%d}' % index), big.tree.root(size), big.tree.inclusion(index, size)
    check_inclusion(leaf, index, size, proof, root)
    wrong = [
        (flipped(data, leaf), index, size, proof, root),
        (leaf, index, size, proof, flipped(data, root)),
        (leaf, index ^ 1, size, proof, root),
        (leaf, index, size, [*proof, root], root),
        (leaf, size, size, proof, root),
        (leaf, -1, size, proof, root),
    ]
    if proof:
        which = data.draw(st.integers(0, len(proof) - 1))
        altered = [flipped(data, each) if at == which else each for at, each in enumerate(proof)]
        wrong += [(leaf, index, size, proof[:-1], root), (leaf, index, size, altered, root)]
        wrong += [(leaf, index, size, [proof[0] + proof[1], *proof[2:]], root)] if len(proof) > 1 else []
    for arguments in wrong:
        if arguments != (leaf, index ^ 1, size, [], root):
            with pytest.raises(NotProven):
                check_inclusion(*arguments)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_every_consistency_verifies_and_nothing_near_it(big, data):
    new = data.draw(st.integers(1, BIG))
    old = data.draw(st.integers(1, new))
    before, after, proof = big.tree.root(old), big.tree.root(new), big.tree.consistency(old, new)
    check_consistency(old, before, new, after, proof)
    wrong = [
        (old, flipped(data, before), new, after, proof),
        (old, before, new, flipped(data, after), proof),
        (old, before, new, after, [*proof, after]),
    ]
    if proof:
        which = data.draw(st.integers(0, len(proof) - 1))
        altered = [flipped(data, each) if at == which else each for at, each in enumerate(proof)]
        wrong += [
            (old, before, new, after, proof[:-1]),
            (old, before, new, after, altered),
            (new, after, old, before, proof),
        ]
    for arguments in wrong:
        with pytest.raises(NotProven):
            check_consistency(*arguments)


def test_a_root_that_was_made_to_fit_does_not_help():
    """Whoever may choose the roots still cannot prove with hashes too many, too few, or of another length."""
    log, extra = log_of(8), b"x" * 32
    leaf, root = leaf_hash(entries(1)[0]), log.tree.root
    for index, size, proof, made in (
        (0, 3, log.tree.inclusion(0, 2), root(2)),
        (0, 2, [*log.tree.inclusion(0, 2), extra], node_hash(extra, root(2))),
        (0, 2, [extra + extra], node_hash(leaf, extra + extra)),
    ):
        with pytest.raises(NotProven):
            check_inclusion(leaf, index, size, proof, made)
    proof = log.tree.consistency(4, 8)
    for before, new, hashes, after in (
        (root(4), 16, proof, root(8)),
        (node_hash(extra, root(6)), 8, [*log.tree.consistency(6, 8), extra], node_hash(extra, root(8))),
        (root(4), 8, [extra + extra], node_hash(root(4), extra + extra)),
    ):
        with pytest.raises(NotProven):
            check_consistency(6 if len(hashes) > 2 else 4, before, new, after, hashes)


def test_an_empty_log_is_the_beginning_of_every_log():
    log = log_of(3)
    check_consistency(0, EMPTY, 3, log.tree.root(3), [])
    check_consistency(0, EMPTY, 0, EMPTY, [])
    for wrong in ((0, log.tree.root(1), 3, log.tree.root(3)), (0, EMPTY, 0, log.tree.root(1)), (-1, EMPTY, 3, EMPTY)):
        with pytest.raises(NotProven):
            check_consistency(*wrong, [])


def test_only_what_is_there_can_be_asked(big):
    for ask in (
        lambda: big.tree.root(BIG + 1),
        lambda: big.tree.root(-1),
        lambda: big.tree.inclusion(BIG, BIG),
        lambda: big.tree.inclusion(0, BIG + 1),
        lambda: big.tree.consistency(5, 4),
        lambda: big.tree.consistency(-1, 4),
    ):
        with pytest.raises(ValueError, match="a tree of 70000 leaves"):
            ask()


def test_what_a_batch_did_is_undone_with_it():
    log = log_of(300)
    root = log.tree.root(300)
    log.db.execute("BEGIN")
    grow(log.tiles, [leaf_hash(each) for each in entries(900, 300)])
    assert log.tiles.size == 1200
    log.db.execute("ROLLBACK")
    assert log.tiles.size == 300
    assert log.tree.root(300) == root
    log.add(entries(900, 300))
    assert log.tree.root(1200) == mth(entries(1200))


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("DELETE FROM leaf WHERE seq = 999", "entries are missing"),
        ("DELETE FROM leaf", "the last one on record is None"),
        ("INSERT INTO leaf VALUES (1002, 'x', NULL)", "an entry is missing"),
        ("DELETE FROM tile WHERE level = 1", "0 hashes where 3 are due"),
        ("DELETE FROM tile WHERE level = 0 AND n >= 2", "3 hashes where 2 are due"),
    ],
)
def test_a_damaged_log_takes_no_further_entry(damage, what):
    log = log_of(1000)
    log.db.execute(damage)
    with pytest.raises(BrokenTree, match=what):
        log.add(entries(300, 1000) if "tile" in damage else [])


def test_a_missing_tile_gives_no_root():
    log = log_of(1000)
    log.db.execute("DELETE FROM tile WHERE level = 1")
    with pytest.raises(BrokenTree, match="tile 0 of level 1"):
        log.tree.root(1000)


def test_catching_up_costs_nothing_when_nothing_came():
    log = log_of(1000)
    before = log.db.total_changes
    assert catch_up(log.db).size == 1000
    assert log.db.total_changes == before
    assert Table(log.db).size == 1000


def flipped(data: st.DataObject, value: bytes) -> bytes:
    at, bit = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 7))
    return value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :]
