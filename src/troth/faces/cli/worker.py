"""`troth worker`: settle, deliver, write, check. It works off due rows until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

import click

from troth import config
from troth.faces.cli import process, separation

if TYPE_CHECKING:
    from troth.pledge.due.loop import Claim, Errand

THREADS = 4
CHECKS = 2  # threads that may be busy with checks


@click.command()
def worker() -> None:
    """Run a worker alone; TROTH_DOOR names its door to the keeper."""
    settings = config.load()
    separation.shut_out(settings, "worker")
    process.hide_memory()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _django()
    from troth.pledge.due import loop
    from troth.shop.clauses import duty
    from troth.shop.journeys import errands

    errands.ensure()
    duty.ensure()
    duty.watch("worker")
    logging.getLogger("troth.worker").info("ready")
    loop.run({**errands.ERRANDS, "check": few_at_a_time(duty.check)}, stop, THREADS)


def few_at_a_time(errand: Errand) -> Errand:
    """At most CHECKS of them run at once; others come again soon. A check may wait for a letter that we must send."""
    from troth.pledge.due.loop import Again

    places = threading.BoundedSemaphore(CHECKS)

    def run(subject: str, claim: Claim) -> None:
        if not places.acquire(blocking=False):
            raise Again("others-first", 0.5)
        try:
            errand(subject, claim)
        finally:
            places.release()

    return run


def _django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    from troth.faces import logs

    logs.guard_crashes()
