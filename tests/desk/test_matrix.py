"""Every page of the desk, tried as everybody; what a job shows, to which role, in which state. docs/desk.md has both.

Where they differ the failure shows what was found, as it is to stand there.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpResponse
from django.urls import reverse

from tests.desk.cases import bare
from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import openings
from tests.house import House
from tests.shape.tree import ROOT
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import Page
from troth.faces.desk.urls import PAGES
from troth.faces.desk.urls import Page as Place
from troth.pledge.office.policy import ROLES
from troth.shop.catalogue.models import Draft
from troth.shop.journeys import ask
from troth.shop.orders.models import Order
from troth.shop.staff.models import Job

WHYS = ("question", "invoice")


def said(answer: HttpResponse) -> str:
    """How the desk answered, in one word."""
    where = answer.headers.get("Location", "")
    if where == "/desk/sign-in":
        return "sign-in"
    if where.startswith("/desk/again"):
        return "code"
    return {403: "no", 404: "nothing there"}.get(answer.status_code, "yes")


def asked(browser: Browser, place: Place, known: dict[str, str]) -> str:
    names = {name: known.get(f"{place.name} {name}", "none") for name in _names(place)}
    path = reverse(place.name, kwargs=names)
    answer = browser.get(path)
    if answer.status_code == 405:
        token = {"csrfmiddlewaretoken": browser.cookies["troth_csrf"].value} if "troth_csrf" in browser.cookies else {}
        answer = browser.post(path, token, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")
        assert answer.status_code != 200, f"{place.name} does something without a form"
    assert answer.status_code < 500
    return said(answer)


def _names(place: Place) -> list[str]:
    return [part.split(":")[-1].rstrip(">") for part in place.path.split("/") if part.startswith("<")]


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), ["---"] * len(list(heads)), *(list(row) for row in rows)]
    return "\n".join(f"|{'|'.join(f' {cell} ' if cell != '---' else cell for cell in line)}|" for line in lines)


def test_who_sees_which_page_is_what_the_document_says(office: Office, order: Order) -> None:
    people: dict[str, Browser] = {"nobody": Browser(), "not attested": office.colleague("wanda")}
    people["not attested"].join(office.invited("support"))  # type: ignore[attr-defined]
    people["agency"] = office.hired("adam", "support", "catalogue", kind="agency")
    people |= {role: office.hired(role, role) for role in ROLES if role != "owner"}
    people["owner"] = office.owner
    office.later(minutes=6)  # nobody's second factor is of just now
    asked_by_alice = ask.ask(order.person_id, ask.Question("Where is it?"))
    acts = ("order", "order_letter", "order_extend", "order_cancel", "order_ask", "order_refund", "order_transfer")
    known = {f"desk_{name} ref": order.ref for name in (*acts, "order_gave")}
    known |= {"desk_colleague ref": people["support"].ref}  # type: ignore[attr-defined]
    known |= dict.fromkeys(("desk_ticket ref", "desk_ticket_take ref"), asked_by_alice.ref)
    Draft.objects.create(product_id="field-guide", version="2.0.0", size=1)
    known |= {f"{place.name} slug": "field-guide" for place in PAGES}
    known |= {f"{place.name} version": "2.0.0" for place in PAGES}
    known |= dict.fromkeys(("desk_report name", "desk_report_table name"), "sales")
    known |= dict.fromkeys(("desk_disclosure ref", "desk_disclosure_sign ref", "desk_disclosure_take ref"), bare().ref)
    rows = [
        [f"`/desk/{place.path.replace('str:', '')}`", *(asked(one, place, known) for one in people.values())]
        for place in PAGES
        if place.open_to.roles is not None
    ]
    found = table(["page", *people], rows)
    assert found in (ROOT / "docs/desk.md").read_text("utf-8"), found


def fields(page: Page) -> list[str]:
    return sorted({given["data-field"] for _, given in page.elements if "data-field" in given})


def takes(one: Colleague, order: Order, why: str) -> str:
    """The job, or "" where they may not."""
    answer = one.posts("/desk/take", {"order": order.ref, "why": why, "hours": "8"})
    return answer["Location"].rpartition("/")[2] if answer.status_code == 303 else ""


def test_what_a_job_shows_is_what_the_document_says_and_the_ledger_counts(
    office: Office, order: Order, house: House
) -> None:
    ticket = ask.ask(order.person_id, ask.Question("Where is it?", "A download"))
    rows, shown = [], 0
    for role in ROLES:
        one = office.owner if role == "owner" else office.hired(role, role)
        for why in WHYS:
            if not (job := takes(one, order, why)):
                rows.append([role, why, "no job", ""])
                continue
            opened = fields(one.page(f"/desk/jobs/{job}"))
            talk = one.get(f"/desk/jobs/{job}/tickets/{ticket.ref}")
            read = fields(Page(talk.content.decode()))
            shown += bool(opened) + bool(read)
            opened += read
            one.posts(f"/desk/jobs/{job}/close", {})
            after = fields(one.page(f"/desk/jobs/{job}", 403))
            after += fields(one.page(f"/desk/jobs/{job}/tickets/{ticket.ref}", 403))
            rows.append([role, why, ", ".join(opened), ", ".join(after) or "nothing"])
    assert len(openings(house, order.person_id)) == shown == 6
    assert not Job.objects.filter(closed_at__isnull=True).exists()
    found = table(["role", "job about", "shows, while it is open", "after closing"], rows)
    assert found in (ROOT / "docs/desk.md").read_text("utf-8"), found
