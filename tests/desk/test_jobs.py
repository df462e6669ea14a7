"""Jobs: what somebody here may open, of whom, for how long; noted where the customer sees it; and every way round."""

from __future__ import annotations

import msgspec
import pytest

from tests.desk.people import Office
from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import Page
from troth.pledge.keeper import messages
from troth.pledge.ledger.events import unseal
from troth.pledge.office import messages as office_messages
from troth.pledge.office import policy
from troth.pledge.vault.door import KeeperRefused
from troth.shop.accounts.models import Contact
from troth.shop.orders.models import Order
from troth.shop.staff.models import Job


def noted(house: House, ref: str) -> list[dict[str, object]]:
    """What the ledger says about a person, as the keeper keeps it for them."""
    room = house.keeper.room
    key = room.persons.history_key(messages.raw_ref(ref))
    rows = room.db.execute(
        "SELECT seq, sealed FROM leaf JOIN about USING (seq) WHERE ref = ? ORDER BY seq", (messages.raw_ref(ref),)
    )
    return [msgspec.json.decode(unseal(key, seq, sealed)) for seq, sealed in rows]


def openings(house: House, ref: str) -> list[tuple[object, object, object]]:
    found = [event for event in noted(house, ref) if event["did"] == "open"]
    return [(event["role"], event["purpose"], event["job"]) for event in found]


def pays(house: House, order: Order) -> None:
    """So that a letter goes out: from then on the keeper knows the mailbox."""
    Browser().get(house.sandbox.paypal.approve(order.payments.get().provider_ref).removeprefix(ORIGIN))
    house.works()


def everyday(house: House, did: str) -> int:
    rows = house.keeper.db.execute("SELECT leaf FROM leaf").fetchall()
    found = [msgspec.json.decode(row[0]) for row in rows]
    return sum(one.get("type") == "desk" and one.get("did") == did for one in found)


