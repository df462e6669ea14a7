"""The marker customer's letters: read as they are handed to the relay, by whoever they are for.

Only this process's letters are heard: where a worker sends them beside (`troth check`), there are none to read.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import urlsplit

import msgspec

from troth.pledge.policy import needles
from troth.shop.delivery import post

MARKER = "@marker.invalid"


class Letterbox(msgspec.Struct):
    """What was heard. No mailbox and no word of anybody but the marker customer is kept."""

    stem: str
    mailboxes: dict[str, set[str]] = {}  # Message-ID -> to whom it was handed over, hashed
    texts: list[str] = []  # the marker customer's letters, as they read them
    elsewhere: int = 0  # letters that speak of the marker customer and went to somebody else

    def link(self, begins: str) -> str:
        """The path of the latest link that begins so; "" where no letter had one."""
        found = [part for text in self.texts for part in re.findall(r"https?://[^\s<>\"]+", text)]
        paths = [urlsplit(link).path for link in found]
        return next((path for path in reversed(paths) if path.startswith(begins)), "")

    def hear(self, letter: EmailMessage, address: str) -> None:
        hashed = hashlib.sha256(address.lower().encode()).hexdigest()
        self.mailboxes[str(letter["Message-ID"])].add(hashed)
        if not self._speaks_of_them(letter):
            return
        if address.lower().endswith(MARKER):
            self.texts.append("\n".join(_read(letter)))
        else:
            self.elsewhere += 1

    def _speaks_of_them(self, letter: EmailMessage) -> bool:
        scan = needles.Scan(needles.Sieve([self.stem]))
        return bool(scan.feed(letter.as_bytes()))


def _read(letter: EmailMessage) -> Iterator[str]:
    """Subject and texts; of what is attached, what can be read."""
    yield str(letter["Subject"])
    for part in letter.walk():
        if part.get_content_maintype() == "text":
            yield str(part.get_content())


@contextmanager
def of(stem: str) -> Iterator[Letterbox]:
    """Hear the letters that are handed over meanwhile."""
    box = Letterbox(stem, mailboxes=defaultdict(set))
    with post.heard(box.hear):
        yield box
