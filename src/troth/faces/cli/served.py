"""Who serves a shop's folder: one `troth serve` at a time, and others may tell it to begin anew.

`run/serve` holds its process's number, locked (flock(2)) for as long as it serves; the lock ends with the process,
whatever ends it, so that an old number is never believed.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

ANEW = signal.SIGUSR1  # not SIGHUP: closing a terminal ends what runs in it


@contextmanager
def by_us(home: Path) -> Iterator[None]:
    """Serve this folder alone. ClickException where somebody does already."""
    path = home / "run" / "serve"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("a+", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(f"{home} is served already; stop that first.") from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def by_whom(home: Path) -> int | None:
    """The process that serves this folder; None: nobody does, or it is not `troth serve` (units do it by three)."""
    try:
        with (home / "run" / "serve").open("r", encoding="ascii") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                told = held.read()
                return int(told) if told.isdecimal() else None
    except OSError:
        pass
    return None
