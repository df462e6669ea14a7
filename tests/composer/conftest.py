"""A shop with two modules of the sample kind, small: one of three releases, one of one."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.house import House
from tests.licences.conftest import nobody_called_yet as nobody_called_yet
from troth.shop.catalogue import archive
from troth.shop.catalogue.models import Edition, Price, Product, Release


def zipped(package: str, version: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as opened:
        said = {"name": package, "version": version, "type": "library", "description": "A module", "require": {}}
        opened.writestr("composer.json", json.dumps(said))
        opened.writestr("registration.php", f"<?php // {version}\n")
    return held.getvalue()


def released(product: Product, version: str, day: str, position: int) -> Release:
    name = f"{product.slug}-{version}.zip"
    path: Path = settings.FILES_ROOT / name
    path.write_bytes(zipped(product.package, version))
    described = archive.describe(path)
    return Release.objects.create(
        product=product, version=version, released_on=day, position=position, file=name, size=path.stat().st_size,
        sha256="ab" * 32, sha1=described.sha1, manifest=described.manifest,
    )  # fmt: skip


def product(slug: str, *releases: tuple[str, str], package: str = "") -> Edition:
    row = Product.objects.create(
        slug=slug, kind=Product.MODULE, name=slug.title(), tagline="t", summary="s", published=True,
        package=package or f"fernhill/module-{slug}",
    )  # fmt: skip
    edition = Edition.objects.create(product=row, code="single", name="Single site")
    Price.objects.create(edition=edition, currency="EUR", minor=4900)
    for position, (version, day) in enumerate(releases):
        released(row, version, day, position)
    return edition


@pytest.fixture
def notes(house: House) -> Edition:
    return product("notes", ("1.2.0", "2026-09-28"), ("1.1.0", "2026-05-01"), ("1.0.0", "2026-01-01"))


@pytest.fixture
def clock_(house: House) -> Edition:
    return product("dispatch", ("2.0.0", "2026-06-01"))
