"""Is it PayPal's, and what of it is kept."""

import base64
import json
from datetime import UTC, datetime, timedelta

import certifi
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.sandbox.authority import NAME, Authority
from troth.shop.money import Money
from troth.shop.payments.providers.contract import Forged, ProviderDown, State
from troth.shop.payments.providers.paypal import PayPal, PayPalSettings
from troth.shop.payments.providers.paypal.certificates import Certificates, read_roots

SIGNED = (
    "PAYPAL-TRANSMISSION-ID",
    "PAYPAL-TRANSMISSION-TIME",
    "PAYPAL-TRANSMISSION-SIG",
    "PAYPAL-CERT-URL",
    "PAYPAL-AUTH-ALGO",
)


def test_what_arrives_over_http_is_read(paypal, posts, door):
    seen = [paypal.receive(request.headers, request.body) for request in door.arrived]
    assert [one.kind for one in seen] == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]
    approved, paid = seen
    assert approved.sight.state is State.APPROVED
    assert paid.sight.state is State.PAID
    assert paid.sight.amount == Money(4900, "EUR")
    assert paid.payment_id == approved.payment_id == "pay-0001-abcdef12"
    assert paid.provider_ref == approved.provider_ref
    assert paid.event_id.startswith("WH-")
    assert paid.event_id != approved.event_id


def test_the_webhooks_sight_is_what_a_look_shows(paypal, paid):
    told = paypal.receive(paid.headers, paid.body).sight
    seen = paypal.look(told.provider_ref, "")
    assert (told.state, told.amount, told.capture_ref) == (seen.state, seen.amount, seen.capture_ref)


@pytest.mark.parametrize("kind", ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"])
def test_nobody_is_kept(paypal, posts, kind):
    post = posts[kind]
    assert b"Buyer" in post.body  # there was somebody to cut off
    kept = repr(paypal.receive(post.headers, post.body))
    for personal in ("Sandbox", "Buyer", "personal.example", "SANDBOXPAYER1", "Invented", "01234", "5550100199"):
        assert personal not in kept


def test_the_same_event_keeps_its_id(paypal, paid):
    again = paid.headers | {"paypal-transmission-id": "other"}
    assert paypal.receive(paid.headers, paid.body) == paypal.receive(paid.headers, paid.body)
    with pytest.raises(Forged):  # and its headers are signed too
        paypal.receive(again, paid.body)


# Forgeries


def test_every_byte_of_the_body_counts(paypal, paid):
    for at in range(len(paid.body)):
        for bit in (1, 0x20, 0x80):
            altered = bytearray(paid.body)
            altered[at] ^= bit
            with pytest.raises(Forged):
                paypal.receive(paid.headers, bytes(altered))


def test_every_byte_of_the_signature_counts(paypal, paid):
    right = base64.b64decode(paid.headers["PAYPAL-TRANSMISSION-SIG"])
    for at in range(len(right)):
        altered = bytearray(right)
        altered[at] ^= 1
        headers = paid.headers | {"PAYPAL-TRANSMISSION-SIG": base64.b64encode(bytes(altered)).decode()}
        with pytest.raises(Forged, match="signature"):
            paypal.receive(headers, paid.body)


@pytest.mark.parametrize("name", SIGNED)
def test_every_header_is_needed(paypal, paid, name):
    for value in (None, "", "\x00", "x" * 3000, "ü"):
        headers = {key: one for key, one in paid.headers.items() if key != name}
        with pytest.raises(Forged):
            paypal.receive(headers if value is None else headers | {name: value}, paid.body)


@pytest.mark.parametrize("name", ["PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME"])
def test_every_character_of_a_signed_header_counts(paypal, paid, name):
    right = paid.headers[name]
    for at in range(len(right)):
        other = "0" if right[at] != "0" else "1"
        with pytest.raises(Forged):
            paypal.receive(paid.headers | {name: right[:at] + other + right[at + 1 :]}, paid.body)


@pytest.mark.parametrize("algorithm", ["SHA1withRSA", "sha256withrsa", "NONE", "HS256", "SHA256withRSA "])
def test_no_other_algorithm_is_taken(paypal, paid, algorithm):
    with pytest.raises(Forged, match="algo"):
        paypal.receive(paid.headers | {"PAYPAL-AUTH-ALGO": algorithm}, paid.body)


def test_header_names_may_be_written_in_any_case(paypal, paid):
    lower = {name.lower(): value for name, value in paid.headers.items()}
    assert paypal.receive(lower, paid.body).kind == paid.kind


def test_an_event_for_another_webhook_is_refused(paypal_settings, http, paid):
    other = PayPal(msgspec.structs.replace(paypal_settings, webhook_id="WEBHOOK_ID"), http)
    with pytest.raises(Forged, match="signature"):
        other.receive(paid.headers, paid.body)


def test_a_body_under_the_headers_of_another_is_refused(paypal, posts, paid):
    with pytest.raises(Forged, match="signature"):
        paypal.receive(paid.headers, posts["CHECKOUT.ORDER.APPROVED"].body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"x" * (10 * 1024 * 1024), "too_large"),
        (b'{"id":"WH-1","id":"WH-2","event_type":"X"}', "json"),
        (b'{"id":"WH-1","event_type":"X","resource":{"a":1,"a":2}}', "json"),
        (b'{"id":"WH-1","event_type":"X","n":NaN}', "json"),
        (b'{"id":"WH-\xff","event_type":"X"}', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"[" * 100_000, "json"),
        (b"[]", "json"),
        (b"", "json"),
        (b"{}", "event"),
        (b'{"id":"Sandbox Buyer","event_type":"X"}', "event"),
        (b'{"id":7,"event_type":"X"}', "event"),
    ],
)
def test_signed_nonsense_is_refused(paypal, sandbox, body, code):
    with pytest.raises(Forged, match=code):
        paypal.receive(sandbox.paypal.signed(body), body)


