"""Registering commits first and enrols then: the letter must be right wherever the worker is meanwhile."""

from datetime import timedelta

import pytest

from tests.house import House
from troth.pledge.vault.door import Door, KeeperAway
from troth.shop.journeys import register


def test_a_worker_quicker_than_the_enrolment_waits_for_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol = Door.enrol

    def late(door: Door, *given: str) -> object:
        house.works()
        return enrol(door, *given)

    monkeypatch.setattr(Door, "enrol", late)
    assert register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP") is not None
    assert house.mails == []
    house.works(later=timedelta(seconds=5))
    (mail,) = house.mails
    assert "/confirm/" in mail.text


def test_who_registers_while_the_keeper_is_away_is_asked_to_set_a_password(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise KeeperAway("enrol")

    monkeypatch.setattr(Door, "enrol", away)
    assert register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP") is None
    house.works(later=timedelta(minutes=1))
    (mail,) = house.mails
    assert "/recover/" in mail.text
