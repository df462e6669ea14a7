"""kill -9 of the keeper under load, again and again: no opening without its leaf, no gap, no leaf twice."""

from __future__ import annotations

import json
import struct
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.campaign import draws, rounds
from tests.strongroom.process import WITHIN, KeeperProcess, Newcomer, say
from troth.pledge.ids import new_id
from troth.pledge.keeper import messages
from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.export import bundled
from troth.pledge.ledger.notes import VerifyKey
from troth.pledge.ledger.tree import WIDTH, leaf_hash

pytestmark = [pytest.mark.processes, pytest.mark.soak]
CLIENTS, LONGEST_LIFE = 4, 0.15  # of a keeper under load, in seconds


class Mortal(KeeperProcess):
    """A keeper that is killed, and started again at the same doors, as the supervisor does."""

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WITHIN)

    def start_again(self, known: str) -> messages.Greeting:
        ends = [end.fileno() for end in self.doorways.keepers.values()]
        line = self.process.args
        environ = {**self._environ, "TROTH_DOORS": self.doorways.keepers_variable()}
        self.process = subprocess.Popen(line, env=environ, pass_fds=ends)
        assert self.doorways.answers("web", WITHIN, lambda: self.process.poll() is None)
        for old in self._lines.values():
            old.close()
        self._lines = {role: self.line(role) for role in self.doorways.roles}
        return self.ask("worker", messages.Hello(checkpoint=known))


class Clients:
    """Open the same few people, each time for a job of its own, until the keeper is dead."""

    def __init__(self, keeper: Mortal, people: list[Newcomer]) -> None:
        self.asked: set[str] = set()
        self.answered: set[str] = set()
        lines = [keeper.line("worker") for _ in range(CLIENTS)]
        for line in lines:
            say(line, messages.Attest())  # it is taken: one that waits at the door would be served by the next keeper
        self.threads = [
            threading.Thread(target=self._ask_on, args=(line, people[n % len(people)])) for n, line in enumerate(lines)
        ]
        for thread in self.threads:
            thread.start()

    def _ask_on(self, line, person: Newcomer) -> None:
        record = person.record("contact")
        with line, suppress(OSError, ValueError, struct.error):  # half an answer, or none
            while True:
                job = new_id("ord")
                self.asked.add(job)
                answer = say(line, messages.Open([record], "deliver", job))
                assert isinstance(answer, messages.Opened), answer
                self.answered.add(job)

    def end(self) -> None:
        for thread in self.threads:
            thread.join(WITHIN)
            assert not thread.is_alive()


def told(keeper: Mortal, person: Newcomer) -> list[messages.Entry]:
    """Everything that the ledger has about somebody."""
    entries: list[messages.Entry] = []
    before = messages.NEWEST
    while True:
        page = keeper.ask("web", messages.History(person.capability, before))
        entries += page.entries
        if not page.more:
            return entries
        before = page.entries[-1].seq


def leaves(keeper: Mortal, size: int) -> list[bytes]:
    found = []
    for n in range(-(-size // WIDTH)):
        bundle = keeper.ask("worker", messages.Tile(-1, n)).content
        found += [leaf for _, leaf in bundled(bundle, n * WIDTH)]
    return found


def test_no_opening_without_its_leaf_no_gap_and_none_twice(tmp_path: Path, record_property) -> None:
    random, opened, lost = draws("deaths of the keeper"), 0, 0
    numbers: set[int] = set()
    with Mortal(tmp_path / "shop", TROTH_KEEPER_WORKER_DAILY_OPENS="100000000") as keeper:
        signed = keeper.ask("worker", messages.Checkpoint())
        key = VerifyKey.read(signed.key)
        for _ in range(rounds(5, 200)):
            people = [keeper.newcomer("heron and lantern") for _ in range(2)]
            clients = Clients(keeper, people)
            time.sleep(random.uniform(0.0, LONGEST_LIFE))
            keeper.kill()
            clients.end()
            assert not keeper.start_again(signed.note).behind
            entries = [entry for person in people for entry in told(keeper, person)]
            jobs = Counter(json.loads(entry.event)["job"] for entry in entries)
            assert all(times == 1 for times in jobs.values())
            assert clients.answered <= jobs.keys() <= clients.asked
            assert numbers.isdisjoint(entry.seq for entry in entries)
            numbers |= {entry.seq for entry in entries}
            opened, lost = opened + len(clients.answered), lost + len(jobs) - len(clients.answered)
            signed = keeper.ask("worker", messages.Checkpoint())
        log = leaves(keeper, checkpoint.read(signed.note, key).size)
        assert numbers == set(range(len(log)))
        tile = keeper.ask("worker", messages.Tile(0, 0)).content
        assert b"".join(map(leaf_hash, log[:WIDTH])) == tile
    assert opened > 0
    record_property("table", f"deaths of the keeper: {opened} opened, each with its leaf; {lost} leaves without answer")
