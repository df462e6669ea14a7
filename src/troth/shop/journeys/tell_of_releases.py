"""Tell of releases: who is entitled to a new one hears of it once, as a service or as news ([policy] release_notices).

A look each hour finds what was put on the shelf of late. Who bought after the release has it already.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.models import Person
from troth.shop.catalogue.models import Release
from troth.shop.licences.models import Licence
from troth.shop.mailings.models import Mailing
from troth.shop.orders.models import Order

EVERY = 3600
FRESH = timedelta(days=7)  # what is older is no news, such as a whole catalogue that is brought in at once


def look(subject: str, claim: due.Claim) -> None:
    """Make a mailing of each release of late that somebody is entitled to, and let it begin. Each release once."""
    way = settings.TROTH.policy.release_notices
    if way == "off":
        return
    fresh = Release.objects.filter(released_on__gte=(clock.now() - FRESH).date(), product__published=True)
    for release in fresh.filter(mailing__isnull=True).select_related("product"):
        if entitled(release).exists():
            _begin(release, Mailing.RELEASE if way == "service" else Mailing.NEWS)


def entitled(release: Release) -> QuerySet[Person]:
    """Who has a licence whose updates reach this release, bought before it came."""
    reaches = Q(updates_until__isnull=True) | Q(updates_until__gte=release.released_on)
    line = Q(line__order__state=Order.PAID, line__ended="", issued_at__date__lt=release.released_on)
    product = Q(line__edition__product=release.product_id) | Q(line__edition__product__includes=release.product_id)
    licences = Licence.objects.filter(reaches, line, product, revoked_at__isnull=True)
    return Person.objects.filter(pk__in=licences.values("line__order__person"))


def _begin(release: Release, kind: str) -> None:
    name = f"{release.product.name} {release.version}"
    site = settings.TROTH.web.public_url.rstrip("/")
    changes = "\n".join(f"- {change}" for change in release.changes if isinstance(change, str))
    text = _("{name} is out, and your licence has it.").format(name=name)
    where = _("Fetch it from your order or your account: {url}").format(url=f"<{site}/account>")
    made = Mailing(
        kind=kind,
        title=_("{name} is out").format(name=name)[:120],
        text="\n\n".join(part for part in (text, changes, where) if part),
        release=release,
        state=Mailing.SCHEDULED,
        begins_at=clock.now(),
    )
    with transaction.atomic():
        Mailing.objects.bulk_create([made], ignore_conflicts=True)
        if Mailing.objects.filter(pk=made.pk).exists():  # the first worker to see it
            due.add("mailing", made.id)
