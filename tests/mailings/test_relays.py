"""Relays that refuse, dawdle, break off and are strangers: the right state each time, nothing lost, no flood."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.mailings.conftest import Reader, composed, mail, states
from tests.mailings.relay import nobody_listens, relay
from troth.shop.delivery.models import Letter
from troth.shop.journeys import mailing
from troth.shop.mailings.models import Mailing

# what the relay does -> a mailing's copy after the first try, its code; and when the relay has come to its senses
COPIES = {
    "hello-421": ("waiting", "smtp-421", "sent"),
    "mute": ("waiting", "smtp", "sent"),
    "rcpt-450": ("waiting", "smtp-450", "sent"),
    "rcpt-451": ("waiting", "smtp-451", "sent"),
    "rcpt-452": ("waiting", "smtp-452", "sent"),
    "rcpt-550": ("failed", "smtp-550", "failed"),
    "text-451": ("waiting", "smtp-451", "sent"),
    "text-452": ("waiting", "smtp-452", "sent"),
    "text-554": ("failed", "smtp-554", "failed"),
    "drop": ("unsure", "smtp", "unsure"),
    "slow": ("sent", "", "sent"),
}


def at(port: int, scheme: str = "smtp"):
    return mail(url=f"{scheme}://127.0.0.1:{port}", timeout=2)


@pytest.mark.parametrize("how", COPIES)
def test_a_mailings_copy(house: House, reader: Reader, how: str) -> None:
    reader("alice@b.example")
    made, (first, code, last) = composed(), COPIES[how]
    with relay(how) as server, at(server.port):
        mailing.send(made)
        house.works()
        assert states(made) == {first: 1}
        assert made.recipients.get().last_code == code
        assert server.connections == 1  # no second try at once
        house.works(later=timedelta(minutes=6))
        house.works(later=timedelta(minutes=30))
        assert states(made) == {last: 1}
        assert server.taken == (["alice@b.example"] if last == "sent" else [])
    made.refresh_from_db()
    assert made.state == Mailing.DONE


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_relay_that_nobody_vouches_for_gets_no_letter(house: House, reader: Reader, scheme: str) -> None:
    reader("alice@b.example")
    made, how = composed(), "tls" if scheme == "smtps" else "strangers"
    with relay(how, how, how) as server, at(server.port, scheme):
        mailing.send(made)
        house.works()
        assert states(made) == {"waiting": 1}
        assert server.taken == []


def test_nobody_listens_and_the_whole_mailing_waits_instead_of_trying_each(house: House, reader: Reader) -> None:
    for number in range(5):
        reader(f"r{number}@b.example")
    made = composed()
    with at(nobody_listens()):
        mailing.send(made)
        house.works()
        assert states(made) == {"waiting": 5}
        assert made.recipients.exclude(last_code="").count() == 1  # one was tried
    house.works(later=timedelta(minutes=6))
    assert states(made) == {"sent": 5}


def test_a_greylisted_copy_holds_nobody_else_up(house: House, reader: Reader) -> None:
    reader("a@b.example")
    reader("c@d.example")
    made = composed()
    with relay("rcpt-451") as server, at(server.port):
        mailing.send(made)
        house.works()
        assert states(made) == {"waiting": 1, "sent": 1}
        house.works(later=timedelta(minutes=6))
        assert sorted(server.taken) == ["a@b.example", "c@d.example"]


def test_a_copy_that_is_never_taken_is_given_up_after_a_few_tries(house: House, reader: Reader) -> None:
    reader("a@b.example")
    made = composed()
    with relay(*["rcpt-450"] * 20) as server, at(server.port):
        mailing.send(made)
        for _ in range(12):
            house.works(later=timedelta(hours=20))
        assert states(made) == {"failed": 1}
        assert server.connections == 8


LETTERS = {"hello-421": "queued", "rcpt-451": "queued", "rcpt-452": "queued", "rcpt-550": "failed",
           "text-451": "queued", "text-452": "queued", "text-554": "failed", "mute": "queued", "drop": "queued",
           "slow": "sent"}  # fmt: skip


@pytest.mark.parametrize("how", LETTERS)
def test_a_letter_of_service(house: House, how: str) -> None:
    """What people wait for is tried until it is there; with one Message-ID, whatever became of the first try."""
    with relay(how) as server, at(server.port):
        Client().post(
            "/register", {"name": "A", "email": "alice@b.example", "password": "a long odd one", "postcode": "B1"}
        )
        house.works()
        assert Letter.objects.get(kind="confirm").state == LETTERS[how]
        assert server.connections == 1
        for minutes in (1, 5, 30):
            house.works(later=timedelta(minutes=minutes))
        assert server.taken == ([] if how in ("rcpt-550", "text-554") else ["alice@b.example"])
    assert settings.TROTH.mail.timeout >= 2


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_letter_of_service_waits_for_a_relay_that_somebody_vouches_for(house: House, scheme: str) -> None:
    how = "tls" if scheme == "smtps" else "strangers"
    with relay(*[how] * 9) as server, at(server.port, scheme):
        Client().post(
            "/register", {"name": "A", "email": "alice@b.example", "password": "a long odd one", "postcode": "B1"}
        )
        house.works()
        assert Letter.objects.get(kind="confirm").state == Letter.QUEUED
        assert (server.taken, server.connections) == ([], 1)
    house.works(later=timedelta(minutes=5))
    assert [one.to for one in house.mails] == [["alice@b.example"]]
