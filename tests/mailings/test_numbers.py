"""What a large mailing costs in a shop of real processes; and somebody objects in its middle.

`make soak` alone measures it, with 10,000 readers, and prints the numbers: how good they are is for who reads them.
That the objection counts at once, and that everybody else gets their copy, is tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.mailings.relay import Relay, relay
from tests.mailings.test_killed import shop
from tests.processes import running
from tests.processes.conftest import database
from tests.shape.tree import ROOT

__all__ = ["database"]
READERS = 10_000
pytestmark = [pytest.mark.processes, pytest.mark.soak]


class Meter(threading.Thread):
    """Seconds of processor time and the highest and lowest memory of each role, from the first copy on."""

    def __init__(self, home: Path, server: Relay) -> None:
        super().__init__(name="meter")
        self._home, self._server, self.stop = home, server, threading.Event()
        self.spent: dict[str, float] = {}
        self.memory: dict[str, list[float]] = {}  # MiB

    def run(self) -> None:
        started = (self._home / "faults" / "told").read_text().splitlines()
        pids = [(line.split(" ")[1], int(line.split(" ")[2])) for line in started if line.startswith("start ")]
        while not self._server.taken and not self.stop.wait(0.02):
            pass
        before = self._times(pids)
        while not self.stop.wait(0.5):
            for role, pid in pids:
                self.memory.setdefault(role, []).append(_memory(pid))
        self.spent = {role: spent - before[role] for role, spent in self._times(pids).items()}

    @staticmethod
    def _times(pids: list[tuple[str, int]]) -> dict[str, float]:
        found: dict[str, float] = {}
        for role, pid in pids:
            found[role] = found.get(role, 0.0) + _seconds(pid)
        return found


def _seconds(pid: int) -> float:
    """proc(5): user and system time, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_what_a_large_mailing_costs(
    tmp_path: Path, database: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    home = running.folder(tmp_path / "home")
    with relay() as server:
        environ = running.plain_environment(
            TROTH_HOME=str(home), TROTH_MAIL_URL=f"smtp://127.0.0.1:{server.port}", TROTH_MAIL_PER_DOMAIN="1000000",
            TROTH_KEEPER_BLANKS="2000", **database,
        )  # fmt: skip
        line = [sys.executable, "-m", "tests.mailings.readers", str(READERS)]
        with shop(home, environ) as url, subprocess.Popen(line, env=environ, stdout=-1, text=True, cwd=ROOT) as maker:
            assert maker.stdout is not None
            pages: dict[str, str] = json.loads(maker.stdout.readline())
            meter = Meter(home, server)
            meter.start()
            objected = objects_in_the_middle(url, server, pages)
            states: dict[str, str] = json.loads(maker.stdout.readline())
            built, done = json.loads(maker.stdout.readline())
            meter.stop.set()
            meter.join()
    record_property("table", told(meter, built, done))
    assert len(set(server.taken)) == len(server.taken) == READERS - 1
    assert set(pages) - set(server.taken) == {objected}
    assert states[objected] == "refused"


def objects_in_the_middle(url: str, server: Relay, pages: dict[str, str]) -> str:
    """Who is the last of the list by reference objects when half of the copies have left."""
    running.until(lambda: len(server.taken) >= READERS // 2, 900)
    waiting = sorted(set(pages) - set(server.taken), key=lambda email: pages[email])
    answer = httpx.post(url + pages[waiting[-1]], data={"List-Unsubscribe": "One-Click"}, timeout=60, trust_env=False)
    assert answer.status_code == 200
    return waiting[-1]


def told(meter: Meter, built: float, done: float) -> str:
    seconds = done - built
    cores = ", ".join(f"{role} {spent / seconds:.0%}" for role, spent in sorted(meter.spent.items()))
    memory = ", ".join(f"{role} {min(seen):.0f} to {max(seen):.0f}" for role, seen in sorted(meter.memory.items()))
    return (
        f"mailing to {READERS}: list made in {built:.1f} s, {READERS / seconds:.0f} copies/s in {seconds:.0f} s; "
        f"of a core: {cores}; MiB: {memory}"
    )
