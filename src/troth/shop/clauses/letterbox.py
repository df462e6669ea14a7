"""The marker customer's letters, read by whoever they are for: as this process hands them to the relay, and as they
arrived where the relay is the sandbox's mailbox, whoever sent them."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage, Message
from urllib.parse import urlsplit

import msgspec

from troth.pledge.policy import needles
from troth.pledge.policy.visitor import Visitor
from troth.shop.delivery import post

MARKER = "@marker.invalid"
FETCHED = re.compile(r"<(img|link|script|iframe|video|audio|object|embed|source|input)\b|url\(|@import", re.IGNORECASE)


class _Mail(msgspec.Struct):
    number: int
    to: list[str]
    raw: str


class Letterbox(msgspec.Struct):
    """What was heard. No mailbox and no word of anybody but the marker customer is kept."""

    stem: str
    mailboxes: dict[str, set[str]] = {}  # Message-ID -> to whom it was handed over, hashed
    texts: list[str] = []  # the marker customer's letters, as they read them
    fetching: int = 0  # of them, those that make the mail program fetch something
    elsewhere: int = 0  # letters that speak of the marker customer and went to somebody else
    arrivals: str = ""  # where the sandbox tells what arrived; "": it tells nothing
    all_told: bool = False  # their letters arrive there, whoever sends them
    seen: int = 0  # the number of the last mail there that was looked at

    def link(self, begins: str) -> str:
        """The path of the latest link that begins so; "" where no letter had one."""
        found = [part for text in self.texts for part in re.findall(r"https?://[^\s<>\"]+", text)]
        paths = [urlsplit(link).path for link in found]
        return next((path for path in reversed(paths) if path.startswith(begins)), "")

    def missing(self, refs: list[str], *, every: bool) -> int:
        """How many of these orders no letter speaks of. 0 where letters may have left unheard: unless the sandbox told
        them, or `every` one is handed over by this process."""
        if not (every or self.all_told):
            return 0
        return sum(not any(f"/orders/{ref}/" in text for text in self.texts) for ref in refs)

    def look(self, visitor: Visitor) -> None:
        """See what has arrived since the last look."""
        for mail in self._arrived(visitor, f"after={self.seen}"):
            letter = email.message_from_string(mail.raw, policy=email.policy.default)
            self.seen = mail.number
            for address in mail.to:
                self.all_told |= address.lower().endswith(MARKER)
                self.hear(letter, address)

    def _arrived(self, visitor: Visitor, which: str) -> list[_Mail]:
        page = visitor.get(f"{self.arrivals}?{which}") if self.arrivals else None
        if page is None or page.status != 200:
            return []
        try:
            return msgspec.json.decode(page.body, type=list[_Mail])
        except msgspec.DecodeError:
            return []  # somebody else's look-alikes

    def hear(self, letter: EmailMessage, address: str) -> None:
        hashed = hashlib.sha256(address.lower().encode()).hexdigest()
        heard = self.mailboxes[str(letter["Message-ID"])]
        if hashed in heard:
            return  # handed over here, and arrived there
        heard.add(hashed)
        if not self._speaks_of_them(letter):
            return
        if address.lower().endswith(MARKER):
            self.texts.append("\n".join(_read(letter)))
            self.fetching += any(FETCHED.search(part.get_content()) for part in letter.walk() if _is_html(part))
        else:
            self.elsewhere += 1

    def _speaks_of_them(self, letter: EmailMessage) -> bool:
        scan = needles.Scan(needles.Sieve([self.stem]))
        return bool(scan.feed(letter.as_bytes()))


def _is_html(part: Message) -> bool:
    return part.get_content_type() == "text/html"


def _read(letter: EmailMessage) -> Iterator[str]:
    """Subject and texts; of what is attached, what can be read."""
    yield str(letter["Subject"])
    for part in letter.walk():
        if part.get_content_maintype() == "text":
            yield str(part.get_content())


@contextmanager
def of(stem: str, visitor: Visitor, sandbox: str) -> Iterator[Letterbox]:
    """Hear the letters that are handed over meanwhile. `sandbox`: where the look-alikes are, if they are any."""
    box = Letterbox(stem, mailboxes=defaultdict(set), arrivals=f"{sandbox}/mailbox.json")
    box.seen = max((mail.number for mail in box._arrived(visitor, "last=1")), default=0)
    with post.heard(box.hear):
        yield box
