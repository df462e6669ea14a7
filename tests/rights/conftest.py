"""A worker beside each request that waits for one."""

from __future__ import annotations

import pytest

from tests.house import House
from troth.shop.journeys import standby


@pytest.fixture(autouse=True)
def worker_beside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker does what is due while a request waits."""
    monkeypatch.setattr(standby, "pause", lambda _: house.works())
