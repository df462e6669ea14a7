"""The shop under measurement: a demo with a long catalogue, which can be closed and opened again."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx

from troth.faces.cli.bench import processes
from troth.faces.cli.bench.goods import multiply
from troth.faces.cli.bench.load import answers
from troth.faces.cli.demo.stage import PATIENCE, STOP_WITHIN, Stage

FIRST_PAGE = "/p/order-notes"


class Started(NamedTuple):
    seconds: float
    cpu: float  # seconds, of all processes


class Shop(Stage):
    """`with Shop(folder, port, 1000) as shop:` serves that many products."""

    def __init__(self, folder: Path, port: int, products: int) -> None:
        super().__init__(folder, port)
        self.products = products

    @property
    def roles(self) -> dict[str, list[int]]:
        """supervisor, keeper, worker, web: their processes."""
        return processes.roles(self._running[-1].pid)

    def ask(self, url: str) -> Any:
        """What another face of this machine says, as JSON."""
        answer = httpx.get(url, timeout=20, trust_env=False)
        return answer.raise_for_status().json()

    def press(self, control: str, **words: str) -> None:
        """Press one of the sandbox's buttons."""
        httpx.post(f"{self.control}{control}", json=words, timeout=20, trust_env=False).raise_for_status()

    def close(self) -> None:
        """Stop the shop alone; the sandbox goes on."""
        shop = self._running.pop()
        shop.send_signal(signal.SIGTERM)
        shop.wait(STOP_WITHIN)

    def open(self, *, counting: bool = False) -> Started:
        """Start the closed shop, until its first product page. `counting` notes every statement of SQL."""
        line = [sys.executable, "-P", "-m", "troth.faces.cli.bench.counted"] if counting else self.command("serve")
        began = time.monotonic()
        shop = self._begin(line, "shop")
        self._until(lambda: answers(self.port, FIRST_PAGE), shop, "The shop")
        seconds = time.monotonic() - began
        return Started(seconds, sum(processes.cpu_ms(pids) for pids in self.roles.values()) / 1000)

    def settle_down(self) -> None:
        """Wait until the checks that each start makes due are over, so that they are not measured with what is."""
        deadline = time.monotonic() + 3 * PATIENCE
        while any(not one["checked_at"] for one in self.ask(f"{self.shop}/privacy.json")["promises"]):
            if time.monotonic() > deadline:
                raise click.ClickException("The shop's first checks did not end.")
            time.sleep(0.2)

    def _make_goods(self) -> None:
        super()._make_goods()
        multiply(self.goods, self.products)
