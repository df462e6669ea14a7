"""Files that come with a message: looked at, sealed while they arrive, kept in pieces.

What arrives is never on disk in the clear. Kinds are those that people send to a shop, known by their ending and by
their first bytes; nothing is ever unpacked, so an archive cannot burst here. Text is searched for card numbers;
archives, pictures and documents are not, since we do not look into them.
"""

from __future__ import annotations

import hashlib
import re
import struct
import tempfile
import unicodedata
import weakref
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge.policy import cards
from troth.pledge.vault import blobs
from troth.pledge.vault.classes import Enclosure
from troth.pledge.vault.fields import seal
from troth.shop.refusal import Refused
from troth.shop.support.models import Attachment, Message, Piece, attachment_id

PNG, JPEG, ZIP = (b"\x89PNG\r\n\x1a\n",), (b"\xff\xd8\xff",), (b"PK\x03\x04", b"PK\x05\x06")
TEXT: tuple[bytes, ...] = ()
# ending -> media type, what the first bytes may be (nothing: text, without NULs)
KINDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "png": ("image/png", PNG),
    "jpg": ("image/jpeg", JPEG),
    "jpeg": ("image/jpeg", JPEG),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "webp": ("image/webp", (b"RIFF",)),
    "pdf": ("application/pdf", (b"%PDF-",)),
    "zip": ("application/zip", ZIP),
    "txt": ("text/plain", TEXT),
    "log": ("text/plain", TEXT),
    "md": ("text/plain", TEXT),
    "csv": ("text/csv", TEXT),
    "json": ("application/json", TEXT),
    "xml": ("application/xml", TEXT),
}
LONGEST_NAME = 100
OVERLAP = 80  # characters of text that are looked at again with the next piece
LENGTH = struct.Struct(">I")
_BAD = re.compile(r"[\\/:*?\"<>|\s]+")

KIND = _("We take pictures (PNG, JPEG, GIF, WebP), PDF, ZIP and plain text files; please send one of these.")
NOT_SO = _("A file is not what its ending says; please send it as it was made.")
LARGE = _("That is more than %(limit)d MB together; please send less, or a link.")
MANY = _("Please send at most %(limit)d files with a message.")
CARD = _("A file holds what looks like a card number; please take that out and send the file again.")


def room() -> int:
    """Bytes that the files of one message may have together."""
    return settings.TROTH.support.attachment_mb * 1_000_000


def too_large() -> Refused:
    return Refused(LARGE % {"limit": settings.TROTH.support.attachment_mb}, "enclosed")


def too_many() -> Refused:
    return Refused(MANY % {"limit": settings.TROTH.support.attachments}, "enclosed")


class Intake:
    """One file as it arrives. Feed it, then end it; Refused with a sentence where it may not come in."""

    def __init__(self, name: str) -> None:
        self.id, self.name, self.size = attachment_id(), cleaned(name), 0
        kind = KINDS.get(self.name.rpartition(".")[2].lower())
        if kind is None:
            raise Refused(KIND, "enclosed")
        self.kind, self._begins = kind
        self.key = blobs.new_key()
        folder = settings.TROTH.home / "run" / "tmp"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it has no name, and goes with this object
        weakref.finalize(self, self._file.close)
        self.sha256 = hashlib.sha256()
        self._sealer, self._tail = blobs.Sealer(self.key, self.id), ""

    def feed(self, data: bytes) -> None:
        if self.size == 0 and data:
            self._must_begin(data)
        self.size += len(data)
        self.sha256.update(data)
        if not self._begins:
            self._must_be_text(data)
        for piece in self._sealer.feed(data):
            self._write(piece)

    def end(self) -> None:
        if self.size == 0:
            raise Refused(NOT_SO, "enclosed")
        self._write(self._sealer.end())

    def pieces(self) -> Iterator[bytes]:
        """Sealed, in order."""
        self._file.seek(0)
        while head := self._file.read(LENGTH.size):
            yield self._file.read(LENGTH.unpack(head)[0])

    def _write(self, piece: bytes) -> None:
        self._file.write(LENGTH.pack(len(piece)) + piece)

    def _must_begin(self, data: bytes) -> None:
        if self._begins and not data.startswith(self._begins):
            raise Refused(NOT_SO, "enclosed")

    def _must_be_text(self, data: bytes) -> None:
        if b"\0" in data:
            raise Refused(NOT_SO, "enclosed")
        text = self._tail + data.decode("utf-8", "replace")
        if cards.holds_card_number(text):
            raise Refused(CARD, "enclosed")
        self._tail = text[-OVERLAP:]


def cleaned(name: str) -> str:
    """A name for a download: the last part of a path, without what could mean something to a system or a page."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(one for one in name if unicodedata.category(one)[0] not in "CZ" or one == " ")
    stem, dot, ending = _BAD.sub("_", name).strip("._ ").rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1] or 'file'}{dot}{ending}" if dot else ending[:LONGEST_NAME]


def keep(message: Message, intakes: Iterable[Intake]) -> None:
    """Write what arrived, in the caller's transaction."""
    for one in intakes:
        row = Attachment(id=one.id, message=message, person=message.person, size=one.size)
        seal(row, "enclosure", Enclosure(one.name, one.kind, one.key))
        row.save(force_insert=True)
        for n, piece in enumerate(one.pieces()):
            Piece.objects.create(attachment=row, n=n, sealed=piece)


def contents(attachment: Attachment, enclosure: Enclosure) -> Iterator[bytes]:
    """The file, piece by piece. blobs.BadBlob where it is not as it came."""
    pieces = attachment.pieces.order_by("n").values_list("sealed", flat=True).iterator(chunk_size=4)
    return blobs.opened(enclosure.key, attachment.id, (bytes(piece) for piece in pieces))
