"""docs/operate/install.md from an empty folder to a sale, and `composer require` of what was bought; block by block."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.operate import buying
from tests.operate.script import Shell, blocks, told
from tests.processes import running
from tests.processes.running import free_port, until
from tests.processes.test_units import TOOLS, Unit, readable_python
from tests.shape.tree import ROOT
from troth.faces.cli import unit_files

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not shutil.which("composer"), reason="needs composer"),
]
KEEPER, WORKER, WEB, GROUP = "65023", "65021", "65022", "65020"
ROLES = ("keeper", "worker", "web")


def launcher(folder: Path, python: str, paths: str) -> Path:
    """`.venv/bin` as `make run` makes it, with a Python that other users may read."""
    path = folder / "opt" / "troth" / ".venv" / "bin" / "troth"
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\nPYTHONPATH={paths} exec {python} -P -m troth "$@"\n')
    path.chmod(0o755)
    return path.parent


class Server:
    """A bare folder in place of a bare machine. What systemd does, where it runs, is played by hand.

    Played: sysusers (numbers in place of names), systemctl and systemd-run (the units' lines, as their users), and
    apt-get and make, which the tests' own machine has done.
    """

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder, self.port, self.mail = folder, str(free_port()), str(free_port())
        self.sandbox, self.home = str(free_port()), folder / "srv" / "shop"
        self.python, self.paths = readable_python(folder)
        self.bin = launcher(folder, self.python, self.paths)
        self.environ = running.plain_environment(PYTHONDONTWRITEBYTECODE="1", PYTHONPATH="")
        for name in ("srv", "etc"):
            (folder / name).mkdir()
        (folder / "tmp").mkdir(mode=0o777)
        self.shell = Shell(folder, self.environ)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def shop(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def plays(self, block: str) -> None:
        """One block; what only a whole machine can do is done by hand, at the same place."""
        plain = []
        for line in self._ours(block).splitlines():
            does = self._by_hand(line)
            if does is None:
                plain.append(line)
                continue
            self.shell.run("\n".join(plain))
            plain = []
            does()
        self.shell.run("\n".join(plain))

    def _ours(self, block: str) -> str:
        """The block with this machine's folders, users and port."""
        users = f"--keeper {KEEPER} --worker {WORKER} --web {WEB} --group {GROUP}"
        block = block.replace("runuser -u troth-worker --", f"setpriv {' '.join(_as(WORKER))} --")
        block = block.replace("units --to /etc", f"units {users} --to /etc")
        block = block.replace("init /srv/shop --yes", f"init /srv/shop --yes --url {self.shop}")
        return re.sub(r"(?<![\w/])/(srv|opt/troth|etc|tmp)\b", lambda found: f"{self.folder}{found[0]}", block)

    def _by_hand(self, line: str) -> Callable[[], object] | None:
        """What does a line's work here; None for a line that is run as it stands."""
        for words, does in (
            ("apt-get ", lambda: None),
            ("make -C ", lambda: None),
            ("systemd-sysusers ", lambda: None),
            ("systemctl daemon-reload", lambda: None),
            ("systemctl stop troth-sandbox", lambda: self.stops("sandbox")),
            ("systemd-run --unit troth-sandbox ", self.starts_sandbox),
            ("systemctl enable --now troth.target", self.starts),
            ("systemctl restart troth.target", self.starts),
        ):
            if line.startswith(words):
                return does
        assert not line.startswith("system") or "tmpfiles" in line, line
        return None

    def starts(self) -> None:
        """`systemctl enable --now` or `restart troth.target`: the three units, keeper first."""
        self.stops(*reversed(ROLES))
        doors, units = self.folder / "doors", {}
        for role in ROLES:
            text = (self.folder / f"etc/systemd/system/troth-{role}.service").read_text()
            units[role] = Unit(text.replace(str(unit_files.DOORS), str(doors)))
        doors.mkdir(mode=0o755, exist_ok=True)
        os.chown(doors, int(KEEPER), int(KEEPER))
        for role, unit in units.items():
            environ = {**self.environ, **unit.environ, "PYTHONPATH": self.paths}
            for file in unit.settings.get("EnvironmentFile", []):
                path = Path(file.removeprefix("-"))
                lines = path.read_text().splitlines() if path.exists() else []
                environ |= dict(one.split("=", 1) for one in lines)
            for command in unit.before:
                subprocess.run(unit.line(command), env=environ, check=True, cwd="/")
            self._begin(role, unit.line(unit.one("ExecStart")), environ)
            if role == "keeper":
                until(lambda: (doors / "worker.sock").exists(), 60)
        until(self.is_open, 60)

    def is_open(self) -> bool:
        try:
            return httpx.get(f"{self.shop}/healthz", trust_env=False, timeout=30).status_code == 200
        except httpx.HTTPError:
            assert all(one.poll() is None for one in self.processes.values()), self.logs()
            return False

    def starts_sandbox(self) -> None:
        """As the line says, on ports of the test's own."""
        line = [self.bin / "troth", "--home", self.home, "sandbox", "--port", self.sandbox, "--smtp-port", self.mail]
        umask = ["setpriv", *_as(WORKER), "--", "sh", "-c", 'umask 027; exec "$@"', "sh", *map(str, line)]
        self._begin("sandbox", umask, self.environ)
        until(lambda: (self.home / "run" / "sandbox.env").exists(), 60)

    def _begin(self, name: str, line: list[str], environ: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(line, env=environ, stdout=log, stderr=log, cwd="/")

    def stops(self, *names: str) -> None:
        for name in names:
            process = self.processes.pop(name, None)
            if process is not None:
                process.terminate()
                process.wait(60)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))


