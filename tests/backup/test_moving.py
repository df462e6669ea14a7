"""The root key moves between a file and OpenBao while the shop runs, whoever dies on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backup.conftest import Database
from tests.backup.shops import Buyer, Kept
from tests.bao import Bao
from tests.marker.customer import stem
from tests.processes.running import alive, kill, until
from troth.pledge import kms
from troth.pledge.kms import RootKeyError, Where
from troth.sandbox import Sandbox

pytestmark = pytest.mark.processes


def told(where: Where) -> dict[str, str]:
    """The settings that name a key in OpenBao; the shop still begins with its file."""
    names = {"url": where.url, "token_file": where.token_file, "ca_file": where.ca_file, "name": where.name}
    return {f"TROTH_KEYS_{key.upper()}": value for key, value in names.items()}


def test_the_root_key_moves_while_the_shop_runs_and_back(tmp_path: Path, database: Database, openbao: Bao) -> None:
    where, sandbox = openbao.where(), Sandbox(mode="test")
    shop = Kept(tmp_path, sandbox, **told(where), **database())
    root = Path(f"{shop.home}.key/root.key")
    try:
        with Buyer(shop, stem()) as alice:
            alice.registers()
            _, before = shop.backs_up()
            assert alice.sees_themselves()
            moving = shop.begins("keys", "move", "--to", "openbao")
            kill(shop.pid("keeper"))
            assert moving.wait(60) == 0
            assert not root.exists()
            until(alice.sees_themselves)
            kill(shop.pid("keeper"))  # it starts by what the keyring says, though the settings still say "file"
            until(alice.sees_themselves)
            until(lambda: len(shop.copies("keyring")) == 2, 60)  # older copies need the former root key: one is made
            until(lambda: not list(root.parent.glob("root-epoch-*")), 60)  # the epochs' keys followed
            for sidecar in before.parent.glob("epoch-*.age"):
                sidecar.unlink()
            verified = shop.troth("backup", "--verify", "--identity", str(shop.owner.file))
            assert verified.returncode == 0, verified.stdout + verified.stderr

            assert shop.troth("keys", "move", "--to", "file").returncode == 0
            until(alice.sees_themselves)
            assert root.stat().st_mode & 0o777 == 0o600
            with pytest.raises(RootKeyError, match="has no key"):
                kms.find(where)
            assert "lies there already" in shop.troth("keys", "move", "--to", "file").stdout
    finally:
        assert shop.stop() == 0
        sandbox.stop()


def test_a_keeper_without_its_key_service_does_not_start_and_opens_nothing(
    tmp_path: Path, database: Database, openbao: Bao
) -> None:
    where, sandbox = openbao.where(), Sandbox(mode="test")
    shop = Kept(tmp_path, sandbox, **told(where), **database())
    try:
        with Buyer(shop, stem()) as alice:
            alice.registers()
            assert shop.troth("keys", "move", "--to", "openbao").returncode == 0
            token = Path(where.token_file).read_text()
            Path(where.token_file).write_text("nothing")
            until(alice.sees_themselves)  # what it holds in memory serves on
            kill(shop.pid("keeper"))
            until(lambda: "keeper: OpenBao refuses the token" in shop.log.read_text())
            assert not alice.sees_themselves()
            assert alice.browser.get("/").status == 200
            Path(where.token_file).write_text(token)
            until(alice.sees_themselves, 60)
    finally:
        shop.stop()
        sandbox.stop()
    assert not alive(shop.process.pid)
