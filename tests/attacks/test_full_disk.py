"""The keeper's disk is full: nobody is opened, as nothing can be noted; people go on buying, and are served later."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.marker.customer import PATIENCE, Customer, stem
from tests.marker.shop import Watched
from tests.processes.running import until
from troth.sandbox import Sandbox

pytestmark = pytest.mark.processes
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Watched]:
    sandbox = Sandbox(mode="test")
    shop = Watched(tmp_path, sandbox)
    yield shop
    shop.stop()
    sandbox.stop()


def may_write(shop: Watched, limit: tuple[int, int]) -> None:
    """The size that no file of the keeper may pass; 0: it can write nothing, as on a disk that is full."""
    resource.prlimit(shop.pid("keeper"), resource.RLIMIT_FSIZE, limit)


def test_nothing_opens_and_buying_goes_on(shop: Watched) -> None:
    with Customer(shop, stem()) as member, Customer(shop, stem(), "guest") as guest:
        assert member.registers().status == 200
        assert member.sees_themselves()
        until(lambda: shop.blanks() >= 3, PATIENCE)
        time.sleep(1.1)  # signing in again within the same second gives the same capability, whose looks are noted
        again = member.another_browser()
        assert member.signs_in(again).status == 200  # compared, not opened
        ledger = (shop.home / "keeper" / "keyring.sqlite3-wal").stat().st_size
        may_write(shop, (0, resource.RLIM_INFINITY))

        assert member.signs_in(member.another_browser()).status == 503  # a guess that cannot be counted is not compared
        page = again.get("/account?show=me")
        assert page.status == 503
        assert member.mark not in page.text
        assert "Nothing is lost" in page.text

        before = len(shop.sandbox.mailbox.sent)
        ref = guest.pays(guest.orders("paypal", guest=True), "approve")
        until(lambda: "Paid" in guest.browser.get(f"/orders/{ref}").text, PATIENCE)
        # The order's page needs nobody's address.
        until(lambda: "/download/" in guest.browser.get(f"/orders/{ref}").text, PATIENCE)
        time.sleep(2)
        assert len(shop.sandbox.mailbox.sent) == before
        assert (shop.home / "keeper" / "keyring.sqlite3-wal").stat().st_size == ledger

        may_write(shop, UNLIMITED)
        guest.downloads()
        assert len(guest.letters("/download/")) == 1
        assert member.name in again.get("/account?show=me").text
    assert shop.stop() == 0
