"""Where buyers read their keys: the letter, the order's page, their account. And nowhere for anybody else."""

import base64
import hashlib
import re

from django.test import Client

from tests.composer.conftest import clock_ as clock_
from tests.composer.conftest import notes as notes
from tests.house import SITE, House
from tests.licences.bought import bought, key_of
from tests.licences.test_file import verifier
from troth.faces.storefront.signed_in import BASKET_COOKIE
from troth.shop import written
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import licence
from troth.shop.licences import secret
from troth.shop.licences.models import Licence
from troth.shop.orders.models import Order, OrderLine


def browser(order: Order) -> Client:
    """The browser that ordered."""
    client, key = Client(), "k" * 43
    Order.objects.filter(pk=order.pk).update(viewer=hashlib.sha256(key.encode()).hexdigest())
    client.cookies[BASKET_COOKIE] = key
    return client


def page(order: Order) -> str:
    return browser(order).get(f"/orders/{order.ref}").content.decode()


def test_the_order_shows_key_date_and_what_to_type(house: House, notes: Edition) -> None:
    order = bought(house, notes)
    text, key = page(order), key_of(order)
    assert key in text
    assert "Sites in use: 0 of 1" in text and "updates until" in text
    assert f"composer config repositories.fernhill composer {SITE}/composer/" in text
    assert f"composer config --auth http-basic.127.0.0.1:8000 licence {key}" in text
    assert "composer require fernhill/module-notes" in text


def test_the_letter_has_the_same_in_text_and_html(house: House, notes: Edition) -> None:
    order = bought(house, notes)
    (mail,) = house.mails
    for part in (mail.text, mail.html):
        assert key_of(order) in part
        assert f"composer config repositories.fernhill composer {SITE}/composer/" in part
        assert f"Updates until {written.day(Licence.objects.get().updates_until)}" in part


def test_two_lines_are_one_login(house: House, notes: Edition, clock_: Edition) -> None:
    order = bought(house, notes)
    other = bought(house, clock_)
    OrderLine.objects.filter(order=other).update(order=order)
    keys = [one.key for one in licence.of(order)]
    assert f"licence {keys[0]},{keys[1]}\n" in page(order).replace("</code>", "\n")
    assert "composer require fernhill/module-notes fernhill/module-dispatch" in page(order)


def test_what_ended_says_so_and_offers_nothing_to_type(house: House, notes: Edition) -> None:
    order = bought(house, notes)
    OrderLine.objects.update(ended="refunded")
    text = page(order)
    assert "This licence has ended, as its price was paid back." in text
    assert "composer require" not in text and "Replace this key" not in text


def test_without_a_repository_the_page_speaks_of_none(house: House, edition: Edition) -> None:
    text = page(bought(house, edition))
    assert "Your licences" in text
    assert "composer" not in text


def test_a_leaked_key_is_replaced_on_the_page(house: House, notes: Edition) -> None:
    order = bought(house, notes)
    client, old = browser(order), key_of(order)
    form = client.get(f"/orders/{order.ref}").content.decode()
    action = re.search(r'action="(/orders/[^"]+/replace)"', form)[1]
    answer = client.post(action)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{order.ref}")
    assert key_of(order) != old
    assert key_of(order) in client.get(f"/orders/{order.ref}").content.decode()
    assert licence.revoke(Licence.objects.get().id)
    assert client.post(action).status_code == 409


def test_the_file_of_an_order_verifies(house: House, notes: Edition) -> None:
    order = bought(house, notes)
    client = browser(order)
    path = f"/orders/{order.ref}/licences/{Licence.objects.get().id}.json"
    assert path in client.get(f"/orders/{order.ref}").content.decode()
    answer = client.get(path)
    assert "attachment" in answer.headers["Content-Disposition"]
    fields = verifier().verify(answer.content, base64.b64encode(secret.public_key()).decode())
    assert fields["packages"] == ["fernhill/module-notes"]
    OrderLine.objects.update(ended="refunded")
    assert client.get(path).status_code == 403


def test_nobody_else_sees_or_replaces_anything(house: House, notes: Edition) -> None:
    order, other = bought(house, notes), bought(house, notes)
    key, mine = key_of(order), licence.of(order)[0].id
    strangers = browser(other)
    for client in (Client(), strangers):
        assert client.get(f"/orders/{order.ref}/licences/{mine}.json").status_code == 404
        assert client.post(f"/orders/{order.ref}/licences/{mine}/replace").status_code in (403, 404)
    assert strangers.get(f"/orders/{other.ref}/licences/{mine}.json").status_code == 404
    assert strangers.post(f"/orders/{other.ref}/licences/{mine}/replace").status_code == 404
    assert key_of(order) == key


def test_the_account_shows_what_is_in_force(house: House, notes: Edition, clock_: Edition) -> None:
    first, second = bought(house, notes), bought(house, clock_)
    Order.objects.update(person=first.person)
    shown = licence.of_person(first.person_id)
    assert {one.key for one in shown} == {key_of(first), key_of(second)}
    OrderLine.objects.filter(order=second).update(ended="refunded")
    assert [one.key for one in licence.of_person(first.person_id)] == [key_of(first)]


def test_a_key_does_not_slip_out_in_a_repr(house: House, notes: Edition) -> None:
    (one,) = licence.of(bought(house, notes))
    assert one.key not in repr(one)