# Whose certificate

LIVE = "https://api.paypal.com/v1/notifications/certs/"
GOOD = "CERT-360caa42-fca2a594-1d93a270"


def _certificates(http, **other):
    settings = {"base_url": "https://api-m.paypal.com", "client_id": "a", "client_secret": "b", "webhook_id": "c"}
    return Certificates(PayPalSettings(**(settings | other)), http)


@pytest.mark.parametrize(
    "url",
    ["api.paypal.com", "api-m.paypal.com", "messageverificationcerts.paypal.com"],
)
def test_paypals_own_addresses_are_allowed(http, url):
    assert _certificates(http).allows(f"https://{url}/v1/notifications/certs/{GOOD}")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/v1/notifications/certs/" + GOOD,
        "https://api.paypal.com.evil.example/v1/notifications/certs/" + GOOD,
        "https://evil.example/v1/notifications/certs/" + GOOD,
        "https://evil.example/" + LIVE + GOOD,
        "https://api.paypal.com@evil.example/v1/notifications/certs/" + GOOD,
        "https://user:pw@api.paypal.com/v1/notifications/certs/" + GOOD,
        "https://api.paypal.com:444/v1/notifications/certs/" + GOOD,
        "https://api.paypal.com:443/v1/notifications/certs/" + GOOD,
        LIVE + GOOD + "?x=1",
        LIVE + GOOD + "#x",
        LIVE + GOOD + "/",
        LIVE + "../../../evil/" + GOOD,
        LIVE + "..",
        LIVE + "%2e%2e",
        LIVE + GOOD + "\n",
        LIVE + GOOD + "\\x",
        LIVE,
        "https://api.paypal.com/v1/oauth2/" + GOOD,
        "https://api.paypal.com//v1/notifications/certs/" + GOOD,
        "https://192.0.2.1/v1/notifications/certs/" + GOOD,
        "https://[::1]/v1/notifications/certs/" + GOOD,
        "https://127.0.0.1/v1/notifications/certs/" + GOOD,
        "https://169.254.169.254/v1/notifications/certs/" + GOOD,
        "https://API.PAYPAL.COM/v1/notifications/certs/" + GOOD,
        "https://\u0430pi.paypal.com/v1/notifications/certs/" + GOOD,  # a Cyrillic letter
        "https://api.sandbox.paypal.com/v1/notifications/certs/" + GOOD,  # play money is no money
        "file:///etc/passwd",
        "//api.paypal.com/v1/notifications/certs/" + GOOD,
        "",
    ],
)
def test_no_other_address_is_ever_asked(http, url):
    certificates = _certificates(http)
    assert not certificates.allows(url)
    with pytest.raises(Forged, match="cert_url"):
        certificates.key(url)


@given(st.text(max_size=60))
def test_nothing_but_a_plain_name_may_follow_the_prefix(tail):
    allowed = Certificates(
        PayPalSettings(base_url="https://api-m.paypal.com", client_id="a", client_secret="b", webhook_id="c"), None
    ).allows(LIVE + tail)
    assert allowed == (bool(tail) and all(c.isascii() and (c.isalnum() or c in "-_") for c in tail))


