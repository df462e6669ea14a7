"""`python -m tests.again ARGUMENTS`: pytest, and a second look, alone, at the few tests that failed beside others.

Thousands of tests share two busy cores with servers, browsers and clocks; one that waits for another process loses now
and then. Whoever fails by a defect fails again: the second look has the same seed, nothing beside it, and no third
look follows. Who passes alone is told by name as unsteady, which is a defect to be mended, not one to stop a release.
More than a few failures are no coincidence: then there is no second look.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FEW = 5
FAILED = 1  # pytest's exit code when tests ran and some failed


def run(arguments: Sequence[str]) -> int:
    """pytest's exit code; 0 as well if at most FEW tests failed and each of them passes alone."""
    with tempfile.TemporaryDirectory(prefix="troth-again-") as folder:
        code = _pytest(Path(folder), *arguments)
        failed = _failed(Path(folder))
        if code != FAILED or not 0 < len(failed) <= FEW:
            return code
        print(f"\n== Alone, what failed beside others ({len(failed)})", flush=True)
        code = _pytest(Path(folder) / "alone", "-q", *_seed(arguments), *failed)
        left = _failed(Path(folder) / "alone")
        for test in failed:
            print(f"{'FAILED AGAIN' if code not in (0, FAILED) or test in left else 'UNSTEADY'} {test}", flush=True)
        return code


def _pytest(cache: Path, *arguments: str) -> int:
    line = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    return subprocess.run(line, check=False).returncode


def _failed(cache: Path) -> list[str]:
    path = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(path.read_text())) if path.exists() else []


def _seed(arguments: Sequence[str]) -> list[str]:
    return [one for one in arguments if one.startswith("--hypothesis-seed")]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(run(sys.argv[1:]))
