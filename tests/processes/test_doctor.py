"""`troth doctor` finds what was broken on purpose, and says how to mend it."""

import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes.running import Serving, troth
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.sandbox.mailbox import Mailbox

pytestmark = pytest.mark.processes
PROVIDER = '[skrill]\nmerchant_id = "1"\nsecret_word = "w"\nmqi_password = "m"\npay_to_email = "a@b.example"'


@pytest.fixture
def well(home: Path) -> Path:
    """A shop in which nothing is wrong: a provider, and a keyring made with its root key."""
    change(home, "[skrill]", PROVIDER)
    db = connect(home / "keeper" / "keyring.sqlite3")
    keeper = Keeper(db, FileKey(Path(f"{home}.key/root.key")))
    (home / "keeper.pub").write_text(keeper.room.keys.verify_key.hex())
    db.close()
    return home


def change(home: Path, old: str, new: str) -> None:
    path = home / "troth.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def seen(home: Path, *options: str) -> tuple[int, list[dict[str, str]]]:
    done = troth("--home", str(home), "doctor", "--json", *(options or ("--offline",)))
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def new_root_key(home: Path) -> None:
    Path(f"{home}.key/root.key").write_bytes(secrets.token_bytes(32))


def no_database(home: Path) -> None:
    change(home, "sqlite:///data/main.sqlite3", "postgresql://nobody@127.0.0.1:9/none")


def not_a_database(home: Path) -> None:
    (home / "data" / "main.sqlite3").write_text("this is no database, and longer than a header is " * 20)


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "the root key is gone": (lambda home: Path(f"{home}.key/root.key").unlink(), "root key"),
    "the root key is open": (lambda home: Path(f"{home}.key/root.key").chmod(0o644), "is open to others"),
    "another root key": (new_root_key, "does not open the keyring"),
    "another keeper's public key": (lambda home: (home / "keeper.pub").write_text("00" * 32), "another keyring"),
    "the licence key is open": (lambda home: (home / "licence.key").chmod(0o640), "licence.key can be read"),
    "the licence key is gone": (lambda home: (home / "licence.key").unlink(), "licence.key is missing"),
    "the session key is open": (lambda home: (home / "web.key").chmod(0o640), "web.key can be read"),
    "the keeper's folder is open": (lambda home: (home / "keeper").chmod(0o755), "keeper can be read"),
    "the folder can be changed": (lambda home: home.chmod(0o770), "can be changed by other users"),
    "nobody can pay": (lambda home: change(home, PROVIDER, ""), "nobody can pay"),
    "the database is away": (no_database, "database does not answer"),
    "the database is none": (not_a_database, "database does not answer"),
    "a wrong setting": (lambda home: change(home, "[web]", "[wub]"), "no section [wub]"),
}


def test_nothing_is_wrong_where_nothing_is(well: Path) -> None:
    code, told = seen(well)
    assert (code, [one for one in told if one["state"] == "wrong"]) == (0, [])
    assert {"The root key opens the keyring.", "Customers can pay with Skrill."} <= {one["sentence"] for one in told}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found(well: Path, name: str) -> None:
    break_it, told = BREAKS[name]
    break_it(well)
    code, found = seen(well)
    wrong = [one for one in found if one["state"] == "wrong"]
    assert code == 1
    assert len(wrong) == 1 and told in wrong[0]["sentence"], found
    assert wrong[0]["mend"]


def test_the_relay_is_asked_unless_told_not_to(well: Path) -> None:
    mailbox = Mailbox()
    mailbox.up()
    change(well, "smtp://127.0.0.1:25", f"smtp://127.0.0.1:{mailbox.port}")
    try:
        assert "The mail relay answers." in {one["sentence"] for one in seen(well, "--json")[1]}
    finally:
        mailbox.down()
    code, told = seen(well, "--json")
    assert code == 1
    assert "The mail relay does not answer." in {one["sentence"] for one in told}


def test_a_running_keeper_is_no_fault(shop: Serving, database: dict[str, str]) -> None:
    done = troth("--home", str(shop.home), "doctor", "--offline", **database)
    assert "A keeper is running and holds the keyring." in done.stdout
    assert "The database answers and is up to date." in done.stdout


def test_a_disk_that_is_full_is_told(well: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from troth import config
    from troth.faces.cli import examinations

    monkeypatch.setattr(shutil, "disk_usage", lambda path: FullDisk())
    assert [one.state for one in examinations.space(config.load(well, environ={}))] == ["wrong"]


class FullDisk:
    free = 100 << 20
