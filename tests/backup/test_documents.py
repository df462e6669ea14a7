"""The commands of docs/operate/backup.md and keys.md, run as they stand there, on real shops."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backup.conftest import Database
from tests.backup.shops import Kept
from tests.bao import POLICY, Bao
from tests.shape.tree import ROOT
from troth.sandbox import Sandbox

pytestmark = pytest.mark.processes
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> list[str]:
    return BLOCK.findall((ROOT / "docs/operate" / name).read_text("utf-8"))


def troth_lines(name: str) -> list[str]:
    return [line for block in blocks(name) for line in block.splitlines() if line.startswith("troth ")]


def says(line: str, folder: Path, environ: dict[str, str]) -> str:
    """Run a line that begins with `troth`, in a folder."""
    command = [sys.executable, "-P", "-m", *shlex.split(line)]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def test_the_commands_about_backups_do_what_the_page_says(shop: Kept, database: Database, tmp_path: Path) -> None:
    make, now, verify, restore, serve = troth_lines("backup.md")
    work = tmp_path / "work"
    work.mkdir()
    recipient = re.search(r"age1\w+", says(make, work, shop.environ))
    assert recipient is not None
    assert (work / "owner.txt").stat().st_mode & 0o777 == 0o600
    again = shop.troth("backup", "--make-identity", str(work / "owner.txt"))
    assert "is there already" in again.stderr
    assert shop.stop() == 0

    told = {**shop.environ, "TROTH_BACKUP_RECIPIENTS": recipient[0]}
    shop.environ = told
    serving = shop.again_at(shop.home)
    said = says(now, work, told)
    main, keyring = (Path(line.split("  ")[0]) for line in said.splitlines())
    assert "they can be brought back" in says(verify, work, told)
    serving.terminate()
    serving.wait(20)

    home = tmp_path / "srv" / "shop"
    named = restore.replace("/srv/shop", str(home))
    named = re.sub(r"main-\S+", str(main), named, count=1)
    named = re.sub(r"(?<!/)\bkeyring-\S+", str(keyring), named, count=1)
    (tmp_path / "srv" / "shop.key").mkdir(parents=True)
    shutil.copy2(f"{shop.home}.key/root.key", tmp_path / "srv" / "shop.key" / "root.key")
    told = {**told, **database(), "TROTH_HOME": str(home)}
    assert serve.replace("/srv/shop", str(home)) in says(named, work, told)
    assert serve == "troth --home /srv/shop serve"


def test_the_commands_about_keys_do_what_the_page_says(tmp_path: Path, database: Database, openbao: Bao) -> None:
    where, sandbox = openbao.where(), Sandbox(mode="test")
    keys = {"URL": where.url, "TOKEN_FILE": where.token_file, "CA_FILE": where.ca_file, "NAME": where.name}
    shop = Kept(tmp_path, sandbox, **{f"TROTH_KEYS_{key}": value for key, value in keys.items()}, **database())
    try:
        for line in troth_lines("keys.md"):
            assert says(line, tmp_path, shop.environ)
        assert not Path(f"{shop.home}.key/root.key").exists()
    finally:
        shop.stop()
        sandbox.stop()


def test_the_policy_for_openbao_is_the_one_that_is_tried() -> None:
    (setup,) = [block for block in blocks("keys.md") if "bao policy write" in block]
    told = [line for line in setup.splitlines() if line.startswith("path ")]
    tried = POLICY.replace("<mount>", "transit").replace("<name>", "troth")
    assert told == [line for line in tried.splitlines() if line]
