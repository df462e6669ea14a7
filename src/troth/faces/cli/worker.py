"""`troth worker`: settle, deliver, write, check. It works off due rows until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

import click

from troth import config, licence_secret
from troth.faces.cli import outgoing, process, separation
from troth.faces.cli.serve import answers

if TYPE_CHECKING:
    from troth.pledge.due.loop import Claim, Errand

THREADS = 4
CHECKS = 2  # threads that may be busy with checks
TRIES = 40  # of a check, half a second apart, before a web process that does not answer is a finding


@click.command()
def worker() -> None:
    """Run a worker alone; TROTH_DOOR names its door to the keeper."""
    settings = config.load()
    licence_secret.read(settings.home)
    separation.shut_out(settings, "worker")
    process.hide_memory()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _django()
    from troth.pledge.due import loop
    from troth.shop.clauses import duty
    from troth.shop.journeys import errands

    outgoing.guard(settings, "worker")
    errands.ensure()
    duty.ensure()
    process.keep_what_is_loaded()
    duty.watch("worker")
    separation.note_how_shut_in(settings, "worker")
    logging.getLogger("troth.worker").info("ready")
    loop.run({**errands.ERRANDS, "check": considerate(duty.check, settings)}, stop, THREADS)


def considerate(check: Errand, settings: config.Config) -> Errand:
    """A check that waits for its turn: at most CHECKS run at once, since one may wait for a letter that we must send.

    It also waits for the web process, which starts beside us; where that does not answer for long, it is judged so.
    """
    from troth.pledge.due.loop import Again

    places = threading.BoundedSemaphore(CHECKS)

    def run(subject: str, claim: Claim) -> None:
        if not places.acquire(blocking=False):
            raise Again("others-first", 0.5)
        try:
            if claim.attempts < TRIES and not answers(settings):
                raise Again("web-away", 0.5)
            check(subject, claim)
        finally:
            places.release()

    return run


def _django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    from troth.faces import logs
    from troth.shop.holdings import refuse_undeclared

    refuse_undeclared()
    logs.guard_crashes()
