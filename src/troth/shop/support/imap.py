"""A mailbox on another server, read by IMAP (RFC 9051; Python's imaplib). What was taken over is deleted there."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from troth.config import Support

AT_ONCE = 50  # mails in one look
TIMEOUT = 30  # seconds


class MailboxAway(Exception):
    """The mailbox cannot be read now; the text is a code, and holds neither address nor password."""


def fetch(support: Support, largest: int, take: Callable[[bytes], None]) -> int:
    """Hand each mail to `take`, then delete it. One that is larger is left where it is, marked as seen. How many came.

    MailboxAway where the server cannot be reached or refuses us. A mail is deleted after it was taken only: whoever
    dies in between sees it again, and knows it by its Message-ID.
    """
    code = ""
    count = 0
    try:
        count = _fetch(support, largest, take)
    except imaplib.IMAP4.error:
        code = "imap-refused"
    except (OSError, ssl.SSLError):
        code = "imap-unreachable"
    if code:
        raise MailboxAway(code)  # outside the except block: the server's words may hold an address
    return count


def _fetch(support: Support, largest: int, take: Callable[[bytes], None]) -> int:
    url = urlsplit(support.imap_url)
    if url.scheme == "imaps":
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            url.hostname or "", url.port or 993, ssl_context=ssl.create_default_context(), timeout=TIMEOUT
        )
    else:
        box = imaplib.IMAP4(url.hostname or "", url.port or 143, timeout=TIMEOUT)
    try:
        box.login(unquote(url.username or ""), support.imap_password)
        box.select(unquote(url.path.strip("/")) or "INBOX")
        _status, found = box.uid("SEARCH", "UNSEEN", "SMALLER", str(largest))
        numbers = (found[0] or b"").split()[:AT_ONCE]
        taken = 0
        for number in numbers:
            raw = _one(box, number.decode("ascii"))
            if raw is not None:
                take(raw)
                box.uid("STORE", number.decode("ascii"), "+FLAGS", r"(\Deleted)")
                taken += 1
        if taken:
            box.expunge()
        return taken
    finally:
        box.shutdown()


def _one(box: imaplib.IMAP4, number: str) -> bytes | None:
    _status, answer = box.uid("FETCH", number, "(BODY.PEEK[])")
    return next((bytes(part[1]) for part in answer if isinstance(part, tuple) and len(part) > 1), None)
