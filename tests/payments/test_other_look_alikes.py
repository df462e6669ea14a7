"""What honest providers do, and the look-alikes of ours did not: a sale goes on at once, not at the next poll."""

from __future__ import annotations

import io
import json
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.journeys.test_buy_to_delivery import PROVIDERS, begin, come_back, pay
from troth.sandbox import paypal_books, paypal_money
from troth.sandbox.courier import Post
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import refund, settle
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment, ProviderEvent
from troth.shop.refusal import Refused


def now(order: Order) -> str:
    return str(order.payments.get().state)


# PayPal


@pytest.mark.parametrize("kind", ["401", "token"])
def test_any_word_for_a_dead_token_has_a_new_one_fetched(house: House, edition: Edition, kind: str) -> None:
    """OAuth's `invalid_token`, and the API's own AUTHENTICATION_FAILURE, which is no JSON at times."""
    order = begin(edition)
    back = pay(house, order)
    if kind == "token":
        house.sandbox.paypal.kill_tokens()
    else:
        house.sandbox.faults.add(kind, where=f"/v2/checkout/orders/{order.payments.get().provider_ref}")
    come_back(order, back)
    assert now(order) == Payment.PAID


def test_the_least_answer_to_a_capture_is_enough(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Prefer` is a wish. The samples in PayPal's own documentation have captures without the shop's references."""
    monkeypatch.setattr(house.sandbox.paypal.merchant, "terse", True)
    order = begin(edition)
    come_back(order, pay(house, order))
    assert now(order) == Payment.PAID
    house.works()
    assert len(house.mails) == 1


def test_ids_need_not_look_as_paypals_do_today(house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    new_id = paypal_books.new_id
    for module in (paypal_books, paypal_money):
        monkeypatch.setattr(module, "new_id", lambda: f"id-{new_id().lower()}_{'x' * 20}")
    order = begin(edition)
    come_back(order, pay(house, order))
    assert now(order) == Payment.PAID
    refund.ask(order)
    house.works()
    assert now(order) == Payment.REFUNDED
    assert set(house.messages()) == {200}


def test_a_look_alikes_certificates_lie_where_it_is(house: House, edition: Edition) -> None:
    bare = msgspec.structs.replace(settings.TROTH.paypal, cert_url_prefix="")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, paypal=bare)  # the house puts it back
    gateways.forget()
    order = begin(edition)
    pay(house, order)
    assert house.messages() == [200]
    house.works()
    assert now(order) == Payment.PAID


def test_one_that_names_paypals_own_certificates_is_asked_itself(house: House, edition: Edition) -> None:
    order = begin(edition)
    pay(house, order)
    (post,) = house.posts()
    real = {"PAYPAL-CERT-URL": "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"}
    assert house.bring(post, **real) == 200
    assert house.bring(post, body=post.body.replace(b"APPROVED", b"REVERSED"), **real) == 400
    assert house.bring(post, **{"PAYPAL-CERT-URL": "https://api.evil.example/v1/notifications/certs/CERT-1"}) == 400
    assert ProviderEvent.objects.filter(verified=True).count() == 1
    house.works()
    assert now(order) == Payment.PAID


def test_a_capture_is_found_by_its_links_alone(house: House, edition: Edition) -> None:
    """Events of before 2022 have neither `supplementary_data` nor always the shop's references."""
    order = begin(edition)
    pay(house, order)
    paypal, payment = house.sandbox.paypal, order.payments.get()
    gateways.provider("paypal").capture(payment.provider_ref, payment.pk, "by-hand")
    told = json.loads(house.posts()[-1].body)
    for name in ("custom_id", "invoice_id", "supplementary_data"):
        told["resource"].pop(name, None)
    body = json.dumps(told).encode()
    assert house.bring(house.posts()[-1], body=body, **paypal.signed(body)) == 200
    house.works()
    assert now(order) == Payment.PAID

    refund_id = paypal.take_back(order.payments.get().capture_ref, "9.00")
    told = json.loads(house.posts()[-1].body)
    told["resource"]["links"] = []
    told["resource"]["supplementary_data"] = {"related_ids": {"capture_id": order.payments.get().capture_ref}}
    body = json.dumps(told).encode()
    assert house.bring(house.posts()[-1], body=body, **paypal.signed(body)) == 200
    house.works()
    assert list(order.payments.get().refunds.values_list("provider_ref", "amount_minor")) == [(refund_id, 900)]


# The wire


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_message_may_come_in_pieces(house: House, edition: Edition, provider: str) -> None:
    """Transfer-Encoding: chunked has no Content-Length, as the server hands it to the program."""
    order = begin(edition, provider)
    pay(house, order)
    (post,) = house.posts()
    assert _chunked(post, b"x" * (256 * 1024 + 1)) == 413
    assert _chunked(post, post.body[:-1]) == 400
    assert _chunked(post, post.body) == 200
    house.works()
    assert now(order) == Payment.PAID


def _chunked(post: Post, body: bytes) -> int:
    path = urlsplit(post.url).path or "/hooks/paypal"
    headers = {name: value for name, value in post.headers.items() if name != "Content-Type"}
    return Client().generic(
        "POST", path, b"", post.headers["Content-Type"], headers=headers | {"Transfer-Encoding": "chunked"},
        **{"wsgi.input": io.BytesIO(body)},
    ).status_code  # fmt: skip


# Skrill


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("latin", b"&pay_from_name=J%FCrgen"),
        ("raw", "&pay_from_name=Jürgen".encode()),
        ("raw latin", "&pay_from_name=Jürgen".encode("latin-1")),
        ("open end", b"&"),
    ],
)
def test_a_post_in_another_charset_counts(house: House, edition: Edition, name: str, value: bytes) -> None:
    order = begin(edition, "skrill")
    pay(house, order)
    (post,) = house.posts()
    assert house.bring(post, body=post.body + value) == 200
    house.works()
    assert now(order) == Payment.PAID
    assert house.bring(post, body=post.body.replace(b"status=2", b"status=0") + value) == 400  # signed as ever


# Coming back


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_return_address_to_which_nothing_was_added_leads_to_its_order(
    house: House, edition: Edition, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skrill adds nothing unless the account's secure return is on, which it is not at first."""
    monkeypatch.setattr(house.sandbox.skrill.merchant, "secure_return", False)
    order = begin(edition, provider)
    back = urlsplit(pay(house, order))
    answer = Client().get(back.path)
    assert (answer.status_code, answer["Location"]) == (303, f"/orders/{order.ref}")
    assert now(order) == Payment.PAID


def test_a_return_address_tells_nobody_which_orders_there_are(house: House, edition: Edition) -> None:
    order = begin(edition)
    for ref in (order.ref, "ord_" + "a" * 26):
        answer = Client().get(f"/return/paypal/{ref}")
        assert (answer.status_code, answer["Location"]) == (303, f"/orders/{ref}")
        assert Client().get(f"/orders/{ref}").status_code == 404
    for ref in ("%00", "x" * 31, "..", "ord%2Fx", "%0d%0aX"):
        assert Client().get(f"/return/skrill/{ref}?{urlencode({'transaction_id': order.ref})}").status_code == 404
    with pytest.raises(Refused):
        settle.returned("paypal", {})
    assert now(order) == Payment.SENT
