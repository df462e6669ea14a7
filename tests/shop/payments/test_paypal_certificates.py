"""Certificates of other people's look-alikes: made by hand, kept in files, and held to the same name and dates."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from troth.sandbox.authority import NAME, Signer
from troth.shop.payments.providers.contract import Forged
from troth.shop.payments.providers.paypal import PayPal, PayPalSettings
from troth.shop.payments.providers.paypal.certificates import Certificates

NOW = datetime.now(UTC)


def _by_hand(name, issuer, signing, key, **more):
    """A certificate without a single extension, as somebody's script writes it."""
    subject, by = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - timedelta(days=1))
    return made.not_valid_after(more.get("ends", NOW + timedelta(days=1))).sign(signing, hashes.SHA256())


@pytest.mark.parametrize(
    ("name", "more", "stranger", "code"),
    [
        (NAME, {}, False, ""),
        ("www.paypal.com", {}, False, "certificate_name"),
        (NAME, {"ends": NOW - timedelta(hours=1)}, False, "certificate_chain"),
        (NAME, {}, True, "certificate_chain"),
    ],
)
def test_a_root_that_the_owner_named_may_be_made_by_hand(
    paypal_settings, http, sandbox, paid, tmp_path, name, more, stranger, code
):
    root, other, key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    pem = serialization.Encoding.PEM
    (tmp_path / "ca.pem").write_bytes(_by_hand("Root", "Root", root, root).public_bytes(pem))
    leaf = _by_hand(name, "Root", other if stranger else root, key, **more)
    shop = PayPal(msgspec.structs.replace(paypal_settings, ca_file=str(tmp_path / "ca.pem")), http)
    before = sandbox.paypal.signer
    sandbox.paypal.use_certificate(Signer(key, leaf.public_bytes(pem)))
    headers = sandbox.paypal.signed(paid.body)
    sandbox.paypal.use_certificate(before)
    if code:
        with pytest.raises(Forged, match=code):
            shop.receive(headers, paid.body)
    else:
        assert shop.receive(headers, paid.body).kind == paid.kind


def test_a_look_alikes_certificate_may_lie_in_a_file(http):
    here = "http://127.0.0.1:9/certs/"
    settings = PayPalSettings("http://127.0.0.1:9", "id", "secret", "hook", cert_url_prefix=here)
    allows = Certificates(settings, http).allows
    assert allows(here + "cert.pem")
    assert not any(allows(here + name) for name in ("..", ".pem", "a/../b.pem", "cert.", "a.b.pem", "cert.pem?x"))
