"""What owners and licence holders wait for: a new shop, the Composer repository, a check, imported keys, archives."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from troth.faces.cli.bench import pages, processes
from troth.faces.cli.bench.baseline import Bare
from troth.faces.cli.bench.load import WrongAnswer, answers
from troth.faces.cli.bench.shop import Shop
from troth.faces.cli.bench.table import Row
from troth.faces.cli.demo.stage import PATIENCE, free_port
from troth.faces.cli.serve import environment
from troth.pledge.ids import new_id

METADATA = "/composer/p2/fernhill/module-order-notes.json"


class Size(NamedTuple):
    """How much is measured. `checks` stay below what one caller may ask in a minute."""

    rounds: int
    seconds: float
    checks: int
    keys: int
    megabytes: int


FULL = Size(5, 2.0, 100, 100_000, 50)
QUICK = Size(1, 0.3, 5, 200, 3)


def rows(shop: Shop, default: Bare, size: Size, told: Callable[[str], object]) -> list[Row]:
    """Every number, measured now. WrongAnswer where something does not do its work."""
    told("licences")
    key = _key(shop)
    return [
        *_repository(shop, default, key, size, told),
        Row("a check of a licence", "ms CPU", _checks(shop, key, size.checks), 3),
        Row(f"{size.keys:,} keys imported", "s", _keys_imported(shop, size.keys), 30),
        Row(
            f"memory for a release of {size.megabytes} MB, beyond an empty one",
            "MiB",
            _released(shop, size.megabytes),
        ),
        Row("init to first page", "s", _first_page(shop.folder / "new"), 10),
    ]


def _key(shop: Shop) -> str:
    """Of the customer's first purchase, as its letter says it."""
    for mail in shop.ask(f"{shop.mailbox.rstrip('/')}.json"):
        if found := re.search(r"composer config --auth \S+ licence ([^\s,]+)", mail["text"]):
            return found[1]
    raise WrongAnswer("No letter says how to install with Composer.")


def _repository(shop: Shop, default: Bare, key: str, size: Size, told: Callable[[str], object]) -> Iterator[Row]:
    login = {"Authorization": "Basic " + base64.b64encode(f"licence:{key}".encode()).decode()}
    web = shop.roles["web"]
    asked = [
        pages.Target(pages.BASELINE, default.port, default.processes, lambda _: "/"),
        pages.Target("packages.json, kept", shop.port, web, lambda _: "/composer/packages.json", 200, login),
        pages.Target("a package's metadata, kept", shop.port, web, lambda _: METADATA, 200, login),
    ]
    cost = pages.measure(asked, size.rounds, size.seconds, told)
    most = round(1.5 * cost[pages.BASELINE].middle, 2)
    for target in asked[1:]:
        one = cost[target.name]
        yield Row(target.name, "ms CPU", one.middle, most, one.ratio)


def _checks(shop: Shop, key: str, times: int) -> float:
    body = json.dumps({"key": key, "instance": "bench.example"})
    line = HTTPConnection("127.0.0.1", shop.port, timeout=20)
    _post(line, "/api/licence/activate", body)
    before = processes.cpu_ms(shop.roles["web"])
    for _ in range(times):
        _post(line, "/api/licence/check", body)
    spent = processes.cpu_ms(shop.roles["web"]) - before
    line.close()
    return spent / times


def _post(line: HTTPConnection, path: str, body: str) -> None:
    line.request("POST", path, body, {"Content-Type": "application/json"})
    answer = line.getresponse()
    answer.read()
    if answer.status != 200:
        raise WrongAnswer(f"{path} answers {answer.status}.")


def _keys_imported(shop: Shop, count: int) -> float:
    path = shop.folder / "keys.txt"
    path.write_text("".join(f"{new_id('key')}\n" for _ in range(count)), "utf-8")
    began = time.monotonic()
    _run(shop, "licences", "import", "stock-sentinel/single", str(path))
    return time.monotonic() - began


def _run(shop: Shop, *words: str) -> None:
    done = subprocess.run(shop.command(*words), env=shop.environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise WrongAnswer(f"troth {' '.join(words[:2])} ended with {done.returncode}: {done.stderr.strip()}")


def _released(shop: Shop, megabytes: int) -> float:
    """What `troth product release` holds at most for a large archive, less what it holds for a small one (wait4(2))."""
    _run(shop, "product", "add", "bench-large", "--name", "Large", "--price", "1")
    peaks = []
    for number, size in enumerate((0, megabytes)):
        path = shop.folder / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as archive, archive.open("data", "w") as entry:
            for _ in range(size):
                entry.write(os.urandom(1 << 20))
        line = shop.command("product", "release", "bench-large", f"1.{number}.0", str(path))
        running = subprocess.Popen(line, env=shop.environ, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            raise WrongAnswer(f"A release of {size} MB ended with {running.returncode}.")
        peaks.append(used.ru_maxrss / 1024)
    return max(0.0, peaks[1] - peaks[0])


def _first_page(home: Path) -> float:
    """Seconds from `troth init` in an empty folder to the first page of the shop."""
    port = free_port(None, usual=0)
    environ = {name: value for name, value in environment().items() if not name.startswith("TROTH_")}
    began = time.monotonic()
    line = [sys.executable, "-P", "-m", "troth"]
    init = [*line, "init", str(home), "--yes", "--url", f"http://127.0.0.1:{port}"]
    subprocess.run(init, env=environ, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own command
    with (home.parent / "first.log").open("wb") as log:
        running = subprocess.Popen([*line, "--home", str(home), "serve"], env=environ, stderr=log)  # noqa: S603
    try:
        while not answers(port, "/"):
            if running.poll() is not None or time.monotonic() - began > PATIENCE:
                raise WrongAnswer("A new shop did not open.")
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        running.terminate()
        running.wait()