def _as(user: str) -> list[str]:
    return [f"--reuid={user}", f"--regid={user}", f"--groups={GROUP}"]


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="troth-install-") as folder:
        machine = Server(Path(folder))
        try:
            yield machine
        finally:
            machine.stops("web", "worker", "keeper", "sandbox")


@pytest.mark.root
@pytest.mark.skipif(not TOOLS, reason="needs systemd's tools")
def test_the_page_leads_from_a_bare_folder_to_a_sale_with_three_users(tmp_path: Path) -> None:
    with server() as machine:
        for block in blocks("install.md"):
            if "systemctl stop troth-sandbox" in block:
                ref = buying.buy(machine.shop, "hello")
                text = buying.letter(f"http://127.0.0.1:{machine.sandbox}/mailbox/")
                assert buying.installs(tmp_path / "project", text, "acme/hello") == "1.0.0"
            machine.plays(block)
        assert ref.startswith("ord_")
        assert machine.is_open() and not (machine.home / "run" / "sandbox.env").exists()
        made = {path.parent.name: path.stat().st_uid for path in machine.folder.glob("srv/shop.backups/*/*.age")}
        assert made == {"main": int(WORKER), "keyring": int(KEEPER)}


def test_the_page_leads_from_an_empty_folder_to_a_sale_without_root(tmp_path: Path, database: dict[str, str]) -> None:
    port = free_port()
    (block,) = blocks("install.md", "Without root")
    hello = next(one for one in blocks("install.md") if "python3 -m zipfile" in one)
    bin = launcher(tmp_path, sys.executable, str(ROOT / "src"))
    environ = running.plain_environment(**database)
    shell = Shell(tmp_path, {**environ, "PATH": f"{bin}:{environ['PATH']}"})
    shell.run(told(hello, {"/tmp": str(tmp_path)}))
    script = told(block, {"/tmp": str(tmp_path), "--yes --name": f"--yes --url http://127.0.0.1:{port} --name"})
    *before, serve = script.strip().splitlines()
    shell.run("\n".join(before))
    with (tmp_path / "serve.log").open("wb") as log:
        line = ["sh", "-c", f"exec {serve}"]
        running_ = subprocess.Popen(line, cwd=tmp_path, env=shell.environ, stdout=log, stderr=log)
    try:
        said = (tmp_path / "serve.log").read_text
        until(lambda: "is open at" in said() or running_.poll() is not None, 60)
        mailbox = re.findall(r"Letters arrive at (\S+)", said())[0]
        buying.buy(f"http://127.0.0.1:{port}", "hello", "paypal")
        assert buying.installs(tmp_path / "project", buying.letter(mailbox), "acme/hello") == "1.0.0"
    finally:
        running_.terminate()
        running_.wait(60)
