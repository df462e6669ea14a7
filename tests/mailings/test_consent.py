"""What was said decides who is written to: from the moment it was said, for good, and for whoever has the mailbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, KEY, basket, come_back, pay
from tests.mailings.conftest import Reader, composed, policy, states
from troth.pledge.rights.models import Consent, Wording
from troth.shop.accounts.models import Account
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, choose, erase, mailing, register
from troth.shop.mailings import consent
from troth.shop.mailings.models import Mailing, Recipient
from troth.shop.orders.models import Basket, Order

PASSWORD = "a long and odd password"


def buys(house: House, edition: Edition, *, ticked: bool | None = False, email: str = "alice@b.example") -> Order:
    Basket.objects.all().delete()
    basket(edition)
    begun = buy.begin(KEY, buy.Newcomer("Alice", email), ADDRESS, "paypal", mailings=ticked)
    order = Order.objects.get(pk=begun.order_ref)
    come_back(order, pay(house, order))
    house.works()
    return order


def followed(house: House, order: Order) -> None:
    """The buyer opens their order by the link in the letter."""
    link = next(line for line in house.mails[-1].text.splitlines() if f"/orders/{order.ref}/key/" in line)
    assert Client().get(link[link.index("/orders") :]).status_code == 303
    house.works()


def sent(house: House) -> Mailing:
    made = composed()
    mailing.send(made)
    house.works(later=timedelta(minutes=1))
    made.refresh_from_db()
    assert made.state == Mailing.DONE
    return made


def test_a_buyer_who_was_told_and_did_not_object_gets_news_once_the_mailbox_is_known_to_be_theirs(
    house: House, edition: Edition
) -> None:
    order = buys(house, edition)
    assert states(sent(house)) == {}
    followed(house, order)
    assert states(sent(house)) == {"sent": 1}
    assert house.mails[-1].to == ["alice@b.example"]


@pytest.mark.parametrize("header", ["HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ", ""])
def test_a_program_that_looks_ahead_proves_no_mailbox(house: House, edition: Edition, header: str) -> None:
    order = buys(house, edition)
    link = next(line for line in house.mails[-1].text.splitlines() if f"/orders/{order.ref}/key/" in line)
    ask, told = (Client().get, {header: "prefetch;prerender"}) if header else (Client().head, {})
    assert ask(link[link.index("/orders") :], **told).status_code == 303
    house.works()
    assert order.contact.followed_at is None
    assert states(sent(house)) == {}


@pytest.mark.parametrize("ticked", [True, None])
def test_one_who_objected_at_the_checkout_or_was_not_asked_gets_none(
    house: House, edition: Edition, ticked: bool | None
) -> None:
    followed(house, buys(house, edition, ticked=ticked))
    assert states(sent(house)) == {}


def test_under_consent_only_a_tick_counts(house: House, edition: Edition) -> None:
    with policy(marketing_basis="consent"):
        followed(house, buys(house, edition))
        assert states(sent(house)) == {}
        followed(house, buys(house, edition, ticked=True, email="bob@b.example"))
        assert states(sent(house)) == {"sent": 1}


def test_who_registers_is_asked_and_written_to_after_confirming(house: House) -> None:
    register.register("Alice", "alice@b.example", PASSWORD, "LS1", True)
    house.works()
    assert states(sent(house)) == {}
    link = next(line for line in house.mails[0].text.splitlines() if "/confirm/" in line)
    Client().post(link[link.index("/confirm") :])
    house.works()
    assert states(sent(house)) == {"sent": 1}


def test_the_words_that_were_shown_are_kept_once(house: House, edition: Edition) -> None:
    for email in ("alice@b.example", "bob@b.example"):
        buys(house, edition, email=email)
    said = Consent.objects.values_list("what", "place", "basis", "wording__text").distinct()
    assert list(said) == [("told", "checkout", "similar-products", str(consent.NO))]
    assert Wording.objects.count() == 1


def test_who_orders_again_is_not_told_again_and_no_tick_of_an_older_form_ends_an_objection(
    house: House, edition: Edition
) -> None:
    first = buys(house, edition)

    def again(ticked: bool) -> list[str]:
        Basket.objects.all().delete()
        basket(edition)
        buy.begin(KEY, buy.Known(first.person_id), first.billing_id, "paypal", mailings=ticked)
        return list(Consent.objects.filter(person=first.person_id).order_by("pk").values_list("what", flat=True))

    assert again(False) == ["told"]
    assert again(True) == ["told", "objected"]
    assert again(False) == ["told", "objected"]
    with policy(marketing_basis="consent"):
        assert again(True) == ["told", "objected"]


def test_one_click_stops_the_very_next_letter_and_a_look_at_the_page_does_not(house: House, reader: Reader) -> None:
    reader("alice@b.example")
    sent(house)
    headers = dict(house.mails[-1].headers)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = headers["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
    assert Client().get(path).status_code == 200
    assert states(sent(house)) == {"sent": 1}
    posted = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    assert (posted.status_code, posted.cookies) == (200, {})
    assert states(sent(house)) == {}
    assert len(house.mails) == 2


def test_an_address_of_nobodys_making_stops_nothing(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    path = choose.page_of(alice.person_id)
    assert Client().post(path[:-1] + ("0" if path[-1] != "0" else "1"), {"stop": "yes"}).status_code == 404
    assert states(sent(house)) == {"sent": 1}


def test_an_objection_while_it_runs_counts_whatever_the_rows_say(house: House, reader: Reader) -> None:
    """The rows are made, then somebody objects, and then the worker comes by: row, consent and keeper all say no."""
    alice, bob = reader("alice@b.example"), reader("bob@b.example")
    made = composed()
    mailing.send(made)
    Recipient.objects.create(mailing=made, person=alice.person)
    choose.news(alice.person_id, False, "one-click")
    house.works()
    assert states(made) == {"refused": 1, "sent": 1}
    assert [mail.to for mail in house.mails] == [["bob@b.example"]]
    assert consent.standing(bob.person_id).may


def test_the_keeper_refuses_even_where_the_main_database_forgot_the_objection(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    choose.news(alice.person_id, False, "account")
    house.works()
    Consent.objects.filter(what=Consent.OBJECTED).delete()
    assert states(sent(house)) == {"refused": 1}
    assert house.mails == []


def test_two_persons_with_one_mailbox_get_one_letter_and_one_objection_counts_for_both(
    house: House, reader: Reader
) -> None:
    alice, _again = reader("alice@b.example"), reader("Alice@b.example")
    assert states(sent(house)) == {"sent": 1, "refused": 1}
    choose.news(alice.person_id, False, "letter")
    house.works()
    assert states(sent(house)) == {"refused": 1}
    assert len(house.mails) == 1
    assert not Recipient.objects.exclude(mailbox="").exists()  # nothing is kept of it


def test_an_objection_outlives_its_person_and_is_shown_to_who_comes_back(house: House, edition: Edition) -> None:
    order = buys(house, edition)
    followed(house, order)
    choose.news(order.person_id, False, "letter")
    house.works()
    with policy(erase_window=0):
        erase.by_owner(order.person_id)
        house.works(later=timedelta(minutes=1))
    assert not Consent.objects.filter(person=order.person_id).exists()
    register.register("Alice", "alice@b.example", PASSWORD, "LS1", False)
    house.works()
    person = Account.objects.get().pk
    followed(house, (again := buys(house, edition)))
    assert consent.standing(again.person_id).place == "earlier"
    assert states(sent(house)) == {}
    page = Client().get(choose.page_of(again.person_id))
    assert b"asked us earlier" in page.content
    choose.news(again.person_id, True, "letter")  # they allow it themselves
    house.works()
    assert states(sent(house)) == {"sent": 1}
    assert consent.standing(person).what == ""


def test_the_account_shows_and_changes_it(house: House, edition: Edition) -> None:
    client = Client()
    client.post(
        "/register",
        {"name": "Alice", "email": "alice@b.example", "password": PASSWORD, "postcode": "LS1", "mailings": "on"},
    )
    person = Account.objects.get().pk
    assert b'name="news" value="yes" checked' in client.get("/account/mails").content
    client.post("/account/mails", {"releases": "yes"})
    assert consent.standing(person).what == Consent.OBJECTED
    assert consent.standing(person, Consent.RELEASES).what == ""
    client.post("/account/mails", {"stop": "yes", "releases": "yes"})
    assert consent.standing(person, Consent.RELEASES).what == Consent.OBJECTED
