"""Refunds, disputes and books as the two clients read them, and what they refuse to read."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from troth.sandbox.server import Answer, Faults, Server
from troth.shop.money import Money
from troth.shop.payments.providers.contract import (
    Back,
    Case,
    ProviderDown,
    ProviderRefused,
    RefundAsk,
    SessionOver,
    State,
)
from troth.shop.payments.providers.paypal import search
from troth.shop.payments.providers.skrill import Skrill, SkrillSettings

NOW = datetime.now(UTC)
SPAN = (NOW - timedelta(days=2), NOW + timedelta(days=1))


@pytest.fixture
def paid(skrill, sandbox, ask):
    begun = skrill.begin(ask())
    sandbox.skrill.pay(begun.provider_ref)
    return begun.provider_ref, skrill.look(begun.provider_ref, ask().payment_id)


def wants(sight, minor=4900, **other):
    usual = RefundAsk(
        "rfd_1", sight.payment_id, sight.capture_ref, Money(minor, "EUR"), Money(4900, "EUR"), sight.received,
        minor == 4900, "refund-rfd_1-1",
    )  # fmt: skip
    return msgspec.structs.replace(usual, **other)


def test_skrill_gives_back_in_two_steps_and_names_the_movement_in_its_history(skrill, sandbox, paid):
    _, sight = paid
    session = skrill.prepare_refund(wants(sight, 1000))
    done = skrill.refund(wants(sight, 1000), session)
    assert (done.state, done.amount, done.ours) == (Back.DONE, Money(1000, "EUR"), "rfd_1")
    (listed,) = skrill.returned_money("", sight.capture_ref, *SPAN)
    assert (listed.ref, listed.amount, listed.state, listed.capture_ref) == (
        done.ref, Money(1000, "EUR"), Back.DONE, sight.capture_ref,
    )  # fmt: skip
    with pytest.raises(ProviderDown, match="ALREADY_EXECUTED"):
        skrill.refund(wants(sight, 1000), session)
    assert len(skrill.returned_money("", sight.capture_ref, *SPAN)) == 1


def test_a_part_is_asked_for_in_the_accounts_own_currency(skrill, sandbox, ask):
    sandbox.skrill.merchant.wallet_currency, sandbox.skrill.merchant.wallet_rate = "USD", "1.2"
    begun = skrill.begin(ask())
    sandbox.skrill.pay(begun.provider_ref)
    sight = skrill.look(begun.provider_ref, ask().payment_id)
    assert sight.received == Money(5880, "USD")
    done = skrill.refund(wants(sight, 1000), skrill.prepare_refund(wants(sight, 1000)))
    assert done.amount == Money(1200, "USD")
    rest = wants(sight, 3900)
    assert skrill.refund(rest, skrill.prepare_refund(rest)).amount == Money(4680, "USD")


def test_a_session_that_is_over_is_told_apart(skrill, paid):
    with pytest.raises(SessionOver):
        skrill.refund(wants(paid[1]), "0" * 32)


def test_skrill_sends_a_status_again_where_it_ever_sent_one(skrill, sandbox, paid, ask):
    count = len(sandbox.skrill.courier.posts)
    assert skrill.repost(ask().payment_id)
    assert len(sandbox.skrill.courier.posts) == count + 1
    assert not skrill.repost("pay-unknown")


BILLION = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><response><sid>&b;</sid></response>'
ODD = {
    "a document type": BILLION,
    "another element": b"<html/>",
    "half a document": b"<response><sid>00",
    "no session": b"<response></response>",
    "a session of another shape": b"<response><sid>../../x</sid></response>",
    "an unknown status": b"<response><status>7</status></response>",
    "an error beside success": b"<response><status>2</status><error>ALREADY_REFUNDED</error></response>",
    "an error of no words": b"<response><error></error></response>",
    "nothing": b"",
}


@pytest.fixture
def liar(told, http):
    """Skrill's addresses, answered with whatever `answers` says."""
    answers = {"body": b""}
    server = Server(0, [("POST", r"/.*", lambda request: Answer(200, answers["body"], "text/xml"))], Faults())
    server.start()
    base = f"http://127.0.0.1:{server.server_port}"
    values = told.skrill | {"refund_url": f"{base}/refund.pl", "query_url": f"{base}/query.pl"}
    yield Skrill(msgspec.convert(values, SkrillSettings), http), answers
    server.stop()


@pytest.mark.parametrize("what", ODD)
def test_an_odd_answer_of_skrills_is_never_a_refund(liar, paid, what):
    client, answers = liar
    answers["body"] = ODD[what]
    with pytest.raises(ProviderDown):
        client.refund(wants(paid[1]), "0" * 32)
    if "status" not in what and "error beside" not in what:
        with pytest.raises(ProviderDown):
            client.prepare_refund(wants(paid[1]))


