"""Consent: what was said about being written to, and what follows from it. The state is computed, never edited.

Each choice is a row with the words that stood beside it. An objection counts from the moment it was said; a new
showing of the words does not end it, only the person's own "yes" does. What the keeper is told of it, the worker tells
(journeys/choose.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import cache

import msgspec
from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from troth.pledge.prepared import Prepared
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


def answered(person_ref: str, place: str, ticked: bool) -> bool:
    """A form with the offer came back, in the caller's transaction. Whether that says anything new.

    Who chose before is not asked here, so nothing but an objection changes that; who was told in these same words
    is not told again with every order.
    """
    shown = offer(place)
    if not shown.unless and not ticked:
        return False
    wording = _worded(str(shown.words))
    what = (Consent.OBJECTED if ticked else Consent.TOLD) if shown.unless else Consent.GIVEN
    if what != Consent.OBJECTED and _known(basis(), wording.hash, person_ref):
        return False
    _write([person_ref], what, place, Consent.NEWS, wording)
    return True


_known = Prepared(
    lambda basis, wording, person: Consent.objects.filter(
        Q(what__in=Consent.CHOSEN) | Q(what=Consent.TOLD, basis=basis, wording=wording),
        person=person,
        topic=Consent.NEWS,
    ).values_list("pk")[:1],
    gaps=3,
)


def say(persons: Iterable[str], what: str, place: str, *, topic: str = Consent.NEWS, words: str | Promise = "") -> None:
    """Write down what was said, of these persons alike, in the caller's transaction."""
    _write(persons, what, place, topic, _worded(str(words)) if words else None)


def standing(person_ref: str, topic: str = Consent.NEWS) -> Standing:
    """What decides now: the last choice; where there is none, that the words were shown under today's basis."""
    one = _decides(basis()).first(person_ref, topic)
    if one is None:
        return Standing("", False)
    return Standing(one.what, one.what in (Consent.GIVEN, Consent.TOLD), one.said_at, one.place)


@cache
def _decides(basis: str) -> Prepared[Consent]:
    chosen = Case(When(what__in=Consent.CHOSEN, then=0), default=1)
    return Prepared(
        lambda person, topic: Consent.objects.filter(
            Q(what__in=Consent.CHOSEN) | _told_counts(basis), person=person, topic=topic
        ).order_by(chosen, "-pk")[:1],
        gaps=2,
    )


def only_who_may_be_told(rows: QuerySet[Person]) -> QuerySet[Person]:
    """Those of them who may be written to."""
    said = Consent.objects.filter(person=OuterRef("pk"), topic=Consent.NEWS)
    last = Subquery(said.filter(what__in=Consent.CHOSEN).order_by("-pk").values("what")[:1])
    told = Exists(said.filter(_told_counts(basis())))
    return rows.annotate(chosen=last).filter(Q(chosen=Consent.GIVEN) | (Q(chosen__isnull=True) & told))


def to_carry() -> QuerySet[Consent]:
    """What ends something and the keeper does not know yet."""
    return Consent.objects.filter(what__in=Consent.ENDING, topic=Consent.NEWS, carried_at__isnull=True)


def _told_counts(basis: str) -> Q:
    """Having been told is enough under the basis it was told under, or where nobody has to agree to anything."""
    match basis:
        case "objection":
            return Q(what=Consent.TOLD)
        case "similar-products":
            return Q(what=Consent.TOLD, basis=SIMILAR)
    return Q(pk__in=())


def _worded(text: str) -> Wording:
    """The words as they are kept, once for each version of the policy and each language; not written yet."""
    version, language = policy_version.current(), translation.get_language() or settings.LANGUAGE_CODE
    name = hashlib.sha256("\0".join((version, language, text)).encode()).hexdigest()
    return Wording(hash=name, version=version, language=language, text=text)


def _write(persons: Iterable[str], what: str, place: str, topic: str, wording: Wording | None) -> None:
    if wording is not None:
        Wording.objects.bulk_create([wording], ignore_conflicts=True)
    Consent.objects.bulk_create(
        Consent(person_id=ref, topic=topic, what=what, place=place, basis=basis(), wording=wording) for ref in persons
    )
