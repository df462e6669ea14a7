"""Somebody sits in the web process. They read who comes by meanwhile, and nobody else; once out, nobody at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import running
from tests.processes.running import Serving, until
from tests.processes.test_serve import blanks
from tests.shape.tree import ROOT
from troth.pledge.policy.visitor import Visitor

pytestmark = pytest.mark.processes
PASSWORD = "heron and lantern"
COME_BY = ("nora", "nils", "nell")  # N: one signs in, one looks at their own data, one registers
STAY_AWAY = ("marigold", "michelle", "montague")  # M: have accounts, sessions, capabilities, and do not come by


class Captured(Serving):
    """The shop with a captured web process in its place."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.home, self.log = home, home.parent / "captured.log"
        self.url = re.search(r'public_url = "(\S+)"', (home / "troth.toml").read_text())[1]  # type: ignore[index]
        environ = running.plain_environment(TROTH_HOME=str(home), **environ)
        environ["PYTHONPATH"] += f":{ROOT}"
        with self.log.open("w") as log:
            line = [sys.executable, "-P", "-m", "tests.strongroom.capture"]
            self.process = subprocess.Popen(line, env=environ, stderr=log, start_new_session=True)
        until(lambda: "is open at" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def told(self, name: str) -> Any:
        path = self.home / "run" / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def read(self) -> dict[str, list[str]]:
        """What it could open, by person; without the customer whom the shop's own checks play, who comes by as well."""
        told: dict[str, list[str]] = self.told("read")
        return {ref: texts for ref, texts in told.items() if "@marker.invalid" not in "".join(texts)}

    def tries(self) -> None:
        """Let it try everything twice from now on."""
        (self.home / "run" / "read.json").unlink(missing_ok=True)
        for _ in range(2):
            seen = time.time_ns()
            until(lambda seen=seen: (p := self.home / "run" / "read.json").exists() and p.stat().st_mtime_ns > seen)


class Customer:
    """A browser with its cookies."""

    def __init__(self, shop: Serving, name: str) -> None:
        self.name, self.email, self.postcode = name, f"{name}@b.example", f"{name[:4]}-zip"
        self.visitor = Visitor(shop.url)

    def registers(self) -> None:
        given = {"name": self.name, "email": self.email, "password": PASSWORD, "postcode": self.postcode}
        assert self.visitor.submit("/register", given).status == 200

    def signs_in(self) -> None:
        page = self.visitor.submit("/sign-in", {"email": self.email, "password": PASSWORD})
        assert page.url.endswith("/account"), page.url

    def changes_password(self) -> None:
        page = self.visitor.submit("/account/password", {"old": PASSWORD, "password": f"{PASSWORD} 2"})
        assert page.url.endswith("/account"), page.text

    @property
    def capability(self) -> str:
        return str(self.visitor._http.cookies["troth_cap"])

    def forgets_cookies(self) -> None:
        self.visitor._http.cookies.clear()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[tuple[Path, dict[str, str]]]:
    yield running.folder(tmp_path_factory.mktemp("captured") / "home"), database


def test_it_reads_who_comes_by_and_nobody_else(place: tuple[Path, dict[str, str]]) -> None:
    home, database = place
    shop = Serving(home, **database)
    people = {name: Customer(shop, name) for name in (*COME_BY, *STAY_AWAY)}
    try:
        until(lambda: blanks(shop) >= 2 * len(people))
        for name in (*COME_BY[:2], *STAY_AWAY):
            people[name].registers()
    finally:
        shop.stop()
    captured = Captured(home, **database)
    try:
        captured.tries()
        assert captured.read() == {}
        come_by(people)
        captured.tries()
        read, stolen = captured.read(), captured.told("stolen")
    finally:
        captured.stop()
    seen = {text for texts in read.values() for text in texts}
    assert seen == {text for name in COME_BY for text in (f"{name}|{name}@b.example", f"{name[:4]}-zip")}
    assert len(read) == len(COME_BY)
    # What was typed meanwhile is known as well, and that is all: nobody else's name is in anything it has.
    assert {f"{COME_BY[0]}@b.example", PASSWORD, f"{COME_BY[2][:4]}-zip"} <= set(stolen["typed"])
    assert not [name for name in STAY_AWAY if name in json.dumps([read, stolen])]
    assert {people[name].capability for name in COME_BY} <= set(stolen["capabilities"])
    put_out(home, database, people, stolen)
    for one in people.values():
        one.visitor.close()


def come_by(people: dict[str, Customer]) -> None:
    nora, nils, nell = (people[name] for name in COME_BY)
    nora.forgets_cookies()
    nora.signs_in()
    until(lambda: nils.email in nils.visitor.get("/account?show=me").text)  # the keeper is at work
    nell.registers()


def put_out(home: Path, database: dict[str, str], people: dict[str, Customer], stolen: dict[str, list[str]]) -> None:
    """An honest web process again; who came by chooses a new password, and what was stolen is worth nothing."""
    shop = Serving(home, **database)
    try:
        for name in COME_BY:
            people[name].changes_password()
            assert people[name].visitor.get("/account").url.endswith("/account")
    finally:
        shop.stop()
    captured = Captured(home, **database)
    try:
        captured.tries()
        assert set(stolen["capabilities"]) <= set(captured.told("stolen")["capabilities"])
        assert captured.read() == {}
    finally:
        captured.stop()
