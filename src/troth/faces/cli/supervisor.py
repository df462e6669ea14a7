"""Keeper, worker and web on one machine: started in this order, started again when one dies, stopped in reverse.

The supervisor reads no data and loads no Django. It holds both ends of the doors and hands each end to one process
alone. Its children die with it, whatever ends it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from troth.faces.cli import process
from troth.faces.cli.doorways import VARIABLE as DOORS
from troth.faces.cli.doorways import Doorways
from troth.faces.cli.served import ANEW

ORDER = ("keeper", "worker", "web")
KEEPER_WITHIN = 15.0  # seconds until the keeper must have answered for the first time
STOP_WITHIN = 10.0  # seconds for all of them to end by themselves
FIRST_PAUSE, LONGEST_PAUSE, SETTLED = 0.1, 10.0, 30.0  # seconds; one that lived longer than SETTLED starts afresh
SIGNALS = (signal.SIGTERM, signal.SIGINT, ANEW, signal.SIGCHLD)
# Large blocks go back to the system and threads share their heaps: some tens of megabytes for all three.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_ARENA_MAX": "2"}


def say(line: str) -> None:
    print(f"troth: {line}", file=sys.stderr, flush=True)


class Child:
    """One role: its process, and how long to wait before it is started again."""

    def __init__(self, role: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.role, self._start = role, start
        self.pause, self.again_at = FIRST_PAUSE, 0.0
        self.began = time.monotonic()
        self.running: subprocess.Popen[bytes] | None = start()

    def alive(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def tend(self) -> None:
        """Notice an end, and start again when its pause is over."""
        now = time.monotonic()
        if self.running is not None and not self.alive():
            if now - self.began > SETTLED:
                self.pause = FIRST_PAUSE
            say(f"{self.role} ended ({_how(self.running.returncode)}); starting it again in {self.pause:.1f} s")
            self.running, self.again_at = None, now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        if self.running is None and now >= self.again_at:
            self.running, self.began = self._start(), now

    def wait_for(self) -> float:
        """Seconds until there is something to do by the clock alone."""
        return 60.0 if self.running is not None else max(0.01, self.again_at - time.monotonic())


class Supervisor:
    """Runs the roles until SIGTERM, SIGINT or ANEW. `commands` replaces the command of a role (for tests)."""

    def __init__(
        self, home: Path, environ: Mapping[str, str], commands: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._home, self._commands = home, dict(commands or {})
        self._environ = {**environ, **MEMORY, "TROTH_HOME": str(home), "TMPDIR": str(home / "run" / "tmp")}
        self._doorways = Doorways()
        self._children: list[Child] = []
        self.anew = False  # told by ANEW to stop all and begin again, with the program that lies there now
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process.hide_memory()  # it holds the doors

    def begin(self, before_the_shop: Callable[[], None], ready: Callable[[], bool]) -> bool:
        """Start the keeper, do `before_the_shop` meanwhile, start worker and web, wait for `ready`.

        False if the keeper did not come up or we were told to stop; then everything is stopped again.
        """
        keeper = self._keep("keeper")
        before_the_shop()
        # By web's door: a greeting by the worker's says what the main database has seen, and the keeper opens by it.
        if not self._doorways.answers("web", KEEPER_WITHIN, keeper.alive):
            say("the keeper does not answer" if keeper.alive() else "the keeper did not start; nothing runs")
            self.stop()
            return False
        for role in ("worker", "web"):
            self._keep(role)
        while not ready():
            if not self._pass_time(0.02):
                self.stop()
                return False
        return True

    def run(self) -> None:
        """Tend the children until told to stop, then stop them."""
        while self._pass_time(min(child.wait_for() for child in self._children)):
            pass
        self.stop()

    def stop(self) -> None:
        """Web, worker, keeper, each after the one before has ended; what is left after STOP_WITHIN is killed."""
        deadline = time.monotonic() + STOP_WITHIN
        for child in reversed(self._children):
            if child.running is not None:
                _end(child.running, deadline - time.monotonic())
        self._children.clear()
        self._doorways.close()

    def start(self, role: str) -> subprocess.Popen[bytes]:
        """A process of this role, with this role's end of the door and no other."""
        ends = list(self._doorways.keepers.values()) if role == "keeper" else [self._doorways.roles[role]]
        door = (
            {DOORS: self._doorways.keepers_variable()}
            if role == "keeper"
            else {"TROTH_DOOR": f"fd:{self._doorways.roles[role].fileno()}"}
        )
        us = os.getpid()
        return subprocess.Popen(  # noqa: S603 - our own commands
            self._commands.get(role) or command(role),
            env={**self._environ, **door},
            pass_fds=[end.fileno() for end in ends],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops them in order
            preexec_fn=lambda: _in_child(us),
        )

    def _keep(self, role: str) -> Child:
        child = Child(role, lambda: self.start(role))
        self._children.append(child)
        return child

    def _pass_time(self, seconds: float) -> bool:
        """Wait for a signal or the clock, then tend the children. False when told to stop."""
        came = signal.sigtimedwait(SIGNALS, seconds)
        if came is not None and came.si_signo != signal.SIGCHLD:
            self.anew = came.si_signo == ANEW
            return False
        for child in self._children:
            child.tend()
        return True


def command(role: str) -> list[str]:
    """The command line of a role, by this same Python; -P keeps the working directory out of its imports."""
    return [sys.executable, "-P", "-m", "troth", role]


def _in_child(parent: int) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    process.die_with(parent)


def _end(running: subprocess.Popen[bytes], seconds: float) -> None:
    running.terminate()
    try:
        running.wait(max(0.1, seconds))
    except subprocess.TimeoutExpired:
        say("one process did not end by itself and is killed")
        running.kill()
        running.wait()


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
