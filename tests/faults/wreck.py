"""Breaks a running shop: every life of every process has a step at which it dies, and some are ended from outside."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.buyer import Buyer, Seen
from tests.processes import running
from tests.processes.running import until
from tests.shape.tree import ROOT
from troth.pledge.fault_points import POINTS
from troth.sandbox import Addresses, Sandbox

ROLES = ("web", "worker", "keeper")
LONGEST_PAUSE = 9.0  # seconds; longer than a lease
BUYERS = 3
REBORN_WITHIN = 4.0  # seconds from a worker's death to its next life, on a busy machine


def plan(draw: random.Random, kills: int) -> dict[str, list[str]]:
    """Faults for the lives of each role, `kills` in all: each step in turn, in an order that is drawn."""
    steps = {role: [one for point, (roles, _) in POINTS.items() if role in roles for one in _spelled(role, point)]
             for role in ROLES}  # fmt: skip
    queues: dict[str, list[str]] = {role: [] for role in ROLES}
    while True:
        for role in sorted(ROLES, key=lambda role: len(queues[role]) / len(steps[role]) + draw.random() / 1000):
            if sum(map(len, queues.values())) == kills:
                return queues
            if len(queues[role]) % len(steps[role]) == 0:
                draw.shuffle(steps[role])
            step = steps[role][len(queues[role]) % len(steps[role])]
            queues[role].append(f"{step}:{draw.randint(1, 3)}" if role == "keeper" else f"{step}:1")


def _spelled(role: str, point: str) -> list[str]:
    if point.startswith("work."):
        return [f"{point}/deliver", f"{point}/look"]
    return [f"{point}/deliver"] if point.startswith("send.") else [point]


class Wreck:
    """A shop of real processes whose lives are short, the providers opposite it, and the people who buy meanwhile."""

    def __init__(
        self, folder: Path, draw: random.Random, kills: int, told: Addresses, sandbox: Sandbox, **database: str
    ):
        self.home, self.draw, self.sandbox = running.folder(folder / "home"), draw, sandbox
        self.log, self.seen, self.outside = folder / "log", [], []
        self._woken: list[tuple[str, float]] = []
        self._arrived: dict[str, list[float]] = {}  # Message-ID -> when its copies reached the relay
        _note_arrivals(sandbox, self._arrived)
        outside = max(3, kills // 5)
        self.queues = plan(draw, kills - outside)
        killed = [*ROLES, *draw.choices(ROLES, k=outside - len(ROLES))]
        self._to_do = [(role, "kill") for role in killed]
        self._to_do += [(draw.choice(ROLES), "pause") for _ in range(max(2, outside // 4))]
        draw.shuffle(self._to_do)
        self._write_queues()
        self._environ = running.plain_environment(TROTH_HOME=str(self.home), **_told(told), **database)
        self.url = str(tomllib.loads((self.home / "troth.toml").read_text())["web"]["public_url"])
        sandbox.paypal.merchant.webhook_url = f"{self.url}/hooks/paypal"
        with self.log.open("w") as log:
            line = [sys.executable, "-m", "tests.faults.stage"]
            self.process = subprocess.Popen(line, env=self._environ, cwd=ROOT, stderr=log, start_new_session=True)
        until(lambda: "open" in self.lines() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log.read_text()

    def lines(self) -> list[str]:
        return (self.home / "faults" / "told").read_text().splitlines()

    def deaths(self) -> Counter[str]:
        """How often somebody died at each step, as the dying said themselves."""
        said = [line.removeprefix("troth: fault ") for line in self.log.read_text().splitlines()]
        return Counter(line for line in said if line in POINTS)

    def left(self) -> list[str]:
        """What is still to be done: faults that no life has met yet."""
        waiting = [line for role in ROLES for line in (self.home / "faults" / role).read_text().splitlines() if line]
        return waiting + [life[2] for life in self._lives() if life[2]]

    def rages(self, seconds: float) -> None:
        """Let people buy while everybody dies, until every fault was met. Fails after `seconds`."""
        stop = threading.Event()
        crowd = [threading.Thread(target=self._shops, args=(stop, self.draw.random())) for _ in range(BUYERS)]
        for person in crowd:
            person.start()
        deadline, hurt = time.monotonic() + seconds, time.monotonic()
        try:
            while self._to_do or self.left():
                assert time.monotonic() < deadline, f"never met: {self.left()}, {self._to_do}; {self.deaths()}"
                if self._to_do and time.monotonic() > hurt:
                    self._hurt(*self._to_do.pop(0))
                    hurt = time.monotonic() + self.draw.uniform(0.3, 3.0)
                time.sleep(0.05)
        finally:
            stop.set()
            for person in crowd:
                person.join()

    def unexplained(self) -> list[str]:
        """Letters that came again although no worker died, or was paused, just after the copy before."""
        born = [float(when) for role, _, when, _ in self._starts() if role == "worker"]
        woken = [when for role, when in self._woken if role == "worker"]
        return [
            name
            for name, times in self._arrived.items()
            for first in times[:-1]
            if not any(0 < when - first < REBORN_WITHIN for when in born)
            and not any(0 < when - first < LONGEST_PAUSE + 1 for when in woken)
        ]

    def tells(self) -> dict[str, Any]:
        """What the shop's books say once the providers have told all and nothing is under way."""
        assert self.sandbox.wait(90), "the shop does not take the providers' messages"
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.tell"], env=self._environ, cwd=ROOT, capture_output=True, check=True
        )
        return dict(json.loads(done.stdout))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()

    def _shops(self, stop: threading.Event, seed: float) -> None:
        draw = random.Random(seed)
        while not stop.is_set():
            self.seen.append(Buyer(self.url, self.sandbox, draw).buys())

    def _write_queues(self) -> None:
        """The first keeper has no fault: without one the shop would not open. It is the first to die from outside."""
        folder = self.home / "faults"
        folder.mkdir()
        (folder / "told").touch()
        self._to_do.sort(key=lambda one: one != ("keeper", "kill"))
        for role, faults in self.queues.items():
            (folder / role).write_text("".join(f"{line}\n" for line in ([""] if role == "keeper" else []) + faults))

    def _lives(self) -> list[tuple[str, int, str]]:
        """(role, process, its fault) of everybody alive."""
        return [(role, int(pid), what) for role, pid, _, what in self._starts() if running.alive(int(pid))]

    def _starts(self) -> list[list[str]]:
        """[role, process, when, fault] of every life so far."""
        return [line.split(" ", 4)[1:] for line in self.lines() if line.startswith("start ")]

    def _hurt(self, role: str, how: str) -> None:
        """kill -9, or a pause, from outside, at a moment that means nothing to the victim."""
        victims = [life for life in self._lives() if life[0] == role]
        if not victims:
            self._to_do.append((role, how))
            return
        _, pid, planned = self.draw.choice(victims)
        self.outside.append((role, how))
        everybody = _family(pid)
        if how == "pause":
            _signal(everybody, signal.SIGSTOP)
            time.sleep(self.draw.uniform(0.2, LONGEST_PAUSE))
            _signal(everybody, signal.SIGCONT)
            self._woken.append((role, time.time()))
            return
        if planned:
            self._give_back(role, planned)
        _signal(everybody, signal.SIGKILL)

    def _give_back(self, role: str, planned: str) -> None:
        """Its next life shall meet what this one will not."""
        with (self.home / "faults" / role).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(f"{planned}\n")


