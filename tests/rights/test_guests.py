"""Guests are people too: by a letter to the address of their order they have an account, and all that is held."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from tests.house import House
from tests.mailings.test_consent import PASSWORD, buys
from tests.rights.test_export import fetched
from troth.shop.catalogue.models import Edition


def test_a_guest_takes_along_all_that_is_held(house: House, edition: Edition) -> None:
    order = buys(house, edition)
    guest = Client()
    link = next(line for line in house.mails[-1].text.splitlines() if f"/orders/{order.ref}/key/" in line)
    guest.get(link[link.index("/orders") :])
    assert guest.get(f"/orders/{order.ref}/account").status_code == 200
    for _ in range(3):
        assert guest.post(f"/orders/{order.ref}/account").status_code == 200
    house.works()
    asked = [mail for mail in house.mails if mail.subject == "See what we hold about you"]
    assert [mail.to for mail in asked] == [["alice@b.example"]]  # one, however often it was asked for
    link = next(line for line in asked[0].text.splitlines() if "/recover/" in line)
    assert guest.post(link[link.index("/recover") :], {"password": PASSWORD}).status_code == 303
    data = fetched(guest)["data.json"].decode()
    assert "alice@b.example" in data
    assert "1 Elm Row" in data
    assert order.ref in data
    house.works(later=timedelta(hours=2))
    guest.post(f"/orders/{order.ref}/account")
    house.works()
    assert "/recover" in house.mails[-1].text  # with an account by now: the way to a new password


def test_who_cannot_see_the_order_has_nothing_sent(house: House, edition: Edition) -> None:
    order = buys(house, edition)
    before = len(house.mails)
    assert Client().post(f"/orders/{order.ref}/account").status_code == 404
    house.works()
    assert len(house.mails) == before
