"""The fault points themselves: each is really passed in a purchase, kills where it says, and never in a live shop."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.shopping import Purchase
from tests.house import House
from tests.processes.running import plain_environment
from tests.shape.tree import ROOT
from troth import config
from troth.pledge import fault
from troth.pledge.fault_points import POINTS
from troth.shop.catalogue.models import Edition

PROVIDERS = ("paypal", "skrill")


def test_a_purchase_comes_by_every_point(house: House, edition: Edition) -> None:
    seen: dict[str, set[str]] = {}

    for provider in PROVIDERS:
        for returns in (True, False):
            purchase = Purchase(house, edition, provider, returns=returns)

            def note(point: str, kind: str, purchase: Purchase = purchase) -> None:
                role = "keeper" if point.startswith("keeper.") else purchase.role
                seen.setdefault(point, set()).add(role)

            with fault.watched(note):
                purchase.complete()
    assert seen.keys() == POINTS.keys()
    assert {point: set(roles) for point, (roles, _) in POINTS.items()} == seen


def test_the_table_names_exactly_the_points_in_the_code() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "src/troth").rglob("*.py") if path.name != "fault.py")
    assert [text.count(f'fault.here("{point}"') for point in POINTS] == [1] * len(POINTS)
    assert text.count("fault.here(") == len(POINTS)


COMING_BY = (
    "from troth.pledge import fault\nfor kind in 'abab':\n    print(kind, flush=True)\n    fault.here('work.ran', kind)"
)


@pytest.mark.parametrize(
    ("asked", "came"),
    [("", "abab"), ("work.ran:1", "a"), ("work.ran:3", "aba"), ("work.ran/b:2", "abab"), ("work.done:1", "abab")],
)
def test_a_process_dies_at_its_point_and_there_only(asked: str, came: str) -> None:
    line = [sys.executable, "-c", COMING_BY]
    done = subprocess.run(line, env=plain_environment(TROTH_FAULT=asked), capture_output=True, text=True)
    dies = asked in ("work.ran:1", "work.ran:3", "work.ran/b:2")
    assert done.stdout.replace("\n", "") == came
    assert done.returncode == (-signal.SIGKILL if dies else 0)
    assert done.stderr == ("troth: fault work.ran\n" if dies else "")


@pytest.mark.parametrize("asked", ["settle.payed:1", "settle.paid:x", "settle.paid:0", ":1"])
def test_a_point_that_there_is_not_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="name one of the steps"):
        fault.read(asked)


@pytest.mark.parametrize("asked", ["settle.paid:1", ""])
def test_no_process_of_a_live_shop_starts_with_a_fault(tmp_path: Path, asked: str) -> None:
    (tmp_path / "troth.toml").write_text(
        '[shop]\nmode = "live"\n[web]\npublic_url = "https://shop.example"\n[tax]\nscheme = "exempt"\n'
    )
    config.load(tmp_path, environ={})
    with pytest.raises(config.ConfigError, match=r"TROTH_FAULT.*a live shop does not start"):
        config.load(tmp_path, environ={"TROTH_FAULT": asked})
