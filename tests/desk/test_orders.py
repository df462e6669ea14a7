"""Daily work on orders: money back by line, a transfer noted, downloads extended, an order let go; each by its verb."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import pays
from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from troth.faces.cli.orders import orders as command
from troth.pledge import clock
from troth.shop.clauses import p8_delivery
from troth.shop.delivery.models import Grant, Letter
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import look_up, refund
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments.models import Payment, Refund, Transfer

PROOF = {"reference": "NTRF 2026-11/0815", "booked_on": "", "came": "49.00"}


def cashier(office: Office) -> Colleague:
    bill = office.hired("bill", "billing")
    bill.proves()
    return bill


def notes(one: Colleague, order: Order, **more: str) -> int:
    day = clock.now().date().isoformat()
    return one.posts(f"/desk/orders/{order.ref}/transfer", PROOF | {"booked_on": day} | more).status_code


def gives(one: Colleague, order: Order, **fields: str) -> int:
    path = f"/desk/orders/{order.ref}/refund"
    return one.posts(path, one.page(path).form(path) | fields).status_code


def test_a_line_goes_back_once_with_the_second_factor_of_just_now(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    bill = cashier(office)
    path = f"/desk/orders/{order.ref}/refund"
    page = bill.page(path)
    assert "Field Guide" in page.text
    assert "left of what was paid: €49.00" in page.text
    form = page.form(path)
    assert bill.posts(path, form | {"line": "1", "amount": "10.00"}).status_code == 303
    assert bill.posts(path, form | {"line": "1", "amount": "10.00"}).status_code == 400  # the same form again
    assert gives(bill, order, line="1", amount="39.01") == 400  # never more than is left
    house.works()
    payment = Payment.objects.get()
    assert (payment.refunded_minor, Refund.objects.count()) == (1000, 1)
    assert OrderLine.objects.get().ended == ""
    assert gives(bill, order, line="1") == 303
    house.works()
    assert Payment.objects.get().refunded_minor == 4900
    assert OrderLine.objects.get().ended == "refunded"
    office.later(minutes=6)
    assert bill.get(path)["Location"].startswith("/desk/again")


def test_a_transfer_pays_an_order_once_and_its_invoice_and_letter_follow(
    office: Office, order: Order, house: House
) -> None:
    bill = cashier(office)
    assert [notes(bill, order), notes(bill, order)] == [303, 400]
    house.works()
    order.refresh_from_db()
    assert order.state == Order.PAID
    assert Letter.objects.get(kind="deliver").state == Letter.SENT
    assert Invoice.objects.get().order_id == order.ref
    kept = Transfer.objects.get()
    assert (kept.reference, kept.by) == ("NTRF 2026-11/0815", bill.ref)
    told = bill.page(f"/desk/orders/{order.ref}").text
    assert "Bank transfer: paid" in told
    assert gives(bill, order, line="1") == 303
    house.works()
    assert "pay them at your bank" in bill.page(f"/desk/orders/{order.ref}").text
    assert "to be paid at the bank" in bill.page("/desk/stuck").text
    back = Refund.objects.get()
    answers = [bill.posts(f"/desk/orders/{order.ref}/gave", {"refund": back.id}).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert Payment.objects.get(provider="transfer").refunded_minor == 4900
    assert "Nothing is stuck" in bill.page("/desk/stuck").text


def test_what_proves_no_transfer_is_refused_and_nothing_is_kept(office: Office, order: Order) -> None:
    bill = cashier(office)
    for wrong in (
        {"reference": "DE89 3704 0044 0532 0130 00"}, {"reference": "alice@elsewhere.example"}, {"reference": "?"},
        {"reference": "4111 1111 1111 1111"}, {"came": "48.99"}, {"came": "fifty"}, {"booked_on": "2999-01-01"},
        {"booked_on": "2001-01-01"},
    ):  # fmt: skip
        assert notes(bill, order, **wrong) == 400, wrong
    assert not Transfer.objects.exists()
    assert not Payment.objects.filter(provider="transfer").exists()
    assert Order.objects.get().state == Order.OPEN


def test_one_booking_pays_one_order_and_a_paid_order_takes_none(office: Office, order: Order, house: House) -> None:
    other = Order.objects.get(pk=order.pk)
    other.pk, other.once = "ord_" + "a" * 26, None
    other.save(force_insert=True)
    bill = cashier(office)
    assert notes(bill, order) == 303
    assert notes(bill, other) == 400
    assert Transfer.objects.get().order_id == order.pk
    Order.objects.filter(pk=other.pk).update(state=Order.PAID, paid_at=clock.now())
    assert notes(bill, other, reference="ANOTHER 1") == 400
    assert Payment.objects.filter(order=other).count() == 0


def test_a_download_is_extended_once_and_never_by_billing(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    sara = office.hired("sara", "support")
    grant = Grant.objects.get()
    path = f"/desk/orders/{order.ref}/extend"
    form = sara.page(f"/desk/orders/{order.ref}").form(path)
    sent = [sara.posts(path, form | {"days": "10", "times": "3"}).status_code for _ in range(2)]
    assert sent == [303, 400]
    after = Grant.objects.get()
    assert (after.limit - grant.limit, after.ends_at - grant.ends_at) == (3, timedelta(days=10))
    assert cashier(office).posts(path, form | {"days": "1"}).status_code == 403
    assert sara.posts(path, form | {"days": "1000"}).status_code == 400


def test_an_open_order_is_let_go_and_one_that_is_paid_is_not(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    house.sandbox.paypal.approve(order.payments.get().provider_ref)  # paid, and no message has come yet
    assert sara.posts(f"/desk/orders/{order.ref}/cancel", {}).status_code == 400
    assert Order.objects.get().state == Order.PAID


def test_what_is_cancelled_and_paid_later_counts_after_all(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    assert sara.posts(f"/desk/orders/{order.ref}/cancel", {}).status_code == 303
    assert Order.objects.get().state == Order.CANCELLED
    assert sara.posts(f"/desk/orders/{order.ref}/cancel", {}).status_code == 400


def test_orders_are_listed_by_day_and_sought_page_by_page(
    office: Office, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_up, "PAGE", 2)
    for n in range(4):
        other = Order.objects.get(pk=order.pk)
        other.pk, other.once = f"ord_{'abcd'[n]}" + "a" * 25, None
        other.save(force_insert=True)
    sara = office.hired("sara", "support")
    seen, path = [], f"/desk/orders?day={order.made_at.date().isoformat()}"
    while path:
        page = sara.page(path)
        links = [a.get("href", "") for a in page.all("a")]
        seen += [link for link in links if link.startswith("/desk/orders/ord_")]
        path = next((link for link in links if "before=" in link), "")
    assert len(seen) == len(set(seen)) == 5
    assert "No order is here" in sara.page("/desk/orders?day=2001-01-01").text
    assert sara.page("/desk/orders?day=nonsense&before=nonsense").all("a")


def test_stuck_things_say_why_and_what_mends_them(office: Office, order: Order, house: House) -> None:
    Browser().get(house.sandbox.paypal.approve(order.payments.get().provider_ref).removeprefix(ORIGIN))
    refund.ask(Order.objects.get())
    Refund.objects.update(state=Refund.FAILED, reason="INSUFFICIENT_FUNDS")
    sara = office.hired("sara", "support")
    told = sara.page("/desk/stuck").text
    assert "Money back, 49.00 EUR: failed" in told
    assert "INSUFFICIENT_FUNDS" in told


def test_what_was_delivered_and_paid_back_breaks_no_promise(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    bill = cashier(office)
    assert gives(bill, order, line="1") == 303
    house.works()
    assert Order.objects.get().state == Order.REFUNDED
    found = list(p8_delivery.nothing_unpaid_is_delivered(house.probe()))
    assert [one.state for one in found] == ["holds"], found


def test_asked_again_the_provider_tells_what_no_message_did(office: Office, order: Order, house: House) -> None:
    house.sandbox.paypal.approve(order.payments.get().provider_ref)
    bill = office.hired("bill", "billing")
    assert bill.posts(f"/desk/orders/{order.ref}/ask", {}).status_code == 303
    assert Order.objects.get().state == Order.PAID


def test_the_command_line_does_the_same(order: Order, house: House) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(command, list(words))
        assert done.exit_code == 0, done.output
        return done.output

    pays(house, order)
    before = Grant.objects.get().limit
    run("extend", order.ref, "--times", "2")
    assert Grant.objects.get().limit == before + 2
    run("letter", order.ref)
    house.works()
    assert Letter.objects.get(kind="redeliver").state == Letter.SENT
    assert "paypal: paid" in run("ask", order.ref)
    assert "Nothing is stuck" in run("stuck")
    no = CliRunner().invoke(command, ["cancel", order.ref])
    assert (no.exit_code, "not open any more" in no.output) == (1, True)
