"""The sample goods: built twice they are the same, and each archive is a module that Composer and PHP accept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = tomllib.loads((ROOT / "goods" / "catalogue.toml").read_text(encoding="utf-8"))
PRODUCTS = {product["slug"]: product for product in CATALOGUE["product"]}
MODULES = [product for product in PRODUCTS.values() if product["kind"] == "module"]
RELEASES = [
    pytest.param(module, release, id=f"{module['slug']}-{release['version']}")
    for module in MODULES
    for release in module["release"]
]
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {SVG + tag for tag in ("svg", "title", "g", "rect", "circle", "line", "path", "text")}


def build(out: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "goods" / "build.py"
    return subprocess.run([sys.executable, "-B", script, out], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("goods") / "out"
    result = build(out)
    assert result.returncode == 0, result.stderr
    return out


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory) -> Path:
    """Every archive in a folder of its own, named like the archive."""
    shelf = tmp_path_factory.mktemp("unpacked")
    for archive in (built / "files").iterdir():
        zipfile.ZipFile(archive).extractall(shelf / archive.stem)
    return shelf


def tool(name: str) -> str:
    """The path of a program; where it is missing the test is skipped, but never in CI."""
    found = shutil.which(name)
    if not found and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} must be installed in CI"
    return found


def folder_of(unpacked: Path, release: dict) -> Path:
    return unpacked / Path(release["file"]).stem


# ------------------------------------------------------------------------------------------------ the build


def test_building_twice_gives_the_same_bytes(built, tmp_path):
    again = tmp_path / "again"
    assert build(again).returncode == 0
    files = sorted(p.relative_to(built) for p in built.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    for name in files:
        assert (built / name).read_bytes() == (again / name).read_bytes(), name


def test_the_checksums_cover_every_file_and_hold(built):
    lines = (built / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    present = {p.relative_to(built).as_posix() for p in built.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    assert sums.keys() == present
    for name, digest in sums.items():
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == digest, name


def test_it_does_not_build_over_what_is_there(tmp_path):
    (tmp_path / "mine").write_text("keep me")
    result = build(tmp_path)
    assert result.returncode == 1
    assert "not empty" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_sources_that_the_catalogue_does_not_name_stop_the_build(tmp_path):
    copy = tmp_path / "house"
    shutil.copytree(ROOT / "goods", copy / "goods", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", copy / "LICENSE")
    (copy / "goods" / "modules" / "cron-watch" / "9.0.0").mkdir()
    script = copy / "goods" / "build.py"
    result = subprocess.run(
        [sys.executable, "-B", script, tmp_path / "out"], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert "cron-watch ['9.0.0']" in result.stderr


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_archives_carry_the_release_day_and_plain_permissions(built, module, release):
    with zipfile.ZipFile(built / release["file"]) as archive:
        entries = archive.infolist()
    assert [e.filename for e in entries] == sorted(e.filename for e in entries)
    assert {date(*e.date_time[:3]) for e in entries} == {release["date"]}
    assert {e.external_attr >> 16 for e in entries} == {0o100644}
    assert {"LICENSE", "README.md", "CHANGELOG.md"} <= {e.filename for e in entries}


# ------------------------------------------------------------------------------------------------ the modules


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_composer_json_says_what_the_catalogue_says(unpacked, module, release):
    composer = json.loads((folder_of(unpacked, release) / "composer.json").read_text())
    assert composer["name"] == module["package"]
    assert composer["version"] == release["version"]
    assert composer["type"] == "magento2-module"
    assert composer["autoload"]["files"] == ["registration.php"]
    assert "magento/framework" in composer["require"]


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_the_registered_name_is_the_one_of_module_xml(unpacked, module, release):
    folder = folder_of(unpacked, release)
    name = ET.parse(folder / "etc/module.xml").getroot().find("module").get("name")
    assert f"'{name}', __DIR__" in (folder / "registration.php").read_text()
    composer = json.loads((folder / "composer.json").read_text())
    assert composer["autoload"]["psr-4"] == {name.replace("_", "\\") + "\\": ""}


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_every_module_it_comes_after_is_required(unpacked, module, release):
    """<sequence> names Magento_CatalogInventory where composer.json has magento/module-catalog-inventory."""
    folder = folder_of(unpacked, release)
    required = json.loads((folder / "composer.json").read_text())["require"]
    for other in ET.parse(folder / "etc/module.xml").getroot().iterfind("module/sequence/module"):
        words = re.sub(r"(?<!^)([A-Z])", r"-\1", other.get("name").removeprefix("Magento_")).lower()
        assert f"magento/module-{words}" in required


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_classes_lie_where_psr_4_looks_for_them(unpacked, module, release):
    folder = folder_of(unpacked, release)
    (prefix,) = json.loads((folder / "composer.json").read_text())["autoload"]["psr-4"]
    classes = [p for p in folder.rglob("*.php") if p.name != "registration.php"]
    assert classes
    for source in classes:
        words = source.read_text()
        space = re.search(r"^namespace ([\w\\]+);$", words, re.M)[1]
        name = re.search(r"^(?:abstract )?(?:class|interface) (\w+)", words, re.M)[1]
        where = source.relative_to(folder).with_suffix("")
        assert f"{space}\\{name}" == prefix + str(where).replace("/", "\\")


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_xml_is_well_formed_and_names_classes_that_exist(unpacked, module, release):
    folder = folder_of(unpacked, release)
    (prefix,) = json.loads((folder / "composer.json").read_text())["autoload"]["psr-4"]
    for source in folder.rglob("*.xml"):
        ET.parse(source)
        for named in re.findall(re.escape(prefix) + r"([\w\\]+)", source.read_text()):
            path = named.removesuffix("\\Proxy").replace("\\", "/") + ".php"
            assert (folder / path).is_file(), f"{source.name} names {named}"
        for template in re.findall(r'template="Fernhill_\w+::([^"]+)"', source.read_text()):
            assert list(folder.glob(f"view/*/templates/{template}"))


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_every_text_a_person_reads_can_be_translated(unpacked, module, release):
    folder = folder_of(unpacked, release)
    texts = {m for p in folder.rglob("*.ph*") for m in re.findall(r"__\('((?:[^'\\]|\\.)*)'", p.read_text())}
    for source in folder.glob("etc/**/system.xml"):
        for node in ET.parse(source).iter():
            if node.tag in {"label", "comment"} and node.text != "Fernhill":
                texts.add(node.text)
    listed = (folder / "i18n/en_US.csv").read_text() if texts else ""
    for words in texts:
        assert '"' + words.replace('"', '""') + '","' in listed, words


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_the_whitelist_covers_the_declared_tables(unpacked, module, release):
    """Magento drops and changes only what db_schema_whitelist.json has; a forgotten line is a column that stays."""
    folder = folder_of(unpacked, release)
    if not (folder / "etc/db_schema.xml").exists():
        assert not (folder / "etc/db_schema_whitelist.json").exists()
        return
    declared = {}
    for table in ET.parse(folder / "etc/db_schema.xml").getroot():
        parts = {kind: table.findall(kind) for kind in ("column", "index", "constraint")}
        declared[table.get("name")] = {
            kind: dict.fromkeys((n.get("name") or n.get("referenceId") for n in nodes), True)
            for kind, nodes in parts.items()
        }
    assert json.loads((folder / "etc/db_schema_whitelist.json").read_text()) == declared


def test_php_reads_every_file(unpacked):
    php = tool("php")
    sources = sorted(p for p in unpacked.rglob("*") if p.suffix in {".php", ".phtml"})
    assert len(sources) > 50

    def lint(source: Path) -> str:
        result = subprocess.run([php, "-l", source], capture_output=True, text=True, timeout=60)
        return "" if result.returncode == 0 else result.stdout

    with ThreadPoolExecutor(2) as pool:
        assert [problem for problem in pool.map(lint, sources) if problem] == []


def test_composer_accepts_every_package(unpacked):
    composer = tool("composer")
    environment = os.environ | {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_DISABLE_NETWORK": "1"}

    def validate(folder: Path) -> str:
        command = [composer, "validate", "--no-check-publish", "--no-interaction", "composer.json"]
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
        return "" if result.returncode == 0 else result.stdout + result.stderr

    with ThreadPoolExecutor(2) as pool:
        assert [problem for problem in pool.map(validate, sorted(unpacked.iterdir())) if problem] == []


DISPATCH = """
require $argv[1];
$calendar = new Fernhill\\DispatchClock\\Model\\Calendar('14:00', [1, 2, 3, 4, 5], ['12-25', '2026-12-24']);
$next = $calendar->next(new DateTimeImmutable($argv[2], new DateTimeZone('Europe/Vienna')), 2);
echo implode(' ', array_map(fn ($m) => $m->format('Y-m-d\\TH:iP'), $next));
"""


@pytest.mark.parametrize(
    ("now", "moments"),
    [
        ("2026-11-20 13:59:59", "2026-11-20T14:00+01:00 2026-11-23T14:00+01:00"),  # Friday, a second before
        ("2026-11-20 14:00:00", "2026-11-23T14:00+01:00 2026-11-24T14:00+01:00"),  # too late: over the weekend
        ("2026-12-23 15:00:00", "2026-12-28T14:00+01:00 2026-12-29T14:00+01:00"),  # closed 24 and 25, then a weekend
        ("2027-12-23 15:00:00", "2027-12-24T14:00+01:00 2027-12-27T14:00+01:00"),  # a year later only the 25th
        ("2026-03-27 15:00:00", "2026-03-30T14:00+02:00 2026-03-31T14:00+02:00"),  # the clocks change on the 29th
    ],
)
def test_dispatch_clock_knows_when_parcels_leave(unpacked, now, moments):
    source = unpacked / "fernhill-dispatch-clock-1.1.0" / "Model" / "Calendar.php"
    command = [tool("php"), "-r", DISPATCH, source, now]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout == moments, result.stderr


# ------------------------------------------------------------------------------------------------ the catalogue

PRODUCT_KEYS = {
    *("slug", "kind", "name", "tagline", "summary", "package"),
    *("members", "months", "compatibility", "section", "edition", "picture"),
}


def test_every_product_has_the_same_keys():
    for product in PRODUCTS.values():
        assert product.keys() - {"release"} == PRODUCT_KEYS, product["slug"]
        assert len(product["tagline"]) <= 70
        for section in product["section"]:
            assert section.keys() == {"title", "text", "list", "code"}
            assert section["text"] or section["list"] or section["code"]
        for picture in product["picture"]:
            assert picture.keys() == {"file", "alt", "width", "height"}
    assert len(PRODUCTS) == len(CATALOGUE["product"]), "a slug is used twice"


def test_kinds_have_what_is_theirs_and_nothing_else():
    kinds = [product["kind"] for product in PRODUCTS.values()]
    assert kinds.count("module") >= 4
    assert {"bundle", "service"} <= set(kinds)
    for product in PRODUCTS.values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", product["slug"])
        assert bool(product["package"]) == (product["kind"] == "module")
        assert bool(product["members"]) == (product["kind"] == "bundle")
        assert bool(product["months"]) == (product["kind"] == "service")
        assert len(product.get("release", [])) >= 2 if product["kind"] == "module" else "release" not in product


def test_prices_are_exact_decimals_in_the_three_currencies():
    for product in PRODUCTS.values():
        assert product["edition"]
        for edition in product["edition"]:
            assert edition.keys() - {"sites", "updates", "renewal", "hours"} == {"code", "name", "note", "price"}
            assert edition["price"].keys() == {"EUR", "USD", "GBP"}
            for price in edition["price"].values():
                assert re.fullmatch(r"(0|[1-9]\d*)\.\d\d", price)
                assert (Decimal(price) == 0) == (edition["code"] == "free")
            for currency, price in edition.get("renewal", {}).items():
                assert 0 < Decimal(price) < Decimal(edition["price"][currency])
            assert ("hours" in edition) == (product["kind"] == "service")
        codes = [edition["code"] for edition in product["edition"]]
        assert len(codes) == len(set(codes))


def test_a_bundle_costs_less_than_its_members_in_every_edition():
    for bundle in (p for p in PRODUCTS.values() if p["kind"] == "bundle"):
        for edition in bundle["edition"]:
            for currency, price in edition["price"].items():
                apart = sum(
                    Decimal(e["price"][currency])
                    for slug in bundle["members"]
                    for e in PRODUCTS[slug]["edition"]
                    if e["code"] == edition["code"]
                )
                assert apart * Decimal("0.75") < Decimal(price) < apart * Decimal("0.85"), "about a fifth less"


@pytest.mark.parametrize(("module", "release"), RELEASES)
def test_a_release_is_described_as_in_its_own_changelog(unpacked, module, release):
    changelog = (folder_of(unpacked, release) / "CHANGELOG.md").read_text()
    heading, _, rest = changelog.removeprefix("# Changelog\n\n").partition("\n\n")
    assert heading == f"## {release['version']} - {release['date']}"
    points = re.split(r"^- ", rest.partition("\n## ")[0], flags=re.M)[1:]
    assert [" ".join(point.replace("`", "").split()) for point in points] == release["changes"]


def test_releases_stand_newest_first():
    for module in MODULES:
        versions = [tuple(map(int, release["version"].split("."))) for release in module["release"]]
        assert versions == sorted(versions, reverse=True)
        days = [release["date"] for release in module["release"]]
        assert days == sorted(days, reverse=True)
        assert len(set(days)) == len(days)


def test_each_version_differs_from_the_one_before_by_more_than_its_papers(unpacked):
    for module in MODULES:
        contents = []
        for release in module["release"]:
            folder = folder_of(unpacked, release)
            papers = {"CHANGELOG.md", "README.md", "composer.json"}
            files = [p for p in folder.rglob("*") if p.is_file() and p.name not in papers]
            contents.append({p.relative_to(folder): p.read_bytes() for p in files})
        assert all(a != b for a, b in pairwise(contents)), module["slug"]


def test_every_file_the_catalogue_names_was_built_and_no_other(built):
    named = {picture["file"] for product in PRODUCTS.values() for picture in product["picture"]}
    named |= {release["file"] for module in MODULES for release in module["release"]}
    made = {p.relative_to(built).as_posix() for p in built.rglob("*") if p.is_file()}
    assert named == made - {"SHA256SUMS", "catalogue.toml"}
    assert (built / "catalogue.toml").read_bytes() == (ROOT / "goods" / "catalogue.toml").read_bytes()


def test_pictures_have_words_for_those_who_cannot_see_them_and_refer_to_nothing_outside(built):
    for product in PRODUCTS.values():
        assert product["picture"][0]["file"].endswith("-cover.svg")
        assert len(product["picture"]) >= 2
        for picture in product["picture"]:
            assert len(picture["alt"]) > 20
            words = (built / picture["file"]).read_text(encoding="utf-8")
            root = ET.fromstring(words)
            assert (root.get("width"), root.get("height")) == (str(picture["width"]), str(picture["height"]))
            used = {node.tag for node in root.iter()}
            assert used <= SHAPES
            attributes = {name for node in root.iter() for name in node.attrib}
            assert not [name for name in attributes if "href" in name or name.startswith("on") or name == "style"]
            assert "url(" not in words
            assert "http" not in words.replace("http://www.w3.org/2000/svg", "")
