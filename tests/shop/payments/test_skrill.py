"""Sessions, status posts and look-ups at Skrill."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from troth.shop.money import Money
from troth.shop.payments.providers.contract import Forged, ProviderDown, ProviderRefused, State
from troth.shop.payments.providers.skrill import Skrill, SkrillSettings
from troth.shop.payments.providers.skrill.client import plain
from troth.shop.payments.providers.skrill.signature import inner, md5sig, msid

PAYMENT = "pay-0001-abcdef12"


@pytest.fixture
def begun(skrill, ask):
    return skrill.begin(ask())


def _post(sandbox, begun, outcome="pay"):
    sandbox.skrill.pay(begun.provider_ref, outcome)
    return sandbox.skrill.courier.posts[-1]


# Vectors of the guide and of other people's tests


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        (("21235995", "54910248", "t3stt3st", "0.735741", "EUR", "2"), "CDEA3910DDD4090DF89034CA82C46D34"),
        (("4637827", "5585262", "Answer One", "9.99", "EUR", "2"), "CF9DCA614656D19772ECAB978A56866D"),
    ],
)
def test_md5sig_vectors(fields, right):
    merchant, transaction, secret, amount, currency, status = fields
    assert md5sig(merchant, transaction, inner(secret), amount, currency, status) == right


def test_msid_vector():
    assert msid("123456", "A205220", "F76538E261E8009140AF89E001341F17") == "730743ed4ef7ec631155f5e15d2f4fa0"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(2300, "EUR"), "23"),
        (Money(3960, "EUR"), "39.60"),
        (Money(5, "EUR"), "0.05"),
        (Money(1500, "JPY"), "1500"),
    ],
)
def test_amounts_have_no_zeros_behind_whole_numbers(amount, text):
    assert plain(amount) == text


# Begin


def test_a_purchase_from_ask_to_paid(skrill, sandbox, ask, door):
    begun = skrill.begin(ask(amount=Money(3960, "EUR")))
    assert begun.pay_url.endswith(f"/skrill/pay?sid={begun.provider_ref}")
    assert skrill.look(begun.provider_ref, PAYMENT).state is State.OPEN

    back = sandbox.skrill.pay(begun.provider_ref)
    query = dict(parse_qsl(urlsplit(back).query))
    assert query["order"] == "TR-2WQK-7"
    assert skrill.returned(query) == PAYMENT

    assert sandbox.wait()
    (arrived,) = door.arrived
    message = skrill.receive(arrived.headers, arrived.body)
    assert message.kind == "status.2"
    assert message.payment_id == PAYMENT
    assert message.sight.state is State.PAID
    assert message.sight.amount == Money(3960, "EUR")
    assert message.sight.payee == skrill.payee == begun.payee
    assert message.sight.payer_country == "DEU"
    assert message.kept["amount_signed"] == "yes"

    seen = skrill.look(begun.provider_ref, PAYMENT)
    assert msgspec.structs.replace(seen, provider_ref="") == message.sight
    assert skrill.capture(begun.provider_ref, PAYMENT, "capture-1") == seen


def test_nothing_personal_is_sent_and_all_that_is_sent_is_named(sandbox, begun):
    fields = dict(sandbox.skrill.sessions[begun.provider_ref].fields)
    assert fields.pop("return_url").startswith("https://shop.example/")
    assert fields.pop("cancel_url").startswith("https://shop.example/")
    assert fields.pop("status_url").endswith("/hooks/skrill")
    assert fields == {
        "prepare_only": "1",
        "pay_to_email": "shop@merchant.example",
        "recipient_description": "Honest Extensions",
        "transaction_id": PAYMENT,
        "language": "EN",
        "amount": "49",
        "currency": "EUR",
        "detail1_description": "TR-2WQK-7",
        "detail1_text": "Field Guide 2.1",
    }


def test_nobody_is_kept(skrill, sandbox, begun):
    post = _post(sandbox, begun)
    assert b"sandbox.buyer" in post.body  # there was somebody to cut off
    kept = repr(skrill.receive(post.headers, post.body))
    for personal in ("sandbox.buyer", "personal.example", "99001122", "Buyer"):
        assert personal not in kept


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": Money(0, "EUR")}, "amount_not_positive"),
        ({"amount": Money(-1, "EUR")}, "amount_not_positive"),
        ({"payment_id": ""}, "missing_transaction_id"),
        ({"payment_id": "p" * 101}, "transaction_id_too_long"),
        ({"return_url": "https://shop.example/" + "r" * 240}, "return_url_too_long"),
        ({"status_url": ""}, "missing_status_url"),
        ({"return_url": "not an address"}, "BAD_REQUEST"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_a_code(skrill, ask, wrong, code):
    with pytest.raises(ProviderRefused) as refused:
        skrill.begin(ask(**wrong))
    assert str(refused.value) == code


def test_a_second_session_for_paid_money_is_refused(skrill, sandbox, ask, begun):
    sandbox.skrill.pay(begun.provider_ref)
    with pytest.raises(ProviderRefused, match="ALREADY_PAID"):
        skrill.begin(ask())
    assert skrill.look("", PAYMENT).state is State.PAID


def test_long_names_are_cut(skrill, sandbox, ask):
    begun = skrill.begin(ask(item_name="ü " * 300, brand_name="B" * 99, locale="xx"))
    fields = sandbox.skrill.sessions[begun.provider_ref].fields
    assert len(fields["detail1_text"]) <= 240
    assert fields["language"] == "EN"


@pytest.mark.parametrize("kind", ["lost", "half", "html", "500", "503", "429"])
def test_no_session_id_means_down(skrill, sandbox, ask, kind):
    sandbox.faults.add(kind, where="/skrill/pay")
    with pytest.raises(ProviderDown):
        skrill.begin(ask())
    assert skrill.begin(ask())


# Status posts


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("2", State.PAID, ""),
        ("0", State.PENDING, ""),
        ("-1", State.CANCELLED, ""),
        ("-2", State.DECLINED, "05"),
        ("-3", State.REVERSED, ""),
        ("1", State.UNKNOWN, ""),
        ("-4", State.UNKNOWN, ""),
        ("22", State.UNKNOWN, ""),
    ],
)
def test_each_status_has_its_state(skrill, sandbox, begun, status, state, reason):
    post = sandbox.skrill.becomes(begun.provider_ref, status)
    sight = skrill.receive(post.headers, post.body).sight
    assert (sight.state, sight.reason) == (state, reason)
    seen = skrill.look(begun.provider_ref, PAYMENT)
    assert (seen.state, seen.reason) == (state, reason)


def test_a_repeated_post_has_the_same_id_and_another_status_another(skrill, sandbox, begun):
    pending, paid = sandbox.skrill.becomes(begun.provider_ref, "0"), sandbox.skrill.becomes(begun.provider_ref, "2")
    ids = [skrill.receive({}, post.body).event_id for post in (pending, pending, paid)]
    assert ids[0] == ids[1] != ids[2]


SIGNED = ("merchant_id", "transaction_id", "mb_amount", "mb_currency", "status", "md5sig")


def test_every_byte_counts_or_changes_nothing_that_matters(skrill, sandbox, begun):
    """A flipped byte is refused; in a field that Skrill does not sign it may pass, and then money, payee and
    payment are as they were, or the settler's comparison finds the difference."""
    post = _post(sandbox, begun)
    right = skrill.receive({}, post.body)
    passed = set()
    for at in range(len(post.body)):
        for bit in (1, 2, 0x20, 0x80):
            altered = bytearray(post.body)
            altered[at] ^= bit
            try:
                read = skrill.receive({}, bytes(altered))
            except Forged:
                continue
            before, after = (dict(parse_qsl(one.decode("latin-1"))) for one in (post.body, altered))
            changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
            assert not {name for name in changed & {*SIGNED} if before[name].upper() != after[name].upper()}
            passed |= changed
            assert (read.payment_id, read.sight.state, read.sight.amount) == (
                right.payment_id,
                right.sight.state,
                right.sight.amount,
            )
    assert passed.isdisjoint({"amount", "currency", "mb_amount", "mb_currency", "status", "transaction_id"})


