"""Checking inclusion and consistency proofs, as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say. Needs no tiles."""

from __future__ import annotations

from collections.abc import Sequence

from troth.pledge.ledger.tree import EMPTY, HASH, LedgerError, node_hash


class NotProven(LedgerError):
    """The proof does not show what it should."""


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """NotProven unless the leaf whose hash is `leaf` stands at `index` in the tree of `size` with this root."""
    if not 0 <= index < size:
        raise NotProven(f"a log of {size} entries has no entry {index}")
    place, last, found = index, size - 1, leaf
    for sibling in _hashes(path):
        if last == 0:
            raise NotProven("the inclusion proof is too long")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last or found != root:
        raise NotProven("the inclusion proof does not lead from this entry to the signed root")


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """NotProven unless the tree of `old` leaves with its root is a beginning of that of `new` leaves with its."""
    if not 0 < old < new:
        _check_trivial(old, old_root, new, new_root, path)
        return
    hashes = _hashes(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise NotProven("the consistency proof is empty")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise NotProven("the consistency proof is too long")
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last or (before, after) != (old_root, new_root):
        raise NotProven(f"the log of {new} entries is not a continuation of the one of {old}")


def _check_trivial(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Equal sizes need equal roots; the empty log is a beginning of every log. Neither has anything to prove."""
    same = 0 <= old == new and old_root == new_root
    from_nothing = 0 == old < new and old_root == EMPTY
    if path or not (same or from_nothing):
        raise NotProven(f"a log of {new} entries is not proven to follow one of {old}")


def _hashes(path: Sequence[bytes]) -> list[bytes]:
    if any(len(each) != HASH for each in path):
        raise NotProven("a proof consists of hashes of 32 bytes")
    return list(path)
