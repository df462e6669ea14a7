"""Search files for texts that must not be there, in eight spellings (spellings.py), compressed streams included.

One pass over each file, in pieces that overlap: the letters of a piece are made small, one regular expression finds
the few bytes at which a hit can lie, and only there are the patterns compared. Streams of zlib, gzip and zip are
found by their first bytes, as they are or in base64, inflated and searched in turn.

The files are read in a process of their own. On Unix, whoever closes a file gives up all locks that its process holds
on it (fcntl(2)): a search beside an open SQLite database would take the locks from under it and so destroy it
(https://www.sqlite.org/howtocorrupt.html, section 2.2).

Missed by design: a text broken by line ends or split over two pages of a database (read those column by column), and
what is encrypted. Nothing of what is found is kept but its place.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from troth.pledge.policy.spellings import Pattern, patterns
from troth.pledge.policy.streams import LONGEST_HEAD, Stream, begin

PIECE = 1 << 20  # bytes read at a time
ANCHOR = 4  # bytes of a pattern that the regular expression looks for
DEPTH = 2  # streams inside streams
# What a byte costs as the one to stop at: how many in a thousand it is in the database of a large shop, capitals as
# small letters; what is not here is one or two.
_COST = dict.fromkeys(range(256), 2)
for _many, _bytes in (
    (9, b"89xkwzj .,$"), (13, b"ft-ush_ymgvq"), (18, b'loc"pn:b\x03'), (23, b"34567dr1"), (30, b"eia0"), (43, b"2"),
    (119, b"\x00"),
):  # fmt: skip
    _COST |= dict.fromkeys(_bytes, _many)


class Hit(msgspec.Struct, frozen=True):
    """`offset`: bytes from the file's begin to the text, or to the stream that holds it ("compressed")."""

    path: Path
    spelling: str
    offset: int
    needle: str


class Found(msgspec.Struct):
    """What a search saw. `unread`: files and folders that this user may not read, of which nothing is known."""

    hits: list[Hit] = []
    files: int = 0
    bytes: int = 0
    unread: list[Path] = []


class Wanted(msgspec.Struct):
    """What the process that searches is told, on its standard input: no needle stands on a command line."""

    paths: list[Path]
    needles: list[str]


def search(paths: Iterable[Path], needles: Sequence[str]) -> Found:
    """Search files, and folders with all that lies in them, for each of `needles`.

    Raises ValueError for a needle that is too short, FileNotFoundError for a path that is not there, SearchFailed
    where the search did not come to its end. A file that vanishes meanwhile is passed over; links are not followed.
    """
    wanted = Wanted([Path(path) for path in paths], list(needles))
    Sieve(wanted.needles)
    for path in wanted.paths:
        path.lstat()
    package = Path(__file__).resolve().parents[3]
    others = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    done = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-P", "-m", __name__],
        input=msgspec.json.encode(wanted, enc_hook=str),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(package), *others])},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SearchFailed
    return msgspec.json.decode(done.stdout, type=Found, dec_hook=lambda kind, value: kind(value))


class SearchFailed(Exception):
    """The search did not come to its end; nothing is known."""


def search_here(paths: Iterable[Path], needles: Sequence[str]) -> Found:
    """The same in this process. Never where one of the files may be a database that this process has open."""
    sieve, found = Sieve(needles), Found()
    for path in sorted({file for start in paths for file in _files(start, found)}):
        try:
            _search_file(path, sieve, found)
        except PermissionError:
            found.unread.append(path)
        except FileNotFoundError:
            continue
    return found


def _search_file(path: Path, sieve: Sieve, found: Found) -> None:
    scan = Scan(sieve)
    with path.open("rb") as file:
        found.files += 1
        while piece := file.read(PIECE):
            found.bytes += len(piece)
            found.hits += [Hit(path, spelling, at, needle) for spelling, at, needle in scan.feed(piece)]


def _files(start: Path, found: Found) -> Iterator[Path]:
    if _regular(start):
        yield start
        return
    for folder, _, names in os.walk(start, onerror=lambda error: found.unread.append(Path(error.filename))):
        yield from (path for name in names if _regular(path := Path(folder, name)))


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


