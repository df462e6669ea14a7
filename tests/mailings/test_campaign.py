"""Many recipients, some of whom object at random moments while it runs, and a worker that dies again and again.

The worker dies between any two of its steps: what the databases had at that moment is all that is left of it. Then
its lease runs out and another goes on. Nobody gets a copy after objecting, nobody two; who got none and did not object
is counted as unsure, at most one for each death.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.campaign import draws, rounds
from tests.house import House
from tests.mailings.conftest import Reader, composed, mail, states
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.rights.models import Consent
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.journeys import choose, mail_out, mailing
from troth.shop.mailings import consent
from troth.shop.mailings.models import Mailing

READERS, OBJECTORS, DEATHS = rounds(60, 1000), rounds(8, 100), rounds(5, 10)
STEPS = ("_opened", "_throttle", "take", "_note")


class Died(BaseException):
    """kill -9, as far as the databases can tell."""


class Storm:
    """Stands around each step of the worker: before and after it somebody may object, or the worker may die."""

    def __init__(self, house: House, readers: list[Any], name: str) -> None:
        self.house, self.random = house, draws(name)
        self.readers = list(readers)
        self.random.shuffle(self.readers)
        self.objected: dict[str, bool] = {}  # mailbox -> whether its copy was under way when it objected
        self.deaths, self.taken = 0, ""

    def around(self, step: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*given: Any, **more: Any) -> Any:
            self.strike()
            done = act(*given, **more)
            if step == "take" and done:
                self.taken = given[1].person_id
            self.strike()
            return done

        return acted

    def strike(self) -> None:
        if len(self.objected) < OBJECTORS and self.random.random() < OBJECTORS / READERS:
            self._object()
        if self.deaths < DEATHS and self.random.random() < DEATHS / READERS / 2:
            self.deaths += 1
            raise Died

    def _object(self) -> None:
        contact, email = self.readers.pop()
        got = any(one.to == [email] for one in self.house.mails)
        with self.house.as_role(self.house.web):
            answer = Client().post(choose.page_of(contact.person_id), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        self.objected[email] = got or self.taken == contact.person_id


@pytest.mark.soak
def test_nobody_after_objecting_nobody_twice_nobody_missed(
    house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    emails = [f"reader{number}@d{number % 7}.example" for number in range(READERS)]
    storm = Storm(house, [(reader(email), email) for email in emails], "mailing")
    for step in STEPS:
        monkeypatch.setattr(mail_out, step, storm.around(step, getattr(mail_out, step)))
    made = composed()
    began = time.perf_counter()
    with mail(per_domain=100_000):
        mailing.send(made)
        while Mailing.objects.get(pk=made.pk).state != Mailing.DONE:
            try:
                house.works(later=timedelta(seconds=5))
            except Died:
                clock.travel(clock._ahead + due.LEASE + timedelta(seconds=1))
    seconds = time.perf_counter() - began

    copies, ended = Counter(one.to[0] for one in house.mails), states(made)
    assert max(copies.values()) == 1
    assert len(storm.objected) == OBJECTORS
    assert {email for email in copies if storm.objected.get(email) is False} == set()
    missed = set(emails) - set(copies) - set(storm.objected)
    assert len(missed) <= ended.get("unsure", 0) <= storm.deaths == DEATHS
    table = f"mailing: {READERS} readers, {OBJECTORS} objected, {DEATHS} deaths: {ended}, {len(missed)} missed, "
    record_property("table", f"{table}{READERS / seconds:.0f} copies/s in one process with keeper and relay")


@pytest.mark.soak
def test_the_list_of_a_large_mailing_is_made_in_slices(
    house: House, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = rounds(120, 10_000)
    monkeypatch.setattr(mail_out, "ROWS", min(mail_out.ROWS, many // 3))
    for start in range(0, many, 500):
        house.stock(min(500, many - start))
    persons = list(Person.objects.filter(taken_at=None).order_by("pk")[:many])
    for person in persons:
        contact = Contact(person=person, state=Contact.CURRENT)
        seal(contact, "contact", ContactData("Reader", "reader@b.example"))
        contact.save(force_insert=True)
    Person.objects.filter(pk__in=Contact.objects.values("person")).update(taken_at=clock.now())
    consent.say([person.pk for person in persons], Consent.GIVEN, "account")
    Consent.objects.update(carried_at=clock.now())
    made = composed()
    Mailing.objects.filter(pk=made.pk).update(state=Mailing.SCHEDULED)
    began, slices, whole = time.perf_counter(), 0, False
    while not whole:
        made.refresh_from_db()
        whole, slices = mail_out._build(made), slices + 1
    seconds = time.perf_counter() - began
    assert made.recipients.count() == many
    assert slices >= 3
    record_property("table", f"mailing: a list of {many} made in {slices} slices, {seconds:.2f} s")