HEAD = "ID,Time (CET),Type,[-] EUR,[+] EUR,Status,Reference,ID of the corresponding Skrill transaction\n"
TABLES = {
    "other columns": "ID,Time\n1,2\n",
    "half a line": HEAD + "77,02 Aug 18 09:55,Refund,1",
    "a web page": "<!doctype html><title>Sorry</title>",
}


@pytest.mark.parametrize("what", TABLES)
def test_a_broken_history_is_none(liar, what):
    client, answers = liar
    answers["body"] = TABLES[what].encode()
    with pytest.raises(ProviderDown):
        list(client.books(*SPAN))


def test_a_history_that_is_refused(liar):
    client, answers = liar
    answers["body"] = b"401\t\tCannot login"
    with pytest.raises(ProviderRefused, match="401"):
        list(client.books(*SPAN))


def test_fees_and_transfers_in_a_history_are_nobodys_refund(liar):
    client, answers = liar
    rows = "1,t,Receive Money,,49,processed,pay_1,\n2,t,Fee,1.20,,processed,,\n3,t,Bank transfer,40,,processed,,\n"
    answers["body"] = (HEAD + rows + "4,t,Refund,9,,processed,pay_1,1\n5,t,Refund,9,,failed,pay_1,1\n").encode()
    seen = list(client.books(SPAN[1], SPAN[1]))
    assert [(one.ref, one.back, one.amount.minor, one.about) for one in seen] == [
        ("1", False, 4900, ""),
        ("4", True, 900, "1"),
    ]


# PayPal


@pytest.fixture
def captured(paypal, sandbox, ask):
    begun = paypal.begin(ask())
    sandbox.paypal.approve(begun.provider_ref)
    return paypal.capture(begun.provider_ref, ask().payment_id, "capture-1")


def test_paypal_gives_back_once_for_one_request(paypal, sandbox, captured):
    first = paypal.refund(wants(captured, 1000), "")
    again = paypal.refund(wants(captured, 1000), "")
    assert first == again
    assert (first.state, first.amount, first.ours) == (Back.DONE, Money(1000, "EUR"), "rfd_1")
    seen = paypal.look(captured.provider_ref, "")
    assert (seen.state, [one.ref for one in seen.refunds]) == (State.PAID, [first.ref])
    assert paypal.look_refund(first.ref) == first


def test_both_shapes_of_a_new_order_are_understood(paypal, sandbox, ask):
    sandbox.paypal.merchant.old_shape = True
    try:
        begun = paypal.begin(ask(payment_id="pay-0002", request_id="begin-2"))
    finally:
        sandbox.paypal.merchant.old_shape = False
    assert begun.pay_url.endswith(f"token={begun.provider_ref}")
    sandbox.paypal.approve(begun.provider_ref)
    assert paypal.capture(begun.provider_ref, "pay-0002", "capture-2").state == State.PAID


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("RESOLVED_SELLER_FAVOUR", Case.WON),
        ("RESOLVED_BUYER_FAVOUR", Case.LOST),
        ("CANCELED_BY_BUYER", Case.WON),
        ("SOMETHING_NEW", Case.OPEN),
    ],
)
def test_a_dispute_is_read_without_what_was_written_in_it(paypal, sandbox, captured, outcome, state):
    case = sandbox.paypal.money.dispute(captured.capture_ref)
    assert paypal.look_dispute(case).state == Case.OPEN
    sandbox.paypal.money.resolve(case, outcome)
    seen = paypal.look_dispute(case)
    assert (seen.state, seen.capture_ref, seen.amount) == (state, captured.capture_ref, Money(4900, "EUR"))
    assert "Buyer" not in repr(seen)


def test_paypals_books_are_read_page_by_page_and_without_people(paypal, sandbox, captured, monkeypatch):
    monkeypatch.setattr(search, "PAGE", 2)
    for _ in range(4):
        sandbox.paypal.money.take_back(captured.capture_ref, "1.00")
    sandbox.paypal.money.take_back(captured.capture_ref, "2.00", reversed_=True)
    seen = list(paypal.books(*SPAN))
    assert [(one.back, one.amount.minor, one.reversal) for one in seen] == [
        (False, 4900, False), *[(True, 100, False)] * 4, (True, 200, True),
    ]  # fmt: skip
    assert {one.about for one in seen if one.back} == {captured.capture_ref}
    assert "@" not in repr(seen)
