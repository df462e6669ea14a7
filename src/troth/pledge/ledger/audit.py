"""Reading a whole log against its tree and against checkpoints that others keep: what was done to it, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise

from troth.pledge.ledger.checkpoint import Checkpoint, Fork, compare
from troth.pledge.ledger.regrow import CLOSELY, Regrown
from troth.pledge.ledger.tree import WIDTH, BrokenTree, LedgerError, Tiles, Tree

MOST = 20  # sentences of one kind


def audit(
    rows: Iterable[tuple[int, bytes]],
    tiles: Tiles,
    checkpoints: Iterable[Checkpoint],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[str]:
    """Every contradiction found; an empty list says that entries, tree and checkpoints are one history.

    `rows`: (number, leaf) in order of number. `checkpoints`: verified ones (checkpoint.read) of any age and source;
    what is younger than all of them is compared with the tree alone. `progress(done, of)` comes every 256 entries.
    """
    known = sorted(set(checkpoints))
    made, unread = Regrown(tiles, {each.size for each in known}, progress), []
    try:
        made.read(rows)
    except LedgerError as error:
        unread.append(f"{error}.")
    made.end()
    signed = max((each.size for each in known if made.roots.get(each.size) == each.root), default=0)
    kinds = (_forks(known), iter(unread), _entries(made), _changed(made, signed), _tiles(made, signed))
    return [sentence for kind in (*kinds, _signed(made, tiles, known)) for sentence in _most(kind)]


def _forks(known: list[Checkpoint]) -> Iterator[str]:
    for one, other in pairwise(known):
        try:
            compare(one, other)
        except Fork as fork:
            yield f"Fork: {fork}."
    if len(origins := {each.origin for each in known}) > 1:
        yield f"Checkpoints of different logs: {', '.join(sorted(origins))}."


def _entries(made: Regrown) -> Iterator[str]:
    """What lacks, and what is too much."""
    for first, last in made.missing:
        if first >= made.count:
            yield f"The tail was cut off: {_range(first, last)} gone."
        else:
            yield f"{_range(first, last)} missing: deleted, while the tree still has the hash."
    for seq in made.disordered:
        yield f"Entry {seq} comes after a later one, or twice: the order was changed."
    for seq in made.beyond:
        yield f"Entry {seq} stands behind the end of the log, with a gap before it."
    if made.count > made.kept:
        yield f"{_range(made.kept, made.count - 1)} in the log but not in the tree: added behind its back."


def _changed(made: Regrown, signed: int) -> Iterator[str]:
    """What happened to entries that differ from the tree: moved ones are recognised, the others were edited."""
    differing = {seq: found for seq, found in made.differing.items() if seq >= signed}
    places = _places(made, differing)
    moved = {seq: places[found] - seq for seq, found in differing.items() if found in places}
    for first, last, by in _runs(moved):
        yield _moved(first, last, by)
    for first, last, _ in _runs(dict.fromkeys(differing.keys() - moved.keys(), 0)):
        yield f"{_range(first, last)} not what the tree was made from: edited or replaced."
    if made.more:
        yield f"{made.more} more entries differ from the tree."


def _places(made: Regrown, differing: dict[int, bytes]) -> dict[bytes, int]:
    """Where the tree has the hashes that no entry stands for any more."""
    gone = (seq for first, last in made.missing for seq in range(first, last + 1))
    edge = max(differing, default=-1) + 1  # of what is remembered; what was moved here may come from just behind it
    near = range(edge, min(edge + WIDTH, made.kept)) if made.more else range(0)
    return {made.due(seq): seq for seq in sorted({*differing, *near, *islice(gone, CLOSELY)})}


def _tiles(made: Regrown, signed: int) -> Iterator[str]:
    for (level, n), (has, due) in sorted(made.cut.items()):
        yield f"Tile {n} of level {level} has {has} hashes, not {due}: it was cut, removed or replaced."
    as_signed = {(0, seq // WIDTH) for seq in made.differing if seq < signed}
    for level, n in sorted(made.altered | as_signed):
        yield f"Tile {n} of level {level} was altered: the entries do not lead to it."


def _signed(made: Regrown, tiles: Tiles, known: list[Checkpoint]) -> Iterator[str]:
    """Each checkpoint, the oldest first: the first contradiction tells where history parts."""
    for each in known:
        if each.size > max(made.count, made.kept):
            there = f"the log has {max(made.count, made.kept)}"
            yield f"A checkpoint knows {each.size} entries and {there}: its end was cut off, or an old copy restored."
        elif made.roots.get(each.size) != each.root and not _kept_is(tiles, each):
            yield f"The first {each.size} entries are not those that were signed: history was rewritten."


def _kept_is(tiles: Tiles, signed: Checkpoint) -> bool:
    """Whether the kept tree is the one that was signed, whatever happened to the entries."""
    try:
        return signed.size <= tiles.size and Tree(tiles).root(signed.size) == signed.root
    except BrokenTree:
        return False


def _runs(offsets: dict[int, int]) -> list[tuple[int, int, int]]:
    """Neighbours with one offset, together: (first, last, offset)."""
    runs: list[tuple[int, int, int]] = []
    for seq, by in sorted(offsets.items()):
        if runs and runs[-1][1] == seq - 1 and runs[-1][2] == by:
            runs[-1] = (runs[-1][0], seq, by)
        else:
            runs.append((seq, seq, by))
    return runs


def _moved(first: int, last: int, by: int) -> str:
    if first == last:
        return f"Entry {first + by} now stands at {first}: the order was changed."
    came = "something was taken out before them" if by > 0 else "something was put in before them"
    return f"Entries {first + by} to {last + by} now stand at {first} to {last}: {came} and the rest renumbered."


def _range(first: int, last: int) -> str:
    """The beginning of a sentence about some entries."""
    return f"Entry {first} is" if first == last else f"Entries {first} to {last} are"


def _most(said: Iterable[str]) -> list[str]:
    sentences = list(said)
    rest = len(sentences) - MOST
    return [*sentences[:MOST], f"And {rest} more of this kind."] if rest > 0 else sentences
