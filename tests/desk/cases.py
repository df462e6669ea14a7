"""A disclosure as the people of a desk play it: a document came, it is narrowed, approved, handed over."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pyrage
from django.http import HttpResponse

from tests.desk.people import Colleague, Office
from tests.storefront.page import Page
from tests.support.asking import upload
from troth.pledge import clock
from troth.pledge.vault.classes import Words
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.disclosure.models import Case
from troth.shop.journeys import disclosure
from troth.shop.orders.models import Order

COURT = pyrage.x25519.Identity.generate()
CHECKED = ["call-back", "issuer", "jurisdiction", "narrowed"]


def day(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


def request(**other: object) -> dict[str, object]:
    """The form of the intake, filled in for a court order about one customer."""
    return {
        "basis": "a", "grounds": ["court-order"], "action": "", "name": "", "reasons": "It orders it.",
        "authority": "A court", "called": "At noon, by the number in the register.", "country": "DE",
        "recipient": str(COURT.to_public()), "persons": "1", "wanted": ["contact.name", "billing.name", "billing.city"],
        "since": day(-30), "until": day(1), "enclosed": upload("order.txt", b"We order it."), **other,
    }  # fmt: skip


def narrowed(order: Order, **other: object) -> dict[str, object]:
    return {
        "who": order.ref, "wanted": ["contact.name", "billing.city"], "since": day(-30), "until": day(1),
        "checked": CHECKED, "notice_days": "14", **other,
    }  # fmt: skip


class Desk:
    """A filer and two others, each a privacy officer or an owner; the owner of the office is the third."""

    def __init__(self, office: Office, order: Order, others: int = 1) -> None:
        self.office, self.order = office, order
        self.filer = office.hired("fiona", "officer") if others else office.owner
        self.others = [office.owner, *(office.hired(f"adam{n}", "officer") for n in range(others))] if others else []

    def case(self, **other: object) -> Case:
        self.filer.proves()
        answer = self.filer.posts("/desk/disclosures/new", request(**other))
        assert answer.status_code == 303, Page(answer.content.decode()).text
        return Case.objects.order_by("came_at").last()

    def narrows(self, case: Case, **other: object) -> HttpResponse:
        self.filer.proves()
        return self.filer.posts(f"/desk/disclosures/{case.ref}/narrow", narrowed(self.order, **other))

    def filed(self, **other: object) -> Case:
        case = self.case()
        answer = self.narrows(case, **other)
        assert answer.status_code == 303, Page(answer.content.decode()).text
        return Case.objects.get(pk=case.pk)

    def approves(self, one: Colleague, case: Case, scope: str = "") -> HttpResponse:
        one.proves()
        case = Case.objects.get(pk=case.pk)
        seen = scope or disclosure.scope_hash(case).hex()
        return one.posts(f"/desk/disclosures/{case.ref}/do", {"do": "approve", "hash": seen})

    def hands_over(self, case: Case) -> HttpResponse:
        self.filer.proves()
        return self.filer.posts(f"/desk/disclosures/{case.ref}/do", {"do": "hand-over"})

    def weeks_pass(self, days: float = 15) -> None:
        """The keeper's clock and the shop's go on; everybody signs in again."""
        self.office.later(days=days)
        clock.travel(clock._ahead + timedelta(days=days))
        for one in {self.filer, *self.others, self.office.owner}:
            one.proved = None
            assert one.signs_in().status_code == 303


def handed(case: Case) -> bool:
    return Case.objects.get(pk=case.pk).bundle is not None


def opened(case: Case) -> dict[str, object]:
    """What the recipient reads: each file of the bundle."""
    packed = pyrage.decrypt(bytes(Case.objects.get(pk=case.pk).bundle), [COURT])
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        return {name: json.loads(files.read(name)) for name in files.namelist()}


def bare() -> Case:
    """A case of which nothing is known yet."""
    person, _secret = Person.take()
    asked = {"fields": {}, "persons": 1, "since": 0, "until": 1}
    case = Case(person=person, basis="a", country="DE", recipient="", document="", asked=asked, salt=bytes(16))
    for column in ("statement", "issuer"):
        seal(case, column, Words("-"))
    case.save(force_insert=True)
    return case
