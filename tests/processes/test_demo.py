"""`troth demo`: it sells by itself with evidence, says which step was sabotaged, and looks, breaks and mends."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes.running import alive, everybody_below, free_port, plain_environment, troth, until

pytestmark = pytest.mark.processes


def test_once_buys_twice_and_shows_it(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = troth("demo", "--dir", str(folder), "--port", str(free_port()), "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    for provider in ("PayPal", "Skrill"):
        steps = re.findall(rf"^{provider} +([a-z ]+?)  ", done.stdout, re.MULTILINE)
        assert steps == ["basket", "checkout", "payment page", "paid", "letter", "download", "messages"]
    sums = (folder / "goods" / "SHA256SUMS").read_text()
    assert all(digest in sums for digest in re.findall(r"SHA-256 ([0-9a-f]{64})", done.stdout))
    assert len(set(re.findall(r"Message-ID (<\S+>)", done.stdout))) == 2
    assert re.search(r"^Shop +look +0 hits in \d+ files, \d+ MB, 8 spellings$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("mailbox", "PayPal, letter: no letter"),
        ("forged", "PayPal, messages: 1 came with a signature that does not verify"),
        ("silent", "PayPal, messages: no message with a good signature"),
        ("in clear", "Shop, look: what was typed stands in clear, or cannot be searched, in shop/data/main.sqlite3"),
        ("promise", "troth check: a promise is not kept"),
    ],
)
def test_a_sabotaged_step_is_named(tmp_path: Path, which: str, told: str) -> None:
    line = [sys.executable, "-m", "tests.processes.sabotage", str(tmp_path / "demo"), str(free_port()), which]
    done = subprocess.run(line, env=plain_environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("FAILED") == 1 and told in done.stderr


class Demo:
    """A demo that runs in the background."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        line = [sys.executable, "-P", "-m", "troth", "demo", "--dir", str(folder), "--port", str(free_port())]
        self.process = subprocess.Popen(line, env=plain_environment(), stdout=subprocess.PIPE, text=True)
        self.told = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if "Ctrl-C stops it" in line:
                break

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return troth("demo", "--dir", str(self.folder), *words)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.communicate()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo whose first round of checks is over."""
    running = Demo(tmp_path_factory.mktemp("demo") / "demo")
    shown = re.findall(r"http://\S+/privacy", running.told)[0]
    try:
        until(lambda: '"state": "unknown"' not in httpx.get(f"{shown}.json").text, 90)
        yield running
    finally:
        running.stop()


def test_it_names_three_addresses(demo: Demo) -> None:
    addresses = re.findall(r"http://\S+", demo.told)
    assert [address.rpartition("/")[2] for address in addresses] == ["", "", "privacy"]
    assert addresses[1].endswith("/mailbox/")


def test_a_broken_promise_is_found_out_within_five_seconds_and_mended(demo: Demo) -> None:
    broken = demo.run("break", "p7")
    assert broken.returncode == 0, broken.stdout + broken.stderr
    seconds = re.match(r"P7 is broken, found out after (\d+\.\d) s:\n  \S", broken.stdout)
    assert seconds and float(seconds[1]) <= 5, broken.stdout
    mended = demo.run("mend")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert re.match(r"P7 holds again, seen after \d+\.\d s\.", mended.stdout)
    assert demo.run("mend").stdout == "Nothing is broken.\n"


def test_what_was_not_written_is_not_found_and_what_was_is(demo: Demo) -> None:
    nothing = demo.run("look", "Wilhelmina Quarterstaff")
    assert nothing.returncode == 0
    assert re.fullmatch(r"0 hits in \d+ files, \d+ MB, 8 spellings\n", nothing.stdout)
    planted = demo.folder / "shop" / "data" / "planted"
    planted.write_bytes("WILHELMINA quarterstaff".encode("utf-16-le"))
    found = demo.run("look", "Wilhelmina Quarterstaff")
    planted.unlink()
    assert found.returncode == 1
    assert found.stdout.startswith("shop/data/planted: UTF-16, at byte 0\n1 hit in ")


def test_a_text_too_short_and_a_promise_that_is_none_are_one_clear_line(demo: Demo) -> None:
    for words, told in ((("look", "abc"), "4 characters or more"), (("break", "P99"), "There is no promise P99")):
        refused = demo.run(*words)
        assert refused.returncode == 1 and told in refused.stderr and refused.stderr.count("\n") == 1


def test_one_demo_in_a_folder(demo: Demo) -> None:
    again = demo.run("--port", str(free_port()))
    assert again.returncode == 1 and "is running in" in again.stderr


def test_nothing_is_broken_on_purpose_in_a_live_shop(tmp_path: Path) -> None:
    home = tmp_path / "shop"
    home.mkdir()
    (home / "troth.toml").write_text('[shop]\nmode = "live"\n[web]\npublic_url = "https://shop.example"\n')
    refused = troth("demo", "--dir", str(tmp_path), "break", "P7")
    assert refused.returncode == 1 and "nothing is ever broken" in refused.stderr
    assert not (home / "run").exists()


def test_a_second_start_keeps_the_data_and_a_stop_leaves_no_process(tmp_path: Path) -> None:
    first = Demo(tmp_path / "demo")
    try:
        keyring = tmp_path / "demo" / "shop" / "keeper.pub"
        known = keyring.read_bytes()
        pids = everybody_below(first.process.pid)
        assert len(pids) == 7  # the demo, the sandbox, supervisor, keeper, worker, web and its granian process
    finally:
        assert first.stop() == 0
    until(lambda: not any(alive(pid) for pid in pids), 5)
    second = Demo(tmp_path / "demo")
    assert second.stop() == 0
    assert keyring.read_bytes() == known
