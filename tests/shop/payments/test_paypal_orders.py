"""From asking to money at PayPal, with everything that goes wrong on the way."""

import threading
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from troth.sandbox.server import Answer, Faults, Server
from troth.shop.money import Money
from troth.shop.payments.providers.contract import ProviderDown, ProviderRefused, State
from troth.shop.payments.providers.http import send
from troth.shop.payments.providers.paypal import PayPal, PayPalSettings
from troth.shop.payments.providers.paypal.token import Token

CAPTURE = "/capture"
ORDERS = "/checkout/orders"


@pytest.fixture
def approved(paypal, sandbox, ask):
    """An order whose buyer has pressed Approve."""
    begun = paypal.begin(ask())
    sandbox.paypal.approve(begun.provider_ref)
    return begun


def test_a_purchase_from_ask_to_paid(paypal, sandbox, ask):
    begun = paypal.begin(ask())
    assert begun.pay_url.endswith(f"/checkoutnow?token={begun.provider_ref}")
    assert paypal.look(begun.provider_ref, "pay-0001-abcdef12").state is State.OPEN

    back = sandbox.paypal.approve(begun.provider_ref, country="AT")
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert query["order"] == "TR-2WQK-7"
    assert paypal.returned(query) == begun.provider_ref
    assert paypal.look(begun.provider_ref, "").state is State.APPROVED

    paid = paypal.capture(begun.provider_ref, "pay-0001-abcdef12", "capture-1")
    assert paid.state is State.PAID
    assert paid.amount == Money(4900, "EUR")
    assert paid.payment_id == "pay-0001-abcdef12"
    assert paid.provider_ref == begun.provider_ref
    assert paid.payee == begun.payee == sandbox.paypal.merchant.merchant_id
    assert paid.capture_ref
    assert paid.payer_country == "AT"
    assert paypal.look(begun.provider_ref, "pay-0001-abcdef12") == paid


def test_nothing_personal_is_sent_and_all_that_is_sent_is_named(paypal, sandbox, ask):
    order = sandbox.paypal.orders[paypal.begin(ask()).provider_ref]
    money = {"currency_code": "EUR", "value": "49.00"}
    assert order.units == [
        {
            "custom_id": "pay-0001-abcdef12",
            "invoice_id": "TR-2WQK-7-abcdef12",
            "amount": money | {"breakdown": {"item_total": money}},
            "items": [{"name": "Field Guide 2.1", "quantity": "1", "unit_amount": money, "category": "DIGITAL_GOODS"}],
        }
    ]


def test_a_sight_tells_nothing_of_the_buyer_but_the_country(paypal, approved):
    paid = paypal.capture(approved.provider_ref, "", "capture-1")
    assert "Buyer" not in repr(paid)
    assert "personal.example" not in repr(paid)


@pytest.mark.parametrize(
    ("amount", "value"), [(Money(1500, "JPY"), "1500"), (Money(1, "USD"), "0.01"), (Money(990, "HUF"), "990")]
)
def test_amounts_are_written_as_the_currency_wants(paypal, sandbox, ask, amount, value):
    begun = paypal.begin(ask(amount=amount, request_id=f"begin-{value}"))
    assert sandbox.paypal.orders[begun.provider_ref].units[0]["amount"]["value"] == value
    assert paypal.look(begun.provider_ref, "").amount == amount


def test_long_and_odd_names_are_cut_to_what_paypal_takes(paypal, ask):
    assert paypal.begin(ask(item_name="ü\n" * 300, brand_name=" B " * 200, locale="de_AT"))


