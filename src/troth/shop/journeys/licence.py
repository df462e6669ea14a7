"""Licences: given with the delivery, shown with the order, replaced when a key has leaked, revoked by the owner.

When a line is paid back or disputed its licence ends with it, and comes back when a dispute is won: that is read from
the line (journeys/access.py) at every use and stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator
from datetime import date
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock, returning
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition, Product
from troth.shop.delivery.models import Grant
from troth.shop.licences import keys, secret, standing, stock
from troth.shop.licences.models import Licence
from troth.shop.licences.months import months_later as months_later
from troth.shop.orders.models import Order, OrderLine
from troth.shop.refusal import Refused
from troth.shop.renewals import offer

MOST_KEYS = 40  # in one login
SOLD_OUT = "keys-sold-out"  # of a due row: the letter waits for keys


class Shown(msgspec.Struct, frozen=True):
    """A licence as its buyer reads it. `ended`: a sentence, or "" while it is in force."""

    id: str
    name: str
    key: str
    sites: int
    active: int
    updates_until: date | None
    packages: tuple[str, ...]
    ended: str
    renew: str = ""  # the path of the page that offers to renew it; "" where it cannot be

    def __repr__(self) -> str:
        return f"<licence {self.id}>"

    @property
    def updates_over(self) -> bool:
        return self.updates_until is not None and self.updates_until < clock.now().date()


def give(lines: list[OrderLine], selling: Collection[int]) -> tuple[list[Licence], bool]:
    """Licences for the lines of a paid order, once, as they stand now. Needs a transaction.

    False where keys from a stock are missing. `lines` have their order at hand, `selling` are the editions of theirs
    that sell keys from a stock.
    """
    made: list[Licence] = []
    complete = True
    for line in lines:
        if line.edition.product.kind == Product.SERVICE:
            continue
        if line.edition_id in selling:
            held = stock.keys_of(line)
            complete = complete and len(held) == line.quantity
            pairs = [(one.key_hash, bytes(one.key_hidden)) for one in held]
            made += [_licence(line, number, pair, line.edition.sites) for number, pair in enumerate(pairs, 1)]
        else:
            made.append(_licence(line, 1, _fresh(), line.edition.sites * line.quantity))
    if len(returning.insert(Licence, made)) < len(made):  # this was delivered before
        made = list(Licence.objects.filter(line__in=lines).select_related("line__order"))
    return made, complete


def given(licences: list[Licence], granted: Iterable[Grant]) -> list[Shown]:
    """What `give` gave, for the letter; `granted` is what the same lines gave to download, products at hand."""
    return _shown(licences, _ours((one.line_id, one.product.package) for one in granted))


def of(order: Order) -> list[Shown]:
    """The licences of an order, for who may see it. Two queries."""
    return _with_packages(Licence.objects.filter(line__order=order))


def of_person(person: str) -> list[Shown]:
    """All licences in force that this person bought, newest first, for their account. Two queries."""
    mine = Licence.objects.filter(line__order__person=person, line__order__state=Order.PAID)
    return [one for one in _with_packages(mine.order_by("-issued_at", "id")[:100]) if not one.ended]


def commands(licences: list[Shown]) -> list[str]:
    """What to type so that Composer installs what these licences cover; [] where there is nothing for Composer.

    Composer keeps one login for a host, so all keys stand in it, with commas between.
    """
    usable = [one for one in licences if one.packages and not one.ended][:MOST_KEYS]
    if not usable:
        return []
    site = settings.TROTH.web.public_url.rstrip("/")
    names = dict.fromkeys(package for one in usable for package in one.packages)
    return [
        f"composer config repositories.{settings.TROTH.composer.vendor} composer {site}/composer/",
        *(["composer config secure-http false"] if site.startswith("http:") else []),  # a trial on this machine
        f"composer config --auth http-basic.{urlsplit(site).netloc} licence {','.join(one.key for one in usable)}",
        f"composer require {' '.join(names)}",
    ]


def rotate(licence_id: str) -> None:
    """Replace the key: the old one stops at once, where it is active stays so. Refused if that cannot be had now."""
    with transaction.atomic():
        licence = Licence.objects.select_for_update().select_related("line__order").get(pk=licence_id)
        line = licence.line
        if standing.ended(line.order.state, line.ended, licence.revoked_at):
            raise Refused(_("This licence is not in force, so its key cannot be replaced; write to us."))
        if not stock.stocked([line.edition_id]):
            fresh = _fresh()
        elif (taken := stock.take(line)) is not None:
            fresh = taken.key_hash, bytes(taken.key_hidden)
        else:
            raise Refused(_("There is no other key at present; write to us and we get you one."))
        if not licence.replace_key(*fresh):
            raise Refused(_("The key was replaced a moment ago; look at your order again."))


def revoke(licence_id: str) -> bool:
    """End a licence for good, by the owner. False if it was revoked before. Licence.DoesNotExist."""
    if Licence.objects.filter(pk=licence_id, revoked_at__isnull=True).update(revoked_at=clock.now()) == 1:
        return True
    Licence.objects.get(pk=licence_id)
    return False


def fill(edition: Edition, lines: list[str], told: Callable[[int], object]) -> stock.Imported:
    """Import keys from elsewhere for an edition; deliveries that wait for keys go on. stock.BadKeys."""
    imported = stock.put_in(edition, lines, told)
    for ref in Due.objects.filter(kind="deliver", last_code=SOLD_OUT).values_list("subject", flat=True):
        due.hasten("deliver", ref)
    return imported


def _fresh() -> tuple[str, bytes]:
    key = keys.new_key()
    found_by = secret.look_up(key)
    return found_by, secret.hide(key, found_by)


def _licence(line: OrderLine, number: int, key: tuple[str, bytes], sites: int) -> Licence:
    months = line.edition.update_months
    until = months_later(clock.now().date(), months) if months else None
    return Licence(
        line=line, number=number, key_hash=key[0], key_hidden=key[1], sites=sites, sold_until=until, updates_until=until
    )


def _with_packages(found: QuerySet[Licence]) -> list[Shown]:
    licences = list(found.select_related("line__order"))
    return _shown(licences, packages_of(one.line_id for one in licences), offer.of(licences))


def _shown(licences: list[Licence], packages: dict[int, list[str]], renewable: Container[str] = ()) -> list[Shown]:
    return [
        Shown(
            one.id,
            one.line.name,
            one.key,
            one.sites,
            one.active,
            one.updates_until,
            tuple(packages.get(one.line_id, ())),
            _why_ended(one),
            offer.path(one.id) if one.id in renewable else "",
        )
        for one in sorted(licences, key=lambda one: (one.line_id, one.number))
    ]


def _why_ended(licence: Licence) -> str:
    code = standing.ended(licence.line.order.state, licence.line.ended, licence.revoked_at)
    return standing.why(code) if code else ""


def packages_of(lines: Iterable[int]) -> dict[int, list[str]]:
    """Composer names of what lines (ids) gave, as far as this shop has a repository for them."""
    lines = list(lines)
    if not lines or not settings.TROTH.composer.vendor:
        return {}
    return _ours(Grant.objects.filter(line__in=lines).order_by("pk").values_list("line_id", "product__package"))


def _ours(given: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for line, package in given:
        if is_ours(package):
            found.setdefault(line, []).append(package)
    return found


def is_ours(package: str) -> bool:
    """Whether the repository serves this name: those of `[composer] vendor` alone, whatever the catalogue says."""
    vendor = settings.TROTH.composer.vendor
    return bool(vendor) and package.startswith(f"{vendor}/")


def every(order_ref: str) -> Iterator[Licence]:
    """The licences of an order, for the owner."""
    yield from Licence.objects.filter(line__order=order_ref).select_related("line__order").order_by("line_id", "number")
