"""Makes first-release.tar.xz: a small shop as the first release of Troth (FIRST) left it, stopped.

    python -m tests.operate.make_first_release

The first release's own code sells to two guests and registers a customer; what they typed lies in told.json, so that
the test of upgrades can look for it. Needs this repository's history, and libraries that suit the first release.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.shape.tree import ROOT

FIRST = "150e62e"
FIXTURE = Path(__file__).with_name("first-release.tar.xz")
SELL = """
import json, re, subprocess, sys, time
from pathlib import Path
import httpx
from troth.faces.cli.demo import stage as stages
from troth.faces.cli.demo.buyer import Buyer
from troth.pledge.policy.visitor import Visitor

folder = Path(sys.argv[1])
stages._toml = (lambda plain: lambda sections: plain({**sections, "keeper": {"blanks": 24}}))(stages._toml)
told = []
with stages.Stage(folder, stages.free_port(None, usual=0)) as stage:
    for provider in ("paypal", "skrill"):
        buyer = Buyer(stage.shop, stage.mailbox, stage.control, stage.goods / "SHA256SUMS", provider)
        for evidence in buyer.buy("order-notes"):
            print(evidence.step, evidence.shown)
        told.append({"order": buyer.ref, "typed": buyer.typed, "email": buyer.email})
    page = Visitor(stage.shop).submit("/register", {
        "name": "Grace Fernhill", "email": "grace@buyer.example", "new-password": "a long and plain sentence",
        "postal-code": "10999",
    }, form="register")
    assert page.status < 400, page.text
    deadline = time.monotonic() + 60
    while "grace@buyer.example" not in httpx.get(stage.mailbox.rstrip("/") + ".json", trust_env=False).text:
        assert time.monotonic() < deadline, "no letter to who registered"
        time.sleep(0.2)
(folder / "told.json").write_text(json.dumps(told, indent=1))
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="troth-first-") as name:
        folder = Path(name)
        code = folder / "code"
        code.mkdir()
        packed = subprocess.run(["git", "archive", FIRST], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x", "-C", code], input=packed, check=True)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
        environ |= {"PYTHONPATH": str(code / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        line = [sys.executable, "-P", "-c", SELL, folder / "made"]
        subprocess.run(line, cwd=code, env=environ, check=True)
        pack(folder / "made")
    print(FIXTURE, FIXTURE.stat().st_size)
    return 0


def pack(made: Path) -> None:
    """shop/, shop.key/ and told.json; without goods but those sold, and without what only runs."""
    home = made / "shop"
    for name in ("run", "media"):
        shutil.rmtree(home / name, ignore_errors=True)
    for path in (home / "files").rglob("*.zip"):
        if "order-notes" not in path.name:
            path.unlink()
    for path in home.rglob("*.sqlite3"):
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = WAL")  # as the shop has it; closing writes the journal back
        db.close()
    with tarfile.open(FIXTURE, "w:xz") as tar:
        for name in ("shop", "shop.key", "told.json"):
            tar.add(made / name, name, filter=_plain)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    sys.exit(main())
