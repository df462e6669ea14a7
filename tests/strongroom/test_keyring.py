"""The keyring's file by itself, and with a root key that is another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strongroom.process import KeeperProcess
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms import RootKeyError, file

pytestmark = pytest.mark.processes


def test_without_the_root_key_it_tells_nothing_of_anybody(tmp_path: Path) -> None:
    with KeeperProcess(tmp_path / "shop") as keeper:
        people = [keeper.newcomer("heron and lantern") for _ in range(3)]
        for one in people:
            opened = keeper.ask("worker", messages.Open([one.record("contact")], "deliver", "ord_" + "a" * 26))
            assert isinstance(opened, messages.Opened)
            keeper.ask("web", messages.Consent("marketing", True, one.capability))
    files = b"".join(path.read_bytes() for path in (keeper.home / "keeper").iterdir())
    told = ["b.example", "heron and lantern", "Alice", "ord_aaaa", "deliver", "marketing-", "grant"]
    told += [text for one in people for text in (one.mailbox, one.capability[:40])]
    assert len(files) > 10_000
    assert [text for text in told if text.encode() in files] == []

    root = Path(f"{keeper.home}.key/root.key")
    root.unlink()
    file.create(root)
    db = connect(keeper.home / "keeper" / "keyring.sqlite3")
    with pytest.raises(RootKeyError, match="does not fit"):
        Keeper(db, file.FileKey(root))
    db.close()
