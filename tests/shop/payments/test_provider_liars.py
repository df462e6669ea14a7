"""A provider, or something in its place, that answers well-formed lies; and the manners of our HTTP client."""

import contextlib
import json
import socket
import threading
from urllib.parse import urlencode

import httpx
import pytest

from troth.sandbox.authority import Authority
from troth.sandbox.server import Answer, Faults, Server
from troth.shop.money import Money
from troth.shop.payments.providers.contract import Forged, ProviderDown, State
from troth.shop.payments.providers.http import make_client, send
from troth.shop.payments.providers.paypal import PayPal, PayPalSettings
from troth.shop.payments.providers.paypal.token import Token
from troth.shop.payments.providers.skrill import Skrill, SkrillSettings

ORDER = "5O190127TN364715T"


@pytest.fixture
def liar(http):
    """Clients of a server that answers every call but the token's with the given body."""
    with contextlib.ExitStack() as stack:

        def make(body, status=200):
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            token = Answer(200, b'{"access_token": "A21AA-lies", "expires_in": 32400}')
            routes = [
                ("POST", "/v1/oauth2/token", lambda _: token),
                ("POST", ".*", lambda _: Answer(status, content)),
                ("GET", ".*", lambda _: Answer(status, content)),
            ]
            server = Server(0, routes, Faults())
            server.start()
            stack.callback(server.stop)
            base = f"http://127.0.0.1:{server.server_port}"
            skrill = SkrillSettings("58010203", "shop@merchant.example", "word", "password", base, base, base)
            return PayPal(PayPalSettings(base, "id", "secret", "hook"), http), Skrill(skrill, http)

        yield make


def capture(status, number, value="49.00"):
    amount = {"currency_code": "EUR", "value": value}
    return {"id": f"CAPTURE{number}", "status": status, "amount": amount, "custom_id": "pay-1"}


def order(*captures, **more):
    unit = {"custom_id": "pay-1", "payments": {"captures": list(captures)}}
    return {"id": ORDER, "status": "COMPLETED", "purchase_units": [unit]} | more


@pytest.mark.parametrize(
    "href",
    [
        "http://www.paypal.com/checkoutnow",
        "https:evil",
        "javascript:alert(1)",
        "//evil.example",
        "http://evil.example/",
    ],
)
def test_a_page_without_tls_is_never_opened(liar, ask, href):
    paypal, _ = liar({"id": ORDER, "links": [{"rel": "payer-action", "href": href}]})
    with pytest.raises(ProviderDown, match="pay_url"):
        paypal.begin(ask())


@pytest.mark.parametrize("body", [{}, {"id": 7}, {"id": "../x"}, [], b"", b"null", b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 201, 404, 422])
def test_an_answer_of_another_shape_is_an_error_by_name_or_no_money(liar, ask, body, status):
    paypal, skrill = liar(body, status)
    for call in (
        lambda: paypal.begin(ask()),
        lambda: paypal.look(ORDER, "pay-1"),
        lambda: paypal.capture(ORDER, "pay-1", "c-1"),
        lambda: skrill.begin(ask()),
        lambda: skrill.look("", "pay-1"),
    ):
        try:
            seen = call()
        except Exception as error:
            assert type(error).__name__ in ("ProviderDown", "ProviderRefused")
        else:
            assert seen.state is not State.PAID


def test_only_paypals_own_words_end_an_order(liar):
    paypal, _ = liar({"name": "NOT_FOUND"}, 404)
    with pytest.raises(ProviderDown, match="http_404"):
        paypal.look(ORDER, "pay-1")


def test_an_order_that_was_not_asked_for_is_no_answer(liar):
    paypal, _ = liar(order(capture("COMPLETED", 1), id="OTHER"))
    with pytest.raises(ProviderDown, match="answer"):
        paypal.look(ORDER, "pay-1")


@pytest.mark.parametrize(
    ("captures", "state", "ref"),
    [
        (["DECLINED", "COMPLETED"], State.PAID, "CAPTURE1"),
        (["FAILED", "PENDING"], State.PENDING, "CAPTURE1"),
        (["REFUNDED", "DECLINED"], State.REFUNDED, "CAPTURE0"),
        (["SOMETHING_NEW", "DECLINED"], State.DECLINED, "CAPTURE1"),
        (["SOMETHING_NEW"], State.UNKNOWN, "CAPTURE0"),
    ],
)
def test_of_several_captures_the_one_with_the_money_speaks(liar, captures, state, ref):
    paypal, _ = liar(order(*[capture(status, number) for number, status in enumerate(captures)]))
    seen = paypal.look(ORDER, "pay-1")
    assert (seen.state, seen.capture_ref) == (state, ref)


def test_a_completed_order_without_a_capture_is_not_money(liar):
    paypal, _ = liar(order())
    assert paypal.look(ORDER, "pay-1").state is State.UNKNOWN


@pytest.mark.parametrize("status", ["VOIDED", "SAVED", "CREATED", "APPROVED", "SOMETHING_NEW"])
def test_each_state_of_an_order(liar, status):
    expected = {"VOIDED": State.CANCELLED, "APPROVED": State.APPROVED, "SOMETHING_NEW": State.UNKNOWN}
    paypal, _ = liar(order(status=status))
    assert paypal.look(ORDER, "pay-1").state is expected.get(status, State.OPEN)


