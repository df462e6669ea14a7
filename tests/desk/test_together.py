"""Two colleagues do the same at the same moment: one of them did it, the other reads one sentence that says so.

Real threads with connections of their own, through the desk's pages; both have their form open before either sends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.http import HttpResponse

from tests.desk.cases import Desk, handed
from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import openings, pays
from tests.desk.test_letters import comes_back
from tests.faults.test_storms import at_once
from tests.house import House
from tests.storefront.conftest import ORIGIN
from tests.storefront.page import Page
from troth.pledge import clock
from troth.pledge.vault import door as doors
from troth.pledge.vault.door import Door
from troth.shop.accounts.models import Contact
from troth.shop.delivery.models import Letter
from troth.shop.journeys import disclosure
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, Refund, Transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def crowd(house: House) -> Iterator[None]:
    """A keeper that several threads may ask: its own loop answers one question at a time, too."""
    lock, say = threading.Lock(), house.web._say

    def one_by_one(question: bytes) -> bytes:
        with lock:
            return say(question)

    house.web = Door(one_by_one)
    doors.use(house.web)
    return


def ready(one: Colleague, path: str, fields: dict[str, object]) -> Callable[[], HttpResponse]:
    """The form, filled in, with the button still to be pressed."""
    token = one.page("/desk/").form("/desk/sign-out")["csrfmiddlewaretoken"]
    sent = {"csrfmiddlewaretoken": token, **fields}
    return lambda: one.post(path, sent, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")


def once(acts: list[Callable[[], HttpResponse]], *sentences: str) -> None:
    """All at once: one goes through, and each other is told why not, in one of these sentences."""
    done, *others = sorted(at_once(acts), key=lambda answer: answer.status_code)
    assert done.status_code == 303, Page(done.content.decode()).text
    for answer in others:
        told = Page(answer.content.decode()).text
        assert answer.status_code == 400, told
        assert any(sentence in told for sentence in sentences), told


def test_one_transfer_and_one_refund_however_many_press_the_button(office: Office, order: Order, house: House) -> None:
    cashiers = [office.hired("bill", "billing"), office.owner]
    for one in cashiers:
        one.proves()
    booking = {"reference": "NR 2026-0815", "came": "49.00", "booked_on": clock.now().date().isoformat()}
    noting = [ready(one, f"/desk/orders/{order.ref}/transfer", booking) for one in cashiers]
    once(noting, "noted before", "paid already")
    assert (Transfer.objects.count(), Payment.objects.filter(provider="transfer").count()) == (1, 1)
    house.works()
    assert len([mail for mail in house.mails if "/download/" in mail.text]) == 1
    path = f"/desk/orders/{order.ref}/refund"
    forms = [one.page(path).form(path) | {"line": "1", "amount": "10.00"} for one in cashiers]
    giving = [ready(one, path, form) for one, form in zip(cashiers, forms, strict=True)]
    once(giving, "since you looked")
    assert [one.amount_minor for one in Refund.objects.all()] == [1000]


def test_one_of_two_lets_an_open_order_go(office: Office, order: Order, house: House) -> None:
    crew = [office.hired("sara", "support"), office.hired("bill", "billing")]
    once([ready(one, f"/desk/orders/{order.ref}/cancel", {}) for one in crew], "not open any more")
    order.refresh_from_db()
    assert order.state == Order.CANCELLED


def test_one_of_two_puts_an_address_right(office: Office, order: Order, house: House) -> None:
    comes_back(house, order)
    crew = [office.hired("sara", "support"), office.hired("simon", "support")]
    paths = [f"/desk/jobs/{one.takes(order.ref, 'delivery')}/orders/{order.ref}/address" for one in crew]
    typed = [{"email": f"alice.{one.name}@elsewhere.example"} for one in crew]
    acts = [ready(one, path, fields) for one, path, fields in zip(crew, paths, typed, strict=True)]
    once(acts, "Somebody changed this address just now", "No letter about this order came back")
    assert Contact.objects.filter(person=order.person_id, state=Contact.CURRENT).count() == 1
    assert Letter.objects.filter(kind="redirected").count() == 1


def test_two_approve_at_once_and_two_hand_over_once(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    desk = Desk(office, order)
    case = desk.filed()
    path, seen = f"/desk/disclosures/{case.ref}/do", disclosure.scope_hash(case).hex()
    for one in (desk.filer, *desk.others):
        one.proves()
    adam = desk.others[1]
    again = [ready(adam, path, {"do": "approve", "hash": seen}) for _ in range(3)]
    assert {answer.status_code for answer in at_once(again)} <= {303, 400}
    assert "1 of 2 have approved" in desk.filer.page(f"/desk/disclosures/{case.ref}").text
    both = [ready(one, path, {"do": "approve", "hash": seen}) for one in desk.others]
    assert {answer.status_code for answer in at_once(both)} <= {303, 400}
    house.keeper.db.execute("UPDATE disclosure SET earliest = filed WHERE id = ?", (case.ref,))
    over = [ready(one, path, {"do": "hand-over"}) for one in (desk.filer, office.owner)]
    assert 303 in {answer.status_code for answer in at_once(over)}
    assert handed(case)
    assert [one for one in openings(house, order.person_id) if one[1] == "legal"] == [("disclosure", "legal", case.ref)]
