"""A certificate authority of the sandbox's own, and the certificates the PayPal look-alike signs webhooks with.

The keys live in memory only and end with the process.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "messageverificationcerts.sandbox.paypal.com"  # the name PayPal's own sandbox signs under


class Authority:
    """A root that signs leaves. `ca_pem` is what a shop in test mode is told to trust.

    Made `above` another authority it is an intermediate one, and its leaves bring its certificate along. Without `ca`
    or `may_sign` it is an impostor: a certificate that signs others without being allowed to.
    """

    def __init__(self, above: Authority | None = None, ca: bool = True, may_sign: bool = True) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = "Troth sandbox intermediate" if above else "Troth sandbox root"
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = above or self
        now = datetime.now(UTC)
        usage = x509.KeyUsage(
            digital_signature=not may_sign,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=may_sign,
            crl_sign=may_sign,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            _builder(
                self._name, issuer._name, self._key.public_key(), now - timedelta(days=1), now + timedelta(days=30)
            )
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer._key.public_key()), critical=False)
            .sign(issuer._key, hashes.SHA256())
        )
        self.ca_pem = self._certificate.public_bytes(serialization.Encoding.PEM)
        self._chain = self.ca_pem if above else b""

    def leaf(self, name: str = NAME, begins: datetime | None = None, ends: datetime | None = None) -> Signer:
        """A certificate for `name`, by default from yesterday to next week."""
        now = datetime.now(UTC)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(
                subject,
                self._name,
                key.public_key(),
                begins or now - timedelta(days=1),
                ends or now + timedelta(days=7),
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Signer(key, certificate.public_bytes(serialization.Encoding.PEM) + self._chain)


class Signer:
    """A key with its certificate, under an id such as PayPal gives: CERT-xxxxxxxx-xxxxxxxx-xxxxxxxx."""

    def __init__(self, key: rsa.RSAPrivateKey, pem: bytes) -> None:
        self._key = key
        self.pem = pem
        self.cert_id = "CERT-" + "-".join(secrets.token_hex(4) for _ in range(3))

    def sign(self, transmission_id: str, transmission_time: str, webhook_id: str, body: bytes) -> str:
        """PayPal's webhook signature, in base64: RSA PKCS#1 v1.5 with SHA-256 over ids and the body's CRC-32."""
        text = f"{transmission_id}|{transmission_time}|{webhook_id}|{zlib.crc32(body)}"
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
