"""`troth bench`: starts a shop and its baseline, measures, prints a table. Nothing of it is ever asserted in tests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import click

from troth.faces.cli.bench import (
    callbacks,
    clone,
    licensed,
    limits,
    pages,
    processes,
    promises,
    purchases,
    strongroom,
    table,
)
from troth.faces.cli.bench.baseline import Bare
from troth.faces.cli.bench.customer import Customer
from troth.faces.cli.bench.load import WrongAnswer
from troth.faces.cli.bench.shop import Shop, Started
from troth.faces.cli.bench.table import Row
from troth.faces.cli.demo.stage import free_port

NAMES = {"paypal": "PayPal", "skrill": "Skrill"}


class Size(NamedTuple):
    """How much is measured."""

    products: int
    rounds: int
    seconds: float  # of one kind of page in one round
    purchases: int  # with one provider in one round
    rest: float  # seconds of doing nothing
    starts: int
    keeper: strongroom.Size
    messages: callbacks.Size
    licences: licensed.Size
    megabytes: int  # of files that are searched


FULL = Size(1000, 5, 3.0, 15, 30.0, 3, strongroom.FULL, callbacks.FULL, licensed.FULL, 200)
QUICK = Size(50, 1, 0.3, 2, 2.0, 1, strongroom.QUICK, callbacks.QUICK, licensed.QUICK, 5)


@click.command()
@click.option("--json", "machine", is_flag=True, help="As JSON, for a machine to read.")
@click.option("--quick", is_flag=True, help="Little of everything: shows that it works, the numbers mean nothing.")
@click.option("--clone", "fresh", is_flag=True, help="Also from a fresh clone to the first page (uses the network).")
def bench(machine: bool, quick: bool, fresh: bool) -> None:
    """Measure what pages and purchases cost, beside bare Django views in the same run. Takes some minutes."""
    try:
        with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder:
            rows = numbers(Path(folder), QUICK if quick else FULL, _tell, fresh=fresh)
    except WrongAnswer as wrong:
        raise click.ClickException(str(wrong)) from None
    if machine:
        click.echo(json.dumps({**_about(), "numbers": table.as_json(rows)}, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join([*(f"{key}: {value}" for key, value in _about().items()), "", *table.lines(rows)]))


def numbers(folder: Path, size: Size, told: Callable[[str], object], *, fresh: bool = False) -> list[Row]:
    """Every number, measured now. WrongAnswer or click.ClickException where something does not do its work."""
    told(f"a shop with {size.products} products")
    with (
        Shop(folder / "bench", free_port(None, usual=0), size.products) as shop,
        Bare("default") as default,
        Bare("none") as none,
    ):
        shop.settle_down()
        customer = Customer(shop)
        customer.register()
        starts = [_start_again(shop) for _ in range(size.starts)]
        told("the shop at rest")
        shop.settle_down()
        at_rest = purchases.idle(shop, size.rest)
        cost = pages.measure(pages.targets(shop, default, none), size.rounds, size.seconds, told)
        spent = purchases.measure(shop, customer, at_rest, size.rounds, size.purchases, told)
        messages = callbacks.rows(shop, customer, size.messages, told)
        licences = licensed.rows(shop, default, size.licences, told)
        counting = limits.rows(shop)
        told("promises")
        kept = promises.rows(shop, size.megabytes)
        memory = {role: processes.memory(pids) for role, pids in shop.roles.items()}
        told("statements of SQL")
        shop.close()
        shop.open(counting=True)
        statements = purchases.count(shop, customer)
        customer.close()
    rows = [
        *_pages(cost, statements),
        *_purchases(spent, statements),
        *messages,
        *licences,
        *counting,
        *kept,
        *_at_rest(at_rest),
        *_memory(memory),
    ]
    seconds = median(start.seconds for start in starts)
    rows.append(Row("start to first product page", "s", seconds, 2, peers="oscar 2.0, vendure 8.5, saleor 19"))
    cpu = median(start.cpu for start in starts)
    rows.append(Row("  CPU time until then, all processes", "s", cpu, peers="oscar 1.9, vendure 6.4, saleor 18.8"))
    rows += strongroom.rows(folder, size.keeper, told)
    if fresh:
        told("a fresh clone")
        rows.append(Row("fresh clone to first page, without downloads", "s", clone.first_page(folder), 90))
    return [*rows, Row("packages installed to run", "", _packages(), 45, peers="oscar 28, pretix 135, vendure 437")]


def _start_again(shop: Shop) -> Started:
    shop.close()
    return shop.open()


def _pages(cost: dict[str, pages.Cost], statements: dict[str, purchases.Statements]) -> list[Row]:
    bare = cost[pages.BASELINE].middle
    others = {
        "product page, uncached": "vendure 28 (JSON), oscar 49, pretix 89 ms",
        "list of 24, uncached": "vendure 8.4 (JSON), saleor 100 (JSON), pretix 261 ms",
    }
    most: dict[str, float] = {"product page, uncached": 3, "list of 24, uncached": 4}
    most |= dict.fromkeys(("product page, from the page cache", "product page, revalidated"), 1.5 * bare)
    rows = [
        Row(name, "ms CPU", one.middle, most.get(name), one.ratio, others.get(name, "")) for name, one in cost.items()
    ]
    return [
        *(row._replace(most=round(row.most, 2)) if row.most else row for row in rows),
        Row("product page", "SQL", statements["product"].main, 4, peers="pretix 10, vendure 13, oscar 17"),
        Row("list of 24", "SQL", statements["list"].main, 4, peers="vendure 2, pretix 10, oscar 124"),
    ]


def _purchases(spent: dict[str, list[dict[str, float]]], statements: dict[str, purchases.Statements]) -> list[Row]:
    rows = []
    for provider, rounds in spent.items():
        name = f"purchase with {NAMES[provider]}"
        rows.append(
            Row(name, "ms CPU", median(sum(one.values()) for one in rounds), 60, peers="vendure 486, oscar ~460")
        )
        rows += [Row(f"  of it {role}", "ms CPU", median(one[role] for one in rounds)) for role in rounds[0]]
        told = statements[provider]
        rows += [
            Row(name, "SQL", told.main, 60, peers="oscar ~215, vendure 318, pretix 376"),
            Row("  besides, to begin transactions", "SQL", told.control),
            Row("  besides, in the keyring", "SQL", told.keyring),
        ]
    return rows


def _at_rest(spent: processes.Spent) -> list[Row]:
    minute = 60 / spent.seconds
    return [Row(f"at rest, {role}", "ms CPU a minute", ms * minute) for role, ms in spent.by_role.items()]


def _memory(found: dict[str, processes.Memory]) -> list[Row]:
    measure = next(iter(found.values())).measure
    whole = Row(f"memory of all processes ({measure})", "MiB", sum(one.mib for one in found.values()), 250)
    peers = "web worker alone: oscar 100, vendure 253, pretix 289"
    return [whole._replace(peers=peers), *(Row(f"  of it {role}", "MiB", one.mib) for role, one in found.items())]


def _packages() -> int:
    return (clone.ROOT / "requirements.txt").read_text("utf-8").count("==")


def _about() -> dict[str, Any]:
    line = ["git", "-C", str(clone.ROOT), "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return {
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit or "unknown",
        "machine": processes.machine(),
        "python": sys.version.split()[0],
    }


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {what} ...", err=True)
