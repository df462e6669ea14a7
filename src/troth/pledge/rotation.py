"""Rotation of keys: the part of the keeper that is loaded when a key is rotated. Online, step by step, going on where
it was after a crash.

Each step is one question of the worker and one transaction; how far it got stands in the keyring itself.

    root      a new root key; the keeper's own keys are wrapped by it; the old one is destroyed
    to file, to openbao
              the root key moves to another place: the keeper's own keys are wrapped there, the old one is destroyed
    wrapping  new wrapping keys for every fate; every person's wraps are made anew; the old ones are destroyed
    lookup    a new look-up key; each mailbox is found under both until its hash is made anew from the sealed contact
              that the worker hands in (opened here, told to nobody); then the old key is destroyed
    person    new key pairs for one person. What was sealed to the former ones still opens, and is sealed anew when the
              worker hands it in (nobody is told what it says); with the last of it the former private keys are
              destroyed. The history key stays: leaves of the ledger commit to what it made
    capabilities
              a new key for capabilities: all that were ever given are over at once, and what browsers are known by
"""

from __future__ import annotations

from troth.pledge.keeper import messages
from troth.pledge.keeper.credentials import Credentials, read_mailbox
from troth.pledge.keeper.policy import FATES, WRAPS
from troth.pledge.keeper.room import Room
from troth.pledge.kms.chosen import Chosen
from troth.pledge.vault.sealing import read_key_set, seal

MOST = 2000  # persons in one step: some tens of milliseconds, so that openings pass between
LEFT = 8  # bytes of how many persons are left, kept before the reference of the last one


def act(room: Room, credentials: Credentials, role: str, ask: messages.Rotate) -> messages.Rotated:
    """Begin, or go on. Refused "what" for a key that is not known, "gone" for a person who was forgotten."""
    steps = {
        "root": _root, "to file": _move, "to openbao": _move, "wrapping": _wrapping, "lookup": _lookup,
        "person": _person, "capabilities": _capabilities,
    }  # fmt: skip
    if ask.what not in steps or not 0 <= ask.limit <= MOST:
        raise messages.Refused("what")
    return steps[ask.what](room, credentials, ask)


def _root(room: Room, credentials: Credentials, ask: messages.Rotate) -> messages.Rotated:
    if _state(room, "root") is None:
        done = room.keys.rewrap(room.root.rotate)
        _begin(room, "root", b"")
        return messages.Rotated(done, 1)
    # The keyring with the new wraps is on disk: nothing needs the old root key any more.
    room.root.retire()
    _end(room, "root")
    return messages.Rotated(1, 0)


def _move(room: Room, credentials: Credentials, ask: messages.Rotate) -> messages.Rotated:
    chosen, kind, left = room.root, ask.what.removeprefix("to "), _state(room, "move")
    if not isinstance(chosen, Chosen):
        raise messages.Refused("what")
    if left is None and chosen.kind == kind:
        return messages.Rotated(0, 0)
    if left is None:
        _begin(room, "move", chosen.kind.encode())
        return messages.Rotated(room.keys.rewrap(lambda: chosen.move(kind)), 1)
    # The keyring that is wrapped at the new place is on disk: nothing needs the key at the old one any more.
    chosen.of(left.decode(), make=True).destroy()
    _end(room, "move")
    return messages.Rotated(1, int(chosen.kind != kind))


def _wrapping(room: Room, credentials: Credentials, ask: messages.Rotate) -> messages.Rotated:
    state = _state(room, "wrapping")
    if state is None:
        for fate in FATES:
            room.keys.add_version(f"wrapping {fate}")
        left = room.persons.count()
        _begin(room, "wrapping", left.to_bytes(LEFT, "big"))
        return messages.Rotated(0, left + 1)
    left, cursor = int.from_bytes(state[:LEFT], "big"), state[LEFT:]
    refs = room.persons.after(cursor, ask.limit)
    for raw in refs:
        room.persons.rewrap(raw)
    if refs:
        left = max(0, left - len(refs))  # who came meanwhile is not counted: that would read everybody each time
        _begin(room, "wrapping", left.to_bytes(LEFT, "big") + refs[-1])
        return messages.Rotated(len(refs), left + 1)
    for fate in FATES:
        room.keys.drop_older(f"wrapping {fate}")
    _end(room, "wrapping")
    return messages.Rotated(0, 0)


def _lookup(room: Room, credentials: Credentials, ask: messages.Rotate) -> messages.Rotated:
    if len(room.keys.mailbox) == 1:
        room.keys.add_version("mailbox")
        return messages.Rotated(0, credentials.outdated() + 1)
    done = sum(_refresh(room, credentials, record) for record in ask.records)
    left = credentials.outdated()
    if left or not ask.last:
        return messages.Rotated(done, left + 1)
    room.keys.drop_older("mailbox")
    return messages.Rotated(done, 0)


def _refresh(room: Room, credentials: Credentials, record: messages.Record) -> bool:
    """Make a mailbox's hash anew. False for one that is not (or no longer) anybody's to sign in with."""
    if record.place.klass != "contact":
        raise messages.Refused("shape")
    try:
        credentials.index(read_mailbox(_opened(room, record)))
    except messages.Refused:
        return False
    return True


def _person(room: Room, credentials: Credentials, ask: messages.Rotate) -> messages.Rotated:
    """One person (`ref`), a new key set to store, and `records` of theirs sealed to it, in their order.

    `last` ends what was begun and begins nothing: done again it changes nothing.
    """
    raw = messages.raw_ref(ask.ref)
    if ask.last:
        room.persons.end_former(raw)
        return messages.Rotated(0, 0)
    if any(record.place.ref != ask.ref for record in ask.records):
        raise messages.Refused("shape")
    key_set = room.persons.renew(raw)
    keys = read_key_set(room.keys.sign.public_key(), key_set, ask.ref)
    again = [seal(keys, record.place, _opened(room, record)) for record in ask.records]
    return messages.Rotated(len(again), 1, key_set, again)


def _capabilities(room: Room, credentials: Credentials, ask: messages.Rotate) -> messages.Rotated:
    room.keys.add_version("capability")
    room.keys.drop_older("capability")
    return messages.Rotated(1, 0)


def _opened(room: Room, record: messages.Record) -> bytes:
    """By a key that stands as long as the person does; told to nobody outside."""
    return room.unseal(record, WRAPS.get(record.place.klass, ("",))[0])


def _state(room: Room, what: str) -> bytes | None:
    value: bytes | None = room.db.value("SELECT value FROM meta WHERE name = ?", f"rotating {what}")
    return value


def _begin(room: Room, what: str, cursor: bytes) -> None:
    room.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"rotating {what}", cursor))


def _end(room: Room, what: str) -> None:
    room.db.execute("DELETE FROM meta WHERE name = ?", (f"rotating {what}",))
