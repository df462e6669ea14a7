"""Counts live in the process, the day's key in a file: each test begins with no counts."""

from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings

from troth.faces.storefront import limits
from troth.shop.fraud import keyed


@pytest.fixture
def limited() -> Iterator[None]:
    """The doors count, as in every shop but that of the tests."""
    before = settings.TROTH
    settings.TROTH = msgspec.structs.replace(before, fraud=msgspec.structs.replace(before.fraud, limits="on"))
    for door in limits.DOORS:
        door.window.forget()
    yield
    settings.TROTH = before
    for door in limits.DOORS:
        door.window.forget()


@pytest.fixture(autouse=True)
def no_key_yet() -> None:
    """No key of an earlier test, in whose time it may have been another day."""
    keyed._kept = None
    for path in (settings.TROTH.home / "run").glob("network-*.key"):
        path.unlink()
