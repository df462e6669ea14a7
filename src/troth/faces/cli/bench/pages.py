"""CPU time of a request: the shop's pages and the bare views in turns, round after round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

from troth.faces.cli.bench import load, processes
from troth.faces.cli.bench.baseline import Bare
from troth.faces.cli.bench.shop import FIRST_PAGE, Shop

WARM_UP = 0.5  # seconds
BASELINE = "bare Django view, default middlewares"


class Target(NamedTuple):
    """What is asked for again and again, and whose CPU time counts."""

    name: str
    port: int
    processes: list[int]
    path: load.Path
    status: int = 200
    headers: dict[str, str] | None = None


class Cost(NamedTuple):
    """CPU milliseconds of one request in each round, and the same as a multiple of the baseline's in that round."""

    ms: list[float]
    ratios: list[float]

    @property
    def middle(self) -> float:
        return median(self.ms)

    @property
    def ratio(self) -> float:
        return median(self.ratios)


def targets(shop: Shop, default: Bare, none: Bare) -> list[Target]:
    """The baseline is the first. A page with a query that no kept page has is made anew."""
    web = shop.roles["web"]
    caller = load.Caller(shop.port)
    known = {"If-None-Match": caller.ask(FIRST_PAGE).etag}
    caller.close()
    return [
        Target(BASELINE, default.port, default.processes, lambda _: "/"),
        Target("bare Django view, no middleware", none.port, none.processes, lambda _: "/"),
        Target("product page, uncached", shop.port, web, lambda number: f"{FIRST_PAGE}?fresh={number}"),
        Target("product page, from the page cache", shop.port, web, lambda _: FIRST_PAGE),
        Target("product page, revalidated", shop.port, web, lambda _: FIRST_PAGE, 304, known),
        Target("list of 24, uncached", shop.port, web, lambda number: f"/?fresh={number}"),
    ]


def measure(asked: list[Target], rounds: int, seconds: float, told: Callable[[str], object]) -> dict[str, Cost]:
    """Interleaved, so that what else the machine does meets all of them."""
    found: dict[str, Cost] = {target.name: Cost([], []) for target in asked}
    for number in range(rounds):
        told(f"pages, round {number + 1} of {rounds}")
        ms = dict(_round(asked, seconds))
        for name, cost in ms.items():
            found[name].ms.append(cost)
            found[name].ratios.append(cost / ms[asked[0].name])
    return found


def _round(asked: list[Target], seconds: float) -> Iterator[tuple[str, float]]:
    for target in asked:
        caller = load.Caller(target.port)
        caller.keep_asking(target.path, min(WARM_UP, seconds), target.status, target.headers)
        before = processes.cpu_ms(target.processes)
        answered = caller.keep_asking(target.path, seconds, target.status, target.headers)
        yield target.name, (processes.cpu_ms(target.processes) - before) / answered
        caller.close()
