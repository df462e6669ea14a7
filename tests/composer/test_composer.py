"""Composer itself against a shop of real processes: bought in the sandbox, installed by what the letter says.

The right thing is installed, or Composer prints the sentence that says what to do.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.composer.project import Project
from troth.faces.cli.demo.buyer import Buyer
from troth.faces.cli.demo.stage import Stage, free_port
from troth.shop.licences.keys import new_key

pytestmark = pytest.mark.processes
NOTES, SENTINEL = "fernhill/module-order-notes", "fernhill/module-stock-sentinel"
IN_THE_SHOP = """
import django, sys
django.setup()
from troth.shop.journeys import licence
from troth.shop.licences.models import Licence
from troth.shop.orders.models import Order
order = Order.objects.get(pk=sys.argv[1])
{}
print(licence.of(order)[0].key)
"""


class Bought:
    """A purchase by PayPal or Skrill, its letter, and what happens to its licence later."""

    def __init__(self, stage: Stage, slug: str, provider: str = "skrill") -> None:
        self.stage = stage
        buyer = Buyer(stage.shop, stage.mailbox, stage.control, stage.goods / "SHA256SUMS", provider)
        for _ in buyer.buy(slug):
            pass
        self.ref, self.letter = buyer.ref, buyer._letter["text"]
        self.key = self.does("")

    def does(self, statement: str) -> str:
        """Change the licence as the shop's own code does; returns its key then."""
        environ = {**self.stage.environ, "DJANGO_SETTINGS_MODULE": "troth.faces.settings"}
        command = [sys.executable, "-c", IN_THE_SHOP.format(statement), self.ref]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def updates_until(self, day: str) -> None:
        self.does(f"Licence.objects.filter(line__order=order).update(updates_until={day!r})")

    def troth(self, *words: str) -> str:
        done = subprocess.run(
            self.stage.command(*words), env=self.stage.environ, capture_output=True, text=True, timeout=90
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("composer") / "demo", free_port(None, usual=0)) as stage:
        yield stage


@pytest.fixture(scope="module")
def notes(stage: Stage) -> Bought:
    return Bought(stage, "order-notes", "paypal")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


@pytest.fixture
def installed(notes: Bought, project: Project) -> Project:
    code, said = project.types(notes.letter)
    assert code == 0, said
    return project


def test_what_the_letter_says_installs_the_newest_version(installed: Project, notes: Bought) -> None:
    assert installed.has(NOTES) == "1.2.0"
    code, said = installed.composer("update")
    assert code == 0, said
    assert "Nothing to modify in lock file" in said
    lock = json.loads((installed.folder / "composer.lock").read_text())
    assert [(one["name"], one["version"]) for one in lock["packages"]] == [(NOTES, "1.2.0")]
    assert lock["packages"][0]["dist"]["shasum"]


def test_a_wrong_key_and_none_at_all(installed: Project, notes: Bought, tmp_path: Path) -> None:
    twin = installed.twin(tmp_path / "twin")
    twin.logs_in(new_key())
    code, said = twin.composer("install")
    assert code != 0
    assert "This licence key is not known here; copy it once more from your order." in said
    assert twin.has(NOTES) == ""
    (twin.folder / "auth.json").unlink()
    code, said = twin.composer("update")
    assert code != 0
    assert "Log in with the user name licence and your licence key as password." in said


def test_updates_that_ended_keep_what_came_before_and_say_where_to_renew(
    installed: Project, notes: Bought, tmp_path: Path
) -> None:
    notes.updates_until("2026-06-30")
    try:
        _frozen(installed, notes, tmp_path)
    finally:
        notes.updates_until("2027-11-22")
    code, said = installed.composer("update")
    assert (code, installed.has(NOTES)) == (0, "1.2.0"), said


def _frozen(installed: Project, notes: Bought, tmp_path: Path) -> None:
    ended = "Your updates for Order Notes ended on 2026-06-30"
    renew = f"Renew here: {notes.stage.shop}/renew/lic_"
    code, said = installed.composer("require", f"{NOTES}:*")
    assert code == 0, said
    assert ended in said and renew in said
    assert installed.has(NOTES) == "1.1.0"
    code, said = installed.composer("require", f"{NOTES}:1.2.0")
    assert code != 0
    assert f"{ended}; 1.2.0 came later. {renew}" in said
    locked = installed.twin(tmp_path / "locked")  # a colleague's lock file names the newer version
    text = (locked.folder / "composer.lock").read_text()
    old = json.loads(text)["packages"][0]["dist"]
    moved = text.replace(old["url"], old["url"].replace("1.1.0", "1.2.0")).replace('"1.1.0"', '"1.2.0"')
    (locked.folder / "composer.lock").write_text(moved.replace("1.1.0.zip", "1.2.0.zip"))
    code, said = locked.composer("install")
    assert code != 0
    assert f"{ended}; version 1.2.0 came on 2026-09-28. {renew}" in said


