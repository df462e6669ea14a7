"""What is refused when somebody wants to know of a customer. Each of these is a way around two people and a scope."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core import serializers
from django.db import connection

from tests.desk.cases import Desk, handed, request
from tests.desk.people import Office
from tests.desk.test_jobs import openings
from tests.driving import drive
from tests.house import House
from troth.pledge.disclosure import messages, rules
from troth.pledge.keeper import messages as keeper
from troth.pledge.vault.door import KeeperRefused
from troth.shop.accounts.models import Contact
from troth.shop.disclosure.models import Case
from troth.shop.journeys import disclosure
from troth.shop.orders.models import Order


@pytest.fixture
def desk(office: Office, order: Order) -> Desk:
    return Desk(office, order)


def waits_over(desk: Desk, case: Case) -> None:
    """As if the customer's notice were over: time itself is for other tests."""
    desk.office.house.keeper.db.execute("UPDATE disclosure SET earliest = filed WHERE id = ?", (case.ref,))


def refused(desk: Desk, case: Case) -> bool:
    waits_over(desk, case)
    said = desk.hands_over(case)
    return said.status_code == 400 and not handed(case)


def test_two_others_hand_it_over(desk: Desk) -> None:
    case = desk.filed()
    for one in desk.others:
        desk.approves(one, case)
    waits_over(desk, case)
    assert desk.hands_over(case).status_code == 303 and handed(case)


def test_one_approver_twice_is_one(desk: Desk) -> None:
    case = desk.filed()
    desk.approves(desk.others[0], case)
    desk.approves(desk.others[0], case)
    assert refused(desk, case)
    assert "1 of 2 have approved" in desk.filer.page(f"/desk/disclosures/{case.ref}").text


def test_the_filer_does_not_approve_where_others_can(desk: Desk) -> None:
    case = desk.filed()
    assert "enough others can approve" in desk.approves(desk.filer, case).content.decode()
    desk.approves(desk.others[0], case)
    assert refused(desk, case)


def test_a_scope_that_was_changed_after_approval_is_approved_anew(desk: Desk) -> None:
    case = desk.filed()
    for one in desk.others:
        desk.approves(one, case)
    before = disclosure.scope_hash(case).hex()
    assert desk.narrows(case, wanted=["contact.name", "billing.name", "billing.city"]).status_code == 303
    assert refused(desk, case)
    shown = desk.approves(desk.others[0], case, scope=before)
    assert "not the one that your page showed" in shown.content.decode()


def test_a_scope_that_is_changed_in_the_database_opens_nothing(desk: Desk) -> None:
    case = desk.filed()
    for one in desk.others:
        desk.approves(one, case)
    scope = disclosure.read_scope(case)
    for changed in ({"until": scope.until + 1}, {"recipient": "age1other"}, {"fields": {"contact": ["email"]}}):
        Case.objects.filter(pk=case.pk).update(scope=messages.encode(_with(scope, **changed)))
        assert refused(desk, case)


def test_an_approval_that_is_too_old_counts_no_more(desk: Desk) -> None:
    case = desk.filed()
    for one in desk.others:
        desk.approves(one, case)
    desk.weeks_pass(31)
    assert refused(desk, case)
    for one in desk.others:
        desk.approves(one, case)
    assert desk.hands_over(case).status_code == 303 and handed(case)


def test_an_approver_who_lost_the_role_in_between_counts_no_more(desk: Desk, office: Office) -> None:
    case = desk.filed()
    adam = desk.others[1]
    for one in desk.others:
        desk.approves(one, case)
    office.attest(adam, "catalogue")
    assert refused(desk, case)
    office.later(seconds=1)
    office.attest(adam, "officer")  # and back again: their word of before stays void
    assert refused(desk, case)


def test_an_approver_who_was_suspended_in_between_counts_no_more(desk: Desk, office: Office) -> None:
    case = desk.filed()
    for one in desk.others:
        desk.approves(one, case)
    office.put(desk.others[1], "suspended")
    office.put(desk.others[1], "active")
    assert refused(desk, case)


def test_parallel_approvals_of_one_person_are_one_and_of_two_are_two(desk: Desk, house: House) -> None:
    """In one batch of the keeper, as its loop works off what came at the same time."""
    case = desk.filed()
    for one in desk.others:
        one.proves()
    hashed = disclosure.scope_hash(case)
    asks = [_cookies(one, messages.Approve, case.ref, hashed) for one in desk.others]
    _at_once(house, [asks[0]] * 5)
    assert refused(desk, case)
    _at_once(house, [*asks, *asks])
    waits_over(desk, case)
    desk.filer.proves()
    kept = disclosure.records.held([desk.order.person_id], disclosure.read_scope(case).fields, *_dates(case))
    by_place = {one.place: one.record for one in kept}
    records = [by_place[place] for place in disclosure.read_scope(case).places]
    hand = _cookies(desk.filer, messages.HandOver, bytes(case.scope or b""), records)
    answers = _at_once(house, [hand] * 4)
    bundles = {messages.read_answer(one.answer).sealed for one in answers}  # type: ignore[attr-defined]
    assert len(bundles) == 1  # opened once, whoever else asked
    noted = [one for one in openings(house, desk.order.person_id) if one[1] == "legal"]
    assert noted == [("disclosure", "legal", case.ref)]


