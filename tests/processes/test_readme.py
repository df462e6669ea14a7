"""The README's commands, run as they stand there, in a checkout of their own."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.processes.running import free_port, plain_environment, until
from tests.shape.tree import ROOT

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDED = (".ci", ".venv", "Makefile", "goods", "manage.py", "requirements.in", "requirements.txt", "src")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not (ROOT / ".venv/run.stamp").exists(), reason="run make first: the README does"),
]


def blocks() -> list[list[str]]:
    """The commands of each block, without their comments."""
    text = (ROOT / "README.md").read_text("utf-8")
    return [[line.partition("#")[0].strip() for line in block.splitlines()] for block in BLOCK.findall(text)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in NEEDED:
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def environ(**more: str) -> dict[str, str]:
    """As a person's shell has it: nothing of make, nothing of this test's own shop."""
    return {name: value for name, value in plain_environment().items() if not name.startswith("MAKE")} | more


def run(command: str, checkout: Path, **more: str) -> str:
    done = subprocess.run(
        shlex.split(command), cwd=checkout, env=environ(**more), capture_output=True, text=True, timeout=180,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def running(command: str, checkout: Path, ready: str, **more: str) -> Iterator[str]:
    """A command that goes on until somebody stops it; what it said until it was ready."""
    process = subprocess.Popen(
        shlex.split(command), cwd=checkout, env=environ(**more), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    try:
        while ready not in told and (line := process.stdout.readline()):
            told += line
        assert ready in told, told
        yield told
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)


def test_the_first_command_runs_a_shop_to_look_into_break_and_mend(checkout: Path) -> None:
    (start,), (look, broken, mend), _ = blocks()
    with running(start, checkout, "Ctrl-C stops it") as told:
        shop = re.findall(r"http://\S+", told)[0]
        until(lambda: '"state": "unknown"' not in httpx.get(f"{shop}privacy.json", timeout=60).text, 90)
        assert "0 hits" in run(look, checkout)
        assert run(broken, checkout).startswith("P7 is broken")
        assert run(mend, checkout).startswith("P7 holds again")


def test_a_shop_of_ones_own_is_made_and_served(checkout: Path) -> None:
    once, init, doctor, serve = blocks()[2]
    assert once == "make demo ARGS=--once"  # tests/processes/test_demo.py runs it, and sabotages it
    port = str(free_port())
    own = {"TROTH_WEB_PORT": port, "TROTH_WEB_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    run(init, checkout)
    examined = subprocess.run(
        shlex.split(doctor), cwd=checkout, env=environ(**own), capture_output=True, text=True, timeout=60, check=False
    )
    assert examined.returncode == 1, examined.stdout  # a new shop has no provider and no mail relay yet
    assert "Traceback" not in examined.stderr
    assert "PayPal" in examined.stdout
    with running(serve, checkout, "is open at", **own):
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200


def test_every_command_is_one_that_is_run_here() -> None:
    assert [len(block) for block in blocks()] == [1, 3, 4]
    assert sys.version_info >= (3, 11)
