"""The units that `troth units` writes, played as they stand: owners by systemd-tmpfiles, three users of the system.

What a running systemd adds (the sandbox of each unit) is looked at by systemd-analyze only.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import running
from tests.processes.running import until
from tests.shape.tree import ROOT
from troth import config
from troth.faces.cli import separation, unit_files

pytestmark = pytest.mark.processes
KEEPER, WORKER, WEB, GROUP = "65013", "65011", "65012", "65010"
USERS = unit_files.Users(keeper=KEEPER, worker=WORKER, web=WEB, group=GROUP)
TOOLS = all(shutil.which(tool) for tool in ("systemd-tmpfiles", "systemd-analyze", "setpriv"))
needs_tools = pytest.mark.skipif(not TOOLS, reason="needs systemd's tools")

CALM = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]


class Unit:
    """What we use of one unit: who runs which line in which environment."""

    def __init__(self, text: str) -> None:
        pairs = [line.split("=", 1) for line in text.splitlines() if "=" in line]
        self.settings: dict[str, list[str]] = {}
        for key, value in pairs:
            self.settings.setdefault(key, []).append(value)
        self.environ = dict(part.split("=", 1) for line in self.settings["Environment"] for part in line.split())
        self.before = self.settings.get("ExecStartPre", [])

    def one(self, key: str) -> str:
        (value,) = self.settings[key]
        return value

    def line(self, command: str) -> list[str]:
        who, umask = self.one("User"), self.one("UMask")
        groups = [f"--reuid={who}", f"--regid={self.one('Group')}", f"--groups={self.one('SupplementaryGroups')}"]
        told = ["sh", "-c", f'umask {umask}; exec "$@"', "sh", *shlex.split(command)]
        return [*CALM, *groups, *told]


class Played:
    """A shop's three units under three users, with their files handed over as tmpfiles.d says."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder, self.home = folder, running.folder(folder / "shop")
        self.settings = config.load(self.home, environ={})
        self.python, paths = readable_python(folder)
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(sys, "executable", self.python)
            monkeypatch.setattr(unit_files, "DOORS", folder / "doors")
            made = unit_files.files(self.settings, USERS)
        unit_files.write(folder / "etc", made)
        self.units = {role: Unit(made[f"systemd/system/troth-{role}.service"]) for role in ("keeper", "worker", "web")}
        for plan in ("troth/handover.conf", "tmpfiles.d/troth.conf"):
            subprocess.run(["systemd-tmpfiles", "--create", folder / "etc" / plan], check=True)
        (folder / "doors").mkdir(mode=int(self.units["keeper"].one("RuntimeDirectoryMode"), 8))
        os.chown(folder / "doors", int(KEEPER), int(KEEPER))
        self.environ = running.plain_environment(PYTHONPATH=paths, PYTHONDONTWRITEBYTECODE="1")
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.processes.append(self._start("keeper"))
        until(lambda: "ready" in self.told("keeper") or self.processes[0].poll() is not None)
        for role in ("worker", "web"):
            self.processes.append(self._start(role))
        until(self.is_open, 40)

    def is_open(self) -> bool:
        try:
            return httpx.get(self.settings.web.public_url + "/healthz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            assert all(process.poll() is None for process in self.processes), [self.told(role) for role in self.units]
            return False

    def told(self, role: str) -> str:
        return (self.folder / f"{role}.log").read_text()

    def run(self, role: str, command: str, code: int = 0) -> str:
        unit = self.units[role]
        done = subprocess.run(unit.line(command), env={**self.environ, **unit.environ}, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        unit = self.units[role]
        for command in unit.before:
            self.run(role, command)
        with (self.folder / f"{role}.log").open("wb") as log:
            line = unit.line(unit.one("ExecStart"))
            return subprocess.Popen(line, env={**self.environ, **unit.environ}, stdout=log, stderr=log, cwd="/")

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(15)


def readable_python(folder: Path) -> tuple[str, str]:
    """A Python with all that we need which other users may read, and its PYTHONPATH: ours, the system's, or a copy."""
    packages = sysconfig.get_paths()["purelib"]
    ours = f"{ROOT / 'src'}:{packages}"
    same = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    for python in filter(None, (sys.executable, same)):
        if _runs(python, ours):
            return python, ours
    for source, name in ((packages, "packages"), (ROOT / "src", "src"), (sys.base_prefix, "python")):
        subprocess.run(["cp", "-a", source, folder / name], check=True)
        subprocess.run(["chmod", "-R", "a+rX", folder / name], check=True)
    copied = f"{folder / 'src'}:{folder / 'packages'}"
    python = next(one for one in (same, str(folder / "python/bin/python3")) if one and _runs(one, copied))
    return python, copied


def _runs(python: str, paths: str) -> bool:
    # By a shell: what setpriv itself starts is still found with root's eyes.
    trial = ["sh", "-c", 'exec "$@"', "sh", python, "-c", "import django, granian, troth"]
    line = [*CALM, f"--reuid={WEB}", f"--regid={WEB}", "--clear-groups", *trial]
    return subprocess.run(line, env={"PYTHONPATH": paths}, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with tempfile.TemporaryDirectory(prefix="troth-units-") as folder:
        shop = Played(Path(folder))
        try:
            shop.start()
            yield shop
        finally:
            shop.stop()


@pytest.mark.root
@needs_tools
def test_three_users_are_kept_apart_by_the_system(played: Played) -> None:
    until(lambda: len(separation.read(played.home)) == 2)
    assert separation.read(played.home) == {"web": "user", "worker": "user"}
    for path in (played.settings.keyring, played.settings.root_key):
        assert (path.stat().st_uid, path.stat().st_mode & 0o077) == (int(KEEPER), 0)


@pytest.mark.root
@needs_tools
def test_the_shop_works_so(played: Played) -> None:
    """The worker has filled the stock through the keeper's door, and web can write into the database."""
    asked = played.settings.web.public_url + "/metrics"
    until(lambda: "troth_blanks 30" in httpx.get(asked, trust_env=False).text)
    check = f"{played.python} -m troth --home {played.home} check --clause P18 --json"
    (verdict,) = json.loads(played.run("worker", check))["clauses"]
    told = {finding["sentence"]: finding["state"] for finding in verdict["findings"]}
    for role in ("web", "worker"):
        assert told[f"the {role} process runs as another user than the keeper"] == "holds"
    assert told["the shop's files are closed to other users of this machine"] == "holds"
    assert not any("runs as root" in sentence for sentence in told)


@pytest.mark.root
@needs_tools
def test_the_owners_stay_right_at_the_next_start_of_the_machine(played: Played) -> None:
    again = ["systemd-tmpfiles", "--create", played.folder / "etc/tmpfiles.d/troth.conf"]
    done = subprocess.run(again, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert played.is_open()


@pytest.mark.root
@needs_tools
def test_nobody_else_reads_anything(played: Played) -> None:
    shut = [played.home / "data/main.sqlite3", played.home / "troth.toml", played.settings.keyring]
    for path in shut:
        line = ["setpriv", "--reuid=65019", "--regid=65019", "--clear-groups", "cat", path]
        assert subprocess.run(line, capture_output=True, check=False).returncode != 0, path
    for role, path in (("web", played.settings.keyring), ("worker", played.settings.root_key)):
        line = played.units[role].line(f"cat {path}")
        assert subprocess.run(line, capture_output=True, check=False).returncode != 0, path


@needs_tools
def test_systemd_reads_the_units_and_finds_them_shut_in(tmp_path: Path) -> None:
    home = running.folder(tmp_path / "shop")
    running.troth("--home", str(home), "units", "--to", str(tmp_path / "etc"))
    units = sorted((tmp_path / "etc/systemd/system").glob("*.service"))
    assert len(units) == 3
    for unit in units:
        verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
        assert verified.stderr == "", verified.stderr
        safe = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit]  # tenths: exposure at most 2.0
        told = subprocess.run(safe, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout[-200:]


def test_a_user_for_two_roles_or_a_folder_that_units_cannot_name_is_one_sentence(tmp_path: Path) -> None:
    home = running.folder(tmp_path / "my shop")
    spaced = running.troth("--home", str(home), "units", "--to", str(tmp_path / "etc"))
    assert spaced.returncode == 1 and "has a space" in spaced.stderr
    shared = running.troth("--home", str(home), "units", "--to", str(tmp_path / "etc"), "--web", "troth-worker")
    assert shared.returncode == 2 and "a user each" in shared.stderr
    assert not (tmp_path / "etc").exists()