@pytest.mark.parametrize(("value", "amount"), [("49.0", Money(4900, "EUR")), ("4.9e1", None), ("49.001", None)])
def test_amounts_are_read_as_numbers_or_not_at_all(liar, value, amount):
    paypal, _ = liar(order(capture("COMPLETED", 1, value)))
    assert paypal.look(ORDER, "pay-1").amount == amount


@pytest.mark.parametrize("text", ["Sandbox Buyer", "sandbox.buyer@personal.example", "a" * 200, "<b>"])
def test_free_text_in_the_place_of_a_code_is_dropped(liar, text):
    told = capture("PENDING", 1) | {"status_details": {"reason": text}}
    paypal, _ = liar(order(told))
    assert paypal.look(ORDER, "pay-1").reason == ""


@pytest.mark.parametrize("sid", ["0" * 15, "0" * 101, "an error, in words", "<html>", "0" * 32 + "\n<script>"])
def test_only_a_session_id_is_a_session_id(liar, ask, sid):
    _, skrill = liar(sid.encode())
    with pytest.raises(ProviderDown):
        skrill.begin(ask())


@pytest.mark.parametrize("sid", ["0" * 32, "F" * 32, "0d9c1f1a-5a44-4b64-9c2f-6f7b5f0c8e11"])
@pytest.mark.parametrize("status", [200, 201])
def test_a_session_id_is_any_one_word(liar, ask, sid, status):
    _, skrill = liar(f"{sid}\n".encode(), status)
    assert skrill.begin(ask()).pay_url.endswith(f"?sid={sid}")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"200\t\tOK\n", "report_field"),
        (b"200\t\tOK\nstatus=2&transaction_id=pay-1", "report_field"),
        (b"OK", "answer"),
    ],
)
def test_a_report_without_a_signature_is_no_answer(liar, body, code):
    _, skrill = liar(body)
    with pytest.raises(ProviderDown, match=code):
        skrill.look("", "pay-1")


@pytest.mark.parametrize(("ca", "may_sign"), [(True, True), (False, True), (True, False), (False, False)])
def test_only_an_authority_can_vouch_for_a_certificate(paypal, sandbox, ca, may_sign):
    """Whoever holds any certificate under a trusted root must not become an authority by it."""
    between = Authority(above=sandbox.authority, ca=ca, may_sign=may_sign)
    own = sandbox.paypal.signer
    sandbox.paypal.use_certificate(between.leaf())
    body = b'{"id": "WH-1", "event_type": "X"}'
    headers = sandbox.paypal.signed(body)
    sandbox.paypal.use_certificate(own)
    if ca and may_sign:
        assert paypal.receive(headers, body).event_id == "WH-1"
        return
    with pytest.raises(Forged, match="certificate_chain"):
        paypal.receive(headers, body)


def test_a_newer_token_survives_the_death_of_an_older(sandbox, paypal_settings, http):
    token = Token(paypal_settings, http)
    old = token.get()
    token.drop(old)
    new = token.get()
    token.drop(old)
    assert token.get() == new != old


# The HTTP client


@pytest.fixture
def dripping():
    """A server that promises a long answer and sends it byte by byte."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not ended.wait(0.05):
                connection.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    ended.set()
    thread.join()
    listener.close()


def test_an_answer_that_drips_is_cut_off(dripping):
    with make_client(connect=1.0, read=1.0) as client, pytest.raises(ProviderDown, match="answer_too_slow"):
        send(client, "GET", dripping, longest=0.2)


def test_no_proxy_of_the_environment_is_used(sandbox, told, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with make_client() as client:
        assert send(client, "GET", f"{told.base}/mailbox/").status == 200


def test_errors_name_neither_address_nor_order(liar):
    with make_client(connect=0.5, read=0.5) as client, pytest.raises(ProviderDown) as down:
        send(client, "GET", "http://127.0.0.1:9/v2/checkout/orders/5O190127TN364715T")
    assert str(down.value) == "unreachable"
    assert down.value.__cause__ is None
    assert not isinstance(down.value, httpx.HTTPError)


def report(**changed):
    told = {"transaction_id": "pay-1", "mb_amount": "49", "mb_currency": "EUR", "status": "2", "amount": "49",
            "currency": "EUR", "mb_transaction_id": "2000000001"} | changed  # fmt: skip
    return b"200\t\tOK\r\n" + urlencode({name: value for name, value in told.items() if value}).encode()


def test_a_report_that_we_asked_for_need_not_be_signed(liar):
    _, skrill = liar(report())
    seen = skrill.look("", "pay-1")
    assert (seen.state, seen.amount, seen.payee) == (State.PAID, Money(4900, "EUR"), "shop@merchant.example")


@pytest.mark.parametrize("changed", [
    {"md5sig": "0" * 32}, {"md5sig": "no"}, {"merchant_id": "1"}, {"transaction_id": "pay-2"}, {"status": ""},
    {"mb_amount": "0.05"}, {"amount": ""},
])  # fmt: skip
def test_what_stands_in_it_has_to_be_right(liar, changed):
    _, skrill = liar(report(**changed))
    with pytest.raises(ProviderDown):
        skrill.look("", "pay-1")


def test_another_payee_in_it_is_told(liar):
    _, skrill = liar(report(pay_to_email="Evil@b.example"))
    assert skrill.look("", "pay-1").payee == "evil@b.example"
