"""`troth serve`: all three run, one that dies is started again, and nothing is left behind."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.processes import running
from tests.processes.running import Serving, alive, kill, until

pytestmark = pytest.mark.processes
HEAVY = ("django", "jinja2", "httpx", "granian", "psycopg", "troth.shop")


def blanks(shop: Serving) -> int:
    """How many blanks are in stock: made by the keeper, fetched by the worker, told by web."""
    try:
        found = re.search(r"^troth_blanks (\d+)$", httpx.get(f"{shop.url}/metrics").text, re.MULTILINE)
    except httpx.HTTPError:
        return -1
    return int(found[1]) if found else -1


def healthy(shop: Serving) -> bool:
    try:
        return httpx.get(f"{shop.url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def test_the_worker_has_filled_the_stock_from_the_keeper(shop: Serving) -> None:
    assert healthy(shop)
    until(lambda: blanks(shop) == 4)


@pytest.mark.parametrize("role", ["web", "worker", "keeper"])
def test_whichever_dies_is_started_again(shop: Serving, role: str) -> None:
    before = shop.pid(role)
    kill(before)
    assert until(lambda: shop.pid(role) not in (0, before))
    until(lambda: healthy(shop))
    assert f"troth: {role} ended (signal 9); starting it again" in shop.log.read_text()


def test_a_granian_process_that_dies_takes_web_with_it_and_comes_again(shop: Serving) -> None:
    until(lambda: healthy(shop))
    web = shop.pid("web")
    (inner,) = running._children_of(web)
    kill(inner)
    until(lambda: not alive(web))
    assert until(lambda: shop.pid("web") != web)
    until(lambda: healthy(shop))


def test_a_second_keeper_on_the_same_keyring_does_not_start(shop: Serving, database: dict[str, str]) -> None:
    again = running.troth("--home", str(shop.home), "serve", **database, TROTH_WEB_PORT=str(running.free_port()))
    assert again.returncode == 1
    assert "in use by another keeper" in again.stderr
    assert "the keeper did not start; nothing runs" in again.stderr
    assert healthy(shop)


def test_a_clean_stop_leaves_no_process(home: Path, database: dict[str, str]) -> None:
    shop = Serving(home, **database)
    try:
        pids = shop.everybody()
        assert len(pids) == 5  # supervisor, keeper, worker, web and its one granian process
    finally:
        assert shop.stop() == 0
    assert [pid for pid in pids if alive(pid)] == []
    assert "killed" not in shop.log.read_text()


def test_children_die_with_a_supervisor_that_is_killed(home: Path, database: dict[str, str]) -> None:
    shop = Serving(home, **database)
    pids = shop.everybody()
    shop.process.send_signal(signal.SIGKILL)
    shop.process.wait()
    until(lambda: not any(alive(pid) for pid in pids), 5)


@pytest.mark.parametrize("command", ["serve", "keeper"])
def test_supervisor_and_keeper_load_no_django(command: str) -> None:
    code = (
        f"import sys, troth.faces.cli.main, troth.faces.cli.{command}; print([m for m in sys.modules if m in {HEAVY}])"
    )
    line = [sys.executable, "-P", "-c", code]
    assert subprocess.check_output(line, env=running.plain_environment(), text=True).strip() == "[]"
