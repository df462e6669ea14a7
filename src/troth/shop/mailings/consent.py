"""Consent: what was said about being written to, and what follows from it. The state is computed, never edited.

Each choice is a row with the words that stood beside it. An objection counts from the moment it was said; a new
showing of the words does not end it, only the person's own "yes" does. What the keeper is told of it, the worker tells
(journeys/choose.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from troth.pledge.rights.models import Consent, Wording
from troth.pledge.vault.models import Person
from troth.shop import policy_version

SIMILAR, CONSENT, OBJECTION = "similar-products", "consent", "objection"  # [policy] marketing_basis
# Law asks for a person's own "yes", but for buyers and what is similar: ePrivacy Directive 2002/58/EC, 13(1) and (2).
YES = _("Write to me about new versions and similar products. I can stop it at any time.")
NO = _(
    "Do not write to me about new versions and similar products. Unless you tick this, we may; every such letter has a "
    "link that stops it at once."
)


class Offer(msgspec.Struct, frozen=True):
    """The choice as a form shows it. `unless`: a tick means no; else a tick means yes, and nothing means no."""

    words: Promise
    unless: bool


class Standing(msgspec.Struct, frozen=True):
    """How it stands with one topic. `what`: the event that decides; "" where nothing was ever said."""

    what: str
    may: bool
    since: datetime | None = None
    place: str = ""


def basis() -> str:
    return str(settings.TROTH.policy.marketing_basis)


def offer(place: str) -> Offer:
    """What a form at this place has to offer: the words, and what a tick means."""
    unless = basis() == OBJECTION or (basis() == SIMILAR and place == "checkout")
    return Offer(NO if unless else YES, unless)


def answered(person_ref: str, place: str, ticked: bool) -> None:
    """A form with the offer came back, in the caller's transaction."""
    shown = offer(place)
    if shown.unless:
        say([person_ref], Consent.OBJECTED if ticked else Consent.TOLD, place, words=shown.words)
    elif ticked:
        say([person_ref], Consent.GIVEN, place, words=shown.words)


def say(persons: Iterable[str], what: str, place: str, *, topic: str = Consent.NEWS, words: str | Promise = "") -> None:
    """Write down what was said, of these persons alike, in the caller's transaction."""
    wording = _wording(str(words)) if words else None
    Consent.objects.bulk_create(
        Consent(person_id=ref, topic=topic, what=what, place=place, basis=basis(), wording=wording) for ref in persons
    )


def standing(person_ref: str, topic: str = Consent.NEWS) -> Standing:
    """What decides now: the last choice; where there is none, that the words were shown under today's basis."""
    said = Consent.objects.filter(person=person_ref, topic=topic).order_by("-pk")
    chosen = said.filter(what__in=Consent.CHOSEN).first()
    if chosen is not None:
        return Standing(chosen.what, chosen.what == Consent.GIVEN, chosen.said_at, chosen.place)
    told = said.filter(_told_counts()).first()
    return Standing(told.what, True, told.said_at, told.place) if told else Standing("", False)


def only_who_may_be_told(rows: QuerySet[Person]) -> QuerySet[Person]:
    """Those of them who may be written to."""
    said = Consent.objects.filter(person=OuterRef("pk"), topic=Consent.NEWS)
    last = Subquery(said.filter(what__in=Consent.CHOSEN).order_by("-pk").values("what")[:1])
    told = Exists(said.filter(_told_counts()))
    return rows.annotate(chosen=last).filter(Q(chosen=Consent.GIVEN) | (Q(chosen__isnull=True) & told))


def to_carry() -> QuerySet[Consent]:
    """What ends something and the keeper does not know yet."""
    return Consent.objects.filter(what__in=Consent.ENDING, topic=Consent.NEWS, carried_at__isnull=True)


def _told_counts() -> Q:
    """Having been told is enough under the basis it was told under, or where nobody has to agree to anything."""
    match basis():
        case "objection":
            return Q(what=Consent.TOLD)
        case "similar-products":
            return Q(what=Consent.TOLD, basis=SIMILAR)
    return Q(pk__in=())


def _wording(text: str) -> Wording:
    language = translation.get_language() or settings.LANGUAGE_CODE
    name = hashlib.sha256("\0".join((policy_version.current(), language, text)).encode()).hexdigest()
    wording = Wording(hash=name, version=policy_version.current(), language=language, text=text)
    Wording.objects.bulk_create([wording], ignore_conflicts=True)
    return wording
