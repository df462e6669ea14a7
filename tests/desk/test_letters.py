"""Letters at the desk: how far each got, sent once more, and what comes back put right within a job."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import openings, pays
from tests.house import House
from tests.mailings.conftest import mail
from tests.mailings.test_mailings import BOUNCES, report
from tests.storefront.conftest import Browser
from troth.pledge.due.models import Due
from troth.pledge.office import messages
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.models import Contact
from troth.shop.delivery.models import Letter
from troth.shop.journeys import bounce, send_again, standby
from troth.shop.journeys.look_up import Mark
from troth.shop.orders.models import Order

LINKS = ("/download/gra_", "/key/", "/recover/", "/claim/", "/invoice/inv_")
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
    for words in LINKS:
        assert words in goods.text, words
    assert "We were told another one" in warning.text
    assert "came back" not in sara.page(f"/desk/orders/{order.ref}").text
    assert "deliver" not in sara.page("/desk/stuck").text
    assert RIGHT in sara.page(f"/desk/jobs/{job}").text


def links_of(text: str) -> dict[str, str]:
    """The path of each link in a letter, by what it is for."""
    return {kind: re.search(rf"https?://[^/\s]+(\S*{kind}\S*)", text)[1] for kind in LINKS}


def test_links_of_the_former_letter_end_and_those_of_the_new_one_work(
    office: Office, order: Order, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "pause", lambda _: house.works())  # who waits for an invoice has the worker work
    comes_back(house, order)
    former = links_of(house.mails[-1].text)
    sara = office.hired("sara", "support")
    house.works()
    house.sandbox.mailbox.clear()
    assert redirects(sara, sara.takes(order.ref, "delivery"), order, RIGHT) == 303
    house.works()
    new = links_of(next(one.text for one in house.mails if one.to == [RIGHT]))
    assert set(former.values()) & set(new.values()) == set()
    for kind in ("/key/", "/download/gra_", "/invoice/inv_"):
        assert Browser().get(former[kind]).status_code in (403, 404, 410), kind
        assert Browser().get(new[kind]).status_code in (200, 303), kind
    fields = {"password": "a long walk by the river"}
    assert Browser().send(former["/recover/"], fields).status_code == 400
    alice = Browser()
    assert alice.send(new["/recover/"], fields).status_code == 303
    assert "Your e-mail address was changed" in alice.page("/account/privacy").text


@pytest.mark.parametrize("how", ["no job", "closed", "a colleague's", "another customer", "in an emergency", "account"])
def test_no_links_are_led_elsewhere_but_out_of_an_open_job(
    office: Office, order: Order, house: House, how: str
) -> None:
    """As whoever holds the web process would ask the keeper, past every page."""
    comes_back(house, order)
    sara, ref, code = office.hired("sara", "support"), order.person_id, "job"
    job = "job_" + "a" * 26 if how == "no job" else sara.takes(order.ref, "delivery")
    if how == "closed":
        sara.posts(f"/desk/jobs/{job}/close", {})
    if how == "a colleague's":
        job = office.hired("simon", "support").takes(order.ref, "delivery")
    if how == "another customer":
        ref = office.owner.ref
    if how == "in an emergency":
        sara.proves()
        answer = sara.posts("/desk/break-glass", {"order": order.ref, "sure": "on"})
        job, code = answer["Location"].rpartition("/")[2], "power"
    if how == "account":
        house.works()
        goods = next(one for one in house.mails if "/recover/" in one.text)
        answer = Browser().send(links_of(goods.text)["/recover/"], {"password": "a long walk by the river"})
        assert answer.status_code == 303
        code = "taken"
    question = messages.Redirect(sara.cookies["troth_desk"].value, job, ref, "alice@elsewhere.example", RIGHT)
    before = house.keeper.db.execute("SELECT * FROM reached").fetchall()
    with pytest.raises(KeeperRefused) as refused:
        door().at_desk(question, messages.Done)
    assert refused.value.code == code
    assert house.keeper.db.execute("SELECT * FROM reached").fetchall() == before


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
