"""What a page of the desk asks of the database: at most a dozen questions, however much there is to tell."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.desk.cases import Desk
from tests.desk.people import Office
from tests.desk.test_jobs import pays
from tests.house import House
from tests.storefront.conftest import Browser
from troth.faces.desk.urls import PAGES
from troth.pledge.office.policy import ROLES
from troth.shop.catalogue.models import Draft
from troth.shop.journeys import ask, refund
from troth.shop.orders.models import Order

MOST = 12


# What stands in the addresses of these pages is known here; a page of another kind is asked for what there is not.
KNOWN = ("desk_order", "desk_ticket", "desk_job", "desk_product", "desk_release", "desk_report", "desk_colleague")
OTHERS = ("desk_job_ticket_file", "desk_job_redirect")  # of a file, of a letter that came back


def test_pages_ask_a_dozen_questions_at_most(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    ticket = ask.ask(order.person_id, ask.Question("Where is it?"))
    Draft.objects.create(product_id="field-guide", version="2.0.0", size=1)
    ada = office.hired("ada", *ROLES)
    job = ada.takes(order.ref)
    ada.proves()
    known = {"slug": "field-guide", "version": "2.0.0", "name": "sales", "job": job}
    refs = {"desk_order": order.ref, "desk_ticket": ticket.ref, "desk_job": ticket.ref, "desk_colleague": ada.ref}
    asked: dict[str, int] = {}
    missing = []
    for place in PAGES:
        wanted = [part.split(":")[-1].rstrip(">") for part in place.path.split("/") if part.startswith("<")]
        ref = next((one for start, one in refs.items() if place.name.startswith(start)), "none")
        path = reverse(place.name, kwargs={name: known.get(name, ref if name == "ref" else "none") for name in wanted})
        with CaptureQueriesContext(connection) as queries:
            answer = ada.get(path)
        asked[place.name] = len(queries)
        if answer.status_code == 404 and place.name.startswith(KNOWN) and place.name not in OTHERS:
            missing.append(place.name)
    assert missing == []
    assert {name: count for name, count in asked.items() if count > MOST} == {}
    assert asked["desk_reports"] and asked["desk_products"]  # they were counted


def test_pages_of_orders_ask_no_more_with_much_to_tell(
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


def test_pages_of_disclosures_ask_a_dozen_questions_with_several_cases(
    office: Office, order: Order, house: House, django_assert_max_num_queries: Any
) -> None:
    pays(house, order)
    desk = Desk(office, order)
    case = desk.filed()
    for _ in range(3):
        desk.filed()
    for one in desk.others:
        assert desk.approves(one, case).status_code == 303
    officer = desk.filer
    officer.proves()
    papers = officer.posts(f"/desk/disclosures/{case.ref}/take", {})["Location"]
    one = f"/desk/disclosures/{case.ref}"
    named = (f"{papers}/documents/{case.documents.get().id}", "/desk/disclosures/new", f"{one}/narrow")
    for path in ("/desk/disclosures", one, papers, *named):
        with django_assert_max_num_queries(MOST):
            answer = officer.get(path)
            b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code == 200, path
    office.owner.proves()
    with django_assert_max_num_queries(MOST):
        office.owner.page("/desk/disclosures/outside")
    for path in ("/transparency", "/transparency.json", "/transparency.csv"):
        with django_assert_max_num_queries(MOST):
            assert Browser().get(path).status_code == 200
