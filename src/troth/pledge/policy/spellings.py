"""The ways in which a text can stand in a file: what a search for something that must not be there looks for.

Every spelling is turned into literal bytes. All but base64 are compared without regard to the case of ASCII letters;
base64 hides case, so the text is encoded as typed, in small letters, in capitals and capitalised.
"""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

SPELLINGS = ("raw", "UTF-16", "base64", "base64url", "hex", "percent-encoded", "JSON-escaped", "compressed")
SHORTEST = 4  # characters; a shorter text is found by chance


class Pattern(NamedTuple):
    """`folded` is looked for in bytes with small ASCII letters; `exact`, where given, must stand there as it is."""

    needle: str
    spelling: str
    folded: bytes
    exact: bytes = b""


def patterns(needle: str) -> list[Pattern]:
    """Every spelling of a text but the compressed one. ValueError for a text shorter than SHORTEST."""
    if len(needle) < SHORTEST:
        raise ValueError(f"look for {SHORTEST} characters or more: a shorter text is found by chance")
    found: dict[tuple[bytes, bytes], Pattern] = {}
    for form in _forms(needle):
        for spelling, exact, cased in _spelt(form):
            folded = exact.lower()
            found.setdefault((folded, exact if cased else b""), Pattern(needle, spelling, folded, exact * cased))
    return list(found.values())


def _forms(text: str) -> list[str]:
    """As typed and in the cases that programs make of it; accents as one character and as two."""
    cased = (text, text.lower(), text.upper(), text.title())
    return list(dict.fromkeys(unicodedata.normalize(form, each) for each in cased for form in ("NFC", "NFD")))


def _spelt(text: str) -> Iterator[tuple[str, bytes, bool]]:
    """Spelling, bytes, and whether capitals and small letters differ in it."""
    data = text.encode("utf-8", "surrogatepass")
    yield "raw", data, False
    for order in ("utf-16-le", "utf-16-be"):
        yield "UTF-16", text.encode(order, "surrogatepass"), False
    yield "hex", data.hex().encode(), False
    for core in _base64_cores(data):
        yield "base64", core, True
        yield "base64url", core.translate(_URL), True
    for encoded in (quote(data, safe=""), quote_plus(data), quote(data), "".join(f"%{byte:02x}" for byte in data)):
        yield "percent-encoded", encoded.encode(), False
    ascii_only = json.dumps(text)[1:-1]
    for escaped in (ascii_only, json.dumps(text, ensure_ascii=False)[1:-1], ascii_only.replace("/", "\\/")):
        yield "JSON-escaped", escaped.encode("utf-8", "surrogatepass"), False
    yield "JSON-escaped", html.escape(text).encode("utf-8", "surrogatepass"), False


_URL = bytes.maketrans(b"+/", b"-_")


def _base64_cores(data: bytes) -> Iterator[bytes]:
    """The characters that depend on `data` alone, for the three places in which it can begin (RFC 4648, section 4)."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data + bytes(2))
        yield encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
