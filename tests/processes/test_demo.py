"""`troth demo`: it sells by itself with evidence, says which step was sabotaged, and looks, breaks and mends."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.processes.running import alive, everybody_below, free_port, plain_environment, troth, until

pytestmark = pytest.mark.processes
PATIENCE = 240  # seconds; a busy machine takes long
SOUGHT = "Wilhelmina Quarterstaff"


def test_once_buys_twice_and_shows_it(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    line = [sys.executable, "-P", "-m", "troth", "demo", "--dir", str(folder), "--port", str(free_port()), "--once"]
    done = subprocess.run(line, env=plain_environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for provider in ("PayPal", "Skrill"):
        steps = re.findall(rf"^{provider} +([a-z ]+?)  ", done.stdout, re.MULTILINE)
        assert steps == ["basket", "checkout", "payment page", "paid", "letter", "download", "invoice", "messages"]
    sums = (folder / "goods" / "SHA256SUMS").read_text()
    fetched = re.findall(r" download .*SHA-256 ([0-9a-f]{64})", done.stdout)
    assert len(fetched) == 2 and all(digest in sums for digest in fetched)
    assert len(set(re.findall(r"Message-ID (<\S+>)", done.stdout))) == 2
    assert re.search(r"^Shop +look +0 hits in \d+ files, \d+ MB, 8 spellings$", done.stdout, re.MULTILINE)
    assert re.search(r"^P16 +HOLDS$", done.stdout, re.MULTILINE)


def test_a_sabotaged_step_is_named(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "tests.processes.sabotage", str(tmp_path / "demo"), str(free_port())]
    done = subprocess.run(line, env=plain_environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    came = json.loads(done.stdout.splitlines()[-1])
    told = {
        "font": "troth check: a promise is not kept",
        "mailbox": "PayPal, letter: no letter with a link",
        "silent": "PayPal, messages: no message with a good signature",
        "clear": "Shop, look: what was typed stands in clear, or cannot be searched, in shop/data/main.sqlite3",
        "forged": "PayPal, messages: 1 came with a signature that does not verify",
    }
    assert came.keys() == told.keys()
    for name, (code, said) in came.items():
        assert code == 1, (name, said)
        assert said.count("FAILED") == 1 and said.startswith(f"FAILED  {told[name]}"), (name, said)


class Demo:
    """A demo that runs in the background, its first round of checks over."""

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

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            assert self.process.wait(30) == 0
        finally:
            self.process.kill()
            self.process.communicate()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return troth("demo", "--dir", str(self.folder), *words)


def test_it_runs_looks_breaks_mends_and_stops(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo") as demo:
        addresses = re.findall(r"http://\S+", demo.told)
        assert len(addresses) == 3
        assert addresses[1].endswith("/mailbox/") and addresses[2] == f"{addresses[0]}privacy"
        until(lambda: '"state": "unknown"' not in httpx.get(f"{addresses[2]}.json").text, 90)
        breaks_and_mends(demo)
        looks(demo)
        refuses(demo)
        keyring = (demo.folder / "shop" / "keeper.pub").read_bytes()
        pids = everybody_below(demo.process.pid)
        assert len(pids) == 7  # the demo, the sandbox, supervisor, keeper, worker, web and its granian process
    until(lambda: not any(alive(pid) for pid in pids), 5)
    with Demo(tmp_path / "demo") as again:
        assert "/privacy" in again.told
    assert (demo.folder / "shop" / "keeper.pub").read_bytes() == keyring


def breaks_and_mends(demo: Demo) -> None:
    broken = demo.run("break", "p7")
    assert broken.returncode == 0, broken.stdout + broken.stderr
    seconds = re.match(r"P7 is broken, found out after (\d+\.\d) s:\n  / makes the browser", broken.stdout)
    assert seconds and float(seconds[1]) <= 60, broken.stdout  # one or two where nothing else runs
    mended = demo.run("mend")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert re.match(r"P7 holds again, seen after \d+\.\d s\.", mended.stdout)
    assert demo.run("mend").stdout == "Nothing is broken.\n"


def looks(demo: Demo) -> None:
    nothing = demo.run("look", SOUGHT)
    assert nothing.returncode == 0
    assert re.fullmatch(r"0 hits in \d+ files, \d+ MB, 8 spellings\n", nothing.stdout)
    planted = demo.folder / "shop" / "data" / "planted"
    planted.write_bytes(SOUGHT.upper().encode("utf-16-le"))
    found = demo.run("look", SOUGHT)
    planted.unlink()
    assert found.returncode == 1
    assert found.stdout.startswith("shop/data/planted: UTF-16, at byte 0\n1 hit in ")


def refuses(demo: Demo) -> None:
    for words, told in (
        (("look", "abc"), "4 characters or more"),
        (("break", "P99"), "There is no promise P99"),
        (("--port", str(free_port())), "A demo is running in"),
    ):
        refused = demo.run(*words)
        assert refused.returncode == 1 and told in refused.stderr.splitlines()[-1], refused.stderr


def test_nothing_is_broken_on_purpose_in_a_live_shop(tmp_path: Path) -> None:
    home = tmp_path / "shop"
    home.mkdir()
    (home / "troth.toml").write_text(
        '[shop]\nmode = "live"\n[web]\npublic_url = "https://shop.example"\n[tax]\nscheme = "exempt"\n'
    )
    refused = troth("demo", "--dir", str(tmp_path), "break", "P7")
    assert refused.returncode == 1 and "nothing is ever broken" in refused.stderr
    assert not (home / "run").exists()
