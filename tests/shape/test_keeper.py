"""The keeper is small and alone: a stranger can audit it in an afternoon."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shape.tree import ROOT, lines_of_code
from troth.pledge.keeper import policy

KEEPER_LINES = 1500
BESIDE_LINES = 600  # what the keeper imports of ours
# What it loads when somebody first asks for it: at most so many lines, and all of ours that comes with it.
PARTS = {
    "troth.pledge.passkeys": (100, ["troth.pledge.passkeys"]),
    "troth.pledge.rotation": (130, ["troth.pledge.rotation", "troth.pledge.vault.sealing"]),
    "troth.pledge.office.office": (580, ["troth.pledge.office"]),
    "troth.pledge.disclosure.legal": (
        640,
        ["troth.pledge.disclosure", "troth.pledge.vault.sealing", "troth.pledge.vault.blobs"],
    ),
}
STRANGERS = {"django", "jinja2", "httpx", "granian", "psycopg"}
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
    assert {name.partition(".")[0] for name in loaded} & STRANGERS == set()
    ours = {name for name in loaded if name.startswith("troth.") and name != "troth.pledge"}
    allowed = ("troth.pledge.keeper", *MAY_IMPORT)
    assert {name for name in ours if not any(is_in(name, package) for package in allowed)} == set()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_its_own_waits_until_it_is_asked_for(loaded, part: str):
    most, allowed = PARTS[part]
    assert {part, "webauthn", "cbor2", "OpenSSL"} & loaded.keys() == set()
    show = SHOW.replace("import troth.pledge.keeper.main", f"import troth.pledge.keeper.main, {part}")
    command = [sys.executable, "-c", show]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    came = json.loads(done.stdout)
    known = loaded.keys() | {"troth.pledge.kms.chosen", "troth.pledge.vault"}  # counted below; and empty
    if part != "troth.pledge.office.office":
        known |= {name for name in came if is_in(name, "troth.pledge.office")}  # it has a limit of its own
    more = {name for name in came.keys() - known if is_in(name, "troth")}
    assert {name for name in more if not any(is_in(name, package) for package in allowed)} == set()
    assert not {name.partition(".")[0] for name in came} & STRANGERS
    assert lines([Path(came[name]) for name in more]) < most


def test_every_part_has_a_limit():
    assert set(PARTS) == set(policy.PARTS.values())


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
