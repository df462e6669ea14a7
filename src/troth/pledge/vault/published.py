"""The ledger for everybody to read: static files of what the keeper signed, written by the worker, served by web.

The keyring is closed to both. The worker asks for what is new, checks that it is what was signed and continues what
was published before, and writes it down; so that strangers cost the keeper nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.export import Folder, bundled, export, published
from troth.pledge.ledger.proof import Receipt, prove
from troth.pledge.ledger.tree import WIDTH, LedgerError, Tree
from troth.pledge.vault import outbox, seen
from troth.pledge.vault.door import door
from troth.pledge.vault.models import LedgerEvent, Seen
from troth.pledge.vault.seen import verify_key

log = logging.getLogger("troth.ledger")
ENTRIES = -1  # the level that the keeper answers with entries


def folder() -> Path:
    return Path(settings.TROTH.home) / "data" / "ledger"


def publish() -> int:
    """Write what came since the last time. How many files; 0 if nothing did. KeeperAway; LedgerError if it contradicts
    what was seen or published before, and then nothing is written.

    Only what the main database remembers is published, so that one with less was put back from an older copy.
    """
    note_if_put_back()
    if not seen.compare():
        raise LedgerError(seen.trouble())
    key, note = verify_key(), seen.latest()
    if not note:
        return 0  # nothing was ever noted
    signed, before = checkpoint.read(note, key), published(folder(), key)
    if before and before.size == signed.size:
        checkpoint.compare(before, signed)
        return 0
    return export(folder(), Asked(signed.size), _leaves, note, key)


def receipt(seq: int, leaf: bytes, event: bytes, salt: bytes) -> Receipt | None:
    """What a person takes along to show that an entry about them is in the log. None while it is not yet published."""
    return next(receipts([(seq, leaf, event, salt)]))


def receipts(entries: Iterable[tuple[int, bytes, bytes, bytes]]) -> Iterator[Receipt | None]:
    """The same for many, each tile read once: (number, leaf, event, salt)."""
    if not (folder() / "checkpoint").is_file():
        yield from (None for _ in entries)
        return
    key, note = verify_key(), (folder() / "checkpoint").read_text("utf-8")
    size = checkpoint.read(note, key).size
    tree = Tree(Kept(Folder(folder(), size)))
    for seq, leaf, event, salt in entries:
        known = seq < size
        yield Receipt(leaf, str(prove(tree, seq, note, key)), str(key), event, salt) if known else None


class Kept:
    """Tiles read once."""

    def __init__(self, tiles: Folder) -> None:
        self.size, self.get = tiles.size, lru_cache(maxsize=4096)(tiles.get)


def everyday(seq: int) -> Receipt | None:
    """The receipt of an everyday entry, from the published files alone. None for others, and while it is not there."""
    if not LedgerEvent.objects.filter(seq=seq).exists() or not (folder() / "checkpoint").is_file():
        return None
    key, note = verify_key(), (folder() / "checkpoint").read_text("utf-8")
    size = checkpoint.read(note, key).size
    if seq >= size:
        return None
    there = Folder(folder(), size)
    ((_, leaf),) = there.leaves(seq, seq + 1)
    return Receipt(leaf, str(prove(Tree(there), seq, note, key)), str(key))


def note_if_put_back() -> None:
    """Where the main database remembers less than it once published, tell that in the ledger itself, for good."""
    if not (folder() / "checkpoint").is_file():
        return
    there, known = published(folder(), verify_key()), Seen.objects.filter(pk=seen.ONE).first()
    if there is None or known is None or known.ledger_size >= there.size:
        return
    log.error("the main database is older than what it published: an old copy was restored")
    event: dict[str, str | int] = {"type": "main-restored", "seen": known.ledger_size, "published": there.size}
    outbox.note(f"main-restored-{known.ledger_size}-{there.size}", event)


class Asked:
    """Tiles of the keeper's, as of a signed size."""

    def __init__(self, size: int) -> None:
        self.size = size

    def get(self, level: int, n: int) -> bytes:
        return door().tile(level, n)


def _leaves(start: int, end: int) -> Iterator[tuple[int, bytes]]:
    for n in range(start // WIDTH, -(-end // WIDTH)):
        for seq, leaf in bundled(door().tile(ENTRIES, n), n * WIDTH):
            if start <= seq < end:
                yield seq, leaf
