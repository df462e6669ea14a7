"""What a page of the desk asks of the database: at most a dozen questions, however much there is to tell."""

from __future__ import annotations

from typing import Any

from tests.desk.people import Office
from tests.desk.test_jobs import pays
from tests.house import House
from troth.shop.journeys import refund
from troth.shop.orders.models import Order

MOST = 12


def test_pages_ask_a_dozen_questions_at_most(
    office: Office, order: Order, house: House, django_assert_max_num_queries: Any
) -> None:
    pays(house, order)
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    one = f"/desk/orders/{order.ref}"
    paths = (
        "/desk/", "/desk/orders", "/desk/orders?state=disputed", f"/desk/orders?day={order.made_at.date()}", one,
        f"/desk/jobs/{job}", "/desk/mails", "/desk/mails?state=held", "/desk/stuck",
    )  # fmt: skip
    for path in paths:
        with django_assert_max_num_queries(MOST):
            sara.page(path)
    bill = office.hired("bill", "billing")
    bill.proves()
    refund.ask(Order.objects.get())
    for path in (one, f"{one}/refund", f"{one}/transfer", "/desk/stuck"):
        with django_assert_max_num_queries(MOST):
            bill.page(path)


def test_an_orders_page_tells_everything_that_happened(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    sara.posts(f"/desk/jobs/{job}/close", {})
    told = sara.page(f"/desk/orders/{order.ref}").text
    for words in (
        "Ordered €49.00", "Sent to pay with PayPal", "PayPal: paid", "Paid", "Letter sent: deliver",
        "Downloads opened: Field Guide", "Licence given", "Paper issued", "Taken up by sara", "Job closed by sara",
    ):  # fmt: skip
        assert words in told, words
