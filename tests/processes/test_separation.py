"""With all that the web role has, nobody can be read: tried by a process in web's own place."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import running
from tests.processes.running import Serving, until
from troth.faces.cli import landlock, separation
from troth.pledge.keeper.policy import PURPOSES

pytestmark = pytest.mark.processes
KEPT_APART = "landlock" if landlock.version() else "none"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = running.folder(tmp_path_factory.mktemp("probe") / "home")
    environ = running.plain_environment(TROTH_HOME=str(home))
    environ["PYTHONPATH"] += f":{Path.cwd()}"
    line = [sys.executable, "-P", "-m", "tests.processes.stage"]
    done = subprocess.run(line, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    yield json.loads((home / "run" / "probe.json").read_text())


def test_web_holds_one_door_and_it_is_webs(report: dict[str, str]) -> None:
    assert report["sockets held"] == "1"
    assert report["role at the door"] == "web"


def test_through_webs_door_no_name_can_be_got(report: dict[str, str]) -> None:
    at_the_door = {name: came for name, came in report.items() if name.startswith("door: ")}
    assert len(at_the_door) == 2 * (len(PURPOSES) + 1) + 4
    assert {name: came for name, came in at_the_door.items() if came != "refused"} == {}


def test_the_kernel_refuses_web_the_keepers_files(report: dict[str, str]) -> None:
    assert report["separation"] == KEPT_APART
    files = (
        "read the keyring",
        "read the root key",
        "read the worker's key",
        "write into",
        "remove the",
        "let another",
        "change the",
        "put a new",
    )
    tried = {name: came for name, came in report.items() if name.startswith(files)}
    assert len(tried) == 10
    if KEPT_APART == "landlock":
        assert set(tried.values()) == {"refused"}, tried
        assert report["give the keyring another name"].startswith("refused")
        assert report["move the keeper's folder"].startswith("refused")


def test_web_takes_nothing_from_its_neighbours(report: dict[str, str]) -> None:
    asked = ("read the memory", "follow a descriptor", "attach", "take descriptor")
    tried = {name: came for name, came in report.items() if name.startswith(asked)}
    assert {name.rpartition(" of ")[2] for name in tried if " of " in name} == {"the supervisor", "keeper", "worker"}
    if KEPT_APART == "landlock":
        assert {name: came for name, came in tried.items() if came != "refused"} == {}
    if landlock.version() >= 6:
        assert {report[f"signal {who}"] for who in ("the supervisor", "keeper", "worker")} == {"refused"}


def test_each_role_says_how_it_is_kept_apart(shop: Serving) -> None:
    until(lambda: len(separation.read(shop.home)) == 2)
    assert separation.read(shop.home) == {"web": KEPT_APART, "worker": KEPT_APART}


def test_each_role_says_how_it_is_shut_in(shop: Serving) -> None:
    noted = shop.home / "run" / "shut_in.json"
    until(lambda: noted.exists() and len(json.loads(noted.read_text() or "{}")) == 2)
    shut_in = {"memory": sys.platform == "linux", "no new privileges": sys.platform == "linux"}
    assert json.loads(noted.read_text()) == {"web": shut_in, "worker": shut_in}


def test_a_database_beside_the_keepers_folder_is_told_as_not_kept_apart(home: Path) -> None:
    text = (home / "troth.toml").read_text().replace("sqlite:///data/main.sqlite3", "sqlite:///main.sqlite3")
    (home / "troth.toml").write_text(text)
    shop = Serving(home)
    try:
        until(lambda: len(separation.read(home)) == 2)
        assert separation.read(home) == {"web": "none", "worker": "none"}
    finally:
        shop.stop()
