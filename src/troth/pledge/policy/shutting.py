"""Doors that are shut while a promise is broken: one empty file each in `run/shut`, which every process can see.

`logs`: what libraries and our own code say is left out of the log; only times and levels remain (faces/logs.py).
The file outlives the processes, so that a restart does not open what a check had shut.
"""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

LOGS = "logs"
_NAME = re.compile(r"[a-z]{1,20}")


def put(door: str, *, shut: bool) -> None:
    """Shut a door, or let it open again. ValueError for a name that is none."""
    path = _place(door)
    if shut:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o640)
    else:
        path.unlink(missing_ok=True)


def is_shut(door: str) -> bool:
    return _place(door).exists()


def _place(door: str) -> Path:
    if not _NAME.fullmatch(door):
        raise ValueError("a door's name is one small word")
    return Path(settings.TROTH.home) / "run" / "shut" / door
