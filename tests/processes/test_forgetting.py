"""Forgetting and the ledger on real processes: what web, worker and keeper may touch is enough for it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes.running import free_port, troth, until
from troth.faces.cli.demo.stage import Stage
from troth.pledge.policy.visitor import Page, Visitor

pytestmark = pytest.mark.processes
EMAIL, PASSWORD = "wilhelmina@quarterstaff.example", "heron and lantern"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("demo"), free_port())
    stage.environ["TROTH_POLICY_ERASE_WINDOW"] = "0"
    with stage:
        yield stage


def run(demo: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    return troth("--home", str(demo.home), *words)


def text(page: Page) -> str:
    return page.body.decode()


def letters(demo: Stage) -> list[dict[str, str]]:
    every = httpx.get(f"{demo.mailbox.rstrip('/')}.json", trust_env=False).json()
    return [mail for mail in every if EMAIL in mail["to"]]


def test_somebody_is_forgotten_and_the_log_of_it_is_read(
    demo: Stage, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    visitor = Visitor(demo.shop)
    try:
        typed = {"name": "Wilhelmina", "email": EMAIL, "new-password": PASSWORD, "postal-code": "10115"}
        assert visitor.submit("/register", typed).status == 200
        until(lambda: letters(demo), 30)
        assert "write to you about your account" in text(visitor.get("/account/privacy"))
        checkpoint = until(
            lambda: visitor.get("/ledger/checkpoint").status == 200 and visitor.get("/ledger/checkpoint")
        )
        (tmp_path / "noted").write_bytes(checkpoint.body)

        began = time.monotonic()
        page = visitor.submit("/account/erase", {"current-password": PASSWORD}, form="/account/erase")
        stopped = time.monotonic() - began  # whoever reads from now on is refused: tests/pledge/test_forgetting.py
        done = until(lambda: "You are forgotten" in text(visitor.get(page.url)), 30)
        assert done
        forgotten = time.monotonic() - began
        record_property("table", f"reading stopped after {stopped:.2f} s, forgotten after {forgotten:.2f} s, no window")
        assert letters(demo)[-1]["subject"].startswith("Our last letter")
        again = visitor.submit("/sign-in", {"email": EMAIL, "current-password": PASSWORD})
        assert again.status == 400
    finally:
        visitor.close()

    def erased() -> bool:
        log = (demo.home / "data/ledger/tile").rglob("*")
        return any(b'"type":"erasure"' in path.read_bytes() for path in log if path.is_file())

    until(erased, 30)
    verified = run(demo, "ledger", "verify", "--from", str(tmp_path / "noted"))
    assert (verified.returncode, "One history" in verified.stdout) == (0, True), verified.stdout + verified.stderr
    exported = run(demo, "ledger", "export", str(tmp_path / "log"))
    assert exported.returncode == 0, exported.stderr
    assert run(demo, "ledger", "verify", str(tmp_path / "log")).returncode == 0


def test_an_erasure_by_command_refuses_what_is_nobody(demo: Stage) -> None:
    done = run(demo, "erase", "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa", "--yes")
    assert (done.returncode, "There is no such order or person" in done.stderr) == (2, True)