def _family(pid: int) -> list[int]:
    """A process and all below it: granian has a parent and a child."""
    return [pid, *(one for child in running._children_of(pid) for one in _family(child))]


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # it met its own fault first


def _note_arrivals(sandbox: Sandbox, arrived: dict[str, list[float]]) -> None:
    keep = sandbox.mailbox._keep

    def kept(envelope: Any) -> None:
        keep(envelope)
        arrived.setdefault(sandbox.mailbox.sent[-1].message_id, []).append(time.time())

    sandbox.mailbox._keep = kept  # type: ignore[method-assign]


def _told(told: Addresses) -> dict[str, str]:
    """The sandbox's addresses as settings."""
    sections = {"paypal": told.paypal, "skrill": told.skrill, "mail": told.mail, "keeper": {"blanks": "60"}}
    return {f"TROTH_{name}_{key}".upper(): value for name, keys in sections.items() for key, value in keys.items()}


@contextmanager
def wrecked(folder: Path, draw: random.Random, kills: int, **database: str) -> Iterator[Wreck]:
    sandbox = Sandbox(mode="test")
    told = sandbox.start()
    try:
        wreck = Wreck(folder, draw, kills, told, sandbox, **database)
        try:
            yield wreck
        finally:
            wreck.stop()
    finally:
        sandbox.stop()


def counted(seen: list[Seen]) -> str:
    reloads = sum(one.reloads for one in seen)
    return f"{len(seen)} people bought, {sum(one.paid for one in seen)} paid, {reloads} reloads"
