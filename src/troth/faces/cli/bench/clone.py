"""From a fresh clone to the first page, without the time that downloads take: packages are fetched beforehand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from troth.faces.cli.bench.load import answers
from troth.faces.cli.bench.shop import FIRST_PAGE
from troth.faces.cli.demo.stage import STOP_WITHIN, free_port

ROOT = Path(__file__).resolve().parents[5]
PATIENCE = 300.0  # seconds


def first_page(folder: Path) -> float:
    """Seconds for `git clone`, `make run`, and `troth demo` until its first page. Uses the network before that."""
    tree, wheels, port = folder / "clone", folder / "wheels", free_port(None, usual=0)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    _run([*pip, "download", "--require-hashes", "-r", str(ROOT / "requirements.txt"), "-d", str(wheels)], ROOT)
    began = time.monotonic()
    _run(["git", "clone", "-q", str(ROOT), str(tree)], folder)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PYTHON": sys.executable}
    _run(["make", "-s", "run"], tree, **offline)
    line = [str(tree / ".venv" / "bin" / "troth"), "demo", "--port", str(port)]
    quiet = subprocess.DEVNULL
    demo = subprocess.Popen(line, cwd=tree, env=_environment(), stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603
    try:
        while not answers(port, FIRST_PAGE):
            if demo.poll() is not None or time.monotonic() - began > PATIENCE:
                raise click.ClickException("The demo of the fresh clone did not start.")
            time.sleep(0.05)
        return time.monotonic() - began
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(2 * STOP_WITHIN)


def _run(line: Sequence[str], where: Path, **environ: str) -> None:
    done = subprocess.run(line, cwd=where, env=_environment() | environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise click.ClickException(f"{' '.join(line[:3])} failed: {done.stderr.strip()[-300:]}")


def _environment() -> dict[str, str]:
    """Ours without what would lead to another shop or another Python's packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "PYTHON", "VIRTUAL_"))}
