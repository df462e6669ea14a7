"""Whoever comes back finds what they bought on their account's page, the newest of each, as long as it is theirs."""

from __future__ import annotations

import re

from django.test import Client

from tests.house import House
from tests.rights.test_export import BILL, buys, member
from troth.shop.accounts.models import Account
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import Order, OrderLine

__all__ = ["member"]
LINK = re.compile(r'href="(/download/[^"]+)"')


def downloads(client: Client) -> list[str]:
    return LINK.findall(client.get("/account").content.decode())


def test_what_was_bought_twice_is_listed_once_and_can_be_fetched(
    house: House, edition: Edition, member: Client
) -> None:
    buys(house, edition, Account.objects.get().pk)
    (link,) = downloads(member)
    answer = Client().get(link)
    assert answer.status_code == 200 and b"".join(answer.streaming_content)


def test_what_was_paid_back_or_ended_is_gone(house: House, edition: Edition, member: Client) -> None:
    second = buys(house, edition, Account.objects.get().pk, BILL)
    OrderLine.objects.filter(order=second).update(ended="returned")
    assert len(downloads(member)) == 1
    Order.objects.exclude(pk=second.pk).update(state=Order.REFUNDED)
    assert downloads(member) == []


def test_nobody_sees_anothers(house: House, edition: Edition, member: Client) -> None:
    mallory = Client()
    given = {"name": "Mallory", "email": "mallory@b.example", "password": "copper kettle moon", "postcode": "B9"}
    mallory.post("/register", given)
    assert mallory.get("/account").status_code == 200 and downloads(mallory) == []