def test_without_an_item_name_no_items_are_sent(paypal, sandbox, ask):
    begun = paypal.begin(ask(item_name="  "))
    assert "items" not in sandbox.paypal.orders[begun.provider_ref].units[0]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": Money(0, "EUR")}, "amount_not_positive"),
        ({"amount": Money(-1, "EUR")}, "amount_not_positive"),
        ({"payment_id": ""}, "missing_payment_id"),
        ({"request_id": ""}, "missing_request_id"),
        ({"payment_id": "p" * 128}, "reference_too_long"),
        ({"request_id": "r" * 109}, "reference_too_long"),
        ({"return_url": "not an address"}, "INVALID_PARAMETER_SYNTAX"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_a_code(paypal, ask, wrong, code):
    with pytest.raises(ProviderRefused) as refused:
        paypal.begin(ask(**wrong))
    assert str(refused.value) == code


def test_asking_twice_under_one_request_id_makes_one_order(paypal, sandbox, ask):
    assert paypal.begin(ask()) == paypal.begin(ask())
    assert len(sandbox.paypal.orders) == 1


def test_a_repeat_after_approval_has_no_page_to_go_to(paypal, ask, approved):
    with pytest.raises(ProviderRefused, match="order_not_payable"):
        paypal.begin(ask())


# Answers that never come, or come broken


@pytest.mark.parametrize("kind", ["lost", "half", "html", "500", "503", "429"])
def test_no_usable_answer_means_down_and_a_repeat_finds_the_same_order(paypal, sandbox, ask, kind):
    sandbox.faults.add(kind, where=ORDERS)
    with pytest.raises(ProviderDown):
        paypal.begin(ask())
    made = list(sandbox.paypal.orders)
    begun = paypal.begin(ask())
    assert list(sandbox.paypal.orders) == [begun.provider_ref]
    assert made in ([], [begun.provider_ref])


def test_a_slow_answer_means_down(paypal, sandbox, ask):
    sandbox.faults.add("slow", where=ORDERS, seconds=1.3)
    with pytest.raises(ProviderDown, match="timeout"):
        paypal.begin(ask())


@pytest.mark.parametrize("kind", ["lost", "half", "html"])
def test_a_capture_whose_answer_is_lost_is_found_by_a_look(paypal, sandbox, approved, kind):
    sandbox.faults.add(kind, where=CAPTURE)
    with pytest.raises(ProviderDown):
        paypal.capture(approved.provider_ref, "", "capture-1")
    seen = paypal.look(approved.provider_ref, "")
    assert seen.state is State.PAID
    assert paypal.capture(approved.provider_ref, "", "capture-1") == seen  # the same Request-Id
    assert paypal.capture(approved.provider_ref, "", "capture-2") == seen  # another: ORDER_ALREADY_CAPTURED
    assert len(sandbox.paypal.orders[approved.provider_ref].captures) == 1


def test_twenty_captures_at_once_take_the_money_once(paypal, sandbox, approved):
    seen = []
    threads = [
        threading.Thread(target=lambda n=n: seen.append(paypal.capture(approved.provider_ref, "", f"capture-{n % 3}")))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 20
    assert len(set(map(msgspec.structs.astuple, seen))) == 1
    assert len(sandbox.paypal.orders[approved.provider_ref].captures) == 1


def test_a_closed_port_means_down(paypal_settings, http, ask):
    nowhere = PayPal(msgspec.structs.replace(paypal_settings, base_url="http://127.0.0.1:9"), http)
    with pytest.raises(ProviderDown, match="unreachable"):
        nowhere.begin(ask())


# What PayPal says to a capture


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        ("PENDING", State.PENDING, "ECHECK"),
        ("DECLINED", State.DECLINED, "DECLINED"),
        ("INSTRUMENT_DECLINED", State.OPEN, "INSTRUMENT_DECLINED"),
        ("PAYER_ACTION_REQUIRED", State.OPEN, "PAYER_ACTION_REQUIRED"),
        ("REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", State.OPEN, "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"),
        ("TRANSACTION_REFUSED", State.DECLINED, "TRANSACTION_REFUSED"),
        ("COMPLIANCE_VIOLATION", State.DECLINED, "COMPLIANCE_VIOLATION"),
        ("PAYER_CANNOT_PAY", State.DECLINED, "PAYER_CANNOT_PAY"),
        (
            "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
            State.DECLINED,
            "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        ),
        ("ORDER_COMPLETION_IN_PROGRESS", State.APPROVED, ""),
        ("RESOURCE_CONFLICT", State.APPROVED, ""),
    ],
)
def test_each_outcome_of_a_capture_has_its_state(paypal, sandbox, approved, outcome, state, reason):
    sandbox.paypal.next_capture(outcome)
    seen = paypal.capture(approved.provider_ref, "", "capture-1")
    assert (seen.state, seen.reason) == (state, reason)


@pytest.mark.parametrize("issue", ["DUPLICATE_INVOICE_ID", "SOMETHING_NEW"])
def test_any_other_refusal_is_a_definite_no(paypal, sandbox, approved, issue):
    sandbox.paypal.next_capture(issue)
    with pytest.raises(ProviderRefused, match=issue):
        paypal.capture(approved.provider_ref, "", "capture-1")


def test_an_order_nobody_approved_stays_open(paypal, ask):
    begun = paypal.begin(ask())
    seen = paypal.capture(begun.provider_ref, "", "capture-1")
    assert (seen.state, seen.reason) == (State.OPEN, "ORDER_NOT_APPROVED")


def test_a_declined_card_may_be_followed_by_a_good_one(paypal, sandbox, approved):
    sandbox.paypal.next_capture("INSTRUMENT_DECLINED")
    assert paypal.capture(approved.provider_ref, "", "capture-1").state is State.OPEN
    sandbox.paypal.approve(approved.provider_ref)
    assert paypal.capture(approved.provider_ref, "", "capture-2").state is State.PAID


@pytest.mark.parametrize("verb", ["look", "capture"])
def test_an_expired_order_is_cancelled(paypal, sandbox, approved, verb):
    sandbox.paypal.expire(approved.provider_ref)
    args = [approved.provider_ref, ""] + (["capture-1"] if verb == "capture" else [])
    seen = getattr(paypal, verb)(*args)
    assert (seen.state, seen.reason) == (State.CANCELLED, "expired")


def test_a_pending_capture_ends_paid_or_declined(paypal, sandbox, approved):
    sandbox.paypal.next_capture("PENDING")
    pending = paypal.capture(approved.provider_ref, "", "capture-1")
    sandbox.paypal.finish_pending(pending.capture_ref, "DECLINED")
    assert paypal.look(approved.provider_ref, "").state is State.DECLINED
    sandbox.paypal.finish_pending(pending.capture_ref)
    assert paypal.look(approved.provider_ref, "").state is State.PAID


def test_refunds_show_in_a_look(paypal, sandbox, approved):
    paid = paypal.capture(approved.provider_ref, "", "capture-1")
    sandbox.paypal.take_back(paid.capture_ref, "10.00")
    part = paypal.look(approved.provider_ref, "")
    assert (part.state, part.reason) == (State.PAID, "PARTIALLY_REFUNDED")
    sandbox.paypal.take_back(paid.capture_ref)
    assert paypal.look(approved.provider_ref, "").state is State.REFUNDED


@pytest.mark.parametrize("ref", ["", "../../oauth2", "A/B", "A?x=1", "A%2e", "A" * 65, "A\n", "Ä"])
def test_a_reference_that_is_none_never_reaches_an_address(paypal, ref):
    for ask_for in (lambda: paypal.look(ref, ""), lambda: paypal.capture(ref, "", "capture-1")):
        with pytest.raises(ProviderRefused, match="bad_reference"):
            ask_for()
    assert paypal.returned({"token": ref}) == ""


# The token


def test_one_token_serves_many_calls(paypal, sandbox, ask):
    for number in range(5):
        paypal.begin(ask(request_id=f"begin-{number}"))
    assert len(sandbox.paypal._tokens) == 1


def test_many_threads_fetch_one_token(paypal, sandbox, ask):
    threads = [threading.Thread(target=lambda n=n: paypal.begin(ask(request_id=f"begin-{n}"))) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.paypal.orders) == 10
    assert len(sandbox.paypal._tokens) == 1


def test_a_token_that_dies_between_calls_is_fetched_anew(paypal, sandbox, approved):
    sandbox.paypal.kill_tokens()
    assert paypal.capture(approved.provider_ref, "", "capture-1").state is State.PAID
    assert len(sandbox.paypal._tokens) == 1


def test_a_token_is_renewed_before_its_end(sandbox, paypal_settings, http, ask):
    now = [0.0]
    token = Token(paypal_settings, http, clock=lambda: now[0])
    first = token.get()
    now[0] = 32400 - 61
    assert token.get() == first
    now[0] = 32400 - 59
    assert token.get() != first


@pytest.mark.parametrize(
    ("words", "lives"),
    [('"expires_in": "600", ', 540), ("", 240), ('"expires_in": null, ', 240), ('"expires_in": 90, ', 45)],
)
def test_a_token_says_its_end_in_any_way_or_not_at_all(paypal_settings, http, words, lives):
    answers = [b'{%s"access_token": "A21AA"}' % words.encode(), b'{"access_token": "A21AA-2", "expires_in": 600}']
    server = Server(0, [("POST", ".*", lambda _: Answer(200, answers.pop(0)))], Faults())
    server.start()
    try:
        now, base = [0.0], f"http://127.0.0.1:{server.server_port}"
        token = Token(msgspec.structs.replace(paypal_settings, base_url=base), http, clock=lambda: now[0])
        for now[0], right in ((0, "A21AA"), (lives - 1, "A21AA"), (lives + 1, "A21AA-2")):
            assert token.get() == right
    finally:
        server.stop()


def test_wrong_credentials_are_refused_by_name_and_never_repeated(paypal_settings, http, ask, sandbox):
    wrong = PayPal(msgspec.structs.replace(paypal_settings, client_secret="wrong"), http)
    with pytest.raises(ProviderRefused) as refused:
        wrong.begin(ask())
    assert refused.value.code == "invalid_client"
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("kind", ["lost", "html", "500", "half"])
def test_a_broken_token_answer_means_down(paypal, sandbox, ask, kind):
    sandbox.faults.add(kind, where="/oauth2/token")
    with pytest.raises(ProviderDown):
        paypal.begin(ask())
    assert paypal.begin(ask())


# Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://api-m.paypal.com"},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "https://user:pw@api-m.paypal.com"},
        {"cert_url_prefix": "http://api.paypal.com/v1/notifications/certs/"},
        {"client_id": ""},
        {"client_secret": " "},
        {"webhook_id": ""},
    ],
)
def test_settings_that_cannot_be_safe_are_refused_by_name(wrong):
    good = {"base_url": "https://api-m.paypal.com", "client_id": "a", "client_secret": "hush", "webhook_id": "w"}
    with pytest.raises(ValueError, match=f"paypal.{next(iter(wrong))}"):
        PayPalSettings(**(good | wrong))
    assert "hush" not in repr(PayPalSettings(**good))


def test_no_redirect_is_followed(paypal_settings, sandbox, told, http, ask):
    """The buyer's page redirects once an order is paid: a client that followed would call the return address."""
    client = PayPal(paypal_settings, http)
    begun = client.begin(ask(return_url=f"{told.base}/mailbox/"))
    sandbox.paypal.approve(begun.provider_ref)
    client.capture(begun.provider_ref, "", "capture-1")
    with pytest.raises(ProviderDown, match="http_303"):
        send(http, "GET", begun.pay_url)


def test_an_answer_without_end_is_cut_off(http, told):
    with pytest.raises(ProviderDown, match="answer_too_large"):
        send(http, "GET", f"{told.base}/mailbox/", largest=100)
