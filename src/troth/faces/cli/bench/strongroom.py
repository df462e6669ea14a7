"""What the keeper costs: openings, sealing, memory and disk, of a keeper's process with many people in its keyring."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from troth.faces.cli.bench.keeping import Keeping, Person
from troth.faces.cli.bench.table import Row
from troth.pledge.keeper import messages
from troth.pledge.vault.sealing import read_key_set, seal

CLIENTS = 8
LIST = 50  # records in one question, the most there may be
SIGN_INS = 100
CHECKOUT = ("contact", "locality", "billing")  # what a newcomer's checkout seals


class Size(NamedTuple):
    """How much is measured."""

    people: int  # in the keyring
    asked: int  # openings by one client
    lists: int
    known: int  # people who are opened, or sign in


FULL = Size(100_000, 1000, 40, 100)
QUICK = Size(500, 20, 2, 8)


class Spread(NamedTuple):
    """Milliseconds of some questions: the middle, and what nineteen in twenty stay below."""

    p50: float
    p95: float


def rows(folder: Path, size: Size, told: Callable[[str], object]) -> list[Row]:
    """Every number of the keeper, measured now."""
    told(f"a keyring of {size.people} people")
    with Keeping(folder) as keeper:
        each = keeper.crowd(size.people)
        started = keeper.resident()
        told("openings")
        people = [keeper.newcomer() for _ in range(size.known)]
        before = keeper.cpu_ms()
        one = _spread(_openings(keeper, people, size.asked))
        cpu = (keeper.cpu_ms() - before) / size.asked
        many = _spread(_together(keeper, people, size.asked))
        before = keeper.cpu_ms()
        lists = _spread(_lists(keeper, people, size.lists))
        cpu_of_list = (keeper.cpu_ms() - before) / size.lists
        sealing = _sealing(keeper, people[0], size.asked)
        told("sign-ins")
        _sign_ins(keeper, min(SIGN_INS, size.known))
        after = keeper.resident()
    commit = _spread(_commits(folder / "commits.sqlite3", size.asked))
    return [
        Row("a durable commit of SQLite on this disk, p50", "ms", commit.p50),
        Row("keeper: open one record", "ms CPU", cpu),
        Row("keeper: open one record, one client, p50", "ms", one.p50),
        Row("keeper: open one record, one client, p95", "ms", one.p95, 2),
        Row(f"keeper: open one record, {CLIENTS} clients, p50", "ms", many.p50),
        Row(f"keeper: open one record, {CLIENTS} clients, p95", "ms", many.p95, 10),
        Row(f"keeper: open a list of {LIST}", "ms CPU", cpu_of_list),
        Row(f"keeper: open a list of {LIST}, one client, p50", "ms", lists.p50),
        Row(f"keeper: open a list of {LIST}, one client, p95", "ms", lists.p95, 20),
        Row("seal a checkout: key set checked, three records", "ms CPU", sealing, 2),
        Row(f"keyring, {size.people} people, each", "bytes", each, 1000),
        Row("keeper, RSS at start", "MiB", started, 80),
        Row(f"keeper, RSS after {min(SIGN_INS, size.known)} sign-ins", "MiB", after, 80),
    ]


def _spread(times: list[float]) -> Spread:
    return Spread(median(times), quantiles(times, n=20)[-1])


def _openings(keeper: Keeping, people: list[Person], count: int) -> list[float]:
    """Milliseconds of each of so many openings, one after the other over one line."""
    with keeper.line("worker") as line:
        asked = [messages.Open([one.record("contact")], "deliver", "bench") for one in people]
        turns = (asked[number % len(asked)] for number in range(count))
        return [_timed(partial(keeper.opened, line, ask)) for ask in turns]


def _together(keeper: Keeping, people: list[Person], count: int) -> list[float]:
    """The same by several clients at once, each over a line of its own."""
    share = max(1, count // CLIENTS * 2)
    with ThreadPoolExecutor(CLIENTS) as clients:
        told = clients.map(lambda _: _openings(keeper, people, share), range(CLIENTS))
        return [ms for times in told for ms in times]


def _lists(keeper: Keeping, people: list[Person], count: int) -> list[float]:
    records = [people[number % len(people)].record("contact", f"row-{number}") for number in range(LIST)]
    ask = messages.Open(records, "deliver", "bench")
    with keeper.line("worker") as line:
        return [_timed(partial(keeper.opened, line, ask)) for _ in range(count)]


def _sealing(keeper: Keeping, person: Person, count: int) -> float:
    """CPU milliseconds for what a checkout seals, with the check of the keeper's signature before it."""
    verify, places = keeper.verify_key, [person.record(klass).place for klass in CHECKOUT]
    value = b"x" * 120
    began = time.process_time()
    for _ in range(count):
        keys = read_key_set(verify, person.key_set, person.ref)
        for place in places:
            seal(keys, place, value)
    return (time.process_time() - began) * 1000 / count


def _sign_ins(keeper: Keeping, count: int) -> None:
    """By several clients at once, each of them one person: whoever comes several times at once is asked to wait."""
    people = [keeper.newcomer(password="heron and lantern") for _ in range(CLIENTS)]  # noqa: S106 - nobody's

    def sign_in(number: int) -> None:
        with keeper.line("web") as line:
            for _ in range(number, count, CLIENTS):
                keeper.signed_in(line, people[number])

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(sign_in, range(CLIENTS)))


def _commits(path: Path, count: int) -> list[float]:
    """The baseline: what the disk takes for a commit that is to last, as the keyring's do."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE note (text BLOB)")
    times = [_timed(lambda: db.execute("INSERT INTO note VALUES (?)", (os.urandom(200),))) for _ in range(count)]
    db.close()
    return times


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000
