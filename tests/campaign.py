"""Long campaigns: how much of one runs, and from which seed (pytest -p tests.campaign).

`make test` runs a sample of each, `make soak` all of it (TROTH_CAMPAIGN=full). TROTH_SEED repeats a run: it sets the
order of the tests and every draw made through `draws`. Seed, commit and extent are printed with each run.
"""

import os
import random
import subprocess
from pathlib import Path

import pytest

FULL = os.environ.get("TROTH_CAMPAIGN", "sample") == "full"
os.environ.setdefault("TROTH_SEED", str(random.SystemRandom().getrandbits(32)))  # xdist's workers inherit it
SEED = int(os.environ["TROTH_SEED"])


def rounds(sample: int, full: int) -> int:
    """How often to repeat: the sample's number, or the campaign's in full."""
    return full if FULL else sample


def draws(name: str) -> random.Random:
    """Random draws for the campaign of that name; the same for the same TROTH_SEED, whichever worker runs it."""
    return random.Random(f"{SEED}/{name}")


def commit() -> str:
    """The commit of this checkout, and whether files differ from it; "unknown commit" outside a git checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=12", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "unknown commit"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = SEED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The seed, and the tables that campaigns recorded (record_property("table", text)), whichever worker ran them."""
    for report in [report for reports in terminalreporter.stats.values() for report in reports]:
        for name, text in getattr(report, "user_properties", ()):
            if name == "table" and report.when == "call":
                terminalreporter.write_line(text)
    extent = "in full" if FULL else "as a sample"
    terminalreporter.write_line(f"TROTH_SEED={SEED}, campaigns {extent}, {commit()}")
