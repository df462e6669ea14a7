"""Install: what Composer may see and fetch with a licence key.

A licence covers the products of its line, in every version that was released until its updates ended; those it keeps.
Names outside `[composer] vendor` are never served, whatever a catalogue says. What is not covered is refused with one
sentence that says what to do; for names that this shop does not sell the answer is "not here", nothing else.
The formats are those of getcomposer.org, "Repositories", for Composer 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.shop.catalogue.keeping import lies
from troth.shop.catalogue.models import Product, Release
from troth.shop.delivery.models import Grant
from troth.shop.journeys.download import Piece
from troth.shop.journeys.licence import MOST_KEYS as MOST_KEYS
from troth.shop.journeys.licence import is_ours
from troth.shop.licences.models import Licence
from troth.shop.licences.standing import NoLicence, Standing, find
from troth.shop.refusal import Refused
from troth.shop.renewals import offer


class NotHere(Exception):
    """A name or version that this shop does not have."""


class Access(msgspec.Struct, frozen=True):
    """What came of the keys that were given: licences in force, and why the others are none (code, sentence)."""

    standings: tuple[Standing, ...]
    troubles: tuple[tuple[str, str], ...]


class Covered(msgspec.Struct, frozen=True):
    """A product that a licence covers, with the last day whose releases belong to it (None: all there will be)."""

    slug: str
    name: str
    package: str
    until: date | None
    licence: str


def access(keys: Iterable[str]) -> Access:
    """Look the keys up: one query for each that is known."""
    standings, troubles = [], []
    for key in keys:
        try:
            standings.append(find(key))
        except NoLicence as no:
            troubles.append((no.code, str(no.sentence)))
    return Access(tuple(standings), tuple(troubles))


def index(given: Access) -> dict[str, Any]:
    """packages.json: the names that these licences cover, and what Composer should tell its user."""
    covered = _covered(given)
    said = [sentence for _code, sentence in given.troubles]
    for one in covered.values():
        said += _over(one)
    told: dict[str, Any] = {
        "packages": [],
        "metadata-url": "/composer/p2/%package%.json",
        "available-packages": sorted(covered),
        # Composer asks for names of this vendor alone, and hears why it may not have one.
        "available-package-patterns": [f"{settings.TROTH.composer.vendor}/*"],
        "providers-api": "/composer/providers/%package%.json",
    }
    if said:
        told["warnings"] = [{"message": sentence, "versions": "*"} for sentence in said]
    return told


def metadata(given: Access, package: str, dev: bool = False) -> dict[str, Any]:
    """The versions of a package. We release no branches, so of dev versions there are none. Refused, NotHere."""
    one = _of(given, package)
    versions = [] if dev else [_version(one, release) for release in _releases(one) if _belongs(one, release)]
    return {"packages": {package: versions}}


def providers(given: Access, name: str) -> dict[str, Any]:
    """Those covered packages whose newest version says that it provides or replaces `name`."""
    found = []
    for one in _covered(given).values():
        newest = next((release for release in _releases(one) if _belongs(one, release)), None)
        manifest = newest.manifest if newest else {}
        if name in {**manifest.get("provide", {}), **manifest.get("replace", {})}:
            kind = manifest.get("type", "library")
            found.append({"name": one.package, "description": manifest.get("description"), "type": kind})
    return {"providers": found}


def archive(given: Access, package: str, version: str) -> Piece:
    """The archive of a version. Refused where it came after the updates ended; NotHere."""
    one = _of(given, package)
    release = Release.objects.filter(product=one.slug, version=version).exclude(manifest={}).first()
    if release is None:
        raise NotHere
    if not _belongs(one, release):
        sentence = _("Your updates for {name} ended on {day}; version {version} came on {came}. Renew here: {url}")
        raise Refused(
            sentence.format(name=one.name, day=one.until, version=version, came=release.released_on, url=_renew(one))
        )
    name = f"{package.replace('/', '-')}-{version}.zip"
    path = lies(release.file)
    return Piece(path, name, release.size, 0, release.size - 1, release.sha256, 200)


def _covered(given: Access) -> dict[str, Covered]:
    """By package; where two licences cover one, the longer counts."""
    until = {standing.id: standing.updates_until for standing in given.standings}
    rows = Grant.objects.filter(line__licences__in=list(until)).values_list(
        "line__licences__id", "product_id", "product__name", "product__package"
    )
    found: dict[str, Covered] = {}
    for licence, slug, name, package in rows:
        if licence in until and is_ours(package):
            one = Covered(slug, name, package, until[licence], licence)
            if package not in found or _longer(one, found[package]):
                found[package] = one
    return found


def _longer(one: Covered, other: Covered) -> bool:
    return other.until is not None and (one.until is None or one.until > other.until)


def _of(given: Access, package: str) -> Covered:
    if not is_ours(package):
        raise NotHere
    one = _covered(given).get(package)
    if one is not None:
        return one
    sold = Product.objects.filter(package=package, published=True).first()
    if sold is None:
        raise NotHere
    sentence = _("Your licence does not cover {name}; you find it here: {url}")
    raise Refused(sentence.format(name=sold.name, url=_page(sold)))


def _releases(one: Covered) -> list[Release]:
    """Newest first; those without a composer.json cannot be installed."""
    return list(Release.objects.filter(product=one.slug).exclude(manifest={}).order_by("position"))


def _belongs(one: Covered, release: Release) -> bool:
    return one.until is None or release.released_on <= one.until


def _over(one: Covered) -> list[str]:
    """A sentence where releases came after the updates ended."""
    if one.until is None or one.until >= clock.now().date():
        return []
    later = [release.version for release in _releases(one) if not _belongs(one, release)]
    if not later:
        return []
    sentence = _("Your updates for {name} ended on {day}; {versions} came later. Renew here: {url}")
    return [sentence.format(name=one.name, day=one.until, versions=", ".join(later), url=_renew(one))]


def _version(one: Covered, release: Release) -> dict[str, Any]:
    return {
        **release.manifest,
        "name": one.package,
        "version": release.version,
        "time": f"{release.released_on}T00:00:00+00:00",
        "dist": {
            "type": "zip",
            "url": f"{_site()}/composer/dist/{one.package}/{release.version}.zip",
            "reference": release.sha256[:40],
            "shasum": release.sha1,
        },
    }


def _renew(one: Covered) -> str:
    """Where its licence is renewed; the product's page where that is not offered."""
    licence = Licence.objects.filter(pk=one.licence).select_related("line__order")
    return f"{_site()}{offer.path(one.licence)}" if offer.of(list(licence)) else _page(one)


def _page(one: Covered | Product) -> str:
    return f"{_site()}/p/{one.slug}"


def _site() -> str:
    return settings.TROTH.web.public_url.rstrip("/")
