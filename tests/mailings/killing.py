"""A mail relay that knows when each copy began and arrived, and has the shop's workers killed while they are at it."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.processes import running
from troth.sandbox.mailbox import Mailbox


class Copy:
    """One copy at the relay: `begun` when its recipient was named, `arrived` when its text had ended."""

    def __init__(self, to: str, begun: float) -> None:
        self.to, self.begun, self.arrived = to, begun, time.monotonic()


class Killing(Mailbox):
    """Takes all mail. At the arrivals in `fatal` the workers die: before it has answered, or some moments later."""

    def __init__(self, home: Path, draw: random.Random, arrivals: int, kills: int) -> None:
        super().__init__()
        self.home, self.draw, self.copies, self.deaths = home, draw, list[Copy](), list[str]()
        moments = sorted(draw.sample(range(1, max(2, arrivals - 1)), kills))
        self.fatal = [(moment, draw.choice(("unanswered", "soon"))) for moment in moments]
        self._later: list[threading.Timer] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.begun = time.monotonic()
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        self.copies.append(Copy(envelope.rcpt_tos[0], envelope.begun))
        if self.fatal and len(self.copies) >= self.fatal[0][0]:
            _, how = self.fatal.pop(0)
            if how == "unanswered":
                self._kill(how)
            else:
                timer = threading.Timer(self.draw.uniform(0, 0.03), self._kill, (how,))
                timer.start()
                self._later.append(timer)
        return answer

    def _kill(self, how: str) -> None:
        """kill -9 of every worker that lives."""
        told = (self.home / "faults" / "told").read_text().splitlines()
        pids = [int(line.split(" ")[2]) for line in told if line.startswith("start worker ")]
        for pid in filter(running.alive, pids):
            os.kill(pid, signal.SIGKILL)
        self.deaths.append(how)

    def down(self) -> None:
        for timer in self._later:
            timer.join()
        super().down()


class Objectors(threading.Thread):
    """People who click the link of their letters, one after the other, while the copies leave."""

    def __init__(self, url: str, relay: Killing, pages: dict[str, str], draw: random.Random, number: int) -> None:
        super().__init__(name="objectors")
        chosen = draw.sample(sorted(pages), number)
        moments = sorted(draw.randrange(len(pages) - 2 * number) for _ in chosen)
        self._waiting = list(zip(moments, chosen, strict=True))
        self._url, self._relay, self._pages = url, relay, pages
        self.answered: dict[str, float] = {}  # mailbox -> when the shop had said that it is stopped
        self.stop = threading.Event()

    def run(self) -> None:
        with httpx.Client(trust_env=False, timeout=60) as browser:
            while self._waiting and not self.stop.is_set():
                moment, email = self._waiting[0]
                if len(self._relay.copies) < moment:
                    self.stop.wait(0.002)
                    continue
                self._waiting.pop(0)
                form = {"List-Unsubscribe": "One-Click"}  # RFC 8058, 3.2
                answer = browser.post(self._url + self._pages[email], data=form)
                assert answer.status_code == 200, answer.status_code
                self.answered[email] = time.monotonic()
