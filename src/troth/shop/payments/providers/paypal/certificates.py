"""The certificates PayPal signs its webhooks with: which address may be asked, and which certificate is believed.

The address comes in a header that anybody can write. Fetched unchecked it is a request forged into our own network,
and the certificate behind it would be the forger's. So: only PayPal's own hosts and path (or the configured prefix),
no redirect, small and quick, and the certificate must chain to a trusted root, live, and bear PayPal's name.

Source: developer.paypal.com, "Webhooks: REST", and the checks of PayPal's own (deprecated) Python kit.
"""

from __future__ import annotations

import re
import threading
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx
import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification

from troth.shop.payments.providers.contract import Forged, ProviderDown
from troth.shop.payments.providers.http import is_loopback, send
from troth.shop.payments.providers.paypal.settings import PayPalSettings

LIVE_NAME = "messageverificationcerts.paypal.com"
SANDBOX_NAME = "messageverificationcerts.sandbox.paypal.com"
_PATH = "/v1/notifications/certs/"
LIVE_CERTIFICATES = [f"https://{h}{_PATH}" for h in ("api.paypal.com", "api-m.paypal.com", LIVE_NAME)]
SANDBOX_CERTIFICATES = [
    f"https://{h}{_PATH}" for h in ("api.sandbox.paypal.com", "api-m.sandbox.paypal.com", SANDBOX_NAME)
]
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_LAST = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FILE = re.compile(r"[A-Za-z0-9_-]{1,90}([.][A-Za-z0-9]{1,9})?")  # a look-alike may keep its certificate in a file
LARGEST = 64 * 1024  # bytes of PEM
LONGEST = 10.0  # seconds
MOST_KEPT = 16
MOST_FETCHES = 20  # a minute: a stream of invented addresses must not make us hammer PayPal


class Believed(msgspec.Struct, frozen=True):
    """A key that may sign webhooks until `ends`."""

    key: rsa.RSAPublicKey
    ends: datetime


class Certificates:
    """Finds the key behind a certificate address; remembers it by address. Safe to share between threads."""

    def __init__(self, settings: PayPalSettings, http: httpx.Client) -> None:
        self._http = http
        own = settings.cert_url_prefix.rstrip("/") + "/"
        self._prefixes = next((world for world in (LIVE_CERTIFICATES, SANDBOX_CERTIFICATES) if own in world), [own])
        self._last = _FILE if self._prefixes == [own] else _LAST
        self._names = {LIVE_NAME} if own in LIVE_CERTIFICATES else {LIVE_NAME, SANDBOX_NAME}
        self._roots = read_roots(settings.ca_file or certifi.where())
        self._imitated = is_loopback(settings.base_url)
        self._named_by_owner = bool(settings.ca_file)
        self._lock, self._fetching = threading.Lock(), threading.Lock()
        self._kept: dict[str, Believed] = {}
        self._fetched: list[float] = []

    def key(self, url: str) -> rsa.RSAPublicKey:
        """The public key of the certificate at `url`.

        Raises Forged where address or certificate is not PayPal's, ProviderDown where it cannot be read just now.
        """
        if not self.allows(url):
            if self._imitated and any(url.startswith(place) for place in LIVE_CERTIFICATES + SANDBOX_CERTIFICATES):
                raise ProviderDown("certificate_elsewhere")  # the real ones say nothing of what it signed: it is asked
            raise Forged("cert_url")
        now = datetime.now(UTC)
        if (kept := self._known(url, now)) is not None:
            return kept
        with self._fetching:  # of many messages at once one fetches, and the others find what it got
            if (kept := self._known(url, now)) is not None:
                return kept
            believed = self._believe(self._fetch(url), now)
            with self._lock:
                while len(self._kept) >= MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[url] = believed
        return believed.key

    def allows(self, url: str) -> bool:
        """Whether a certificate may be fetched there: a known prefix and one plain name, nothing else."""
        for prefix in self._prefixes:
            if url.startswith(prefix) and self._last.fullmatch(url[len(prefix) :]):
                parts, known = urlsplit(url), urlsplit(prefix)
                return parts.scheme == known.scheme and parts.netloc == known.netloc
        return False

    def _known(self, url: str, now: datetime) -> rsa.RSAPublicKey | None:
        with self._lock:
            kept = self._kept.get(url)
        return kept.key if kept and now < kept.ends else None

    def _fetch(self, url: str) -> bytes:
        with self._lock:
            now = time.monotonic()
            self._fetched = [at for at in self._fetched if at > now - 60]
            if len(self._fetched) >= MOST_FETCHES:
                raise ProviderDown("too_many_certificates")
            self._fetched.append(now)
        answer = send(self._http, "GET", url, largest=LARGEST, longest=LONGEST)
        if answer.status != 200:
            raise Forged("certificate")
        return answer.body

    def _believe(self, pem: bytes, now: datetime) -> Believed:
        try:
            leaf, *between = x509.load_pem_x509_certificates(pem)
            if not (self._named_by_owner and _issued(leaf, self._roots, now)):
                _verifier(self._roots, now).verify(leaf, between)
            named, key = _names(leaf), leaf.public_key()
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            raise Forged("certificate") from None
        except verification.VerificationError:
            raise Forged("certificate_chain") from None
        if not named & self._names:
            raise Forged("certificate_name")
        if not isinstance(key, rsa.RSAPublicKey):
            raise Forged("certificate_key")
        return Believed(key, leaf.not_valid_after_utc)


def read_roots(file: str) -> list[x509.Certificate]:
    """The certificates of a PEM file. OSError where it cannot be read, ValueError where it holds none.

    The public bundle has old roots that break today's rules (a serial number of zero): one that cannot be read is left
    out, rather than all webhooks refused on its account.
    """
    roots = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        for block in _PEM.findall(Path(file).read_bytes()):
            try:
                roots.append(x509.load_pem_x509_certificate(block))
            except (ValueError, CryptographyDeprecationWarning):
                continue
    if not roots:
        raise ValueError("paypal.ca_file holds no certificate")
    return roots


def _verifier(roots: list[x509.Certificate], now: datetime) -> verification.ClientVerifier:
    """Path building by RFC 5280: dates, signatures, who may issue. The name is checked by us: a webhook's signer is no
    TLS server. Extensions that only web browsers insist on are not asked for.
    """
    issuers = (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign)
    )
    return (
        verification.PolicyBuilder()
        .store(verification.Store(roots))
        .time(now)
        .max_chain_depth(4)
        .extension_policies(ca_policy=issuers, ee_policy=verification.ExtensionPolicy.permit_all())
        .build_client_verifier()
    )


def _may_sign(_: verification.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("may not sign certificates")


def _issued(leaf: x509.Certificate, roots: list[x509.Certificate], now: datetime) -> bool:
    """Whether one of these roots signed this certificate itself, which is live.

    For a look-alike's root alone, which the owner named: made by hand, such a pair often lacks the extensions without
    which RFC 5280 builds no path (`openssl x509 -req` writes version 1).
    """
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return False
    for root in roots:
        try:
            leaf.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _names(leaf: x509.Certificate) -> set[str]:
    """The host names a certificate speaks for: its alternative names, and its common name, which PayPal's kit reads."""
    names = {str(one.value).lower() for one in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
    try:
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    return names | {name.lower() for name in alternative.get_values_for_type(x509.DNSName)}
