"""The second look at failed tests: it forgives what passes alone, tells of it by name, and forgives nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.again import FEW
from tests.shape.tree import ROOT

ONCE = """
from pathlib import Path
def test_loses_once():
    seen = Path(__file__).with_suffix(".seen")
    first, _ = not seen.exists(), seen.touch()
    assert not first
"""
ALWAYS = "def test_wrong():\n    assert False\n"
MANY = f"import pytest\n@pytest.mark.parametrize('n', range({FEW + 1}))\ndef test_wrong(n):\n    assert False\n"


@pytest.mark.parametrize(
    ("text", "code", "says", "never"),
    [
        (ONCE, 0, "UNSTEADY test_it.py::test_loses_once", "FAILED AGAIN"),
        (ALWAYS, 1, "FAILED AGAIN test_it.py::test_wrong", "UNSTEADY"),
        (ONCE + ALWAYS, 1, "UNSTEADY test_it.py::test_loses_once", "FAILED AGAIN test_it.py::test_loses_once"),
        (MANY, 1, "failed", "Alone"),
    ],
    ids=["unsteady", "wrong", "one of each", "too many"],
)
def test_only_what_passes_alone_is_forgiven(tmp_path: Path, text: str, code: int, says: str, never: str) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(text)
    line = [sys.executable, "-m", "tests.again", "-q"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert says in done.stdout and never not in done.stdout