@pytest.mark.parametrize("name", [*SIGNED, "amount", "currency", "pay_to_email"])
def test_every_field_that_matters_is_needed_once(skrill, sandbox, begun, name):
    fields = dict(parse_qsl(_post(sandbox, begun).body.decode()))
    without = {key: value for key, value in fields.items() if key != name}
    for body in (without, without | {name: ""}):
        with pytest.raises(Forged, match=f"field_{name}"):
            skrill.receive({}, urlencode(body).encode())
    doubled = urlencode([*fields.items(), (name, fields[name])])
    with pytest.raises(Forged, match="form"):
        skrill.receive({}, doubled.encode())


@pytest.mark.parametrize("wrong", [{"amount": "0.05"}, {"amount": "49.01"}, {"mb_amount": "4.9"}])
def test_amounts_that_disagree_are_refused_though_the_signature_is_right(skrill, sandbox, begun, wrong):
    sandbox.skrill.pay(begun.provider_ref)
    post = sandbox.skrill.post(sandbox.skrill.sessions[begun.provider_ref], wrong)
    with pytest.raises(Forged, match="amounts"):
        skrill.receive({}, post.body)


@pytest.mark.parametrize("amount", ["49", "49.0", "49.00", "49.000000"])
def test_amounts_are_compared_as_numbers(skrill, sandbox, begun, amount):
    sandbox.skrill.pay(begun.provider_ref)
    post = sandbox.skrill.post(sandbox.skrill.sessions[begun.provider_ref], {"mb_amount": amount})
    assert skrill.receive({}, post.body).sight.amount == Money(4900, "EUR")


