"""What the first release left is sold from, opened and verified by this version; an upgrade that dies goes on."""

import hashlib
import io
import json
import signal
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import httpx
import pytest

from tests.operate.make_first_release import FIXTURE
from tests.processes.running import Serving, folder, free_port, plain_environment, troth, until
from troth.pledge import older_keyrings
from troth.pledge.copies import reading
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.kms.file import FileKey
from troth.pledge.policy.visitor import Visitor
from troth.sandbox.mailbox import Mailbox

pytestmark = pytest.mark.processes


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The shop's folder as the first release left it, on a port and with a relay of the test's own."""
    with tarfile.open(FIXTURE) as tar:
        tar.extractall(tmp_path, filter="data")
    home = tmp_path / "shop"
    text = (home / "troth.toml").read_text()
    old = text.split('public_url = "http://127.0.0.1:')[1].split('"')[0]
    text = text.split("[mail]")[0].replace(old, str(free_port()))
    (home / "troth.toml").write_text(text)
    return home


def said(home: Path, *words: str) -> str:
    done = troth("--home", str(home), *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bought(home: Path) -> list[str]:
    return [one["order"] for one in json.loads((home.parent / "told.json").read_text())]


def test_a_dry_run_says_what_would_change_and_changes_nothing(first: Path) -> None:
    before = state(first)
    told = said(first, "upgrade", "--dry-run")
    assert "migrations to apply" in told and "  licences 0001_initial" in told
    assert "  [backup] every = 24" in told and "[web] port" not in told
    assert "licence.key is not there yet" in told
    assert state(first) == before


def state(home: Path) -> dict[str, str]:
    """Every file but SQLite's index of its journal, which any reader writes."""
    files = [path for path in home.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_first_releases_data_is_this_releases(first: Path) -> None:
    told = said(first, "upgrade")
    (kept,) = (first.parent / "shop.backups/main").iterdir()
    assert str(kept) in told
    assert len(tables(kept)) < len(tables(first / "data/main.sqlite3"))
    assert tables(first / "data/main.sqlite3") == tables(fresh(first.parent / "new"))
    for ref in bought(first):
        assert f"{ref}: paid" in said(first, "order", ref)
    mailbox = Mailbox()
    mailbox.up()
    serving = Serving(first, TROTH_MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        people_open(serving, mailbox)
        begins_anew(serving)
        said(first, "ledger", "verify")
    finally:
        serving.stop()
        mailbox.down()


def tables(path: Path) -> dict[str, str]:
    with sqlite3.connect(path) as db:
        rows = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"))
    db.close()
    return rows


def fresh(home: Path) -> Path:
    """The database of a shop that never was any older."""
    said(folder(home), "migrate")
    return home / "data/main.sqlite3"


def people_open(serving: Serving, mailbox: Mailbox) -> None:
    """Through both doors: the account's page shows its owner, and a letter finds her."""
    browser = Visitor(serving.url)
    signed = {"email": "grace@buyer.example", "current-password": "a long and plain sentence"}
    page = browser.submit("/sign-in", signed, form="sign-in")
    assert page.status == 200 and "Grace Fernhill" in browser.get("/account?show=me").text
    assert browser.get("/account/privacy").status == 200
    browser.submit("/recover", {"email": "grace@buyer.example"}, form="recover")
    browser.close()
    until(lambda: any("grace@buyer.example" in one.to for one in mailbox.sent), 60)


def begins_anew(serving: Serving) -> None:
    """The supervisor stays the same process; everybody below it is another."""
    before = {role: serving.pid(role) for role in ("keeper", "worker", "web")}
    told = said(serving.home, "upgrade")
    assert "began anew and answers" in told and "Backup" not in told
    after = {role: serving.pid(role) for role in before}
    assert not set(before.values()) & set(after.values())
    assert httpx.get(serving.url, trust_env=False, timeout=30).status_code == 200
    twice = troth("--home", str(serving.home), "serve")
    assert twice.returncode == 1 and "is served already" in twice.stderr


DIES = """
import os, signal, sys
from django.db.migrations.recorder import MigrationRecorder
left = int(sys.argv[1])
noted = MigrationRecorder.record_applied
def dies(self, app, name):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    noted(self, app, name)
MigrationRecorder.record_applied = dies
from troth.faces.cli.main import troth
troth(["migrate"])
"""


def test_one_that_dies_between_a_migration_and_its_note_goes_on(first: Path) -> None:
    environ = plain_environment(TROTH_HOME=str(first), DJANGO_SETTINGS_MODULE="troth.faces.settings")
    died = subprocess.run([sys.executable, "-c", DIES, "9"], env=environ, capture_output=True, timeout=180)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert "migration" in troth("--home", str(first), "migrate").stderr
    assert tables(first / "data/main.sqlite3") == tables(fresh(first.parent / "new"))
    assert f"{bought(first)[0]}: paid" in said(first, "order", bought(first)[0])


def test_a_copy_of_the_first_releases_keyring_opens_its_people(first: Path) -> None:
    """As `troth restore` and `backup --verify` read it, in memory; and once more changes nothing."""
    keyring = reading._loaded(io.BytesIO((first / "keeper/keyring.sqlite3").read_bytes()))
    assert keyring.value("SELECT count(*) FROM person") > 20
    keeper = Keeper(keyring, FileKey(Path(f"{first}.key/root.key")))
    for (raw,) in keyring.execute("SELECT ref FROM person").fetchall():
        for klass in ("contact", "billing", "locality"):
            assert keeper.room.persons.private(raw, klass, "standing", 1)
    assert older_keyrings.bring_up(keyring) == []
    keyring.close()


def test_without_a_backup_nothing_is_changed(first: Path) -> None:
    (first.parent / "shop.backups").write_text("in the way")
    before = state(first)
    done = troth("--home", str(first), "upgrade")
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    assert state(first) == before
