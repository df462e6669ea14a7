"""What complete purchases cost: CPU time over all processes, and statements of SQL."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from troth.faces.cli.bench import counted, processes
from troth.faces.cli.bench.customer import Customer
from troth.faces.cli.bench.load import Caller
from troth.faces.cli.bench.processes import Spent
from troth.faces.cli.bench.shop import FIRST_PAGE, Shop

PROVIDERS = ("paypal", "skrill")
# Errands of the worker that no purchase makes due.
PERIODIC = frozenset({"audit", "backups", "blanks", "check", "leftovers", "publish", "reconcile", "seen", "tripwires"})
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
PURCHASES = 5
CALM = 2.0  # seconds after which nothing of a purchase is under way


def idle(shop: Shop, seconds: float) -> Spent:
    """What the shop spends while nobody comes."""
    return processes.spent(shop.roles, lambda: time.sleep(seconds))


def measure(
    shop: Shop, customer: Customer, at_rest: Spent, rounds: int, count: int, told: Callable[[str], object]
) -> dict[str, list[dict[str, float]]]:
    """Provider -> round -> role -> CPU milliseconds of one purchase, beyond what the shop spends at rest."""

    def buy(provider: str) -> None:
        for _ in range(count):
            customer.buy(provider)
        customer.wait_for_letters()

    found: dict[str, list[dict[str, float]]] = {provider: [] for provider in PROVIDERS}
    for number in range(rounds):
        for provider in PROVIDERS:
            told(f"purchases, round {number + 1} of {rounds}, {provider}")
            net = processes.spent(shop.roles, lambda provider=provider: buy(provider)).without(at_rest)  # type: ignore[misc]
            found[provider].append({role: ms / count for role, ms in net.by_role.items()})
    return found


class Statements(NamedTuple):
    """How many statements, and how many more only begin and end transactions."""

    main: int
    control: int
    keyring: int


def count(shop: Shop, customer: Customer) -> dict[str, Statements]:
    """Statements of the two pages and of a purchase with each provider. The shop must run with `counting`."""
    file = shop.home / counted.FILE
    caller = Caller(shop.port)

    def during(act: Callable[[], object]) -> Statements:
        file.write_text("")
        act()
        time.sleep(CALM)
        return _read(file.read_text())

    def buy(provider: str) -> None:
        customer.buy(provider)
        customer.wait_for_letters()

    for provider in PROVIDERS:  # the first of each also makes connections, and tokens at PayPal
        buy(provider)
    time.sleep(CALM)
    found = {}
    for provider in PROVIDERS:
        # The provider's message and the buyer's return race each other: the middle one of some purchases counts.
        several = sorted(during(lambda provider=provider: buy(provider)) for _ in range(PURCHASES))  # type: ignore[misc]
        found[provider] = several[PURCHASES // 2]
    found["product"] = during(lambda: caller.ask(f"{FIRST_PAGE}?fresh=sql"))
    found["list"] = during(lambda: caller.ask("/?fresh=sql"))
    caller.close()
    return found


def _read(notes: str) -> Statements:
    counts: Counter[str] = Counter()
    for line in notes.splitlines():
        role, kind, sql = line.split("\t", 2)
        if kind in PERIODIC:
            continue
        if sql.startswith(CONTROL):
            counts["control"] += role != "keeper"
        else:
            counts["keyring" if role == "keeper" else "main"] += 1
    return Statements(counts["main"], counts["control"], counts["keyring"])
