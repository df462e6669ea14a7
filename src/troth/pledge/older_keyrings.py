"""Brings a keyring that an older Troth made to the form that this keeper reads, before any door opens.

SQLite's user_version in the keyring says how far it is. Each step is one transaction: a machine that dies in the middle
finds the keyring as it was, and does the step again. Nothing is opened for it: wraps are moved as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from troth.pledge.keeper.keyring import SCHEMA, Keyring
from troth.pledge.keeper.messages import NOBODY
from troth.pledge.keeper.persons import Wraps, packed
from troth.pledge.ledger import table

BATCH = 1000  # persons read at a time
NAMED = 0x80  # the first byte of a MessagePack map is no lower; that of numbered wraps is


def bring_up(db: Keyring) -> list[str]:
    """Do what is still to be done; one sentence for each step that found something.

    Tables that came later are made as well: a copy that was read into memory has those of its own day.
    """
    db.executescript(SCHEMA + table.SCHEMA)
    told = []
    for number, step in enumerate(STEPS, 1):
        if db.value("PRAGMA user_version") >= number:
            continue
        with db.batch():
            found = step(db)
            db.execute(f"PRAGMA user_version = {number}")
        if found:
            told.append(found)
    return told


def _number_wraps(db: Keyring) -> str:
    """The first release wrote each person's wraps as a map of names; they are numbered since."""
    after, moved = b"", 0
    while rows := db.execute(
        "SELECT ref, wraps FROM person WHERE ref > ? ORDER BY ref LIMIT ?", (after, BATCH)
    ).fetchall():
        after = rows[-1][0]
        named = [(ref, wraps) for ref, wraps in rows if wraps[:1] >= bytes([NAMED])]
        fresh = [(packed(msgspec.msgpack.decode(wraps, type=Wraps)), ref) for ref, wraps in named]
        db.executemany("UPDATE person SET wraps = ? WHERE ref = ?", fresh)
        moved += len(fresh)
    return f"the wraps of {moved:,} persons are numbered now" if moved else ""


def _restrict_tripwires(db: Keyring) -> str:
    """The first releases had a table of them; a tripwire is a restriction to a job that there is not, since."""
    if not db.one("SELECT 1 FROM sqlite_master WHERE name = 'poison'"):
        return ""
    db.execute("INSERT OR REPLACE INTO restricted SELECT ref, ? FROM poison", (NOBODY,))
    moved = db.value("SELECT count(*) FROM poison")
    db.execute("DROP TABLE poison")
    return f"{moved} tripwires are restrictions now" if moved else ""


STEPS: tuple[Callable[[Keyring], str], ...] = (_number_wraps, _restrict_tripwires)