def test_a_package_not_bought_says_where_it_is(installed: Project, notes: Bought) -> None:
    code, said = installed.composer("require", SENTINEL)
    assert code != 0
    assert f"Your licence does not cover Stock Sentinel; you find it here: {notes.stage.shop}/p/stock-sentinel" in said


def test_a_name_that_nobody_sells_is_not_found_and_nothing_of_another_vendor_is_asked(installed: Project) -> None:
    for name in ("fernhill/unheard-of", "symfony/console"):
        code, said = installed.composer("require", name)
        assert code != 0
        assert "Could not find a matching version of package" in said


def test_a_replaced_key_stops_and_the_new_one_works(stage: Stage, project: Project, tmp_path: Path) -> None:
    mine = Bought(stage, "order-notes")
    code, said = project.types(mine.letter)
    assert code == 0, said
    licence_id = mine.troth("licences", "show", mine.ref).split()[0]
    mine.troth("licences", "rotate", licence_id)
    stopped(project, "This licence key was replaced on", tmp_path)
    project.logs_in(mine.does(""))
    code, said = project.composer("update")
    assert code == 0, said
    assert "could not be fully loaded" not in said


def test_two_licences_in_one_login_and_a_refund_of_one(
    stage: Stage, notes: Bought, installed: Project, tmp_path: Path
) -> None:
    sentinel = Bought(stage, "stock-sentinel", "paypal")
    installed.logs_in(f"{notes.key},{sentinel.key}")
    code, said = installed.composer("require", SENTINEL)
    assert code == 0, said
    assert (installed.has(NOTES), installed.has(SENTINEL)) == ("1.2.0", "1.1.0")
    sentinel.troth("refund", sentinel.ref, "--yes")
    ended = "This licence has ended, as its price was paid back."
    code, said = installed.twin(tmp_path / "fresh").composer("update")
    assert code != 0
    assert ended in said and "Your licence does not cover Stock Sentinel" in said
    installed.logs_in(sentinel.key)
    stopped(installed, ended, tmp_path)


def stopped(project: Project, sentence: str, folder: Path) -> None:
    """Where lists were kept Composer goes on with those, and says why; what it has not yet it does not get."""
    _code, said = project.composer("update")
    assert sentence in said
    assert "may be out of date" in said
    twin = project.twin(folder / "elsewhere")
    for command in ("install", "update"):
        code, said = twin.composer(command)
        assert code != 0
        assert sentence in said
    assert twin.has(NOTES) == ""


def test_twenty_install_at_the_same_time(installed: Project, tmp_path: Path) -> None:
    twins = [installed.twin(tmp_path / f"twin-{number}") for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        ran = list(pool.map(lambda twin: twin.composer("install"), twins))
    assert [code for code, _said in ran] == [0] * 20, ran
    assert {twin.has(NOTES) for twin in twins} == {"1.2.0"}


def test_a_large_archive_leaves_the_web_process_as_small_as_it_was(stage: Stage, notes: Bought) -> None:
    """50 MB in place of the release's file: what is sent is read in pieces."""
    size = 50 * 1024 * 1024
    swap = (
        "from troth.shop.catalogue.models import Release; from django.conf import settings; "
        "r = Release.objects.get(product='order-notes', version='1.0.0'); p = settings.FILES_ROOT / 'large.zip'; "
        f"p.write_bytes(bytes({size})); r.size = {size}; r.file = 'large.zip'; r.save()"
    )
    notes.does(swap)
    login = base64.b64encode(f"licence:{notes.key}".encode()).decode()
    url = f"{stage.shop}/composer/dist/{NOTES}/1.0.0.zip"
    headers, before = {"Authorization": f"Basic {login}"}, _web_memory(stage)
    for _ in range(3):
        with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=60) as answer:
            assert answer.status_code == 200
            assert sum(len(part) for part in answer.iter_bytes()) == size
            assert _web_memory(stage) - before < 20 * 1024 * 1024
    assert _web_memory(stage) - before < 20 * 1024 * 1024


def _web_memory(stage: Stage) -> int:
    """Bytes that the web processes hold now (RSS)."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            environ = (status.parent / "environ").read_bytes()
            words = (status.parent / "cmdline").read_bytes().split(b"\0")
            lines = status.read_text().splitlines()
        except OSError:
            continue
        if str(stage.home).encode() in environ and any(word in (b"web", b"granian") for word in words):
            found += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
    assert found
    return found
