"""Tell everybody of a new version of the policy, before it counts: a letter each, then the day on which it does.

It takes effect `[policy] change_notice_days` after the last letter was queued, so that nobody has less time than was
promised. Who objected to letters of news gets none; they see the change on the policy's page and when they order.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.policy.models import Version
from troth.pledge.rights.models import Consent, Erasure
from troth.shop import written
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.journeys.write_to import address, url

SLICE = 500
LETTER = "policy"


def everybody(name: str, claim: due.Claim) -> None:
    """The errand: queue the next slice of letters; after the last one the version has its day. due.Again until then."""
    version = Version.objects.get(pk=name)
    if version.told_at is not None:
        return
    slice_ = list(to_tell(version.told_to).select_related("person")[:SLICE])
    with transaction.atomic():
        for contact in slice_:
            letters.queue(LETTER, subject(name, contact.person_id), contact.person)
        if slice_:
            Version.objects.filter(pk=name, told_at=None).update(told_to=slice_[-1].pk)
        else:
            now = clock.now()
            takes_effect = now + timedelta(days=settings.TROTH.policy.change_notice_days)
            Version.objects.filter(pk=name, told_at=None).update(told_at=now, takes_effect_at=takes_effect)
    if slice_:
        raise due.Again("more to tell", 0)


def one(letter_subject: str, claim: due.Claim) -> None:
    """The errand: one person's letter. It names the day of the version; until there is one it waits."""
    letter = Letter.objects.select_related("person").get(kind=LETTER, subject=letter_subject)
    contact = Contact.objects.filter(person=letter.person, state=Contact.CURRENT, contact__isnull=False).first()
    if letter.state != Letter.QUEUED or contact is None:
        return
    version = _version_of(letter)
    if version is None or version.takes_effect_at is None:
        raise due.Again("still-telling", 5, waits=True)
    to = address(contact, letter.id)
    day = written.day(version.takes_effect_at)
    letters.send(letter, to, claim, link=url(f"/privacy/{version.name}"), day=day)


def subject(name: str, person_ref: str) -> str:
    """What a letter is about: this version, for this person."""
    digest = hashlib.sha256(f"{name} {person_ref}".encode()).digest()[:16]
    return f"pol_{base64.b32encode(digest).decode().rstrip('=').lower()}"


def _version_of(letter: Letter) -> Version | None:
    for version in Version.objects.order_by("-made_at"):
        if subject(version.name, letter.person_id) == letter.subject:
            return version
    return None


def to_tell(after: str) -> QuerySet[Contact]:
    """Everybody who is here, beyond this contact: but for who objected to letters, and who is being forgotten."""
    chosen = Consent.objects.filter(person=OuterRef("person"), topic=Consent.NEWS, what__in=Consent.CHOSEN)
    going = Erasure.objects.filter(state__in=Erasure.UNDER_WAY).values("person")
    rows = Contact.objects.filter(state=Contact.CURRENT, contact__isnull=False, pk__gt=after).order_by("pk")
    rows = rows.annotate(said=Subquery(chosen.order_by("-pk").values("what")[:1])).exclude(person__in=going)
    return rows.filter(Q(said__isnull=True) | ~Q(said=Consent.OBJECTED))
