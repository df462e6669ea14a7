"""Goods of one's own by command: looked into, kept whole, sold; every refusal is one sentence and changes nothing."""

import json
import os
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from tests.house import House
from tests.processes import running
from troth.faces.cli.product import product
from troth.shop.catalogue import sound
from troth.shop.catalogue.models import Edition, Product, Release

ADD = ["add", "mail-log", "--name", "Mail Log", "--price", "49.00", "--package", "fernhill/module-mail-log"]


def troth_product(*words: str | Path) -> Result:
    return CliRunner().invoke(product, [str(word) for word in words])


def does(*words: str | Path) -> str:
    done = troth_product(*words)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*words: str | Path) -> str:
    done = troth_product(*words)
    assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit), done.output
    return done.output


def archive(path: Path, version: str = "1.0.0", package: str = "fernhill/module-mail-log") -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("composer.json", json.dumps({"name": package, "version": version, "type": "library"}))
        opened.writestr("registration.php", "<?php\n")
    return path


def test_from_nothing_to_the_shelf_and_back(house: House, tmp_path: Path) -> None:
    made = archive(tmp_path / "upload.zip")
    assert "is made" in does(*ADD, "--tagline", "Every letter, found again")
    assert Client().get("/p/mail-log").status_code == 404
    assert "nothing to deliver" in refused("publish", "mail-log")
    assert f"{made.stat().st_size:,} bytes" in does("release", "mail-log", "1.0.0", made, "--changes", "The first one")
    assert "/p/mail-log" in does("publish", "mail-log")
    page = Client().get("/p/mail-log").content.decode()
    assert "Every letter, found again" in page and "49.00" in page and "1.0.0" in page
    row = Release.objects.get(product="mail-log")
    assert (settings.FILES_ROOT / row.file).read_bytes() == made.read_bytes()
    assert Path(row.file).name == "mail-log-1.0.0.zip"
    assert row.manifest["name"] == "fernhill/module-mail-log" and row.sha1
    assert "off the shelf" in does("withdraw", "mail-log")
    assert "was not on the shelf" in does("withdraw", "mail-log")
    assert Client().get("/p/mail-log").status_code == 404


def test_a_service_has_its_months_and_nothing_to_release(house: House) -> None:
    months = ("--support", "12", "--hours", "3")
    said = does("add", "care", "--name", "Care", "--price", "199", "--kind", "service", *months)
    assert "publish care" in said and "release" not in said
    does("publish", "care")
    first = Edition.objects.get(product="care")
    assert (first.support_months, first.hours) == (12, 3)
    does("edition", "care", "single", "--name", "Half a year", "--price", "110", "--support", "6")
    first.refresh_from_db()
    assert (first.support_months, first.hours) == (6, 0)


def test_an_empty_bundle_is_not_put_on_the_shelf(house: House, edition: Edition) -> None:
    does("add", "set", "--name", "Set", "--price", "99", "--kind", "bundle")
    assert "holds no module yet" in refused("publish", "set")
    Product.objects.get(slug="set").includes.add(edition.product)
    assert "/p/set" in does("publish", "set")


@pytest.mark.processes
def test_before_the_tables_are_made_a_sentence_says_how(tmp_path: Path) -> None:
    done = running.troth("--home", str(running.folder(tmp_path / "shop")), "product", *ADD)
    assert done.returncode == 2
    assert done.stderr == "troth: the database lacks tables of this version; `troth migrate` makes them.\n"


def test_a_newer_release_stands_first_and_one_can_be_taken_back(house: House, tmp_path: Path) -> None:
    does(*ADD)
    for version in ("1.0.0", "1.1.0"):
        does("release", "mail-log", version, archive(tmp_path / f"{version}.zip", version))
    does("publish", "mail-log")
    assert [one.version for one in Release.objects.filter(product="mail-log")] == ["1.1.0", "1.0.0"]
    assert "on the shelf  1.1.0  single 49.00 EUR" in does("list")
    assert "can no longer be fetched" in does("withdraw", "mail-log", "--release", "1.1.0")
    assert "the only release" in refused("withdraw", "mail-log", "--release", "1.0.0")
    assert [one.version for one in Release.objects.filter(product="mail-log")] == ["1.0.0"]


def test_editions_keep_their_place_when_their_price_changes(house: House) -> None:
    does(*ADD)
    does("edition", "mail-log", "agency", "--name", "For agencies", "--price", "149", "--sites", "0")
    does("edition", "mail-log", "single", "--name", "One site", "--price", "59")
    row = Product.objects.get(slug="mail-log")
    assert [(e.code, e.name, e.sites, e.prices.get().minor) for e in row.editions.all()] == [
        ("single", "One site", 1, 5900),
        ("agency", "For agencies", 0, 14900),
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "Mail Log", "--name", "x", "--price", "1"], "small letters, digits and hyphens"),
        (["add", "mail-log", "--name", " ", "--price", "1"], "needs a name"),
        (["add", "mail-log", "--name", "x", "--price", "1,5"], "such as 49.00"),
        (["add", "mail-log", "--name", "x", "--price", "-1"], "not less than nothing"),
        (["add", "mail-log", "--name", "x", "--price", "1", "--package", "Fern/Hill"], "vendor/name"),
        (["publish", "nothing"], "no such product"),
        (["withdraw", "nothing"], "no such product"),
        (["edition", "nothing", "single", "--name", "x", "--price", "1"], "no such product"),
    ],
)
def test_what_cannot_be_is_one_sentence(house: House, words: list[str], told: str) -> None:
    assert told in refused(*words)
    assert not Product.objects.exists()


