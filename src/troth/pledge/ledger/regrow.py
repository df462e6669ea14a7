"""Growing the tree once more, from the entries alone, and comparing each tile with the one that is kept.

What an entry that is gone hashed to is taken from the kept tree, so that one hole does not hide all that comes after
it. Memory is flat: the right edge of the new tree, and a bounded part of what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from troth.pledge.ledger.tree import FULL, HASH, HEIGHT, WIDTH, Tiles, Tree, fold, grow, leaf_hash

CLOSELY = 10_000  # differing entries that are remembered one by one
Range = tuple[int, int]


class Edge:
    """A shelf that keeps the newest tile of each level, and hands on each tile that is full."""

    def __init__(self, full: Callable[[int, int, bytes], None]) -> None:
        self.size = 0
        self.newest: dict[int, tuple[int, bytes]] = {}
        self._full = full

    def get(self, level: int, n: int) -> bytes:
        at, hashes = self.newest.get(level, (n, b""))
        return hashes if at == n else b""

    def put(self, level: int, n: int, hashes: bytes) -> None:
        self.newest[level] = (n, hashes)
        if len(hashes) == FULL:
            self._full(level, n, hashes)


class Regrown:
    """What was found. Numbers of entries; tiles as (level, n)."""

    def __init__(self, tiles: Tiles, sizes: Collection[int], progress: Callable[[int, int], None]) -> None:
        """`sizes`: at which sizes the root is wanted."""
        self._tiles, self.kept = tiles, tiles.size
        self._sizes, self._progress = frozenset(sizes), progress
        self._edge, self._fresh = Edge(self._compare), list[bytes]()
        self._last = (-1, b"")  # the tile that was asked for last: neighbours are asked for one by one
        self.roots: dict[int, bytes] = {}  # by size: what the entries lead to
        self.count = 0  # entries up to the last one that is there
        self.missing: list[Range] = []
        self.disordered: list[int] = []
        self.beyond: list[int] = []
        self.altered: set[tuple[int, int]] = set()
        self.cut: dict[tuple[int, int], Range] = {}  # tiles with a wrong number of hashes: (has, due)
        self.differing: dict[int, bytes] = {}  # entries whose hash is not the tree's
        self.more = 0

    def read(self, rows: Iterable[tuple[int, bytes]]) -> None:
        for seq, leaf in rows:
            if seq < self.count:
                self.disordered.append(seq)
            elif seq > max(self.count, self.kept):
                self.beyond.append(seq)
            else:
                self._skip(seq)
                self._add(leaf_hash(leaf))
                self.count = seq + 1

    def end(self) -> None:
        """Compare the right edge as well. Entries cut off at the end stand as missing."""
        self._skip(self.kept)
        self._flush()
        for level, (n, hashes) in list(self._edge.newest.items()):
            if len(hashes) < FULL:
                self._compare(level, n, hashes)
        self._progress(self.kept, self.kept)

    def due(self, seq: int) -> bytes:
        """The hash that the kept tree has for an entry; none where that tile was cut."""
        n, at = divmod(seq, WIDTH)
        if self._last[0] != n:
            self._last = (n, self._tiles.get(0, n))
        return _at(self._last[1], at)

    def _skip(self, end: int) -> None:
        if end > self.count:
            self.missing.append((self.count, end - 1))
            for seq in range(self.count, end):
                self._add(self.due(seq) or bytes(HASH))

    def _add(self, found: bytes) -> None:
        self._fresh.append(found)
        size = self._edge.size + len(self._fresh)
        if size % WIDTH == 0 or size in self._sizes:
            self._flush()
            self._progress(min(size, self.kept), self.kept)

    def _flush(self) -> None:
        self._edge.size = size = grow(self._edge, self._fresh)
        self._fresh.clear()
        if size in self._sizes:
            self.roots[size] = Tree(self._edge).root(size)

    def _compare(self, level: int, n: int, hashes: bytes) -> None:
        """A tile as the entries make it, with the one kept."""
        width = max(0, min(WIDTH, (self.kept >> (level * HEIGHT)) - n * WIDTH))
        made, kept = hashes[: width * HASH], self._tiles.get(level, n)
        if made == kept:
            return
        if len(made) != len(kept):
            self.cut[level, n] = (len(kept) // HASH, width)
            return
        at = n % WIDTH * HASH
        if width == WIDTH and self._tiles.get(level + 1, n // WIDTH)[at : at + HASH] == fold(made):
            self.altered.add((level, n))  # the entries are those that the tile above was made from
            return
        places = [place for place in range(width) if _at(made, place) != _at(kept, place)]
        if level == 0:
            self._note({n * WIDTH + place: _at(made, place) for place in places})
        elif any(fold(self._tiles.get(level - 1, n * WIDTH + place)) != _at(kept, place) for place in places):
            self.altered.add((level, n))  # it does not even follow from the tiles below it

    def _note(self, found: dict[int, bytes]) -> None:
        room = max(0, CLOSELY - len(self.differing))
        self.differing.update(list(found.items())[:room])
        self.more += max(0, len(found) - room)


def _at(hashes: bytes, place: int) -> bytes:
    return hashes[place * HASH : (place + 1) * HASH]
