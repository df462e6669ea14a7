"""Correcting one's own data: what is shown, mailed and handed out afterwards is what its owner said."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.house import House
from tests.mailings.test_consent import PASSWORD
from troth.shop.accounts.models import Account, Contact, Locality
from troth.shop.journeys import erase, own_data


@pytest.fixture
def alice(house: House) -> Client:
    client = Client()
    client.post("/register", {"name": "Alice", "email": "alice@b.example", "password": PASSWORD, "postcode": "LS1"})
    house.works()
    return client


def shown(client: Client) -> own_data.Mine:
    return own_data.show(Account.objects.get().pk, client.cookies["troth_cap"].value)


def test_name_and_postcode_are_corrected_and_the_former_row_is_an_old_one(house: House, alice: Client) -> None:
    page = alice.get("/account/details").content.decode()
    assert 'value="Alice"' in page
    assert 'value="LS1"' in page
    assert alice.post("/account/details", {"name": "Alice Ölund", "postcode": "SW1A 1AA"}).status_code == 303
    assert (shown(alice).name, shown(alice).email, shown(alice).postcode) == (
        "Alice Ölund", "alice@b.example", "SW1A 1AA",
    )  # fmt: skip
    assert sorted(Contact.objects.values_list("state", flat=True)) == ["current", "old"]
    alice.post("/recover", {"email": "alice@b.example"})
    house.works()
    assert "Alice Ölund" in house.mails[-1].text


def test_without_a_postcode_none_is_kept(house: House, alice: Client) -> None:
    alice.post("/account/details", {"name": "Alice", "postcode": ""})
    assert not Locality.objects.exists()
    assert shown(alice).postcode == ""
    assert Contact.objects.count() == 1  # the same name makes no new row


@pytest.mark.parametrize(("name", "postcode"), [("", "LS1"), ("<b>", "LS1"), ("Alice", "?" * 9)])
def test_bad_input_is_told_and_changes_nothing(house: House, alice: Client, name: str, postcode: str) -> None:
    assert alice.post("/account/details", {"name": name, "postcode": postcode}).status_code == 400
    assert shown(alice).name == "Alice"


def test_nobody_corrects_without_the_capability_or_while_they_are_forgotten(house: House, alice: Client) -> None:
    assert Client().post("/account/details", {"name": "Eve", "postcode": ""}).status_code == 303
    capability = alice.cookies["troth_cap"].value
    alice.cookies["troth_cap"] = "invented"
    assert alice.post("/account/details", {"name": "Eve", "postcode": ""}).status_code == 409
    alice.cookies["troth_cap"] = capability
    assert shown(alice).name == "Alice"
    erase.by_owner(Account.objects.get().pk)
    alice.post("/account/details", {"name": "Eve", "postcode": ""})
    assert Contact.objects.count() == 1
