"""The ledger as static files, as C2SP tlog-tiles v0.1.0 lays them out: checkpoint, tile/<L>/<N>, tile/entries/<N>.

Tiles and entries never change and may be cached for ever; only `checkpoint` is replaced, last, when all it speaks of is
on disk. A crash leaves the earlier checkpoint, and the next run writes again what came after it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from troth.pledge.ledger import checkpoint, notes
from troth.pledge.ledger.tree import FULL, HASH, HEIGHT, WIDTH, BrokenTree, Tiles, Tree, leaf_hash

ENTRIES = "entries"
LONGEST_ENTRY = 0xFFFF
FEW = 32  # files that are brought to disk one by one
Leaves = Callable[[int, int], Iterator[tuple[int, bytes]]]


def tile_path(level: int | str, n: int, width: int = WIDTH) -> str:
    """Where a tile, or with level "entries" a bundle of entries, lies below the log's address."""
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03d}")
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def export(folder: Path, tiles: Tiles, leaves: Leaves, note: str, *keys: notes.VerifyKey) -> int:
    """Write all that a checkpoint needs and is not yet there, then the checkpoint. Returns the number of files.

    `leaves(start, end)` yields number and bytes of the leaves of that range (table.leaves). What would not verify is
    never published: BrokenTree if a leaf or a tile is not the one of the tree, Behind or Fork if the checkpoint is not
    one of the tree or does not extend the one published before.
    """
    signed, old = checkpoint.read(note, *keys), published(folder, *keys)
    folder.mkdir(parents=True, exist_ok=True)
    tree = Tree(tiles)
    checkpoint.must_extend(tree, signed)
    if old:
        if old.origin != signed.origin:
            raise checkpoint.Fork(f"this folder holds the log {old.origin}, not {signed.origin}")
        if old.size > signed.size:
            raise checkpoint.Behind(f"{old.size} entries are published already; this checkpoint knows {signed.size}")
        checkpoint.must_extend(tree, old)
    before = old.size if old else 0
    written = _entries(folder, tiles, leaves, before, signed.size)
    level = 0
    while signed.size >> (level * HEIGHT):
        written += _level(folder, tiles, level, before >> (level * HEIGHT), signed.size >> (level * HEIGHT))
        level += 1
    _settle(written)
    _settle([_write(folder / "checkpoint", note.encode())])
    return len(written) + 1


def published(folder: Path, *keys: notes.VerifyKey) -> checkpoint.Checkpoint | None:
    """The checkpoint that stands in a folder, if any."""
    try:
        return checkpoint.read((folder / "checkpoint").read_text("utf-8"), *keys)
    except FileNotFoundError:
        return None


def _level(folder: Path, tiles: Tiles, level: int, before: int, size: int) -> list[Path]:
    """Write the tiles of a level that grew from `before` to `size` hashes."""
    written = []
    for n, width in _grown(before, size):
        hashes = tiles.get(level, n)[: width * HASH]
        if len(hashes) != width * HASH:
            raise BrokenTree(f"tile {n} of level {level} lacks hashes that were signed")
        written.append(_place(folder, level, n, width, hashes))
    return written


def _entries(folder: Path, tiles: Tiles, leaves: Leaves, before: int, size: int) -> list[Path]:
    written = []
    for n, width in _grown(before, size):
        bundle, hashes = list[bytes](), list[bytes]()
        for _, leaf in leaves(n * WIDTH, n * WIDTH + width):
            if len(leaf) > LONGEST_ENTRY:
                raise BrokenTree(f"entry {n * WIDTH + len(hashes)} is longer than 65,535 bytes")
            bundle += [len(leaf).to_bytes(2, "big"), leaf]
            hashes.append(leaf_hash(leaf))
        if b"".join(hashes) != tiles.get(0, n)[: width * HASH]:
            raise BrokenTree(f"an entry from {n * WIDTH} to {n * WIDTH + width - 1} is not the one in the tree")
        written.append(_place(folder, ENTRIES, n, width, b"".join(bundle)))
    return written


def _grown(before: int, size: int) -> Iterator[tuple[int, int]]:
    """Number and width of each tile that has more hashes at `size` than it had at `before`."""
    if size > before:
        for n in range(before // WIDTH, -(-size // WIDTH)):
            yield n, min(WIDTH, size - n * WIDTH)


def _place(folder: Path, level: int | str, n: int, width: int, content: bytes) -> Path:
    path = folder / tile_path(level, n, width)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content)
    if width == WIDTH:
        # Its partial forms may go, the specification says: who asks for one falls back on the full tile.
        shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)
    return path


def _write(path: Path, content: bytes) -> Path:
    """Whole or not at all, for whoever reads meanwhile."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    return fresh.replace(path)


def _settle(written: list[Path]) -> None:
    """All of it is on disk: file by file, or where there are many with one wait for everything."""
    if len(written) > FEW:
        os.sync()
        return
    for path in sorted({*written, *(path.parent for path in written)}):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def bundled(bundle: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each entry in a bundle, whose first one has number `first`. BrokenTree if it is malformed."""
    at, seq = 0, first
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle):
            raise BrokenTree(f"the bundle of entries from {first} on ends in the middle of one")
        yield seq, bundle[at + 2 : end]
        at, seq = end, seq + 1


class Folder:
    """A folder of such files, ours or fetched from anyone: Tiles for tree.py, and the entries."""

    def __init__(self, folder: Path, size: int) -> None:
        """`size`: of the checkpoint that stands there."""
        self._folder, self.size = folder, size

    def get(self, level: int, n: int) -> bytes:
        count = self.size >> (level * HEIGHT)
        hashes = self._read(level, n, min(WIDTH, max(0, count - n * WIDTH)))
        return hashes if len(hashes) <= FULL else b""

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of each entry. BrokenTree where a bundle is malformed."""
        for n in range(-(-self.size // WIDTH)):
            yield from self._bundle(n)

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Those numbered from start to before end."""
        for n in range(start // WIDTH, -(-end // WIDTH)):
            yield from ((seq, leaf) for seq, leaf in self._bundle(n) if start <= seq < end)

    def _bundle(self, n: int) -> Iterator[tuple[int, bytes]]:
        return bundled(self._read(ENTRIES, n, min(WIDTH, self.size - n * WIDTH)), n * WIDTH)

    def _read(self, level: int | str, n: int, width: int) -> bytes:
        """A tile or bundle. Where a partial one has become a full one meanwhile: that one's first part."""
        if not width:
            return b""
        try:
            return (self._folder / tile_path(level, n, width)).read_bytes()
        except FileNotFoundError:
            full = self._folder / tile_path(level, n)
            content = full.read_bytes() if width < WIDTH and full.is_file() else b""
        if level != ENTRIES:
            return content[: width * HASH]
        return b"".join(len(leaf).to_bytes(2, "big") + leaf for seq, leaf in bundled(content, 0) if seq < width)
