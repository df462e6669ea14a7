"""Correcting one's own data: what is shown, mailed and handed out afterwards is what its owner said."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.house import SITE, House
from tests.mailings.test_consent import PASSWORD
from troth.shop.accounts.models import Account, Contact, Locality
from troth.shop.journeys import correct, erase, own_data


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


def test_a_name_that_is_corrected_is_not_lost_when_a_new_mailbox_is_proved(house: House, alice: Client) -> None:
    alice.post("/account/email", {"email": "alice@c.example", "password": PASSWORD})
    house.works()
    (path,) = re.findall(rf"{SITE}(/confirm/\S+)", house.mails[-1].text)
    answer = alice.post("/account/details", {"name": "Alice Ölund", "postcode": "SW1A 1AA"})
    assert answer.status_code == 409
    assert "Your new e-mail address waits for you" in answer.content.decode()
    assert alice.post("/account/details", {"name": "Alice", "postcode": "SW1A 1AA"}).status_code == 303
    assert Client().post(path).status_code == 200
    alice.post("/sign-in", {"email": "alice@c.example", "password": PASSWORD})
    assert alice.post("/account/details", {"name": "Alice Ölund", "postcode": "LS1"}).status_code == 303
    assert (shown(alice).name, shown(alice).email) == ("Alice Ölund", "alice@c.example")


def test_an_address_is_not_changed_beside_a_correction(house: House, alice: Client) -> None:
    """The name is corrected while the keeper looks at the password for another mailbox."""
    person, capability = Account.objects.get().pk, alice.cookies["troth_cap"].value
    ask = house.web.change_mailbox

    def meanwhile(*given: str) -> str:
        correct.correct(person, capability, "Alice Ölund", "LS1")
        return ask(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(house.web, "change_mailbox", meanwhile)
        answer = alice.post("/account/email", {"email": "alice@c.example", "password": PASSWORD})
    assert "Something else changed your data just now" in answer.content.decode()
    assert sorted(Contact.objects.values_list("state", flat=True)) == ["current", "old"]


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
