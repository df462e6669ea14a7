"""Registering commits first and enrols then: the letter must be right wherever the worker is meanwhile."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.house import House
from troth.pledge.vault.door import Door, KeeperAway
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Account
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


def test_no_keys_in_stock_is_said_and_nothing_is_written(house: House, client: Client) -> None:
    Person.objects.all().delete()
    typed = {"name": "Alice", "email": "alice@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}
    answer = client.post("/register", typed)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert not Account.objects.exists()
