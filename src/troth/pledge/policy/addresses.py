"""Addresses of mailboxes (RFC 5321) and of machines (RFC 791, RFC 4291), found by their shape in a run of bytes.

Whatever somebody noted of a customer beside the vault, it mostly is one of these: so a search for them sees what no
search for a marker customer can, in a live shop as well. Only plain spelling is found, and names and streets have no
shape. A version of four numbers looks like a machine: whoever asks tells it apart by where it stands.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

_LOCAL = rb"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]"
# Each begins with the one byte that is rare, which makes the search fast, and is looked around from there.
_DOMAIN = re.compile(rb"@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_BEFORE = re.compile(_LOCAL + rb"{1,64}\Z")
_FOUR = re.compile(rb"\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w-]|\.\d)")
_FIRST = re.compile(rb"(?<![\w.])\d{1,3}\Z")
_COLONS = re.compile(rb":(?::|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:)")
_HEX = re.compile(rb"[0-9A-Fa-f:]+")
_ROOM = 64  # bytes looked at before and after
_SHORTEST = 6  # characters of one with colons: less is a program's a::b


def found(run: bytes) -> Iterator[str]:
    """Each address in `run`, small letters, as often as it stands there. This machine itself (loopback) is nobody."""
    yield from _mailboxes(run)
    yield from _machines(run)


def is_text(run: bytes) -> bool:
    """Whether the bytes are text at all. In random ones (ciphertext, hashes) any shape turns up by chance."""
    try:
        return "\0" not in run.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _mailboxes(run: bytes) -> Iterator[str]:
    for domain in _DOMAIN.finditer(run):
        local = _BEFORE.search(run[max(0, domain.start() - _ROOM) : domain.start()])
        if local is not None:
            yield (local[0] + domain[0]).decode("ascii").lower()


def _machines(run: bytes) -> Iterator[str]:
    for spelling in (*_with_dots(run), *_with_colons(run)):
        try:
            machine = ipaddress.ip_address(spelling.decode("ascii"))
        except ValueError:
            continue
        if not (machine.is_loopback or machine.is_unspecified):
            yield str(machine)


def _with_dots(run: bytes) -> Iterator[bytes]:
    for rest in _FOUR.finditer(run):
        first = _FIRST.search(run[max(0, rest.start() - 4) : rest.start()])
        if first is not None:
            yield first[0] + rest[0]


def _with_colons(run: bytes) -> Iterator[bytes]:
    seen = 0
    for colon in _COLONS.finditer(run):
        if colon.start() < seen:
            continue
        begins = max(0, colon.start() - _ROOM)
        around = run[begins : colon.end() + _ROOM]
        word = next(one for one in _HEX.finditer(around) if one.end() > colon.start() - begins)
        seen = begins + word.end()
        if len(word[0]) >= _SHORTEST:
            yield word[0]