def test_a_currency_swapped_in_the_unsigned_field_is_shown_as_unsigned(skrill, sandbox, begun):
    sandbox.skrill.pay(begun.provider_ref)
    post = sandbox.skrill.post(sandbox.skrill.sessions[begun.provider_ref], {"currency": "JPY"})
    read = skrill.receive({}, post.body)
    assert read.sight.amount == Money(49, "JPY")  # matches no order in euros
    assert read.kept["amount_signed"] == "no"


def test_a_wallet_in_another_currency_is_told_and_a_look_confirms(skrill, sandbox, begun):
    sandbox.skrill.merchant.wallet_currency, sandbox.skrill.merchant.wallet_rate = "USD", "1.0837"
    read = skrill.receive({}, _post(sandbox, begun).body)
    assert read.kept["amount_signed"] == "no"
    assert read.kept["mb_currency"] == "USD"
    assert read.sight.amount == Money(4900, "EUR")
    assert skrill.look(begun.provider_ref, PAYMENT).amount == Money(4900, "EUR")


def test_another_payee_shows_in_the_sight(skrill, sandbox, begun):
    sandbox.skrill.pay(begun.provider_ref)
    post = sandbox.skrill.post(sandbox.skrill.sessions[begun.provider_ref], {"pay_to_email": "Other@Merchant.example"})
    sight = skrill.receive({}, post.body).sight
    assert sight.payee == "other@merchant.example" != skrill.payee


def test_a_post_for_another_merchant_is_refused(skrill, sandbox, begun):
    sandbox.skrill.pay(begun.provider_ref)
    post = sandbox.skrill.post(sandbox.skrill.sessions[begun.provider_ref], {"merchant_id": "58010204"})
    with pytest.raises(Forged, match="merchant"):
        skrill.receive({}, post.body)


def test_digits_cannot_wander_between_signed_fields(skrill, sandbox, begun):
    """The signature runs the fields together: the same characters cut elsewhere have the same signature."""
    fields = dict(parse_qsl(_post(sandbox, begun).body.decode()))
    for change in (
        {"merchant_id": fields["merchant_id"][:-1], "transaction_id": fields["merchant_id"][-1] + PAYMENT},
        {"merchant_id": fields["merchant_id"] + PAYMENT[0], "transaction_id": PAYMENT[1:]},
        {"mb_amount": "4", "mb_currency": "9EUR"},
        {"mb_currency": "EU", "status": "R2"},
        {"mb_currency": "EUR2", "status": ""},
    ):
        with pytest.raises(Forged, match=r"field_|merchant"):
            skrill.receive({}, urlencode(fields | change).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"x", b"a=1&a=1", b"status=%ff", b"&&", b"a=1;b=2", b"{}", b"a=" + b"1" * 300_000, b"\x00=\x00"],
)
def test_what_is_no_form_is_a_forgery(skrill, body):
    with pytest.raises(Forged):
        skrill.receive({}, body)


