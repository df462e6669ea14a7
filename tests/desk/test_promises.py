"""P17 looks at the roster that there is: who has power, who looked it through, and what the keeper rehearses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.people import Office
from tests.desk.test_jobs import pays
from tests.house import House
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.office import messages, policy
from troth.pledge.rights.models import Erasure
from troth.shop.clauses.p17_only_who_needs_it import the_keeper_opens_for_a_job_alone
from troth.shop.orders.models import Order


def found(house: House) -> list[str]:
    with house.as_worker():
        return [f"{one.state}: {one.sentence}" for one in the_keeper_opens_for_a_job_alone(house.probe())]


def test_the_roster_is_told_in_numbers(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    sara.takes(order.ref)
    said = found(house)
    assert not [line for line in said if line.startswith("broken")]
    assert "accounts with power: 2; open jobs: 1, of which break-glass: 0" in said[-1]


def test_a_roster_that_nobody_looks_through_breaks_the_promise(office: Office, house: House) -> None:
    sara = office.hired("sara", "support", days=300)
    clock.travel(timedelta(days=91))
    assert any("has not looked through the colleagues" in line for line in found(house))
    office.later(days=91)
    assert office.owner.signs_in().status_code == 303
    for one in (sara, office.owner):
        assert office.put(one, "reviewed").status_code == 303
    assert not any(line.startswith("broken") for line in found(house))


def test_nobody_is_attested_without_a_second_factor(office: Office) -> None:
    sara = office.colleague("sara")
    assert sara.joins(office.invited("support")).status_code == 200
    assert "second factor" in office.attest(sara, "support").content.decode()
    assert "joined" in office.owner.page("/desk/colleagues").text


def test_power_without_attestation_would_be_told(office: Office, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sara = office.colleague("sara")
    sara.join(office.invited("support"))
    monkeypatch.setattr(policy, "power", lambda roles, kind, state, until, now: tuple(roles.split()))
    assert any("1 accounts have power without attestation" in line for line in found(house))


def test_a_rehearsal_leaves_nothing_behind(office: Office, house: House) -> None:
    db = house.keeper.db
    before = [db.value(f"SELECT count(*) FROM {table}") for table in ("person", "staff", "job", "leaf", "spent")]
    told = house.worker.at_desk(messages.Muster(), messages.Mustered)
    assert (told.opened, told.shut, told.working) == ([], [], 1)
    after = [db.value(f"SELECT count(*) FROM {table}") for table in ("person", "staff", "job", "leaf", "spent")]
    assert after == before


def test_who_works_here_is_not_forgotten_as_an_idle_customer(office: Office, house: House) -> None:
    bob = office.colleague("bob")
    due.add("leftovers", "shop", every=3600)
    house.works(later=timedelta(days=40))
    assert list(Erasure.objects.values_list("person", flat=True)) == [bob.ref]
    assert office.owner.page("/desk/colleagues").text.count("olga") >= 1


def test_a_job_makes_a_look_at_the_promise_due_and_the_worker_has_it(
    office: Office, order: Order, house: House
) -> None:
    pays(house, order)
    sara = office.hired("sara", "support")
    sara.proves()
    assert sara.posts("/desk/break-glass", {"order": order.ref, "sure": "on"}).status_code == 303
    house.to_check.clear()
    house.works()
    assert house.to_check == ["P17"]
    assert not Due.objects.filter(kind="check").exclude(last_code="").exists()
    assert not [line for line in found(house) if line.startswith("broken")]
