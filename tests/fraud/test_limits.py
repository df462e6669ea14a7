"""Each door counts by itself, by the address behind a trusted proxy; nobody else pays for who knocks too often."""

import gc

import pytest
from django.test import Client

from tests.house import House
from troth.faces.storefront import limits
from troth.faces.storefront.signed_in import DEVICE_COOKIE
from troth.pledge.policy.visitor import Page
from troth.shop.catalogue.models import Edition

BOB, CAROL = "203.0.113.7", "198.51.100.9"
WRONG = {"email": "alice@buyer.example", "password": "wrong-Password-7"}


def post(path: str, address: str = BOB, client: Client | None = None, **data: str):
    return (client or Client()).post(path, data, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=address)


@pytest.mark.parametrize(
    ("path", "most"),
    [("/sign-in", 40), ("/desk/sign-in", 40), ("/recover", 20), ("/erase", 20), ("/register", 20), ("/checkout", 30),
     ("/contact", 60), ("/orders/ord_none/pay", 30)],
)  # fmt: skip
def test_a_door_says_when_to_come_back(house: House, limited: None, path: str, most: int) -> None:
    for _ in range(most):
        assert post(path).status_code != 429
    shut = post(path)
    assert shut.status_code == 429
    assert 1 <= int(shut.headers["Retry-After"]) <= 600
    page = Page(path, 429, {}, shut.content)
    assert "Please try again in" in page.text
    assert BOB not in page.text
    assert post(path, CAROL).status_code != 429
    assert Client().get("/sign-in", HTTP_X_FORWARDED_FOR=BOB).status_code == 200


def test_a_whole_64_is_one_caller(house: House, limited: None) -> None:
    said = [post("/recover", f"2001:db8:1:2::{n:x}").status_code for n in range(1, 25)]
    assert said.count(429) == 4
    assert post("/recover", "2001:db8:1:3::1").status_code != 429


def test_what_stands_before_the_proxys_word_changes_nothing(house: House, limited: None) -> None:
    said = [post("/recover", f"10.0.0.{n}, {BOB}").status_code for n in range(1, 25)]
    assert said.count(429) == 4


def test_a_known_browser_signs_in_while_its_neighbours_guess(house: House, limited: None) -> None:
    for _ in range(60):
        post("/sign-in", **WRONG)
    assert post("/sign-in", **WRONG).status_code == 429
    owner = Client()
    owner.cookies[DEVICE_COOKIE] = "a device that the keeper knows"
    assert post("/sign-in", client=owner, **WRONG).status_code == 400
    invented = []
    for number in range(450):
        guesser = Client()
        guesser.cookies[DEVICE_COOKIE] = f"invented {number}"
        invented.append(limits.wanted(_asked(guesser)))
    assert sum(wait > 0 for wait in invented) >= 50  # cookies that somebody invents do not open the door for ever


def test_coupons_are_not_guessed(house: House, edition: Edition, limited: None) -> None:
    browser = Client()
    post("/basket", client=browser, action="add", edition=str(edition.pk), quantity="1")
    said = [post("/basket", client=browser, action="coupon", coupon=f"GUESS{n}").status_code for n in range(45)]
    assert said.count(429) == 5
    assert post("/basket", client=browser, action="remove", edition=str(edition.pk), quantity="1").status_code == 303


def test_programs_get_json(house: House, limited: None) -> None:
    limits.PROGRAM.window.most, most = 3, limits.PROGRAM.window.most
    try:
        said = [post("/api/licence/check") for _ in range(4)]
    finally:
        limits.PROGRAM.window.most = most
    assert [one.status_code == 429 for one in said] == [False, False, False, True]
    assert said[-1].json()["code"] == "too-many"
    assert int(said[-1].headers["Retry-After"]) <= 60


def test_looking_is_counted_and_pages_kept_in_memory_are_not(house: House, limited: None) -> None:
    limits.LOOKING.window.most, most = 5, limits.LOOKING.window.most
    try:
        here, client = {"HTTP_X_FORWARDED_FOR": BOB}, Client()
        assert [client.get("/", **here).status_code for _ in range(20)] == [200] * 20
        assert [client.get("/basket", **here).status_code for _ in range(6)].count(429) >= 1
        assert client.get("/", **here).status_code == 200
    finally:
        limits.LOOKING.window.most = most


def test_no_address_is_kept_in_memory(house: House, limited: None) -> None:
    for path in ("/sign-in", "/recover", "/checkout"):
        post(path, "203.0.113.77")
    gc.collect()
    held = repr([door.window._counts for door in limits.DOORS])
    assert "203.0.113.77" not in held
    assert held.count(": 1") >= 3


def _asked(client: Client):
    from django.test import RequestFactory

    request = RequestFactory().post("/sign-in", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=BOB)
    request.COOKIES = {DEVICE_COOKIE: client.cookies[DEVICE_COOKIE].value}
    return request