def test_a_job_opens_what_its_purpose_needs_until_it_is_closed(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    assert "alice@elsewhere" not in sara.page(f"/desk/orders/{order.ref}").text
    job = sara.takes(order.ref)
    page = sara.page(f"/desk/jobs/{job}")
    assert "alice@elsewhere.example" in page.text
    assert "Amsel" not in page.text
    assert openings(house, order.person_id) == [("support", "support", job)]
    assert sara.posts(f"/desk/jobs/{job}/close", {}).status_code == 303
    assert "alice" not in sara.page(f"/desk/jobs/{job}", 403).text.lower()
    assert openings(house, order.person_id) == [("support", "support", job)]


def test_after_closing_the_keeper_refuses_whatever_the_web_asks(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    sealed = Contact.objects.get(person=order.person_id).contact
    capability = sara.cookies["troth_desk"].value
    ask = {"purpose": "support", "job": job, "capability": capability}
    assert house.web.open([sealed], **ask)[0].email == "alice@elsewhere.example"
    for wrong in ({"purpose": "notice"}, {"purpose": "legal"}, {"purpose": "bill"}, {"job": "job_" + "a" * 26}):
        with pytest.raises(KeeperRefused):
            house.web.open([sealed], **ask | wrong)
    house.web.at_desk(office_messages.Close(capability, job), office_messages.Done)
    with pytest.raises(KeeperRefused, match="job"):
        house.web.open([sealed], **ask)


def test_each_look_is_noted_and_the_customer_reads_who(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    for _ in range(3):
        sara.page(f"/desk/jobs/{job}")
    assert len(openings(house, order.person_id)) == 3
    taken = [event for event in noted(house, order.person_id) if event["did"] == "job"]
    assert [(event["role"], event["job"]) for event in taken] == [("support", job)]


def test_billing_sees_the_bill_and_nothing_else(office: Office, order: Order, house: House) -> None:
    bert = office.hired("bert", "billing")
    page = bert.page(f"/desk/jobs/{bert.takes(order.ref, why='invoice')}")
    assert "Amsel 1" in page.text
    assert "alice@elsewhere" not in page.text
    assert [role for role, _, _ in openings(house, order.person_id)] == ["billing"]


def test_a_colleagues_job_is_not_mine(office: Office, order: Order, house: House) -> None:
    sara, tom = office.hired("sara", "support"), office.hired("tom", "support")
    job = sara.takes(order.ref)
    assert "alice" not in tom.page(f"/desk/jobs/{job}", 403).text.lower()
    sealed = Contact.objects.get(person=order.person_id).contact
    with pytest.raises(KeeperRefused, match="job"):
        house.web.open([sealed], purpose="support", job=job, capability=tom.cookies["troth_desk"].value)
    tom.posts(f"/desk/jobs/{job}/close", {})
    sara.page(f"/desk/jobs/{job}")


def test_a_job_is_on_one_customer(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    other = Contact.objects.get(person=office.owner.ref).contact
    with pytest.raises(KeeperRefused, match="job"):
        house.web.open([other], purpose="support", job=job, capability=sara.cookies["troth_desk"].value)
    assert openings(house, office.owner.ref) == []


def test_roles_without_a_purpose_take_no_job(office: Office, order: Order) -> None:
    cleo = office.hired("cleo", "catalogue")
    fields = {"order": order.ref, "why": "question", "hours": "8"}
    assert cleo.posts("/desk/take", fields).status_code == 403
    office.attest(office.owner, "owner")
    assert office.owner.posts("/desk/take", fields).status_code == 400
    assert not Job.objects.exists()


def test_an_agency_opens_nothing_whatever_its_role(office: Office, order: Order, house: House) -> None:
    adam = office.hired("adam", "support", "catalogue", kind="agency")
    adam.page("/desk/orders", 403)
    asked = office_messages.Take(
        adam.cookies["troth_desk"].value, "job_" + "a" * 26, "support", bytes(32),
        int(office.now().timestamp()) + 3600, order.person_id,
    )  # fmt: skip
    with pytest.raises(KeeperRefused, match="power"):
        house.web.at_desk(asked, office_messages.Taken)


def test_a_role_taken_away_closes_what_it_opened(office: Office, order: Order) -> None:
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    sara.page(f"/desk/jobs/{job}")
    office.attest(sara, "catalogue")
    assert "alice" not in sara.page(f"/desk/jobs/{job}", 400).text.lower()


def test_a_job_ends_by_itself(office: Office, order: Order) -> None:
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref, hours="1")
    sara.page(f"/desk/jobs/{job}")
    office.later(minutes=61)
    sara.page(f"/desk/jobs/{job}", 403)


def test_an_address_typed_whole_finds_its_customer_and_each_search_is_noted(
    office: Office, order: Order, house: House
) -> None:
    pays(house, order)
    sara = office.hired("sara", "support")
    for typed, status in (
        ("alice@elsewhere.example", 303),
        ("alice@elsewhere", 400),
        ("nobody@elsewhere.example", 400),
    ):
        form = sara.send("/desk/search", {"q": typed})
        fields = Page(form.content.decode()).form("/desk/take") | {"why": "question", "hours": "8"}
        answer = sara.post("/desk/take", fields, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")
        assert answer.status_code == status, typed
    assert everyday(house, "search") == 3
    assert Job.objects.get().person_id == order.person_id


def test_an_orders_number_leads_to_it_and_part_of_an_address_nowhere(office: Office, order: Order) -> None:
    sara = office.hired("sara", "support")
    assert sara.send("/desk/search", {"q": order.ref})["Location"] == f"/desk/orders/{order.ref}"
    assert sara.send("/desk/search", {"q": "alice"}).status_code == 400
    page = sara.page("/desk/orders")
    assert "alice" not in page.text.lower()


def test_broken_glass_is_loud_and_over_in_an_hour(office: Office, order: Order, house: House) -> None:
    cleo = office.hired("cleo", "catalogue")
    cleo.proves()
    answer = cleo.send("/desk/break-glass", {"order": order.ref, "sure": "on"})
    job = answer["Location"].rpartition("/")[2]
    assert "alice@elsewhere.example" in cleo.page(f"/desk/jobs/{job}").text
    assert openings(house, order.person_id) == [("break-glass", "support", job)]
    assert everyday(house, "break-glass") == 1
    assert "The glass is broken" in office.owner.page("/desk/").text
    house.works()
    letter = next(mail for mail in house.mails if mail.to == [office.owner.email] and "glass" in mail.subject)
    assert "alice" not in str(letter).lower()
    office.later(minutes=61)
    assert cleo.get(f"/desk/jobs/{job}").status_code == 403


def test_a_forgotten_customer_opens_for_nobody(office: Office, order: Order, house: House) -> None:
    sara = office.hired("sara", "support")
    job = sara.takes(order.ref)
    house.worker.restrict(order.person_id, "its-own-letter")
    assert "alice" not in sara.page(f"/desk/jobs/{job}", 400).text.lower()
    house.worker.shred(order.person_id)
    assert "alice" not in sara.page(f"/desk/jobs/{job}", 400).text.lower()
    assert sara.posts("/desk/take", {"order": order.ref, "why": "question", "hours": "8"}).status_code == 400


def test_customers_read_who_took_their_case_up(office: Office, house: House) -> None:
    sara, bob = office.hired("sara", "support"), office.colleague("bob")
    form = sara.send("/desk/search", {"q": bob.email})
    fields = Page(form.content.decode()).form("/desk/take") | {"why": "question", "hours": "8"}
    taken = sara.post("/desk/take", fields, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")
    assert bob.email in sara.page(taken["Location"]).text
    told = bob.page("/account/privacy").text
    assert "Your case was taken up" in told
    assert "somebody who works here, in support" in told
    assert "name and e-mail address to answer you" in told


def test_nobody_walks_through_all_customers(office: Office, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "JOBS_A_DAY", 2)
    monkeypatch.setattr(policy, "OPENINGS_A_DAY", 2)
    sara = office.hired("sara", "support")
    job, _ = (sara.takes(order.ref) for _ in range(2))
    answer = sara.posts("/desk/take", {"order": order.ref, "why": "question", "hours": "8"})
    assert "try again in" in answer.content.decode()
    assert [sara.get(f"/desk/jobs/{job}").status_code for _ in range(3)] == [200, 200, 400]


def test_the_desk_is_shut_to_customers_capabilities(office: Office, order: Order, house: House) -> None:
    bob = office.colleague("bob")
    bob.cookies["troth_desk"] = bob.cookies["troth_cap"].value
    assert bob.get("/desk/orders")["Location"] == "/desk/sign-in"


def test_a_visitor_gets_nothing(office: Office, order: Order) -> None:
    assert Browser().get(f"/desk/orders/{order.ref}")["Location"] == "/desk/sign-in"
