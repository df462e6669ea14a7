"""The keeper is small and alone: a stranger can audit it in an afternoon."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shape.tree import ROOT, lines_of_code

KEEPER_LINES = 1500
BESIDE_LINES = 600  # what the keeper imports of ours
PASSKEYS_LINES = 100  # what it loads when the first passkey is asked for
OFFICE_LINES = 500  # what it loads when the first question comes from who works here
MAY_IMPORT = ("troth.pledge.kms", "troth.pledge.ledger", "troth.pledge.ids", "troth.pledge.fault")
SHOW = """
import json, sys
import troth.pledge.keeper.main
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, str | None]:
    """Every module in a process that has imported what a keeper runs: name and file."""
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def lines(paths: list[Path]) -> int:
    return sum(lines_of_code(path.read_text("utf-8")) for path in paths)


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_the_keeper_loads_neither_django_nor_the_shop(loaded):
    assert "troth.pledge.keeper.keeper" in loaded
    strangers = {name.partition(".")[0] for name in loaded} & {"django", "jinja2", "httpx", "granian", "psycopg"}
    assert strangers == set()
    ours = {name for name in loaded if name.startswith("troth.") and name != "troth.pledge"}
    allowed = ("troth.pledge.keeper", *MAY_IMPORT)
    assert {name for name in ours if not any(is_in(name, package) for package in allowed)} == set()


def test_passkeys_are_a_part_of_their_own_that_waits_until_it_is_asked_for(loaded):
    part = "troth.pledge.passkeys"
    assert {part, "webauthn", "cbor2", "OpenSSL"} & loaded.keys() == set()
    show = SHOW.replace("import troth.pledge.keeper.main", f"import troth.pledge.keeper.main, {part}")
    command = [sys.executable, "-c", show]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    more = {name for name in json.loads(done.stdout).keys() - loaded.keys() if is_in(name, "troth")}
    assert more == {part}
    assert lines([ROOT / "src/troth/pledge/passkeys.py"]) < PASSKEYS_LINES


def test_so_is_the_office(loaded):
    folder = ROOT / "src/troth/pledge/office"
    assert {name for name in loaded if is_in(name, "troth.pledge.office")} == set()
    show = SHOW.replace("import troth.pledge.keeper.main", "import troth.pledge.keeper.main, troth.pledge.office.office")
    command = [sys.executable, "-c", show]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    more = {name for name in json.loads(done.stdout).keys() - loaded.keys() if is_in(name, "troth")}
    assert {name for name in more if not is_in(name, "troth.pledge.office")} == set()
    assert lines(sorted(folder.rglob("*.py"))) < OFFICE_LINES


def test_the_keeper_fits_an_afternoon(loaded):
    folder = ROOT / "src/troth/pledge/keeper"
    assert lines(sorted(folder.rglob("*.py"))) < KEEPER_LINES
    beside = [
        Path(file)
        for name, file in loaded.items()
        if file and is_in(name, "troth") and not is_in(name, "troth.pledge.keeper")
    ]
    kms = set((ROOT / "src/troth/pledge/kms").rglob("*.py"))
    assert lines(sorted(kms.union(beside))) < BESIDE_LINES