@pytest.mark.parametrize(
    "wider",
    [{"wanted": ["contact.name", "contact.email"]}, {"since": "2020-01-01"}, {"wanted": ["correspondence.text"]}],
    ids=["another field", "earlier days", "another class"],
)
def test_a_scope_wider_than_the_document_is_not_filed(desk: Desk, wider: dict[str, object]) -> None:
    case = desk.case()
    said = desk.narrows(case, **wider)
    assert said.status_code == 400 and Case.objects.get(pk=case.pk).scope is None


def test_more_customers_than_the_document_names_are_not_filed(desk: Desk, house: House) -> None:
    case = desk.case()
    said = desk.narrows(case, who=f"{desk.order.ref} {desk.others[0].email}")
    assert "wider than the document" in said.content.decode()


@pytest.mark.parametrize(
    "basis",
    [
        {"basis": "d"}, {"basis": ""}, {"grounds": []}, {"grounds": ["agency"]},
        {"basis": "b", "grounds": ["agency"], "action": "current", "name": ""},
        {"basis": "b", "grounds": ["agency"], "action": "", "name": "State v. Nobody"},
        {"basis": "c", "grounds": ["subpoena"], "action": "current", "name": "Us v. Nobody"},
        {"basis": "c", "grounds": ["contributed"], "action": "pending", "name": " "},
    ],
    ids=["no such", "none", "no ground", "ground of another", "b unnamed", "b without a state", "c for a", "c unnamed"],
)  # fmt: skip
def test_a_basis_that_is_not_one_of_the_three_begins_no_case(desk: Desk, basis: dict[str, object]) -> None:
    desk.filer.proves()
    said = desk.filer.posts("/desk/disclosures/new", request(**basis))
    assert said.status_code == 400 and not Case.objects.exists()


def test_the_keeper_itself_refuses_a_basis_that_is_not_one_of_the_three(desk: Desk, house: House) -> None:
    case = desk.filed()
    desk.filer.proves()
    scope = disclosure.read_scope(case)
    for changed in ({"basis": "d"}, {"grounds": ["agency"]}, {"action": "current"}, {"checked": ["issuer"]}):
        body = messages.encode(_with(scope, **changed))
        with pytest.raises(KeeperRefused) as no:
            house.web.on_disclosure(_cookies(desk.filer, messages.File, body), messages.Standing)
        assert no.value.code in ("basis", "checked")


def test_every_basis_of_the_three_can_be_filed(desk: Desk) -> None:
    named = {"action": "pending", "name": "State v. Nobody"}
    for basis in (
        {"basis": "b", "grounds": ["attorney"], **named},
        {"basis": "c", "grounds": ["contributed"], **named},
    ):
        case = desk.case(**basis)
        checked = sorted(rules.CHECKED[case.basis])
        assert desk.narrows(case, checked=checked).status_code == 303


def test_without_the_call_back_nothing_is_filed(desk: Desk) -> None:
    case = desk.case()
    assert "call-back" in desk.narrows(case, checked=["issuer", "jurisdiction", "narrowed"]).content.decode()


def test_export_by_shell_or_orm_yields_ciphertext_only(desk: Desk, house: House) -> None:
    case = desk.filed()
    row = Contact.objects.get(person=desk.order.person_id)
    with pytest.raises(TypeError):
        serializers.serialize("json", [row])
    with pytest.raises(TypeError):
        str(row.contact)
    raw = bytes(Contact.objects.filter(pk=row.pk).values_list("contact", flat=True)[0])
    assert b"Alice" not in raw and b"alice@" not in raw
    with connection.cursor() as cursor:
        for table in ("accounts_contact", "orders_billing", "disclosure_case", "disclosure_document"):
            cursor.execute(f"SELECT * FROM {table}")
            said = repr([[bytes(v) if isinstance(v, memoryview) else v for v in line] for line in cursor.fetchall()])
            assert "Alice" not in said and "alice@" not in said and "the number in the register" not in said
    # and with the sockets of web and worker in hand, and every approval there is: nothing opens for the law by a door
    for role in ("web", "worker"):
        ask = keeper.Open([row.contact.record], "legal", case.ref, desk.filer.cookies["troth_desk"].value)
        answer = keeper.read_answer(drive(house.keeper, role, keeper.encode(ask)))
        assert isinstance(answer, keeper.Refusal), role


