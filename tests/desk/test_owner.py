"""Who makes an owner: whoever may write where the keyring lies, by the command; nobody by the main database."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.desk.people import Office
from tests.house import House
from troth import config
from troth.faces.cli.main import troth
from troth.pledge.due import loop as due
from troth.pledge.office import messages
from troth.pledge.vault.door import KeeperRefused
from troth.shop.journeys.errands import ERRANDS
from troth.shop.staff.models import Member


def invited(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    monkeypatch.setattr(config.Config, "keyring", property(lambda self: folder / "keyring.sqlite3"))
    done = CliRunner().invoke(troth, ["staff", "invite", "--owner"])
    assert done.exit_code == 0, done.output
    found = re.search(r"/desk/join/\S+", done.output)
    assert found
    return found[0]


def test_the_command_prints_a_link_that_is_good_once(
    office: Office, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(house.keeper.db.one("PRAGMA database_list")[2]).parent
    link = invited(monkeypatch, folder)
    left = folder / "first-owner"
    assert left.stat().st_mode & 0o777 == 0o600
    assert link.rpartition("/")[2] not in left.read_text()
    second = office.colleague("omar")
    second.join(link)
    assert "olga" in second.page("/desk/colleagues").text
    assert not left.exists()
    assert office.colleague("bob").joins(link).status_code == 400


def test_a_link_of_yesterday_is_over(office: Office, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(house.keeper.db.one("PRAGMA database_list")[2]).parent
    link = invited(monkeypatch, folder)
    yesterday = office.now().timestamp() - 86401
    os.utime(folder / "first-owner", (yesterday, yesterday))
    assert office.colleague("bob").joins(link).status_code == 400


def test_no_row_of_the_main_database_makes_anybody_powerful(office: Office) -> None:
    """Whatever somebody writes there, the keeper reads none of it; and no errand speaks of the roster."""
    bob = office.colleague("bob")
    Member.objects.create(person_id=bob.ref, handle="owner")
    for kind in ERRANDS:
        assert "staff" not in kind
    due.add("check", "P17")
    bob.send("/desk/sign-in", {"email": bob.email, "password": "a long walk by the river"}, 303)
    assert bob.types("000000").status_code == 403


def test_the_workers_door_changes_nothing_of_the_roster(office: Office, house: House) -> None:
    seat = office.owner.cookies["troth_desk"].value
    fresh = office.owner.cookies["troth_desk_fresh"].value
    for question in (
        messages.Invite(seat, fresh, bytes(32), ["owner"], "employee"),
        messages.Put(seat, fresh, office.owner.ref, "ended"),
        messages.Attest(seat, fresh, office.owner.ref, ["support"], "employee", int(office.now().timestamp()) + 3600),
        messages.Roster(seat),
    ):
        with pytest.raises(KeeperRefused, match="door"):
            house.worker.at_desk(question, messages.Done)
    with pytest.raises(KeeperRefused, match="door"):
        house.web.at_desk(messages.Muster(), messages.Mustered)


def test_only_an_owner_with_a_factor_of_just_now_changes_the_roster(office: Office, house: House) -> None:
    sara = office.hired("sara", "support", "officer")
    seat, fresh = (office.owner.cookies[name].value for name in ("troth_desk", "troth_desk_fresh"))
    hers, fresh_hers = (sara.cookies[name].value for name in ("troth_desk", "troth_desk_fresh"))
    for capability, shown, code in ((hers, fresh_hers, "power"), (seat, "", "fresh"), (seat, fresh_hers, "fresh")):
        with pytest.raises(KeeperRefused, match=code):
            house.web.at_desk(messages.Put(capability, shown, office.owner.ref, "suspended"), messages.Done)
    with pytest.raises(KeeperRefused, match="shape"):
        house.web.at_desk(messages.Invite(seat, fresh, bytes(32), ["god"], "employee"), messages.Done)
