"""`troth refund`, `troth order` and `troth reconcile`, as the owner types them."""

import json

import msgspec
import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from tests.house import House
from tests.payments.test_refund import paid, paid_twice, two_lines
from troth.faces.cli import order as order_command
from troth.faces.cli import reconcile as reconcile_command
from troth.faces.cli import refund as refund_command
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import download
from troth.shop.orders.models import Order
from troth.shop.payments.models import Difference, Payment, Refund


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are the test's, and nobody waits for a worker that is on call only."""
    monkeypatch.setattr(refund_command.config, "load", lambda: settings.TROTH)
    monkeypatch.setattr(refund_command, "PATIENCE", 0)


def run(command: object, *words: str) -> Result:
    return CliRunner().invoke(command, list(words))  # type: ignore[arg-type]


def test_an_owner_gives_a_line_back(house: House, edition: Edition) -> None:
    order = two_lines(house, edition, "paypal")
    said = run(refund_command.refund, order.ref, "--line", "2", "--yes")
    assert (said.exit_code, "25.00 EUR are set aside" in said.output) == (3, True)
    house.works()
    assert [link.product_name for link in download.links(order)] == ["Field Guide"]
    said = run(order_command.order, order.ref)
    assert "Herbal, Single site: 25.00 EUR, went back 25.00 EUR, access refunded" in said.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--amount", "ten"), "such as 10.00"),
        (("--amount", "10.001"), "such as 10.00"),
        (("--line", "9"), "no such line"),
        (("--amount", "99.00"), "more than is left"),
        (("--surplus",), "Nothing was paid twice"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    house: House, edition: Edition, words: tuple[str, ...], sentence: str
) -> None:
    order = paid(house, edition, "paypal")
    said = run(refund_command.refund, order.ref, "--yes", *words)
    assert said.exit_code in (1, 2)
    assert sentence in said.output
    assert Refund.objects.count() == 0


def test_no_such_order(house: House) -> None:
    for command in (refund_command.refund, order_command.order):
        assert "There is no such order" in run(command, "ord_x").output


def test_what_waits_for_the_owner(house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:

    asking = msgspec.structs.replace(
        settings.TROTH, payments=msgspec.structs.replace(settings.TROTH.payments, surplus="ask")
    )
    monkeypatch.setattr(settings, "TROTH", asking)
    assert run(order_command.order).output == "Nothing waits.\n"
    order, _, later = paid_twice(house, edition)
    house.messages()
    house.works()
    told = json.loads(run(order_command.order, "--json").output)["waiting"]
    assert [(one["order"], one["for_you"]) for one in told] == [(order.ref, True)]
    assert f"troth refund {order.ref} --surplus" in told[0]["sentence"]
    assert run(refund_command.refund, order.ref, "--surplus", "--yes").exit_code == 3
    house.works()
    later.refresh_from_db()
    assert (later.state, Order.objects.get().state) == (Payment.REFUNDED, Order.PAID)


def test_the_books_agree_and_a_difference_is_listed_until_it_is_gone(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    assert run(reconcile_command.reconcile).output.endswith("The books agree.\n")
    payment = order.payments.get()
    Payment.objects.filter(pk=payment.pk).update(captured_minor=5000)
    said = run(reconcile_command.reconcile, "--json")
    (row,) = json.loads(said.output)["differences"]
    assert (said.exit_code, row["kind"], row["ours"], row["theirs"]) == (1, "other-amount", "50.00", "49.00")
    assert (
        f"paypal,other-amount,{payment.capture_ref},{payment.id},50.00,49.00,EUR,"
        in run(reconcile_command.reconcile, "--csv").output
    )
    house.sandbox.paypal.orders[payment.provider_ref].captures[0].value = "50.00"
    assert run(reconcile_command.reconcile).exit_code == 0
    assert Difference.objects.get().gone_at is not None


def test_books_that_cannot_be_had_are_told(house: House, edition: Edition) -> None:
    paid(house, edition, "paypal")
    house.sandbox.faults.add("500", "/v1/reporting")
    said = run(reconcile_command.reconcile)
    assert (said.exit_code, "paypal: could not be had" in said.output) == (2, True)
