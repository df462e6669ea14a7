"""Compressed streams inside other bytes: where one may begin, and what it holds.

A beginning is a guess by two to four bytes; what turns out to be no stream yields nothing and ends.
RFC 1950 (zlib), RFC 1952 (gzip), APPNOTE.TXT 4.3.7 (a zip's local file header).
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator

Buffer = bytes | memoryview

LONGEST_HEAD = 4
MOST = 1 << 28  # bytes inflated from one stream: a bomb ends here
AT_ONCE = 1 << 20
TASTE = 512
_ZIP_HEADER = 30

# Where the first byte is a frequent one, the second is looked for and the first behind it.
_HEADS = re.compile(
    rb"\x01(?<=x\x01)|\x5e(?<=x\x5e)|\x9c(?<=x\x9c)|\xda(?<=x\xda)|\x1f\x8b\x08|PK\x03\x04|H4sI"
    rb"|J(?<=eJ)[w-z]|A(?<=eA)[E-H]|N(?<=eN)[o-r]|F(?<=eF)[4-7]"
)
_SECOND = b"\x01\x5e\x9c\xdaJANF"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*")
_URL = bytes.maketrans(b"-_", b"+/")
_AUTO = 32 + zlib.MAX_WBITS  # zlib or gzip, by its header


def begin(window: bytes, seen: int) -> Iterator[tuple[int, Stream]]:
    """Where streams may begin, leaving out heads that lie wholly in the first `seen` bytes."""
    for match in _HEADS.finditer(window):
        if match.end() > seen:
            start = match.start() - (match[0][:1] in _SECOND)
            yield start, Stream(window[start : match.end()])


class Stream:
    """Inflates one stream that begins with `head`, fed with its bytes, head included, in pieces of any size."""

    def __init__(self, head: bytes) -> None:
        self._zip, self._coded = head == b"PK\x03\x04", head[:1] in b"eH"
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if self._zip else _AUTO)
        self._held = b""  # not yet a whole header, or a whole group of base64
        self._left = MOST
        self._ended, self.going = False, True

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What the piece inflates to, a megabyte at most at a time."""
        view = memoryview(piece)
        for part in (view[:TASTE], view[TASTE:]):  # most guesses are wrong, and seen to be after a taste
            if part and self.going:
                yield from self._inflate(self._decoded(part) if self._coded else self._unwrapped(part))

    def _inflate(self, data: Buffer) -> Iterator[bytes]:
        while data and not self._inflater.eof:
            try:
                out = self._inflater.decompress(data, AT_ONCE)
            except zlib.error:
                self.going = False
                return
            self._left -= len(out)
            data = self._inflater.unconsumed_tail if self._left > 0 else b""
            if out:
                yield out
        if self._inflater.eof or self._left <= 0 or self._ended:
            self.going = False

    def _decoded(self, part: memoryview) -> bytes:
        """Base64, until the first byte that is none. What cannot be decoded at its end is let go."""
        match = _BASE64.match(part)
        assert match is not None  # it matches nothing, too
        text = self._held + match[0].translate(_URL)
        whole = len(text) - len(text) % 4
        data, self._held = text[:whole], text[whole:]
        if match.end() < len(part):
            self._ended = True
            data += self._held + b"=" * (-len(self._held) % 4) if len(self._held) > 1 else b""
        return base64.b64decode(data)

    def _unwrapped(self, part: memoryview) -> Buffer:
        """A zip's member without its local header; anything else as it is."""
        if not self._zip:
            return part
        self._held += part
        if len(self._held) < _ZIP_HEADER:
            return b""
        begins = _ZIP_HEADER + int.from_bytes(self._held[26:28], "little") + int.from_bytes(self._held[28:30], "little")
        if self._held[8:10] != b"\x08\x00":  # stored: its bytes lie open and are searched as they are
            self.going = False
        if not self.going or len(self._held) < begins:
            return b""
        data, self._held, self._zip = self._held[begins:], b"", False
        return data
