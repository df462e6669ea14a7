"""Coming to the desk: password and second factor, always; invited, joined and attested; and every way round refused."""

from __future__ import annotations

import re

from django.http import HttpResponse

from tests.desk.people import PASSWORD, Colleague, Office
from tests.pledge.authenticator import Authenticator, b64
from tests.storefront.conftest import ORIGIN
from tests.storefront.page import Page
from troth.pledge.ids import to_bytes


def text(answer: object) -> str:
    return Page(answer.content.decode()).text  # type: ignore[attr-defined]


def test_the_first_owner_comes_by_a_file_beside_the_keyring_and_is_attested(office: Office) -> None:
    page = office.owner.page("/desk/colleagues")
    assert "olga" in page.text
    assert "Owner" in page.text


def test_an_invitation_is_good_once_and_gives_no_power_by_itself(office: Office) -> None:
    link = office.invited("support")
    sara, bob = office.colleague("sara"), office.colleague("bob")
    sara.join(link)
    assert "has no power" in sara.page("/desk/").text
    sara.page("/desk/orders", 403)
    assert bob.joins(link).status_code == 400
    office.attest(sara, "support")
    sara.page("/desk/orders")


def test_nobody_comes_in_without_the_second_factor(office: Office) -> None:
    olga = office.owner
    olga.cookies.clear()
    olga.send("/desk/sign-in", {"email": olga.email, "password": "a long walk by the rivet"}, 400)
    olga.send("/desk/sign-in", {"email": olga.email, "password": "a long walk by the river"}, 303)
    assert olga.get("/desk/orders")["Location"] == "/desk/sign-in"
    assert olga.types("000000").status_code == 400
    assert olga.types(olga.code()).status_code == 303
    olga.page("/desk/orders")


def test_a_code_is_good_once_and_so_is_a_recovery_code(office: Office) -> None:
    olga = office.owner
    code = olga.code()
    assert olga.signs_in(code).status_code == 303
    assert olga.signs_in(code).status_code == 400
    again = office.owner.recovery[0]
    assert olga.signs_in(again).status_code == 303
    assert olga.signs_in(again).status_code == 400


def test_codes_cannot_be_tried_through(office: Office) -> None:
    olga = office.owner
    olga.send("/desk/sign-in", {"email": olga.email, "password": "a long walk by the river"}, 303)
    tried = [olga.types(f"{n:06}") for n in range(12)]
    assert "try again in" in text(tried[-1])
    assert "try again in" in text(olga.types(olga.code()))


