"""The bare Django projects that run beside the shop, one process each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import click

from troth.faces.cli import process
from troth.faces.cli.bench import processes
from troth.faces.cli.bench.load import answers
from troth.faces.cli.demo.stage import PATIENCE, STOP_WITHIN, free_port
from troth.faces.cli.serve import environment


class Bare:
    """`with Bare("default") as bare:` serves one view with Django's default middlewares ("none": without any)."""

    def __init__(self, middleware: str) -> None:
        self.port = free_port(None, usual=0)
        us = os.getpid()
        self._running = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-P", "-m", "troth.faces.cli.bench.bare", str(self.port), middleware],
            env=environment(),
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: _bound(us),
        )

    def __enter__(self) -> Bare:
        deadline = time.monotonic() + PATIENCE
        while not answers(self.port, "/"):
            if time.monotonic() > deadline or self._running.poll() is not None:
                self.__exit__()
                raise click.ClickException("The bare Django project did not start.")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()

    @property
    def processes(self) -> list[int]:
        return processes.tree(self._running.pid)


def _bound(parent: int) -> None:
    process.die_with(parent)