def test_an_address_or_a_version_is_taken_once(house: House, tmp_path: Path) -> None:
    does(*ADD)
    assert "already" in refused(*ADD)
    does("release", "mail-log", "1.0.0", archive(tmp_path / "a.zip"))
    assert "never changes" in refused("release", "mail-log", "1.0.0", archive(tmp_path / "b.zip"))
    assert Release.objects.count() == 1


def zipped(path: Path, fill: Callable[[zipfile.ZipFile], object]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        fill(opened)
    return path


def link(opened: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("current")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    opened.writestr(entry, "/etc/passwd")


def bomb(opened: zipfile.ZipFile) -> None:
    with opened.open("zeros", "w") as entry:
        for _ in range(60):
            entry.write(bytes(1 << 20))


def flipped(path: Path) -> Path:
    body = bytearray(archive(path).read_bytes())
    body[body.index(b"<?php")] ^= 1
    path.write_bytes(body)
    return path


def many(path: Path) -> Path:
    """An end record that names a list of four thousand million bytes."""
    path.write_bytes(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, 0xFFFFFFF0, 0, 0))
    return path


def plain(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


UNSOUND: dict[str, tuple[Callable[[Path], Path], str]] = {
    "upwards": (lambda p: zipped(p, lambda z: z.writestr("a/../../.bashrc", "x")), "leads out of the folder"),
    "absolute": (lambda p: zipped(p, lambda z: z.writestr("/etc/cron.d/x", "x")), "leads out of the folder"),
    "a drive": (lambda p: zipped(p, lambda z: z.writestr("C:/x.php", "x")), "leads out of the folder"),
    "backslashes": (lambda p: zipped(p, lambda z: z.writestr("..\\x.php", "x")), "leads out of the folder"),
    "a link": (lambda p: zipped(p, link), "symbolic link"),
    "a bomb": (lambda p: zipped(p, bomb), "far larger unpacked"),
    "two of a name": (
        lambda p: zipped(p, lambda z: [z.writestr(n, "x") for n in ("Read.me", "read.me")]),
        "same name twice",
    ),
    "nothing": (lambda p: zipped(p, lambda z: None), "holds no file"),
    "damaged": (flipped, "no zip archive that can be read"),
    "a forged list": (many, "more than 50,000 files"),
    "no zip": (lambda p: plain(p, b"hello"), "no zip archive"),
    "empty": (lambda p: plain(p, b""), "is empty"),
    "another archive": (lambda p: plain(p.with_suffix(".tgz"), b"x"), "pack it as .zip"),
    "no composer.json": (lambda p: zipped(p, lambda z: z.writestr("x", "y")), "has no composer.json"),
    "another package": (lambda p: archive(p, package="fernhill/other"), "another package"),
    "another version": (lambda p: archive(p, version="2.0.0"), "another version"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_an_archive_that_harms_or_lies_is_refused_and_leaves_nothing(house: House, tmp_path: Path, name: str) -> None:
    make, told = UNSOUND[name]
    does(*ADD)
    before = sorted(settings.FILES_ROOT.rglob("*"))
    made = make(tmp_path / "upload.zip")
    assert told in refused("release", "mail-log", "1.0.0", made)
    assert not Release.objects.exists()
    assert sorted(settings.FILES_ROOT.rglob("*")) == before


@effort(deadline=None, max_examples=60)
@given(cut=st.integers(0, 400), at=st.integers(0, 400), body=st.binary(max_size=30))
def test_whatever_an_upload_is_it_gets_an_answer(
    tmp_path_factory: pytest.TempPathFactory, cut: int, at: int, body: bytes
) -> None:
    path = archive(tmp_path_factory.mktemp("any") / "upload.zip")
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + body + whole[at + cut :])
    assert isinstance(sound.unsound(path), str)


@pytest.mark.processes
def test_a_hundred_megabytes_are_released_with_flat_memory(tmp_path: Path) -> None:
    home = running.folder(tmp_path / "shop")
    assert running.troth("--home", str(home), "migrate").returncode == 0
    assert running.troth("--home", str(home), "product", *ADD).returncode == 0
    small, large = archive(tmp_path / "small.zip"), archive(tmp_path / "large.zip", "1.1.0")
    piece = os.urandom(1 << 20)
    with zipfile.ZipFile(large, "a") as opened, opened.open("data.bin", "w") as entry:
        for _ in range(100):
            entry.write(piece)
    peaks = [released(home, version, path) for version, path in (("1.0.0", small), ("1.1.0", large))]
    assert (peaks[1] - peaks[0]) < 16 << 10, peaks  # KiB
    assert next((home / "files").rglob("mail-log-1.1.0.zip")).stat().st_size > 100 << 20


def released(home: Path, version: str, path: Path) -> int:
    """The most memory that the command held, in KiB (getrusage(2), ru_maxrss)."""
    tell = (
        "import resource, sys; from troth.faces.cli.main import troth; "
        "troth(sys.argv[1:], standalone_mode=False); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    line = [sys.executable, "-P", "-c", tell, "--home", str(home), "product", "release", "mail-log", version, str(path)]
    done = subprocess.run(line, env=running.plain_environment(), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])
