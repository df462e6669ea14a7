"""Activate: an instance of what was bought says where it runs, asks whether it may, and says that it has gone.

An instance gives itself a name (a host name, say). A keyed hash of it is kept, never the name. The last free site goes
to one instance: the count is a conditional update in the transaction that writes the instance's unique row.
"""

from __future__ import annotations

from datetime import date

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from troth.pledge.prepared import Prepared
from troth.shop.delivery.models import Grant
from troth.shop.licences import file, secret
from troth.shop.licences.models import Activation, Licence
from troth.shop.licences.standing import NoLicence, Standing, find

MOST = 200  # characters of an instance's name


class Answer(msgspec.Struct, frozen=True):
    """What a program that asks about its licence is told. Nothing in it is about a person."""

    licence: str
    product: str
    packages: list[str]
    edition: str
    sites: int | None  # None: as many as they like
    active: int
    updates_until: date | None
    activated: bool | None  # whether the instance that asks is active; None where it gave no name
    valid: bool = True


_granted = Prepared(
    lambda licence: (
        Grant.objects.filter(line__licences=licence).order_by("pk").values_list("product_id", "product__package")
    ),
    gaps=1,
)
_active = Prepared(
    lambda licence, name: Activation.objects.filter(licence=licence, instance_hash=name).values_list("pk"), gaps=2
)


def check(key: str, instance: str = "") -> Answer:
    """Where the licence stands, and whether this instance is active. NoLicence."""
    standing = find(key)
    known = bool(_active(standing.id, _hash(standing, instance))) if instance else None
    return _answer(standing, standing.active, known)


def activate(key: str, instance: str) -> Answer:
    """Take a site for this instance, or find that it has one. NoLicence; its code is "limit" where none is free."""
    standing = find(key)
    with transaction.atomic():
        licence = Licence.objects.select_for_update().only("pk").get(pk=standing.id)  # those of one licence in turn
        if not _active(standing.id, _hash(standing, instance)):
            _take_site(licence, _hash(standing, instance))
        active = Licence.objects.values_list("active", flat=True).get(pk=standing.id)
    return _answer(standing, active, True)


def deactivate(key: str, instance: str) -> Answer:
    """Give the site of this instance back; said twice it is given back once. NoLicence."""
    standing = find(key)
    with transaction.atomic():
        gone, _tables = Activation.objects.filter(licence=standing.id, instance_hash=_hash(standing, instance)).delete()
        Licence.objects.filter(pk=standing.id).update(active=F("active") - gone)
        active = Licence.objects.values_list("active", flat=True).get(pk=standing.id)
    return _answer(standing, active, False)


def signed_file(key: str, instance: str = "") -> bytes:
    """The licence as a file that verifies offline; for an instance only if that is active. NoLicence."""
    standing = find(key)
    if instance and not _active(standing.id, _hash(standing, instance)):
        raise NoLicence("inactive", _("This instance is not active under this licence; activate it first."))
    return file.signed(standing, _products(standing), instance)


def _take_site(licence: Licence, instance_hash: str) -> None:
    free = Licence.objects.filter(pk=licence.pk).filter(Q(sites=0) | Q(active__lt=F("sites")))
    if free.update(active=F("active") + 1) != 1:
        # Rows of who was forgotten are gone without a word: the count follows them before anybody is sent away.
        Licence.objects.filter(pk=licence.pk).update(active=licence.activations.count())
        if free.update(active=F("active") + 1) != 1:
            sentence = _("This licence is active on as many sites as it is for; deactivate one of them first.")
            raise NoLicence("limit", sentence)
    Activation.objects.create(licence=licence, instance_hash=instance_hash)


def _hash(standing: Standing, instance: str) -> str:
    return secret.instance_hash(standing.id, instance)


def _products(standing: Standing) -> list[tuple[str, str]]:
    return list(_granted(standing.id))


def _answer(standing: Standing, active: int, activated: bool | None) -> Answer:
    return Answer(
        licence=standing.id,
        product=standing.product,
        packages=[package for _slug, package in _products(standing) if package],
        edition=standing.edition,
        sites=standing.sites or None,
        active=active,
        updates_until=standing.updates_until,
        activated=activated,
    )
