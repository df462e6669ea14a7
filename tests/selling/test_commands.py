"""`troth coupons` and `troth services`, as an owner types them."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

from tests.house import House
from tests.licences.bought import bought
from troth.faces.cli.coupons import coupons
from troth.faces.cli.entitlements import services
from troth.shop.catalogue.models import Edition, Product
from troth.shop.coupons.models import Coupon


def run(command: object, *words: str) -> Result:
    return CliRunner().invoke(command, list(words))  # type: ignore[arg-type]


def test_coupons_are_made_listed_and_ended(house: House, edition: Edition) -> None:
    assert "There are no coupons" in run(coupons, "list").output
    made = ["add", "spring10", "--amount", "9.50", "--least", "20", "--uses", "5", "--once", "--product", "field-guide"]
    assert run(coupons, *made, "--from", "2026-03-01", "--until", "2030-01-01").output == "SPRING10 is made.\n"
    assert "is there already" in run(coupons, *made, "--from", "2026-03-01", "--until", "2030-01-01").output
    other = run(coupons, "add", "spring10", "--percent", "5")
    assert (other.exit_code, "with other terms" in other.output) == (1, True)
    (told,) = json.loads(run(coupons, "list", "--json").output)
    assert told == {
        "code": "SPRING10", "takes": "9.50 EUR", "used": 0, "uses": 5, "from": "2026-03-01T00:00+00:00",
        "until": "2030-01-01T00:00+00:00", "once": True, "least": "20.00", "again": False, "products": ["field-guide"],
    }  # fmt: skip
    line = run(coupons, "list").output
    assert all(part in line for part in ("SPRING10", "9.50 EUR", "used 0 of 5", "once a customer", "field-guide"))
    assert run(coupons, "end", "SPRING10").output == "The coupon has ended.\n"
    assert run(coupons, "end", "SPRING10").output == "It had ended before.\n"
    for wrong in (["end", "NONE"], ["add", "X"], ["add", "ABC", "--amount", "a lot"], ["add", "ABC", "--percent", "0"]):
        assert run(coupons, *wrong).exit_code != 0
    assert Coupon.objects.count() == 1


def test_hours_are_noted_and_shown(house: House, edition: Edition) -> None:
    Product.objects.update(kind=Product.SERVICE)
    Edition.objects.update(hours=2)
    order = bought(house, Edition.objects.get())
    assert run(services, "use", order.ref, "1", "1.5", "--for", "Looked at the log").output == (
        "Noted; 0.5 hours are left.\n"
    )
    again = run(services, "use", order.ref, "1", "1")
    assert (again.exit_code, "more than is left" in again.output) == (1, True)
    shown = run(services, "show", order.ref).output
    assert "in force  0.5 of 2 hours left  without an end" in shown
    assert "1.5  Looked at the log" in shown
    for wrong in (["show", "ord_none"], ["use", order.ref, "1", "soon"], ["use", order.ref, "9", "1"]):
        assert run(services, *wrong).exit_code == 1
