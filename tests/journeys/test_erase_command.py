"""`troth erase`: the owner's way into the same journey."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner
from django.conf import settings

from tests.house import House
from tests.journeys.test_erase import bought, no_window, sealed, what_opens
from troth import config
from troth.faces.cli.erase import erase as command
from troth.pledge.rights.models import Erasure
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import Order


@pytest.fixture
def run(house: House, monkeypatch: pytest.MonkeyPatch):
    """The command with the test's settings; while it waits, the worker works."""
    monkeypatch.setattr(config, "load", lambda: settings.TROTH)
    monkeypatch.setattr(time, "sleep", lambda seconds: house.works())
    return lambda *words, **given: CliRunner().invoke(command, words, **given)


def test_the_owner_forgets_the_buyer_of_an_order(house: House, edition: Edition, run) -> None:
    no_window()
    bought(house, edition)
    order = Order.objects.get()
    things = sealed(order.person_id)
    assert run(order.ref, "--link").exit_code == 0
    assert run(order.ref, input="n\n").exit_code == 1
    assert what_opens(house, things) == {"opened"}
    done = run(order.ref, "--yes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["state"].startswith("forgotten; billing addresses open for tax alone until")
    assert what_opens(house, things) == {"gone"}
    assert Erasure.objects.filter(state=Erasure.KEPT).get().why == Erasure.BY_OWNER
    assert "forgotten" in run(order.person_id).output  # said again it tells the same


def test_within_the_window_it_says_until_when_it_may_be_cancelled(house: House, edition: Edition, run) -> None:
    bought(house, edition)
    done = run(Order.objects.get().ref, "--yes")
    assert (done.exit_code, "to be cancelled until" in done.output) == (0, True)
    assert "/erasures/era_" in done.output


def test_a_reference_of_nobody_is_refused_in_one_sentence(house: House, run) -> None:
    for ref in ("ord_aaaaaaaaaaaaaaaaaaaaaaaaaa", "alice@b.example", "per_x"):
        done = run(ref, "--yes")
        assert (done.exit_code, "There is no such order or person" in done.output) == (2, True)


def test_while_no_worker_works_it_says_so(house: House, edition: Edition, run, monkeypatch: pytest.MonkeyPatch) -> None:
    no_window()
    bought(house, edition)
    monkeypatch.setattr("troth.faces.cli.erase.PATIENCE", 0.2)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    done = run(Order.objects.get().ref, "--yes")
    assert done.exit_code == 1
    assert "is the shop running?" in done.output
