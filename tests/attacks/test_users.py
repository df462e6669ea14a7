"""Doors for separate users: whoever knocks at another's is refused by uid, before a word is read.

With three users of the system where the tests run as root; else with one, and doors that are meant for somebody else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import running
from tests.processes.running import until
from tests.shape.tree import ROOT

pytestmark = pytest.mark.processes
ROOTS = os.geteuid() == 0
WEB, WORKER, KEEPER = (65001, 65002, 65003) if ROOTS else (os.geteuid(), os.geteuid() + 1, os.geteuid())
STRANGER = 65004


def line(uid: int, *words: str) -> list[str]:
    return [sys.executable, "-m", "tests.attacks.as_user", str(uid), *words]


class Apart:
    """A keeper of its own user, with listening doors for web's and worker's."""

    def __init__(self, folder: Path) -> None:
        self.home, self.folder, self.log = folder / "home", folder, folder / "keeper.log"
        running.folder(self.home)
        self.doors = {role: folder / "doors" / f"{role}.sock" for role in ("web", "worker")}
        (folder / "doors").mkdir()
        self._hand_over()
        environ = running.plain_environment(TROTH_HOME=str(self.home))
        environ["PYTHONPATH"] += f":{ROOT}"
        doors = [f"--door={role}={self.doors[role]}:{uid}" for role, uid in (("web", WEB), ("worker", WORKER))]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(line(KEEPER, "keeper", *doors), env=environ, stderr=log, cwd=ROOT)
        self.environ = environ
        until(lambda: "ready" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def _hand_over(self) -> None:
        """The keeper's files to the keeper's user; the way to the doors open to all."""
        self.folder.chmod(0o755)
        for path in (self.home, Path(f"{self.home}.key"), self.folder / "doors"):
            for one in (path, *path.rglob("*")):
                os.chown(one, KEEPER, KEEPER if ROOTS else -1)

    def knock(self, uid: int, role: str) -> str:
        done = subprocess.run(
            line(uid, "knock", str(self.doors[role])),
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(15)


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    # Not pytest's own folder: each run of pytest closes that to other users again.
    with tempfile.TemporaryDirectory(prefix="troth-users-") as folder:
        apart = Apart(Path(folder))
        yield apart
        apart.stop()


def test_each_user_is_served_at_their_own_door(apart: Apart) -> None:
    assert apart.knock(WEB, "web") == "served as web"
    if ROOTS:
        assert apart.knock(WORKER, "worker") == "served as worker"


def test_everybody_else_is_refused(apart: Apart) -> None:
    strangers = (
        {"web": (WORKER, KEEPER, STRANGER, 0), "worker": (WEB, KEEPER, STRANGER, 0)} if ROOTS else {"worker": (WEB,)}
    )
    for role, uids in strangers.items():
        for uid in uids:
            assert apart.knock(uid, role) == "refused", (role, uid)
    assert apart.knock(WEB, "web") == "served as web"
    assert "refused a caller of another user at the door of worker" in apart.log.read_text()


def test_the_keepers_files_are_closed_to_the_others(apart: Apart) -> None:
    for path in (apart.home / "keeper" / "keyring.sqlite3", Path(f"{apart.home}.key/root.key")):
        mode = path.stat()
        assert (mode.st_uid, mode.st_mode & 0o077) == (KEEPER, 0)
        read = ["import os,sys; os.setresuid(*[int(sys.argv[1])]*3); open(sys.argv[2])", str(WEB), str(path)]
        done = subprocess.run([sys.executable, "-c", *read], capture_output=True, text=True, timeout=60)
        assert ("PermissionError" in done.stderr) == ROOTS