def test_who_has_no_role_for_it_does_nothing(desk: Desk, office: Office) -> None:
    case, sara = desk.filed(), office.hired("sara", "support", "billing")
    sara.proves()
    for path in ("/desk/disclosures", "/desk/disclosures/new", f"/desk/disclosures/{case.ref}"):
        assert sara.get(path).status_code == 403
    with pytest.raises(KeeperRefused, match="power"):
        ask = _cookies(sara, messages.Approve, case.ref, disclosure.scope_hash(case))
        desk.office.house.web.on_disclosure(ask, messages.Standing)


def test_without_a_second_factor_of_just_now_nothing_is_approved(desk: Desk, office: Office, house: House) -> None:
    case = desk.filed()
    ask = _cookies(desk.others[0], messages.Approve, case.ref, disclosure.scope_hash(case))
    office.later(minutes=6)
    with pytest.raises(KeeperRefused, match="fresh"):
        house.web.on_disclosure(ask, messages.Standing)


def test_who_asked_to_be_forgotten_is_not_handed_over(desk: Desk, house: House) -> None:
    case = desk.filed()
    for one in desk.others:
        desk.approves(one, case)
    house.worker.restrict(desk.order.person_id, "era_" + "a" * 26)
    assert refused(desk, case)


class TestAFirmOfOne:
    @pytest.fixture
    def alone(self, office: Office, order: Order) -> Desk:
        return Desk(office, order, others=0)

    def test_waits_for_three_days_and_says_so(self, alone: Desk) -> None:
        case = alone.filed()
        assert alone.approves(alone.filer, case).status_code == 303
        assert refused(alone, case)
        alone.weeks_pass(3.1)
        assert alone.hands_over(case).status_code == 303 and handed(case)
        assert Case.objects.get().approvals == 1
        assert "approved by one" in alone.filer.page(f"/desk/disclosures/{case.ref}").text

    def test_has_an_approver_outside_with_a_key_of_their_own(self, alone: Desk) -> None:
        secret = Ed25519PrivateKey.generate()
        key = secret.public_key().public_bytes_raw().hex()
        alone.filer.proves()
        alone.filer.posts("/desk/disclosures/outside", {"office": "Notary", "key": key})
        case = alone.filed()
        alone.approves(alone.filer, case)
        signed = {"key": key, "signature": secret.sign(rules.SIGNED_AS + disclosure.scope_hash(case)).hex()}
        path = f"/desk/disclosures/{case.ref}/sign"
        assert "not for three days yet" in alone.filer.posts(path, signed).content.decode()
        alone.weeks_pass(3.1)
        later = alone.filed()
        alone.approves(alone.filer, later)
        path = f"/desk/disclosures/{later.ref}/sign"
        assert "does not fit" in alone.filer.posts(path, signed).content.decode()  # it is of another scope
        signed["signature"] = secret.sign(rules.SIGNED_AS + disclosure.scope_hash(later)).hex()
        assert alone.filer.posts(path, signed).status_code == 303
        waits_over(alone, later)
        assert alone.hands_over(later).status_code == 303 and handed(later)
        assert Case.objects.get(pk=later.pk).approvals == 2


def _with(scope: messages.Scope, **changed: object) -> messages.Scope:
    import msgspec

    return msgspec.structs.replace(scope, **changed)


def _cookies(one: object, kind: type, *more: object) -> messages.Question:
    cookies = one.cookies  # type: ignore[attr-defined]
    question: messages.Question = kind(cookies["troth_desk"].value, cookies["troth_desk_fresh"].value, *more)
    return question


def _at_once(house: House, asks: list[messages.Question]) -> list[keeper.Answer]:
    """All in one batch, as the keeper's loop takes them."""
    from functools import partial

    from troth.pledge.keeper.keeper import Pending, advance

    acts = [partial(house.keeper.begin, "web", keeper.Disclosure(messages.encode(ask))) for ask in asks]
    outcomes = house.keeper.work_off(acts)
    while any(isinstance(one, Pending) for one in outcomes):
        waiting = [one for one in outcomes if isinstance(one, Pending)]
        goes_on = iter(house.keeper.work_off([partial(advance, one.steps, one.work()) for one in waiting]))
        outcomes = [next(goes_on) if isinstance(one, Pending) else one for one in outcomes]
    return [one for one in outcomes if not isinstance(one, Pending)]


def _dates(case: Case) -> tuple[object, object]:
    scope = disclosure.read_scope(case)
    return disclosure._time(scope.since), disclosure._time(scope.until)