def test_the_look_alikes_address_is_good_only_where_the_settings_say_so(http, sandbox, told, paid):
    url = paid.headers["PAYPAL-CERT-URL"]
    assert not _certificates(http).allows(url)
    prefix = told.paypal["cert_url_prefix"]
    assert _certificates(http, cert_url_prefix=prefix.rstrip("/")).allows(url)
    assert not _certificates(http, cert_url_prefix=prefix).allows(url.replace("127.0.0.1", "127.0.0.2"))


def _signed_by(sandbox, signer, body):
    before = sandbox.paypal.signer
    sandbox.paypal.use_certificate(signer)
    headers = sandbox.paypal.signed(body)
    sandbox.paypal.use_certificate(before)
    return headers


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("authority", "options", "code"),
    [
        ("other", {}, "certificate_chain"),
        ("own", {"name": "messageverificationcerts.paypal.com.evil.example"}, "certificate_name"),
        ("own", {"name": "www.paypal.com"}, "certificate_name"),
        ("own", {"begins": NOW - timedelta(days=9), "ends": NOW - timedelta(days=1)}, "certificate_chain"),
        ("own", {"begins": NOW + timedelta(days=1), "ends": NOW + timedelta(days=9)}, "certificate_chain"),
    ],
)
def test_a_certificate_has_to_be_trusted_alive_and_paypals(paypal, sandbox, paid, authority, options, code):
    maker = sandbox.authority if authority == "own" else Authority()
    with pytest.raises(Forged, match=code):
        paypal.receive(_signed_by(sandbox, maker.leaf(**options), paid.body), paid.body)


def test_a_renewed_certificate_is_taken(paypal, sandbox, paid):
    headers = _signed_by(sandbox, sandbox.authority.leaf("messageverificationcerts.paypal.com"), paid.body)
    assert paypal.receive(headers, paid.body).kind == paid.kind
    assert NAME != "messageverificationcerts.paypal.com"


def test_the_public_bundle_is_read_but_for_what_is_broken():
    roots = read_roots(certifi.where())
    assert len(roots) > 100
    assert any("DigiCert" in root.subject.rfc4514_string() for root in roots)


