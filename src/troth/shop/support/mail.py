"""Read a mail that a stranger made: who it is from, what it says, what is with it. Bounded in every way.

Parsed by Python's own `email` with its lenient, lazy policy (compat32). A mail is refused as a whole where it is too
large, has too many parts, or nests them too deep; a part that cannot be read is passed over and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

import msgspec

from troth.shop import mailboxes
from troth.shop.support.words_of_html import text_of

LARGEST_BODY = 200_000  # bytes of text that are looked at
MOST_PARTS, DEEPEST, MOST_HEADERS = 60, 10, 200
LONGEST_HEADER = 2000
ADDRESS = re.compile(
    r"[A-Za-z0-9._%+'=/!#$&*?^`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{1,62}", re.ASCII
)
_WROTE = re.compile(r"[^>]{0,300}(wrote|schrieb|écrit|escribió|scrisse).{0,20}:\s*")
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")


class Unreadable(Exception):
    """Nobody can be expected to read this. `args[0]`: large, complex, from."""


class Attached(msgspec.Struct, frozen=True):
    name: str
    content: bytes

    def __repr__(self) -> str:
        return "<attached>"


class Mail(msgspec.Struct, frozen=True):
    """What is left of a mail. `machine`: why nobody wrote it, or ""."""

    id: str
    name: str
    email: str
    to: list[str]
    subject: str
    text: str
    attached: list[Attached]
    machine: str

    def __repr__(self) -> str:
        return "<mail>"


def parse(raw: bytes, largest: int) -> Message:
    """A mail, as far as it has a form. Unreadable ("large", "complex") for what was made to keep us busy."""
    if len(raw) > largest:
        raise Unreadable("large")
    if len(re.findall(rb"(?im)^content-type\s*:", raw)) > MOST_PARTS:
        raise Unreadable("complex")  # before anything is parsed
    parsed = None
    try:
        parsed = message_from_bytes(raw, policy=policy.compat32)
    except (RecursionError, ValueError, LookupError, HeaderParseError):
        pass
    if parsed is None or len(parsed.keys()) > MOST_HEADERS or not _is_bounded(parsed):
        raise Unreadable("complex")
    return parsed


def read(parsed: Message) -> Mail:
    """What it says. Unreadable ("from") where it does not say who wrote it."""
    senders = _addresses(parsed, ("From",))
    if len(senders) != 1:
        raise Unreadable("from")
    name, email = senders[0]
    text, attached = _content(parsed)
    return Mail(
        _header(parsed, "Message-ID").strip(),
        name[:120] or email.partition("@")[0],
        email,
        [address for _, address in _addresses(parsed, _TO)],
        _header(parsed, "Subject")[:200],
        text,
        attached,
        machine(parsed, email),
    )


def machine(parsed: Message, sender: str) -> str:
    """Why no person wrote this: RFC 3834 and what was customary before it; "" if one may have."""
    said = {name: _header(parsed, name).lower().strip() for name in ("Auto-Submitted", "Precedence", "Return-Path")}
    if said["Auto-Submitted"] and not said["Auto-Submitted"].startswith("no"):
        return "automatic"
    if said["Precedence"] in ("bulk", "junk", "list", "auto_reply") or parsed.get("List-Id"):
        return "list"
    if said["Return-Path"] == "<>" or parsed.get_content_type() == "multipart/report":
        return "bounce"
    if parsed.get("X-Autoreply") or parsed.get("X-Autorespond") or parsed.get("X-Loop"):
        return "automatic"
    local = sender.partition("@")[0].lower()
    if local in ("mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"):
        return "machine"
    return ""


def _header(parsed: Message, name: str) -> str:
    """A header's text; what cannot be decoded is left as it stands. Never with a line break."""
    value = str(parsed.get(name) or "")[:LONGEST_HEADER]
    try:
        pieces = [piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace")
                  for piece, charset in decode_header(value)]  # fmt: skip
        value = "".join(pieces)
    except (LookupError, ValueError, HeaderParseError):
        pass
    return " ".join(value.split())


def _addresses(parsed: Message, names: tuple[str, ...]) -> list[tuple[str, str]]:
    values = [str(value)[:LONGEST_HEADER] for name in names for value in (parsed.get_all(name) or [])[:5]]
    found = []
    for display, address in getaddresses(values):
        try:
            mailbox = mailboxes.spelled(address)
        except ValueError:
            continue
        if ADDRESS.fullmatch(mailbox):
            found.append((_decoded(display), mailbox))
    return found


def _decoded(text: str) -> str:
    shell = Message()
    shell["X"] = text
    return _header(shell, "X")


def _content(parsed: Message) -> tuple[str, list[Attached]]:
    plain, html, attached = "", "", list[Attached]()
    for part in _leaves(parsed):
        kind, name = part.get_content_type(), _name(part)
        if name or part.get_content_disposition() == "attachment":
            attached.append(Attached(name or "file", _payload(part)))
        elif kind == "text/plain" and not plain:
            plain = _text(part)
        elif kind == "text/html" and not html:
            html = _text(part)
    return _without_quotes(plain or text_of(html)), attached


def _is_bounded(parsed: Message) -> bool:
    """Whether it has a number of parts, and a depth, that somebody's program makes."""
    waiting, seen = [(parsed, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > MOST_PARTS or depth > DEEPEST:
            return False
        if part.is_multipart():
            waiting += [(one, depth + 1) for one in part.get_payload() if isinstance(one, Message)]
    return True


def _leaves(parsed: Message) -> Iterator[Message]:
    """Its parts in their order. A mail within a mail is not looked into."""
    if parsed.get_content_maintype() == "message":
        return
    if not parsed.is_multipart():
        yield parsed
        return
    for one in parsed.get_payload():
        if isinstance(one, Message):
            yield from _leaves(one)


def _payload(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        content = None
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    raw = _payload(part)[:LARGEST_BODY]
    try:
        return raw.decode(str(part.get_content_charset() or "utf-8"), "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _name(part: Message) -> str:
    try:
        return _decoded(str(part.get_filename() or ""))[:200]
    except (LookupError, ValueError, HeaderParseError):
        return "file"


def _without_quotes(text: str) -> str:
    """Without the quoted letter at its end: we know what we wrote."""
    lines = text.replace("\r\n", "\n").rstrip().split("\n")
    end = len(lines)
    while end and (lines[end - 1].startswith(">") or not lines[end - 1].strip()):
        end -= 1
    if end < len(lines) and end and _WROTE.fullmatch(lines[end - 1]):
        end -= 1
    return "\n".join(lines[:end]).strip() or text.strip()
