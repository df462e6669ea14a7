"""The table of what opens: tried over the sockets of a keeper's process, as the policy says, as the page says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.strongroom import opens
from tests.strongroom.process import KeeperProcess
from tests.strongroom.trying import Trial
from troth.pledge.keeper import policy
from troth.pledge.keeper.keyring import connect
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.kms.file import FileKey

pytestmark = pytest.mark.processes


def signing_key(keeper: KeeperProcess) -> bytes:
    """The key of capabilities, read before the keeper starts: so that some can be made that it never gave."""
    folder = keeper.home / "keeper"
    folder.mkdir(mode=0o700, exist_ok=True)
    db = connect(folder / "keyring.sqlite3")
    with db.batch():
        key = OwnKeys(db, FileKey(Path(f"{keeper.home}.key/root.key"))).capability
    db.close()
    return key


def test_what_opens_is_what_the_policy_says_and_the_page_shows(tmp_path: Path) -> None:
    keeper = KeeperProcess(tmp_path / "shop")
    key = signing_key(keeper)
    with keeper:
        trial = Trial(keeper, key, datetime.now(UTC))
        found = trial.table()
    said = opens.by_policy()
    assert found.keys() == said.keys()
    assert {case: found[case] for case in found if found[case] != said[case]} == {}
    assert trial.refusals == {"capability", "purpose", "gone", "restricted"}
    assert opens.PAGE.read_text("utf-8") == opens.page(found)


def test_by_no_door_and_no_capability_opens_what_law_and_tax_keep() -> None:
    """Stated here once more in words, so that the policy's own data cannot say otherwise unseen."""
    opened = set().union(*opens.by_policy().values())
    assert opened == {
        ("contact", "account"), ("locality", "account"), ("contact", "deliver"), ("contact", "notice"),
        ("billing", "bill"), ("contact", "marketing"), ("correspondence", "account"), ("correspondence", "notice"),
        ("network", "fraud"),
    }  # fmt: skip
    assert {purpose for _, purpose in policy.OPENS} - {purpose for _, purpose in opened} == {
        "support", "legal", "tax",
    }  # fmt: skip


def test_a_wider_policy_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    before = opens.page(opens.by_policy())
    monkeypatch.setitem(policy.OPENS, ("billing", "deliver"), "standing")
    assert opens.page(opens.by_policy()) != before
