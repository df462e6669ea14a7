"""Nothing that is kept against fraud is of use for anything else: who imports it, who gets it, tried."""

import ast
import json

import pytest
from django.core.exceptions import FieldError

from tests.fraud.test_holds import DUBLIN, order
from tests.house import House
from tests.shape.tree import ROOT
from troth.pledge.vault.door import KeeperRefused
from troth.shop.catalogue.models import Edition
from troth.shop.fraud.models import Trace
from troth.shop.journeys import export_opened
from troth.shop.orders.models import Order

SOURCE = ROOT / "src/troth"
# Who may know of it: what weighs, holds and ends; the pages that say why; the promise itself; and the doctor, who asks
# of the last few orders whether the address of any is known, and opens none.
MAY = {
    "faces/api/callers.py", "faces/cli/orders.py", "faces/cli/work_examinations.py", "faces/desk/views/held.py",
    "shop/journeys/weigh.py", "shop/journeys/suspend.py", "shop/journeys/waiting.py", "shop/journeys/evidence.py",
    "shop/journeys/retain.py", "shop/journeys/tell_owner.py", "shop/clauses/p11_ip_against_fraud.py",
}  # fmt: skip


def test_only_what_fights_fraud_knows_of_it() -> None:
    found = set()
    for path in SOURCE.rglob("*.py"):
        name = str(path.relative_to(SOURCE))
        if not name.startswith("shop/fraud/") and any("troth.shop.fraud" in one for one in imported(path.read_text())):
            found.add(name)
    assert found == MAY


def imported(text: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{one.name}" for one in node.names]
    return names


def test_no_order_can_be_found_by_an_address(house: House, edition: Edition) -> None:
    order(edition, DUBLIN)
    for wanted in ({"trace__network": DUBLIN}, {"trace__network__contains": DUBLIN}):
        with pytest.raises((TypeError, FieldError, ValueError)):
            list(Order.objects.filter(**wanted))


def test_its_person_gets_no_export_by_the_purpose_fraud(house: House, edition: Edition) -> None:
    trace = Trace.objects.get(order=order(edition, DUBLIN))
    assert export_opened.worker_purpose("network") == ""
    assert not export_opened.by_own_capability(trace.person_id, trace, trace.network)


def test_a_job_at_the_desk_opens_none(house: House, edition: Edition) -> None:
    trace = Trace.objects.get(order=order(edition, DUBLIN))
    for purpose in ("support", "fraud", "legal", "bill"):
        with pytest.raises(KeeperRefused):
            house.web.open([trace.network], purpose=purpose, job="a-try", capability="invented")


def test_no_provider_is_told(house: House, edition: Edition) -> None:
    order(edition, DUBLIN)
    books = json.dumps(house.sandbox.paypal.orders, default=lambda one: getattr(one, "__dict__", None) or repr(one))
    assert "ord_" in books
    assert DUBLIN not in books
