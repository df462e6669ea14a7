"""What the desk's pages and the checks cost where there is much: told at the end of a run, and nobody's assertion.

In full (TROTH_CAMPAIGN=full) 100,000 customers and 300,000 orders; in `make test` a few, to see that it works.
"""

from __future__ import annotations

import os
import time

import pytest
from django.conf import settings
from django.urls import reverse

from tests.campaign import FULL, rounds
from tests.desk.large import swell
from tests.desk.people import Office
from tests.desk.test_jobs import pays
from tests.house import House
from troth.faces.desk.urls import PAGES
from troth.pledge.office.policy import ROLES
from troth.pledge.policy.clause import judge
from troth.shop.clauses import CLAUSES
from troth.shop.journeys import ask
from troth.shop.orders.models import Order

pytestmark = pytest.mark.soak


def test_what_pages_and_checks_cost_in_a_large_shop(
    office: Office, order: Order, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    pays(house, order)
    order.refresh_from_db()
    ticket = ask.ask(order.person_id, ask.Question("Where is it?"))
    ada = office.hired("ada", *ROLES)
    job = ada.takes(order.ref)
    ada.proves()
    swell(order, rounds(30, 300_000))
    refs = {"desk_order": order.ref, "desk_ticket": ticket.ref, "desk_job": ticket.ref, "desk_colleague": ada.ref}
    known = {"slug": "field-guide", "name": "sales", "job": job}
    cost = []
    for place in PAGES:
        wanted = [part.split(":")[-1].rstrip(">") for part in place.path.split("/") if part.startswith("<")]
        ref = next((one for start, one in refs.items() if place.name.startswith(start)), "none")
        path = reverse(place.name, kwargs={name: known.get(name, ref if name == "ref" else "none") for name in wanted})
        times = []
        for _ in range(2):
            began = time.process_time()
            status = ada.get(path).status_code
            times.append((time.process_time() - began) * 1000)
        assert status < 500, place.name
        cost.append((min(times), f"/desk/{place.path}", status))
    with capsys.disabled():
        print(f"\na shop of {Order.objects.count():,} orders, mode {settings.TROTH.shop.mode}; CPU time")
        for ms, path, status in sorted(cost, reverse=True)[: rounds(3, 25)]:
            print(f"{ms:8.1f} ms  {status}  {path}")
        total, probe = 0.0, house.probe()  # one round, as `troth check` has it
        for clause in CLAUSES if FULL else CLAUSES[:2]:
            began = _spent()
            with house.as_worker():
                verdict = judge(clause, probe)
            total += (took := _spent() - began)
            print(f"{took:8.1f} s   {clause.id} {verdict.state}", flush=True)
        print(f"{total:8.1f} s   together")


def _spent() -> float:
    """Seconds of CPU so far, of this process and of those it waited for: files are searched by one of their own."""
    return sum(os.times()[:4])
