"""Due rows under crowds, pauses and crashes: one effect each, nothing lost, nothing given up that will still end."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from tests import campaign
from tests.faults.shopping import Purchase, faults_of
from tests.faults.test_storms import at_once
from tests.house import House
from troth.pledge import clock, fault
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import errands
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment


@pytest.mark.django_db(transaction=True)
def test_many_workers_effect_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are paused longer than their lease, as by SIGSTOP or a full disk; others take over meanwhile."""
    monkeypatch.setattr(due, "LEASE", timedelta(seconds=1.0))
    monkeypatch.setattr(due, "MARGIN", timedelta(seconds=0.2))
    names = [f"row-{number}" for number in range(campaign.rounds(12, 60))]
    slow = set(campaign.draws("pauses").sample(names, len(names) // 4))
    effects: Counter[str] = Counter()
    late: list[str] = []
    lock = threading.Lock()

    def errand(subject: str, claim: due.Claim) -> None:
        with lock:
            pauses = subject in slow
            slow.discard(subject)
        if pauses:
            time.sleep(1.3)
        if not claim.still_mine():
            late.append(subject)
            raise due.Again("late", 0)
        with lock:
            effects[subject] += 1

    def worker() -> None:
        until = time.monotonic() + 30
        while Due.objects.exists() and time.monotonic() < until:
            if (claimed := due.claim()) is not None:
                due.work_off(claimed, {"try": errand})

    for name in names:
        due.add("try", name)
    at_once([worker] * 4)
    assert effects == Counter(names)
    assert len(late) == len(names) // 4
    assert not Due.objects.exists()


def test_a_worker_that_was_stopped_beyond_its_lease_does_not_send(house: House, edition: Edition) -> None:
    purchase = Purchase(house, edition, "paypal")
    order = Order.objects.get(pk=purchase.orders())
    purchase.comes_back(purchase.pays(order))
    stopped: list[str] = []

    def stop(point: str, kind: str) -> None:
        if point == "deliver.invited" and not stopped:
            stopped.append(point)
            house.works(later=due.LEASE + timedelta(seconds=1))  # meanwhile somebody else delivers

    with fault.watched(stop):
        house.works()
    order.refresh_from_db()
    assert stopped
    assert faults_of(house, order) == []
    assert len([mail for mail in house.mails if order.ref in mail.text]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("ahead", [0.0, 0.5])
def test_a_lease_that_is_nearly_over_is_not_enough_for_an_effect(monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    due.add("try", "row")
    claimed = due.claim()
    assert claimed is not None
    monkeypatch.setattr(clock, "_ahead", due.LEASE - due.MARGIN + timedelta(seconds=ahead))
    assert claimed.still_mine() is False
    monkeypatch.setattr(clock, "_ahead", due.LEASE - due.MARGIN - timedelta(seconds=2))
    assert claimed.still_mine() is True
    monkeypatch.setattr(clock, "_ahead", due.LEASE + timedelta(seconds=2))
    assert claimed.still_mine() is True  # the first answer began a whole lease


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [1, 2])
def test_news_is_not_lost_to_a_worker_that_is_just_done(after: int) -> None:
    """A message makes a look due in its transaction; after one of its statements, a worker is done with the last."""
    due.add("look", "pay_1")
    claimed = due.claim()
    assert claimed is not None
    worker = threading.Thread(target=lambda: at_once([claimed.done]))
    ran: list[str] = []

    def and_then(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        ran.append(sql)
        if len(ran) == after:
            worker.start()
            worker.join(0.5)  # it may have to wait for our commit
        return done

    with transaction.atomic(), connection.execute_wrapper(and_then):
        due.hasten("look", "pay_1")
        Due.objects.exists()
    worker.join()
    assert due.claim() is not None


@pytest.mark.django_db
@pytest.mark.parametrize("again", [due.Again("no", give_up=True), due.Again("no", 3600)], ids=["gives up", "waits"])
def test_news_is_not_lost_to_a_worker_that_gives_up(again: due.Again) -> None:
    due.add("try", "row")
    claimed = due.claim()
    assert claimed is not None
    due.hasten("try", "row")
    claimed.failed(again)
    assert due.claim() is not None


def test_what_comes_round_comes_round_again_after_crashes(house: House) -> None:
    errands.ensure()
    for _ in range(3):
        while due.claim() is not None:
            pass  # claimed, and died
        clock.travel(clock._ahead + due.LEASE + timedelta(hours=1))
    house.works()
    errands.ensure()
    rows = Due.objects.exclude(every=0)
    assert {row.kind: row.every for row in rows} == errands.PERIODIC
    assert all(row.lease_until is None and row.run_after > clock.now() and row.attempts == 0 for row in rows)


def test_a_payment_that_takes_a_week_is_still_looked_at(house: House, edition: Edition) -> None:
    """No message ever comes: the look must not be given up before the bank has moved the money."""
    purchase = Purchase(house, edition, "paypal")
    order = Order.objects.get(pk=purchase.orders())
    house.sandbox.paypal.next_capture("PENDING")
    purchase.comes_back(purchase.pays(order))
    assert order.payments.get().state == Payment.PENDING
    for _ in range(7 * 24):
        house.works(later=timedelta(hours=1))
    (books,) = house.sandbox.paypal.orders.values()
    house.sandbox.paypal.finish_pending(books.captures[0].id)
    house.works(later=timedelta(hours=1))
    order.refresh_from_db()
    assert order.state == Order.PAID
    assert len([mail for mail in house.mails if order.ref in mail.text]) == 1
