"""Seal a copy of the keyring: `python -m troth.pledge.copies`, started by the keeper with an Order on its stdin.

The keeper has written its journal of changes back and holds it back meanwhile, so that the file itself is a whole
database at rest; it judges afterwards whether that stayed so, and only then gives the copy its name. Ends with 0, or
with 1 and one line on stderr. Epochs that are over end whether or not a copy is asked for.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

import msgspec

from troth.pledge.copies.epochs import Epochs
from troth.pledge.copies.sealing import SealingError, poured, put, recipients, seal
from troth.pledge.kms import RootKeyError, Where

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4


class Order(msgspec.Struct):
    """What to copy (`name`: when, as 20261122T131500Z; empty: nothing), from where, to where, for whom."""

    name: str
    keyring: str
    journal: str
    folder: str
    recipients: list[str]
    places: dict[str, Where]
    kind: str
    epoch_days: int
    keep_days: int
    keep: int
    now: int
    parent: int


def main() -> int:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order, dec_hook=lambda kind, said: kind(said))
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != order.parent:
        return 1
    try:
        carry_out(order)
    except (SealingError, RootKeyError, OSError) as error:
        said = str(error) if not isinstance(error, OSError) else f"{order.folder} cannot be written"
        print(f"keeper: no copy of the keyring: {said}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def carry_out(order: Order) -> None:
    folder = Path(order.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.part"):
        left.unlink(missing_ok=True)
    epochs = Epochs(folder, order.places, order.kind, order.epoch_days, order.keep_days)
    epochs.end(order.now)
    _follow(Path(order.journal), folder)
    if order.name:
        epoch = epochs.current(order.now, order.recipients)
        _copy(order, folder / f"keyring-{order.name}.{epoch.name}.age.part", epoch.recipient)
        for old in sorted(folder.glob("keyring-*.age"), reverse=True)[max(0, order.keep - 1) :]:
            old.unlink(missing_ok=True)


def _follow(journal: Path, folder: Path) -> None:
    """The copy of the journal of erasures is whole: the keeper adds to it at once, unless it could not.

    It is there from the first copy on, though nobody was erased: one that is missing then says that it was lost.
    """
    body = journal.read_bytes() if journal.exists() else b""
    copy = folder / journal.name
    if not copy.exists() or copy.read_bytes() != body:
        put(copy, body)


def _copy(order: Order, path: Path, epoch: str) -> None:
    try:
        with (
            Path(order.keyring).open("rb") as keyring,
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            poured(lambda pipe: seal(keyring, pipe, recipients([epoch]))) as inner,
        ):
            seal(inner, out, recipients(order.recipients))
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    os.nice(5)  # openings come first
    sys.exit(main())
