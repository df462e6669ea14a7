"""What `troth doctor` looks at in the certificate that the shop itself shows: here, before any browser refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from troth.config import Config, ConfigError
from troth.faces.cli import tls
from troth.faces.cli.examinations import Seen

SOON = timedelta(days=14)


def certificate(config: Config) -> Iterator[Seen]:
    """Its key, name, end and chain (RFC 5280); nothing where a proxy speaks TLS."""
    if config.certificate is None:
        return
    try:
        tls.usable(config)
        chain = x509.load_pem_x509_certificates(config.certificate[0].read_bytes())
    except (ConfigError, OSError, ValueError):
        mend = "Set [web] certificate and certificate_key to two PEM files that fit, readable by the web process."
        yield Seen("wrong", "The certificate and its key cannot be used.", mend)
        return
    yield from list(_unfit(chain, urlsplit(config.web.public_url).hostname or "")) or [
        Seen("ok", f"The certificate is for this shop, until {chain[0].not_valid_after_utc:%d %B %Y}.")
    ]


def _unfit(chain: list[x509.Certificate], host: str) -> Iterator[Seen]:
    own, now = chain[0], datetime.now(UTC)
    renew = "Renew it, and see that what renews it by itself still runs (systemctl list-timers)."
    if own.not_valid_after_utc < now:
        yield Seen("wrong", f"The certificate ended on {own.not_valid_after_utc:%d %B %Y}.", renew)
    elif own.not_valid_after_utc < now + SOON:
        yield Seen("wrong", f"The certificate ends on {own.not_valid_after_utc:%d %B %Y}.", renew)
    if not _is_for(own, host):
        yield Seen("wrong", f"The certificate is not for {host}.", f"Get one for {host}, or mend [web] public_url.")
    if len(chain) == 1 and own.issuer != own.subject:
        mend = "Point [web] certificate at the file with the whole chain (fullchain.pem)."
        yield Seen("wrong", "The certificate comes without those that lead to a root.", mend)


def _is_for(own: x509.Certificate, host: str) -> bool:
    """By its subject alternative names; a wildcard stands for one label (RFC 9525)."""
    try:
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    listed = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    listed |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return host in listed or f"*.{host.partition('.')[2]}" in listed
