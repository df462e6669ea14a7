"""The examples of docs/licences.md, run as they stand there against a served shop."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.composer.project import Project
from tests.composer.test_composer import NOTES, Bought
from tests.composer.test_composer import notes as notes
from tests.composer.test_composer import stage as stage
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/licences.md").read_text("utf-8"), re.DOTALL)


def test_the_examples_do_what_the_document_says(stage: Stage, notes: Bought, project: Project, tmp_path: Path) -> None:
    asking, filing, verifying, installing = BLOCKS
    for name in ("licence.py", "licence.php"):
        shutil.copy(ROOT / "verifiers" / name, project.folder)
    key = httpx.get(f"{stage.shop}/.well-known/licence-key.json", trust_env=False).json()["key"]
    told = {"KEY": notes.key, "SHOP": stage.shop, "HOST": urlsplit(stage.shop).netloc, "PUBLIC_KEY": key}

    def run(block: str) -> list[str]:
        environ = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
        environ |= told | project.environ() | {"PATH": path}
        done = subprocess.run(
            ["sh", "-e", "-c", block], cwd=project.folder, env=environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.replace("}{", "}\n{").splitlines()

    active, checked, gone = (json.loads(line) for line in run(asking))
    assert (active["activated"], checked["activated"], gone["activated"]) == (True, True, False)
    assert (active["active"], gone["active"], checked["packages"]) == (1, 0, [NOTES])
    run(filing)
    by_python, by_php = (json.loads(line) for line in run(verifying))
    assert by_python == by_php
    assert by_python["packages"] == [NOTES]
    project.composer("config", "secure-http", "false")  # this shop is a trial on this machine, without TLS
    run(installing)
    assert project.has(NOTES) == "1.2.0"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")
