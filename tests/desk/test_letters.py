"""Letters at the desk: how far each got, sent once more, and what comes back put right within a job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import openings, pays
from tests.house import House
from tests.mailings.conftest import mail
from tests.mailings.test_mailings import BOUNCES, report
from troth.pledge.due.models import Due
from troth.shop.accounts.models import Contact
from troth.shop.delivery.models import Letter
from troth.shop.journeys import bounce, send_again
from troth.shop.journeys.look_up import Mark
from troth.shop.orders.models import Order

RIGHT = "alice.abend@elsewhere.example"


def comes_back(house: House, order: Order) -> None:
    """The goods were sent, and a report says that there is no such mailbox."""
    with mail(bounces=BOUNCES):
        pays(house, order)
        assert bounce.heard(report(house.mails[-1].sender, "5.1.1")) == "bounced"


def redirects(one: Colleague, job: str, order: Order, email: str) -> int:
    return one.posts(f"/desk/jobs/{job}/orders/{order.ref}/address", {"email": email}).status_code


def test_the_goods_are_sent_once_more_in_a_letter_of_its_own(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    sara = office.hired("sara", "support")
    house.works()
    first = next(one for one in house.mails if one.to == ["alice@elsewhere.example"])
    house.sandbox.mailbox.clear()
    answers = [sara.posts(f"/desk/orders/{order.ref}/letter", {}).status_code for _ in range(2)]
    assert answers == [303, 400]  # who clicks twice sends one
    house.works()
    (again,) = house.mails
    assert again.to == first.to
    assert dict(again.headers)["Message-ID"] != dict(first.headers)["Message-ID"]
    for words in ("/download/gra_", f"/orders/{order.ref}/key/", "/invoice/inv_"):
        assert words in again.text, words
    assert Letter.objects.get(kind="deliver").state == Letter.SENT  # never undone


def test_what_came_back_is_corrected_in_a_job_and_the_goods_arrive(office: Office, order: Order, house: House) -> None:
    comes_back(house, order)
    sara = office.hired("sara", "support")
    assert "The letter came back (dsn-5.1.1)" in sara.page(f"/desk/orders/{order.ref}").text
    assert "Letter bounced: deliver" in sara.page("/desk/stuck").text
    job = sara.takes(order.ref, "delivery")
    links = [a.get("href") for a in sara.page(f"/desk/jobs/{job}").all("a")]
    assert f"/desk/jobs/{job}/orders/{order.ref}/address" in links
    before = len(openings(house, order.person_id))
    house.works()
    house.sandbox.mailbox.clear()
    assert redirects(sara, job, order, RIGHT) == 303
    assert len(openings(house, order.person_id)) == before + 1
    house.works()
    goods, warning = sorted(house.mails, key=lambda one: one.to != [RIGHT])
    assert (goods.to, warning.to) == ([RIGHT], ["alice@elsewhere.example"])
    assert "/download/gra_" in goods.text
    for kept in ("/key/", "/recover/", "/claim/", "/invoice/inv_"):
        assert kept not in goods.text + goods.html, kept
    assert "We were told another one" in warning.text
    assert "came back" not in sara.page(f"/desk/orders/{order.ref}").text
    assert "deliver" not in sara.page("/desk/stuck").text
    assert RIGHT in sara.page(f"/desk/jobs/{job}").text


def test_a_refused_address_is_corrected_too_and_its_errand_is_done(office: Office, order: Order, house: House) -> None:
    house.works()
    house.sandbox.mailbox.fails(times=1, how="550")
    pays(house, order)
    assert Letter.objects.get(kind="deliver").state == Letter.FAILED
    sara = office.hired("sara", "support")
    assert redirects(sara, sara.takes(order.ref, "delivery"), order, RIGHT) == 303
    house.works(later=timedelta(minutes=1))
    assert [one.to for one in house.mails if "Field Guide" in one.text] == [[RIGHT]]
    assert not Due.objects.filter(kind="deliver").exists()


@pytest.mark.parametrize("role", ["billing", "owner"])
def test_who_does_no_support_corrects_nothing(office: Office, order: Order, house: House, role: str) -> None:
    comes_back(house, order)
    one = office.owner if role == "owner" else office.hired(role, role)
    job = one.takes(order.ref, "invoice") if role == "billing" else "job_" + "a" * 26
    assert redirects(one, job, order, RIGHT) == 403
    assert Contact.objects.get(pk=Order.objects.get().contact_id).state == Contact.CURRENT


def test_nothing_is_corrected_that_arrived_or_of_who_has_an_account(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    pays(house, order)
    job = sara.takes(order.ref, "delivery")
    assert redirects(sara, job, order, RIGHT) == 400  # it arrived
    Letter.objects.filter(kind="deliver").update(state=Letter.BOUNCED)
    assert redirects(sara, job, order, "ALICE@elsewhere.example") == 400  # the very same mailbox
    Order.objects.filter(pk=order.pk).update(person=sara.ref)
    own = sara.takes(order.ref, "delivery")
    page = sara.posts(f"/desk/jobs/{own}/orders/{order.ref}/address", {"email": RIGHT})
    assert (page.status_code, "They have an account" in page.content.decode()) == (400, True)


def test_letters_are_listed_by_state_and_a_held_one_is_sent_again(office: Office, order: Order, house: House) -> None:
    house.works()
    house.sandbox.mailbox.fails(times=1, how="451")
    pays(house, order)
    sara = office.hired("sara", "support")
    assert "smtp-451" in sara.page("/desk/mails?state=waiting&kind=deliver").text
    Due.objects.filter(kind="deliver").update(gave_up_at=order.made_at)
    assert "Held" in sara.page("/desk/mails?state=held").text
    letter = Letter.objects.get(kind="deliver")
    assert sara.posts(f"/desk/mails/{letter.id}/again", {}).status_code == 303
    house.works()
    letter.refresh_from_db()
    assert letter.state == Letter.SENT
    assert "No letter is here" in sara.page("/desk/mails?state=held").text


def test_a_list_is_sought_from_its_last_row(office: Office, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_again, "PAGE", 2)
    for n in range(5):  # one moment, so that the id decides
        Letter.objects.create(kind="policy", subject=str(n), person_id=order.person_id, queued_at=order.made_at)
    seen, before = [], None
    while True:
        found, more = send_again.listed(kind="policy", before=before)
        seen += [one.letter.id for one in found]
        if not more:
            break
        before = Mark.read(str(Mark(found[-1].letter.queued_at, found[-1].letter.id)))
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