def test_another_secret_word_refuses_all(skrill_settings, http, sandbox, begun):
    other = Skrill(msgspec.structs.replace(skrill_settings, secret_word="guess"), http)
    with pytest.raises(Forged, match="signature"):
        other.receive({}, _post(sandbox, begun).body)


@pytest.mark.parametrize("name", ["secret_word", "mqi_password", "merchant_id", "pay_to_email"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_secret_is_refused_before_anything_runs(skrill_settings, name, empty):
    with pytest.raises(ValueError, match=f"skrill.{name}"):
        SkrillSettings(**(msgspec.structs.asdict(skrill_settings) | {name: empty}))


def test_plain_http_is_refused_but_on_loopback(skrill_settings):
    with pytest.raises(ValueError, match=r"skrill\.query_url"):
        SkrillSettings(
            **(msgspec.structs.asdict(skrill_settings) | {"query_url": "http://www.skrill.com/app/query.pl"})
        )
    assert skrill_settings.secret_word not in repr(skrill_settings)


# The return address


def test_a_return_address_without_a_right_msid_names_no_payment(skrill, sandbox, begun):
    query = dict(parse_qsl(urlsplit(sandbox.skrill.pay(begun.provider_ref)).query))
    assert skrill.returned(query) == PAYMENT
    for wrong in ({"transaction_id": "pay-0002"}, {"msid": ""}, {"msid": "0" * 32}, {"msid": "ü"}):
        assert skrill.returned(query | wrong) == ""
    assert skrill.returned({}) == ""


# The query interface


@pytest.mark.parametrize("kind", ["lost", "half", "html", "500", "429"])
def test_no_usable_report_means_down(skrill, sandbox, begun, kind):
    sandbox.skrill.pay(begun.provider_ref)
    sandbox.faults.add(kind, where="query.pl")
    with pytest.raises(ProviderDown):
        skrill.look(begun.provider_ref, PAYMENT)
    assert skrill.look(begun.provider_ref, PAYMENT).state is State.PAID


def test_a_wrong_password_is_a_definite_no(skrill_settings, http, sandbox):
    wrong = Skrill(msgspec.structs.replace(skrill_settings, mqi_password="wrong"), http)
    with pytest.raises(ProviderRefused) as refused:
        wrong.look("", PAYMENT)
    assert str(refused.value) == "401"


def test_an_illegal_parameter_is_a_definite_no(skrill):
    with pytest.raises(ProviderRefused, match="404"):
        skrill.look("", "")


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"transaction_id": "pay-0002"}, "report_transaction_id"),
        ({"merchant_id": "58010204"}, "report_merchant"),
        ({"amount": "1"}, "report_amounts"),
    ],
)
def test_a_report_that_speaks_of_something_else_is_no_answer(skrill, sandbox, begun, monkeypatch, lie, code):
    honest = sandbox.skrill.status_fields
    monkeypatch.setattr(sandbox.skrill, "status_fields", lambda session, changed=None: honest(session, lie))
    sandbox.skrill.pay(begun.provider_ref)
    with pytest.raises(ProviderDown, match=code):
        skrill.look(begun.provider_ref, PAYMENT)


def test_a_report_with_a_broken_signature_is_no_answer(skrill_settings, http, sandbox, begun):
    sandbox.skrill.pay(begun.provider_ref)
    other = Skrill(msgspec.structs.replace(skrill_settings, secret_word="guess"), http)
    with pytest.raises(ProviderDown, match="report_signature"):
        other.look(begun.provider_ref, PAYMENT)


def test_a_card_declined_and_then_paid(skrill, sandbox, begun):
    assert sandbox.skrill.pay(begun.provider_ref, "decline") == ""
    assert skrill.look(begun.provider_ref, PAYMENT).state is State.DECLINED
    assert sandbox.skrill.pay(begun.provider_ref, "pay")
    assert skrill.look(begun.provider_ref, PAYMENT).state is State.PAID
