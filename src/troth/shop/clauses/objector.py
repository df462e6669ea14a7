"""The objector: an invented customer who allows mailings and objects by one click, and another with their mailbox.

Test mode only. Whether the keeper opens them "for marketing" is asked at every step: what no program can open, none
can write to. Both are forgotten afterwards; the mailbox is the same each time, so that the keyring keeps one hash.
"""

from __future__ import annotations

import msgspec
from django.db import transaction

from troth.pledge import clock
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Stuck
from troth.pledge.rights.models import Consent, Erasure
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.journeys import choose, erase
from troth.shop.mailings import consent

MAILBOX, UNPROVED = "objector@marker.invalid", "nobody-followed@marker.invalid"
JOB = "check-mailing"


class Heard(msgspec.Struct):
    """What the keeper opened for marketing, and when it should not have."""

    before_a_word: bool
    allowed: bool
    looked_at: bool  # after a mere look at the link's page
    objected: bool
    twin: bool
    click: int  # the status of the one click
    unproved: bool  # of who ticked the box, and never followed a link to their mailbox


def play(probe: Probe) -> Heard | None:
    """None in a live shop, which gets no invented customers."""
    if probe.config.live:
        return None
    first, twin, unproved = somebody(), somebody(), somebody(proved=False)
    visitor = probe.site.newcomer()
    try:
        before = _opens(first)
        choose.news(first.person_id, True, "account")
        _carried(first)
        allowed = _opens(first)
        path = choose.page_of(first.person_id)
        visitor.get(path)
        _carried(first)
        looked_at = _opens(first)
        click = visitor.post(path, {"List-Unsubscribe": "One-Click"}).status
        _carried(first)
        with transaction.atomic():
            consent.say([twin.person_id], Consent.TOLD, "checkout", words=consent.NO)
        _allow_by_habit(twin)
        choose.news(unproved.person_id, True, "register")
        choose.carry(unproved.person_id)
        return Heard(before, allowed, looked_at, _opens(first), _opens(twin), click, _opens(unproved))
    finally:
        visitor.close()
        for one in (first, twin, unproved):
            erase.at_once(one.person_id, Erasure.UNCONFIRMED)


def somebody(*, proved: bool = True) -> Contact:
    """Somebody new with the objector's mailbox, who came by a link in a letter; else with one that nobody objected for,
    and that nobody came from."""
    with transaction.atomic():
        person, _secret = Person.take()
        contact = Contact(person=person, state=Contact.CURRENT, followed_at=clock.now() if proved else None)
        seal(contact, "contact", ContactData("Objector", MAILBOX if proved else UNPROVED))
        contact.save(force_insert=True)
    return Contact.objects.get(pk=contact.pk)


def _carried(contact: Contact) -> None:
    """What was said reaches the keeper: by the worker's errand, which we run here, or by a worker that was quicker."""
    choose.carry(contact.person_id)
    waiting = Consent.objects.filter(person=contact.person_id, topic=Consent.NEWS, carried_at__isnull=True)
    if waiting.exists():
        raise Stuck("what an invented customer chose does not reach the keeper")


def _allow_by_habit(contact: Contact) -> None:
    """As the worker does for a buyer who was told and did not object."""
    try:
        door().allow("marketing", contact.contact)
    except KeeperRefused:
        pass


def _opens(contact: Contact) -> bool:
    try:
        door().open([contact.contact], purpose="marketing", job=JOB)
    except KeeperRefused:
        return False
    return True
