"""Standing by: a request of the web waits for what the worker makes of it, sealed to this request.

A process answers few requests at a time. Those that wait are fewer still, so that whoever only wants to read a page
never waits for them: who comes when all these places are taken is told to come again in a moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Made = TypeVar("Made")
PLACES = 3  # of the web process's threads (faces/cli/web.py)
STEP = 0.05  # seconds between looks
_places = threading.BoundedSemaphore(PLACES)
pause = time.sleep  # where no worker runs beside, it is called here


class Late(Exception):
    """It is still being made, or others wait already; ask again shortly."""


@contextmanager
def place() -> Iterator[None]:
    """One of the places to wait at, for as long as the block lasts. Late, at once, where all are taken."""
    if not _places.acquire(blocking=False):
        raise Late
    try:
        yield
    finally:
        _places.release()


def wait_for(look: Callable[[], Made | None], seconds: float) -> Made:
    """What `look` returns once there is something. Late after so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (made := look()) is not None:
            return made
        pause(STEP)
    raise Late