class Sieve:
    """All patterns of some needles, and `more`, ready to be looked for."""

    def __init__(self, needles: Sequence[str], more: Sequence[Pattern] = ()) -> None:
        known = [*(pattern for needle in dict.fromkeys(needles) for pattern in patterns(needle)), *more]
        self.overlap = max([len(pattern.folded) - 1 for pattern in known] + [LONGEST_HEAD - 1])
        self._by_anchor: dict[bytes, list[tuple[int, Pattern]]] = {}
        for pattern, at in _anchored(known):
            self._by_anchor.setdefault(pattern.folded[at : at + ANCHOR], []).append((at, pattern))
        # One byte is matched and three are only looked at, so that no hit hides the next one; few branches at each.
        ends: dict[bytes, list[bytes]] = {}
        for word in self._by_anchor:
            ends.setdefault(word[:1], []).append(re.escape(word[1:]))
        words = [re.escape(first) + b"(?=" + b"|".join(rest) + b")" for first, rest in ends.items()]
        self._regex = re.compile(b"|".join(words) or b"(?!)", re.DOTALL)

    def hits(self, window: bytes, seen: int) -> Iterator[tuple[str, int, str]]:
        """Spelling, place and needle of what ends beyond the first `seen` bytes of `window`."""
        folded = window.lower()
        for match in self._regex.finditer(folded):
            middle = match.start()
            for at, pattern in self._by_anchor[folded[middle : middle + ANCHOR]]:
                start = middle - at
                if (
                    start >= 0
                    and start + len(pattern.folded) > seen
                    and folded.startswith(pattern.folded, start)
                    and window.startswith(pattern.exact, start)
                ):
                    yield pattern.spelling, start, pattern.needle


class Scan:
    """One run of bytes, fed in pieces of any size."""

    def __init__(self, sieve: Sieve, depth: int = 0) -> None:
        self._sieve, self._depth = sieve, depth
        self._tail, self._base = b"", 0  # the end of what came, and where it lies
        self._open: list[tuple[int, Stream, Scan]] = []

    def feed(self, piece: bytes) -> list[tuple[str, int, str]]:
        """Spelling, offset in the whole run, and needle of each hit that this piece completes."""
        window, seen = self._tail + piece, len(self._tail)
        hits = [(spelling, self._base + at, needle) for spelling, at, needle in self._sieve.hits(window, seen)]
        if self._depth < DEPTH:
            still = [one for one in self._open if self._inflate(*one, piece, hits)]
            for at, stream in begin(window, seen):
                one = (self._base + at, stream, Scan(self._sieve, self._depth + 1))
                if self._inflate(*one, window[at:], hits):
                    still.append(one)
            self._open = still
        keep = min(len(window), self._sieve.overlap)
        self._tail, self._base = window[len(window) - keep :], self._base + len(window) - keep
        return hits

    @staticmethod
    def _inflate(at: int, stream: Stream, inner: Scan, piece: bytes, hits: list[tuple[str, int, str]]) -> bool:
        """Feed a stream. False when it has ended."""
        for inflated in stream.feed(piece):
            for _, _, needle in inner.feed(inflated):
                hits.append(("compressed", at, needle))
        return stream.going


def _anchored(known: list[Pattern]) -> Iterator[tuple[Pattern, int]]:
    """Each pattern with the place of its anchor, so chosen that anchors begin with few bytes, and rare ones."""
    left = {number: _places(pattern.folded) for number, pattern in enumerate(known)}
    while left:
        best = min(
            {byte for places in left.values() for byte in places},
            key=lambda byte: (_COST[byte] / sum(byte in places for places in left.values()), byte),
        )
        for number in [number for number, places in left.items() if best in places]:
            yield known[number], left.pop(number)[best]


def _places(folded: bytes) -> dict[int, int]:
    """Where each byte stands in a pattern with an anchor's length left. A byte's last place counts."""
    return {folded[at]: at for at in range(max(1, len(folded) - ANCHOR + 1))}


def main() -> None:
    """Search as told on standard input, and tell on standard output."""
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted, dec_hook=lambda kind, value: kind(value))
    sys.stdout.buffer.write(msgspec.json.encode(search_here(wanted.paths, wanted.needles), enc_hook=str))


if __name__ == "__main__":
    main()
