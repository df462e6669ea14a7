"""Choose: what the shop may write to somebody, and how the keeper learns of it.

People choose in forms, in the account, and by the link in each letter; what they say is a row at once, and a mailing
looks at it before every letter. The worker carries it to the keeper: a "yes" gives the contact's key a wrap for
marketing, an objection deletes it and has the keeper remember the mailbox as a keyed hash, so that it holds for
whoever comes with that mailbox again, also after the person was forgotten.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, Q
from django.utils.crypto import constant_time_compare

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ids import SHAPE
from troth.pledge.prepared import Prepared
from troth.pledge.rights.models import Consent
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.shop.accounts.models import Account, Claim, Contact
from troth.shop.journeys import erase
from troth.shop.mailings import consent
from troth.shop.mailings.models import preferences_key
from troth.shop.orders.models import Order

RETRY = 5


def offered(person_ref: str, place: str, ticked: bool) -> None:
    """A form with the choice came back, in the caller's transaction."""
    if consent.answered(person_ref, place, ticked):
        due.add("consent", person_ref)


def news(person_ref: str, yes: bool, place: str) -> None:
    """Somebody chose whether to get news: who is signed in, or has a letter of ours. Guests they claimed included."""
    persons = Claim.persons_of(person_ref)
    with transaction.atomic():
        consent.say(persons, Consent.GIVEN if yes else Consent.OBJECTED, place, words=consent.YES if yes else "")
        for ref in persons:
            due.hasten("consent", ref)


def releases(person_ref: str, yes: bool, place: str) -> None:
    """The same for word of new releases of what they bought, where that is a service."""
    what = Consent.GIVEN if yes else Consent.OBJECTED
    consent.say(Claim.persons_of(person_ref), what, place, topic=Consent.RELEASES)


def stop(person_ref: str, what: str, place: str) -> None:
    """Write to this person no more: what came back from their mailbox says so."""
    with transaction.atomic():
        consent.say([person_ref], what, place)
        due.hasten("consent", person_ref)


def moved(person_ref: str) -> None:
    """They have another mailbox now, in the caller's transaction: an objection is remembered for that one as well."""
    if consent.standing(person_ref).what == Consent.OBJECTED:
        said = Consent.objects.filter(person=person_ref, topic=Consent.NEWS, what=Consent.OBJECTED)
        said.update(carried_at=None)
        due.hasten("consent", person_ref)


def followed(order: Order) -> None:
    """Somebody came by the link that only their letter had: the mailbox that they gave is theirs."""
    first = Contact.objects.filter(pk=order.contact_id, followed_at__isnull=True)
    if first.update(followed_at=clock.now()):
        due.hasten("consent", order.person_id)


def bought(person_ref: str) -> None:
    """What they bought is delivered: to have been told at the checkout counts now, if their mailbox is proved."""
    if _told_and_proved(person_ref, person_ref, person_ref):
        due.hasten("consent", person_ref)


def _proved(follower: str, owner: str) -> Q:
    followed = Contact.objects.filter(person=follower, state=Contact.CURRENT, followed_at__isnull=False)
    return Exists(followed) | Exists(Account.objects.filter(pk=owner, confirmed_at__isnull=False))


_told_and_proved = Prepared(
    lambda ref, follower, owner: Consent.objects.filter(
        _proved(follower, owner), person=ref, what=Consent.TOLD, carried_at__isnull=True
    ).values_list("pk")[:1],
    gaps=3,
)


def page_of(person_ref: str) -> str:
    """The path of the page where the reader of a letter chooses. It stays good, and says nothing of who they are."""
    return f"/unsubscribe/{person_ref}/{preferences_key(person_ref)}"


def found(person_ref: str, key: str) -> str | None:
    """Whose page this is; None unless it is of our making."""
    if SHAPE.match(person_ref) and constant_time_compare(key, preferences_key(person_ref)):
        return person_ref
    return None


def carry(person_ref: str, claim: due.Claim | None = None) -> None:
    """The errand: let the keeper know how it stands. Safe to do again."""
    contact = Contact.objects.filter(person=person_ref, state=Contact.CURRENT, contact__isnull=False).first()
    if contact is None or erase.under_way(person_ref) is not None:
        return
    waiting = list(
        Consent.objects.filter(person=person_ref, topic=Consent.NEWS, carried_at__isnull=True).values_list(
            "pk", flat=True
        )
    )
    stands = consent.standing(person_ref)
    if not waiting or (stands.may and not _may_be_asked_for(person_ref, contact, stands)):
        return  # a letter goes to a mailbox that is known to be theirs; who proves it makes this due again
    said = _tell(person_ref, contact, stands)
    if said == "objected" and stands.may:
        consent.say([person_ref], Consent.OBJECTED, "earlier")
    elif said not in ("", "gone"):
        raise due.Again(f"keeper-{said}", RETRY if said == "away" else None)
    Consent.objects.filter(pk__in=waiting).update(carried_at=clock.now())


def _tell(person_ref: str, contact: Contact, stands: consent.Standing) -> str:
    """Say it to the keeper; its no, "away", or "" where it is done."""
    try:
        if stands.may:
            door().allow("marketing", contact.contact, anew=stands.what == Consent.GIVEN)
        elif stands.what == Consent.OBJECTED:
            door().withdraw("marketing", ref=person_ref, objects=contact.contact)
        else:
            door().withdraw("marketing", ref=person_ref)
    except KeeperAway:
        return "away"
    except KeeperRefused as refused:
        return refused.code
    return ""


def _may_be_asked_for(person_ref: str, contact: Contact, stands: consent.Standing) -> bool:
    """Whether the mailbox was proved, and who was only told has bought, where the basis is that they did."""
    if contact.followed_at is None and not Account.objects.filter(pk=person_ref, confirmed_at__isnull=False).exists():
        return False
    if stands.what == Consent.GIVEN or consent.basis() == consent.OBJECTION:
        return True
    return Order.objects.filter(person=person_ref, paid_at__isnull=False).exists()
