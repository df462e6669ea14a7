"""`troth serve`: all three run, one that dies is started again, and nothing is left behind."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.processes import running
from tests.processes.running import Serving, alive, kill, until
from troth.pledge.keeper import messages
from troth.pledge.policy.visitor import Stuck, Visitor

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


def keeper_answers_web(shop: Serving) -> bool:
    """Whether a sign-in is refused for its password (400), not for want of a keeper (503)."""
    visitor = Visitor(shop.url)
    try:
        nobody = {"email": "nobody@mark.example", "current-password": "no password of anybody"}
        return visitor.submit("/sign-in", nobody).status == 400
    except (httpx.HTTPError, Stuck):
        return False
    finally:
        visitor.close()


def test_the_worker_has_filled_the_stock_from_the_keeper(shop: Serving) -> None:
    assert healthy(shop)
    until(lambda: blanks(shop) >= 4)


@pytest.mark.parametrize("role", ["web", "worker", "keeper"])
def test_whichever_dies_is_started_again(shop: Serving, role: str) -> None:
    before = shop.pid(role)
    kill(before)
    assert until(lambda: shop.pid(role) not in (0, before))
    until(lambda: healthy(shop))
    until(lambda: keeper_answers_web(shop))
    assert f"troth: {role} ended (signal 9); starting it again" in shop.log.read_text()


def test_a_granian_process_that_dies_takes_web_with_it_and_comes_again(shop: Serving) -> None:
    until(lambda: healthy(shop))
    web = shop.pid("web")
    (inner,) = running._children_of(web)
    kill(inner)
    until(lambda: not alive(web))
    assert until(lambda: shop.pid("web") != web)
    until(lambda: healthy(shop))


@pytest.mark.parametrize("role", ["web", "worker", "serve"])
def test_without_the_secret_of_the_licences_nothing_starts(tmp_path: Path, role: str) -> None:
    home = running.folder(tmp_path / "home")
    if role == "serve":  # a first start makes it, for shops from before there were licences
        assert running.troth("--home", str(home), "migrate").returncode == 0
    (home / "licence.key").unlink()
    refused = running.troth("--home", str(home), role)
    assert refused.returncode == 2
    said = [line for line in refused.stderr.splitlines() if "licence.key" in line]
    assert said == [f"troth: {home / 'licence.key'} is missing or damaged: restore it from your backup, "
                    "without it no licence's key is known."]  # fmt: skip
    assert "Traceback" not in refused.stderr


def test_a_second_shop_in_the_same_folder_does_not_start(shop: Serving, database: dict[str, str]) -> None:
    again = running.troth("--home", str(shop.home), "serve", **database, TROTH_WEB_PORT=str(running.free_port()))
    assert again.returncode == 1
    assert "is served already; stop that first" in again.stderr
    assert healthy(shop)


def test_a_port_that_is_taken_is_one_clear_line(shop: Serving, home: Path) -> None:
    taken = shop.url.rpartition(":")[2]
    refused = running.troth("--home", str(home), "serve", TROTH_WEB_PORT=taken)
    assert refused.returncode == 1
    assert refused.stderr == f"Error: port {taken} is taken by another program; set [web] port to another one.\n"


def test_a_keeper_of_a_separate_user_asks_who_calls(home: Path) -> None:
    ours, other = home / "run" / "web.sock", home / "run" / "worker.sock"
    doors = ["--door", f"web={ours}:{os.getuid()}", "--door", f"worker={other}:{os.getuid() + 1}"]
    line = [sys.executable, "-P", "-m", "troth", "--home", str(home), "keeper", *doors]
    keeper = subprocess.Popen(line, env=running.plain_environment(), stderr=subprocess.PIPE, text=True)
    try:
        until(other.exists)
        assert until(lambda: greeted(ours)) == "web"
        assert greeted(other) == ""
    finally:
        keeper.send_signal(signal.SIGTERM)
        said = keeper.communicate(timeout=10)[1]
    assert keeper.returncode == 0 and "refused a caller of another user" in said


def greeted(path: Path) -> str:
    """The role that a keeper greets at this door; empty if it hangs up."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        try:
            line.connect(str(path))
            line.sendall(messages.frame(messages.encode(messages.Hello())))
            (length,) = messages.LENGTH.unpack(line.recv(4, socket.MSG_WAITALL))
            answer = messages.read_answer(line.recv(length, socket.MSG_WAITALL))
        except (OSError, struct.error):
            return ""
    return answer.role if isinstance(answer, messages.Greeting) else ""


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
