"""Promises beside look-alikes that are none of ours, and beside real providers: nothing is unknown, nothing sent."""

from __future__ import annotations

import msgspec
import pytest
from django.conf import settings

from tests.clauses.test_clauses import started
from tests.house import House
from troth.pledge.policy.clause import State, Verdict, judge
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import BY_ID, checkout, marker
from troth.shop.payments import gateways

__all__ = ["started"]  # a fixture that each test here wants
PLAYED = ("P1", "P2", "P3", "P4", "P6", "P7", "P8", "P11", "P14", "P16", "P19", "P20")


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-alikes whose page has no button that is known, and whose books nobody shows."""
    monkeypatch.setattr(checkout, "APPROVALS", {"paypal": "no such button", "skrill": "no such button"})
    before = marker._sandbox
    monkeypatch.setattr(marker, "_sandbox", lambda probe: f"{before(probe)}/nowhere")


def verdicts(house: House) -> dict[str, Verdict]:
    probe = house.probe()
    with house.as_worker():
        return {name: judge(BY_ID[name], probe) for name in PLAYED}


def test_what_needs_a_paid_order_is_a_gap_and_all_else_is_looked_at(
    house: House, edition: Edition, strangers: None
) -> None:
    found = verdicts(house)
    assert {name for name, one in found.items() if one.state not in (State.HOLDS, State.GAP)} == set()
    said = [finding.sentence for one in found.values() for finding in one.findings]
    assert sum("cannot pay at these look-alikes" in sentence for sentence in said) == 2
    assert not any("beside real providers" in sentence for sentence in said)
    sandbox = house.sandbox
    assert (len(sandbox.paypal.orders), len(sandbox.skrill.sessions)) == (1, 2)  # once in a round


def test_a_leak_is_seen_there_as_well(house: House, edition: Edition, strangers: None) -> None:
    with marker.noted_beside("contact"):
        assert verdicts(house)["P16"].state == State.BROKEN


def test_at_our_own_a_button_that_is_gone_is_no_gap(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "APPROVALS", {"paypal": "no such button", "skrill": "no such button"})
    with house.as_worker():
        assert judge(BY_ID["P8"], house.probe()).state == State.BROKEN


def test_nobody_is_played_beside_providers_elsewhere(house: House, edition: Edition) -> None:
    real = msgspec.structs.replace(settings.TROTH.paypal, base_url="https://api-m.sandbox.paypal.com")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, paypal=real)  # the house puts it back
    probe = house.probe()
    assert marker.play(probe, house.works) is None
    assert len(house.sandbox.skrill.sessions) == 0


def test_one_provider_is_enough(house: House, edition: Edition) -> None:
    bare = msgspec.structs.replace(settings.TROTH.paypal, client_id="")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, paypal=bare)
    gateways.forget()
    left = marker.play(house.probe(), house.works)
    assert left is not None
    assert (left.orders, left.undelivered) == (3, 0)
