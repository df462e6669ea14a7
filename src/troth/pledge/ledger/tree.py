"""The ledger's Merkle tree: RFC 6962 hashing over SHA-256, kept as tiles of 256 hashes.

Every hash is of `0x00 || leaf` or `0x01 || left || right` (RFC 6962 section 2.1). Tile n of level l holds the hashes
of the perfect trees over 256**l leaves, from number 256 * n on (C2SP tlog-tiles v0.1.0). Tiles are the whole state:
they only grow at the right edge, so what is published may be cached for ever. Memory does not depend on the size.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol

HASH = 32
HEIGHT = 8
WIDTH = 1 << HEIGHT
FULL = WIDTH * HASH
EMPTY = sha256(b"").digest()  # root of the tree without leaves


class LedgerError(Exception):
    """What is wrong with a ledger or a proof, in one sentence without anything personal."""


class BrokenTree(LedgerError):
    """The tiles are not those of one tree: a tile is missing, too short or too long."""


class Tiles(Protocol):
    """Where tiles are read from."""

    @property
    def size(self) -> int:
        """How many leaves the tiles stand for."""

    def get(self, level: int, n: int) -> bytes:
        """The hashes of a tile, 32 bytes each, as many as there are; none if there is no such tile."""


class Shelf(Tiles, Protocol):
    """Where tiles are kept. What is put must be there for the next `get`, and be undone with the caller's failure."""

    def put(self, level: int, n: int, hashes: bytes) -> None: ...


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def fold(hashes: bytes) -> bytes:
    """The root over a power of two of hashes, one after another."""
    while len(hashes) > HASH:
        pairs = range(0, len(hashes), 2 * HASH)
        hashes = b"".join([sha256(b"\1" + hashes[at : at + 2 * HASH]).digest() for at in pairs])
    return hashes


def grow(shelf: Shelf, hashes: Iterable[bytes]) -> int:
    """Append leaf hashes, in the caller's transaction; at once as many as memory may hold. Returns the new size.

    BrokenTree if the right edge is not exactly as the size asks; the caller rolls back.
    """
    place, level, fresh = shelf.size, 0, b"".join(hashes)
    size = place + len(fresh) // HASH
    while fresh:
        fresh = _extend(shelf, level, place, fresh)
        place, level = place // WIDTH, level + 1
    return size


def _extend(shelf: Shelf, level: int, place: int, fresh: bytes) -> bytes:
    """Put hashes at the end of a level. Returns the roots of the tiles that this fills, for the level above."""
    n, held = divmod(place, WIDTH)
    tile = shelf.get(level, n)
    if len(tile) != held * HASH:
        raise BrokenTree(f"tile {n} of level {level} has {len(tile) / HASH:g} hashes where {held} are due")
    hashes, roots = tile + fresh, []
    for start in range(0, len(hashes), FULL):
        piece = hashes[start : start + FULL]
        shelf.put(level, n, piece)
        n += 1
        if len(piece) == FULL:
            roots.append(fold(piece))
    return b"".join(roots)


class Tree:
    """Roots and proofs, for the present size and every earlier one. BrokenTree where a tile needed is damaged."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles, self.size = tiles, tiles.size

    def root(self, size: int) -> bytes:
        """The Merkle tree hash of the first `size` leaves. ValueError for more than there are."""
        if not 0 <= size <= self.size:
            raise ValueError(f"a tree of {self.size} leaves has no root at {size}")
        return self._hash(0, size) if size else EMPTY

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that a leaf is in the tree of `size`, from its sibling upwards (RFC 6962 section 2.1.1)."""
        if not 0 <= index < size <= self.size:
            raise ValueError(f"a tree of {self.size} leaves cannot prove leaf {index} at size {size}")
        path, start, end = [], 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `old` leaves is a beginning of that of `new` (RFC 6962 section 2.1.2)."""
        if not 0 <= old <= new <= self.size:
            raise ValueError(f"a tree of {self.size} leaves cannot prove {new} to follow {old}")
        if old in (0, new):
            return []
        path, start, end = [], 0, new
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        if start:  # else the old tree is itself a part: who asks has its root
            path.append(self._hash(start, end))
        return path[::-1]

    def _hash(self, start: int, end: int) -> bytes:
        """Over leaves start to end, one of the parts into which RFC 6962 splits a tree."""
        span = end - start
        if span & (span - 1) == 0:
            return self._perfect(start, span.bit_length() - 1)
        middle = start + _split(span)
        return node_hash(self._hash(start, middle), self._hash(middle, end))

    def _perfect(self, start: int, height: int) -> bytes:
        level, rest = divmod(height, HEIGHT)
        n, first = divmod(start >> (HEIGHT * level), WIDTH)
        hashes = self._tiles.get(level, n)[first * HASH : (first + (1 << rest)) * HASH]
        if len(hashes) != HASH << rest:
            raise BrokenTree(f"tile {n} of level {level} lacks hashes that a tree of {self.size} leaves has")
        return fold(hashes)


def _split(span: int) -> int:
    """The largest power of two below `span`."""
    return 1 << ((span - 1).bit_length() - 1)
