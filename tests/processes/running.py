"""A shop of real processes: `troth serve` in a folder of its own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from troth.faces.cli import init
from troth.faces.cli.serve import environment

PATIENCE = 60.0  # seconds; the machine may be busy


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def folder(path: Path) -> Path:
    """A shop's folder as `troth init` makes it, with fewer blanks, so that it starts soon."""
    url = f"http://127.0.0.1:{free_port()}"
    text = init.settings_text({"name": "Fernhill", "url": url, "email": "hello@fernhill.example"})
    text = text.replace("[keeper]", "[keeper]\nblanks = 30").replace("[fraud]", '[fraud]\nlimits = "off"')
    init.make(path, text)
    return path


def plain_environment(**more: str) -> dict[str, str]:
    """Ours without the settings of the test's own shop."""
    return {name: value for name, value in environment().items() if not name.startswith("TROTH_")} | more


def troth(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    line = [sys.executable, "-P", "-m", "troth", *arguments]
    return subprocess.run(line, env=plain_environment(**more), capture_output=True, text=True, timeout=180, check=False)


def until(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `what` returns once it is true. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(0.03)
    raise AssertionError(f"waited {seconds} s in vain")


class Serving:
    """`troth serve`, started and waited for."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.home, self.log = home, home.parent / f"{home.name}.log"
        self.url = next(
            line.split('"')[1] for line in (home / "troth.toml").read_text().splitlines() if "public_" in line
        )
        with self.log.open("w") as log:
            line = [sys.executable, "-P", "-m", "troth", "--home", str(home), "serve"]
            self.process = subprocess.Popen(line, env=plain_environment(**environ), stderr=log, start_new_session=True)
        try:
            until(lambda: "is open at" in self.log.read_text() or self.process.poll() is not None)
        except AssertionError:
            self.process.terminate()  # nobody else will
            raise
        assert self.process.poll() is None, self.log.read_text()

    def pid(self, role: str) -> int:
        """The process of a role, once it runs."""
        return until(lambda: self._children().get(role))

    def everybody(self) -> list[int]:
        return everybody_below(self.process.pid)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()

    def _children(self) -> dict[str, int]:
        return {role: pid for pid in _children_of(self.process.pid) if (role := _role(pid))}


def _role(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return ""
    return words[-2] if "troth" in words else ""


def _children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(entry.parent.name))
    return found


def everybody_below(first: int) -> list[int]:
    """A process and all that it started, with theirs."""
    pids = [first]
    for pid in pids:
        pids += _children_of(pid)
    return pids


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
