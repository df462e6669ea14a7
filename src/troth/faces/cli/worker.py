"""`troth worker`: settle, deliver, write, check. It works off due rows until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading

import click

from troth import config
from troth.faces.cli import process, separation


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
    loop.run({**errands.ERRANDS, "check": duty.check}, stop)


def _django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    from troth.faces import logs

    logs.guard_crashes()