def test_a_file_without_certificates_is_refused_at_the_start(paypal_settings, http, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing here")
    with pytest.raises(ValueError, match=r"paypal\.ca_file"):
        PayPal(msgspec.structs.replace(paypal_settings, ca_file=str(tmp_path / "ca.pem")), http)


def test_public_roots_do_not_vouch_for_the_look_alike(paypal_settings, http, paid):
    public = PayPal(msgspec.structs.replace(paypal_settings, ca_file=None), http)
    with pytest.raises(Forged, match="certificate_chain"):
        public.receive(paid.headers, paid.body)


@pytest.mark.parametrize("pem", [b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_broken_certificate_is_a_forgery(paypal, sandbox, paid, pem):
    signer = sandbox.authority.leaf()
    signer.pem = pem
    with pytest.raises(Forged, match="certificate"):
        paypal.receive(_signed_by(sandbox, signer, paid.body), paid.body)


def test_a_certificate_that_is_not_there_is_a_forgery(paypal, paid):
    url = paid.headers["PAYPAL-CERT-URL"][:-4] + "0000"
    with pytest.raises(Forged, match="certificate"):
        paypal.receive(paid.headers | {"PAYPAL-CERT-URL": url}, paid.body)


def test_a_certificate_is_fetched_once(paypal, sandbox, paid):
    paypal.receive(paid.headers, paid.body)
    sandbox.faults.add("500", where="/certs/", times=100)
    assert paypal.receive(paid.headers, paid.body)


def test_invented_certificate_names_cannot_make_us_hammer_paypal(paypal, sandbox, paid):
    refused = []
    for number in range(40):
        url = f"{paid.headers['PAYPAL-CERT-URL'][:-4]}{number:04}"
        with pytest.raises((Forged, ProviderDown)) as error:
            paypal.receive(paid.headers | {"PAYPAL-CERT-URL": url}, paid.body)
        refused.append(error.value.code)
    assert refused.count("too_many_certificates") == 20


# Each kind of news


def test_refunds_and_reversals_name_their_capture_and_their_own_amount(paypal, sandbox, paid):
    capture = paypal.receive(paid.headers, paid.body).sight.capture_ref
    sandbox.paypal.take_back(capture, "10.00")
    sandbox.paypal.take_back(capture, reversed_=True)
    refund, reversal = (paypal.receive(post.headers, post.body) for post in sandbox.paypal.courier.posts[-2:])
    assert (refund.sight.state, refund.sight.amount) == (State.REFUNDED, Money(1000, "EUR"))
    assert (reversal.sight.state, reversal.sight.amount) == (State.REVERSED, Money(3900, "EUR"))
    assert refund.sight.capture_ref == reversal.sight.capture_ref == capture
    assert refund.kept["refunded_in_all"] == "10.00"
    assert "Buyer" not in repr(refund)


@pytest.mark.parametrize(("end", "kind", "state"), [
    ("COMPLETED", "PAYMENT.CAPTURE.COMPLETED", State.PAID),
    ("DECLINED", "PAYMENT.CAPTURE.DENIED", State.DECLINED),
])  # fmt: skip
def test_a_pending_capture_tells_its_end(paypal, sandbox, ask, end, kind, state):
    begun = paypal.begin(ask())
    sandbox.paypal.approve(begun.provider_ref)
    sandbox.paypal.next_capture("PENDING")
    pending = paypal.capture(begun.provider_ref, "", "capture-1")
    sandbox.paypal.finish_pending(pending.capture_ref, end)
    first, last = (paypal.receive(post.headers, post.body) for post in sandbox.paypal.courier.posts[-2:])
    assert (first.kind, first.sight.state) == ("PAYMENT.CAPTURE.PENDING", State.PENDING)
    assert (last.kind, last.sight.state) == (kind, state)


def test_a_dispute_keeps_codes_and_no_words(paypal, sandbox):
    resource = {
        "dispute_id": "PP-D-4012",
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "dispute_life_cycle_stage": "INQUIRY",
        "status": "OPEN",
        "dispute_amount": {"currency_code": "EUR", "value": "49.00"},
        "disputed_transactions": [
            {"seller_transaction_id": "3BC38643YC807283D", "buyer": {"name": "Sandbox Buyer"}},
        ],
        "messages": [{"content": "I am Sandbox Buyer and got nothing"}],
    }
    post = sandbox.paypal.webhook("CUSTOMER.DISPUTE.CREATED", "dispute", resource)
    read = paypal.receive(post.headers, post.body)
    assert read.sight is None
    assert read.kept["dispute_capture"] == "3BC38643YC807283D"
    assert read.kept["dispute_reason"] == "MERCHANDISE_OR_SERVICE_NOT_RECEIVED"
    assert "Buyer" not in repr(read)


@pytest.mark.parametrize("resource", [None, [], "x", 7, {}, {"id": {"a": 1}}, {"purchase_units": [None, 3]}])
@pytest.mark.parametrize("kind", ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REVERSED"])
def test_a_resource_of_another_shape_never_looks_paid(paypal, sandbox, kind, resource):
    post = sandbox.paypal.webhook(kind, "x", resource)
    read = paypal.receive(post.headers, post.body)
    assert read.sight.state is not State.PAID
    assert read.sight.amount is None


def test_an_approval_that_ran_out_is_cancelled(paypal, sandbox):
    resource = {"order_id": "5O190127TN364715T", "purchase_units": [{"custom_id": "pay-1"}]}
    post = sandbox.paypal.webhook("CHECKOUT.PAYMENT-APPROVAL.REVERSED", "order", resource)
    read = paypal.receive(post.headers, post.body)
    assert (read.sight.state, read.provider_ref, read.payment_id) == (State.CANCELLED, "5O190127TN364715T", "pay-1")


def test_a_kind_we_do_not_know_is_kept_without_a_sight(paypal, sandbox):
    post = sandbox.paypal.webhook("SOMETHING.NEW", "new", {"id": "X1", "name": "Sandbox Buyer"})
    read = paypal.receive(post.headers, post.body)
    assert read.sight is None
    assert read.kept["resource_id"] == "X1"
    assert "Buyer" not in repr(read)


def test_several_purchase_units_are_never_one_of_ours(paypal, sandbox, paid):
    order = json.loads(paid.body)["resource"]
    unit = {"custom_id": "pay-0001-abcdef12", "payments": {"captures": [order]}}
    post = sandbox.paypal.webhook("CHECKOUT.ORDER.COMPLETED", "checkout-order", {"purchase_units": [unit, unit]})
    assert paypal.receive(post.headers, post.body).sight.state is State.UNKNOWN
