"""Whether an archive may be sold: nothing in it that harms who unpacks it, or the machine that looks into it.

The format is PKWARE's APPNOTE 6.3.10. Nothing is unpacked here, and memory stays flat however large the archive is:
entries are read in pieces to compare their checksums. A file of another format than zip is sold as it is.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MOST_BYTES = 2 << 30  # of a file that is sold
MOST_UNPACKED = 4 << 30
MOST_FILES = 50_000
MOST_LISTED = 16 << 20  # bytes of the list at a zip's end, which is read at once
BOMB = 200  # times as large unpacked as packed: no text or program packs so well
SMALL = 50 << 20  # bytes unpacked that do no harm, however well they pack
PIECE = 1 << 20
PACKED = (".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")  # archives that are not looked into
_END, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"  # end of central directory; its Zip64 locator
# What zipfile lets through of bytes that are no archive; a place before the file's begin is an OSError there.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip


def unsound(path: Path) -> str:
    """Why this file cannot be sold, in words that follow its name; "" where nothing speaks against it.

    OSError where it cannot be read.
    """
    size = path.stat().st_size
    if not size:
        return "is empty"
    if size > MOST_BYTES:
        return f"is larger than {MOST_BYTES >> 30} GiB"
    if path.suffix.lower() in PACKED:
        return "is an archive that is not looked into; pack it as .zip"
    return _unsound_zip(path, size) if path.suffix.lower() == ".zip" else ""


def _unsound_zip(path: Path, size: int) -> str:
    why = _unreadable_list(path, size)
    if why:
        return why
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            return next(_wrong(entries, size), "") or _damaged(archive, entries)
    except UNREADABLE:
        return "is no zip archive that can be read"


def _unreadable_list(path: Path, size: int) -> str:
    """Look at the end record before anybody reads the list that it names: a forged one takes all memory."""
    with path.open("rb") as file:
        file.seek(max(0, size - (1 << 16) - 22 - 20))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return "is no zip archive that can be read"
    if tail[max(0, at - 20) : at].startswith(_LOCATOR):
        return "is a Zip64 archive, for more than 4 GiB; pack it as a plain zip"
    files, listed = struct.unpack("<HI", tail[at + 10 : at + 16])
    if files > MOST_FILES or listed > MOST_LISTED:
        return f"holds more than {MOST_FILES:,} files"
    return ""


def _wrong(entries: list[zipfile.ZipInfo], size: int) -> Iterator[str]:
    names = [entry.orig_filename for entry in entries]
    if not any(not entry.is_dir() for entry in entries):
        yield "holds no file"
    if len(names) > MOST_FILES:
        yield f"holds more than {MOST_FILES:,} files"
    if len({name.casefold() for name in names}) < len(names):
        yield "holds the same name twice"
    for entry in entries:
        if _leads_elsewhere(entry.orig_filename):
            yield "holds a name that leads out of the folder it is unpacked in"
        if (entry.external_attr >> 28) == 0o12:  # the file type of Unix, S_IFLNK
            yield "holds a symbolic link"
        if entry.flag_bits & 1:
            yield "is encrypted"
    unpacked, packed = (sum(getattr(entry, key) for entry in entries) for key in ("file_size", "compress_size"))
    if packed > size:
        yield "holds files that overlap"
    if unpacked > MOST_UNPACKED or unpacked > max(SMALL, BOMB * size):
        yield "is far larger unpacked than any product is"


def _leads_elsewhere(name: str) -> bool:
    """Absolute, upwards, with a drive, a backslash or a character that no name has."""
    parts = PurePosixPath(name).parts
    first = parts[0] if parts else ""
    return not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in first or not name.isprintable()


def _damaged(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> str:
    """Each file read to its end, in pieces: zipfile compares size and checksum, and raises BadZipFile."""
    for entry in entries:
        with archive.open(entry) as opened:
            while opened.read(PIECE):
                pass
    return ""