def test_an_app_cannot_be_set_up_anew_by_who_knows_the_password(office: Office) -> None:
    olga = office.owner
    olga.cookies.clear()
    olga.send("/desk/sign-in", {"email": olga.email, "password": "a long walk by the river"}, 303)
    token = olga.page("/desk/second-factor").form("/desk/second-factor/app")
    answer = olga.post("/desk/second-factor/app", token, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")
    assert answer.status_code == 400
    assert "otpauth" not in answer.content.decode()


def test_cookies_are_the_desks_own(office: Office) -> None:
    mine = {name: one for name, one in office.owner.cookies.items() if name.startswith("troth_desk") and one.value}
    assert {"troth_desk", "troth_desk_fresh"} <= mine.keys()
    for one in mine.values():
        assert (one["path"], one["samesite"], one["httponly"]) == ("/desk", "Strict", True)


def test_who_signed_out_left_no_session_behind(office: Office) -> None:
    olga = office.owner
    kept = olga.cookies["troth_desk"].value
    olga.posts("/desk/sign-out", {})
    olga.cookies["troth_desk"] = kept
    assert olga.get("/desk/orders")["Location"] == "/desk/sign-in"


def test_a_suspended_colleagues_session_is_over_at_once_and_for_good(office: Office) -> None:
    sara = office.hired("sara", "support")
    sara.page("/desk/orders")
    office.put(sara, "suspended")
    assert sara.get("/desk/orders")["Location"] == "/desk/sign-in"
    office.put(sara, "active")
    assert sara.get("/desk/orders")["Location"] == "/desk/sign-in"
    assert sara.signs_in().status_code == 303
    sara.page("/desk/orders")


def test_power_ends_with_its_date(office: Office) -> None:
    sara = office.hired("sara", "support", days=2)
    sara.page("/desk/orders")
    office.later(days=3)
    assert sara.signs_in().status_code == 303
    sara.page("/desk/orders", 403)
    assert "has no power" in sara.page("/desk/").text


def test_grave_things_want_the_second_factor_again(office: Office) -> None:
    olga = office.owner
    olga.proves()
    olga.page("/desk/colleagues/invite")
    office.later(minutes=6)
    assert olga.get("/desk/colleagues/invite")["Location"] == "/desk/again?next=%2Fdesk%2Fcolleagues%2Finvite"
    assert olga.posts("/desk/colleagues/invite", {"roles": ["owner"], "kind": "employee"}).status_code == 303


def test_a_customer_is_no_colleague(office: Office) -> None:
    bob = office.colleague("bob")
    assert bob.get("/desk/")["Location"] == "/desk/sign-in"
    bob.send("/desk/sign-in", {"email": bob.email, "password": "a long walk by the river"}, 303)
    assert "do not work here" in text(bob.types("000000"))


def test_a_step_up_leads_to_no_other_place(office: Office) -> None:
    olga = office.owner
    for there in ("//evil.example/desk/", "https://evil.example/desk/", "/account"):
        assert olga.send("/desk/again", {"code": olga.code(), "next": there})["Location"] == "/desk/"


def passkey_of(one: Colleague, id: bytes = b"") -> Authenticator:
    """A passkey that somebody adds to the account with the password alone."""
    one.send("/sign-in", {"email": one.email, "password": PASSWORD}, 303)
    web, capability = one.office.house.web, one.cookies["troth_cap"].value
    device = Authenticator(to_bytes(one.ref))
    device.id = id or device.id
    web.add_passkey(capability, PASSWORD, challenge := web.challenge(), device.made(challenge))
    return device


def proves_the_mailbox(one: Colleague) -> None:
    one.office.house.works()
    text = next(mail.text for mail in one.office.house.mails if mail.to == [one.email] and "/confirm/" in mail.text)
    path = re.search(r"/confirm/\S+", text)
    assert path
    one.send(path[0], {})


def shown(one: Colleague, device: Authenticator) -> dict[str, str]:
    challenge = one.office.house.web.challenge()
    return {"challenge": challenge, "passkey": device.shown(challenge)}


def counted(one: Colleague, device: Authenticator, counts: str = "yes") -> HttpResponse:
    return one.posts("/desk/factors/count", {"passkey": b64(device.id), "counts": counts})


def by_passkey(one: Colleague, device: Authenticator) -> int:
    one.send("/desk/sign-in", {"email": one.email, "password": PASSWORD}, 303)
    return one.send("/desk/second-factor", shown(one, device)).status_code


def test_a_passkey_counts_once_its_person_said_so_with_another_factor(office: Office) -> None:
    olga = office.owner
    proves_the_mailbox(olga)
    device = passkey_of(olga)
    assert by_passkey(olga, device) == 400  # whoever knows the password gets as far as this
    olga.signs_in()
    assert "does not count" in olga.page("/desk/factors").text
    office.later(minutes=6)
    assert counted(olga, device)["Location"].startswith("/desk/again")
    olga.proves()
    assert counted(olga, device).status_code == 303
    assert "does not count" not in olga.page("/desk/factors").text
    assert by_passkey(olga, device) == 303
    olga.page("/desk/orders")
    office.later(minutes=6)
    assert olga.get("/desk/colleagues/invite").status_code == 303
    answer = shown(olga, device)
    assert olga.send("/desk/again", answer).status_code == 303
    olga.page("/desk/colleagues/invite")
    assert olga.send("/desk/again", answer).status_code == 400  # a challenge is good once
    assert counted(olga, device, "no").status_code == 303
    assert by_passkey(olga, device) == 400


def test_a_passkey_that_counts_is_its_key_and_its_persons(office: Office) -> None:
    olga = office.owner
    proves_the_mailbox(olga)
    device = passkey_of(olga)
    olga.proves()
    assert counted(olga, device).status_code == 303
    sara = office.hired("sara", "support")
    proves_the_mailbox(sara)
    assert by_passkey(sara, device) == 400
    hers = passkey_of(sara)
    assert counted(olga, hers).status_code == 400
    # Devices choose their names: one who has the password alone adds another key under the name that counts.
    olga.send("/sign-in", {"email": olga.email, "password": PASSWORD}, 303)
    office.house.web.remove_passkey(olga.cookies["troth_cap"].value, b64(device.id))
    other = passkey_of(olga, device.id)
    assert by_passkey(olga, other) == 400


def test_a_new_invitation_begins_without_passkeys_that_count(office: Office) -> None:
    olga = office.owner
    proves_the_mailbox(olga)
    device = passkey_of(olga)
    olga.proves()
    counted(olga, device)
    assert by_passkey(olga, device) == 303
    olga.joins(office.left_by_owner())
    assert by_passkey(olga, device) == 400
