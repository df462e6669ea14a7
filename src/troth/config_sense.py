"""Settings that are well formed and still wrong: each is told with its section, its key, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from troth.tones import tones

if TYPE_CHECKING:
    from troth.config import Config, Shop, Web

LOOPBACK = "may be plain http only in test mode and only on this machine (127.0.0.1); use https."


def senseless(config: Config) -> Iterator[tuple[str, str, str]]:
    """What is well formed and still wrong."""
    if not 0 <= config.web.port < 65536:
        yield "web", "port", "must be between 1 and 65535."
    for section, key, url in _addresses(config):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield section, key, "must be an address that begins with https://."
        elif parts.scheme == "http" and (config.live or not is_loopback(parts.hostname)):
            yield section, key, LOOPBACK
    if config.composer.vendor and not re.fullmatch(r"[a-z0-9]([_.-]?[a-z0-9]+)*", config.composer.vendor):
        yield "composer", "vendor", "must be the part of a package's name before the slash, in small letters."
    yield from _seller(config.shop)
    if config.shop.accent:
        try:
            tones(config.shop.accent)
        except ValueError as error:
            yield "shop", "accent", str(error)
    yield from _transport(config.web)
    if config.live and config.paypal.ca_file:
        yield "paypal", "ca_file", "is for look-alikes of PayPal in test mode; remove it in a live shop."
    for section, key, why in _incomplete(config):
        yield section, key, why
    for key, why in _untaxable(config):
        yield "tax", key, why
    mail = urlsplit(config.mail.url)
    if mail.scheme not in ("smtp", "smtp+starttls", "smtps") or not mail.hostname:
        yield "mail", "url", "must look like smtps://user:password@mail.example.org:465."
    elif mail.scheme == "smtp" and not is_loopback(mail.hostname):
        yield "mail", "url", "may be unencrypted only to this machine; use smtp+starttls:// or smtps://."
    yield from _mailing(config)
    if not re.match(r"(sqlite:///|postgres(ql)?://)", config.database.url):
        yield "database", "url", "must begin with sqlite:/// or postgresql://."
    for key, value in msgspec.structs.asdict(config.policy).items():
        least = 0 if key == "erase_window" else 1
        if isinstance(value, int) and value < least:
            yield "policy", key, f"must be at least {least}."
    if config.selling.low_stock < 0:
        yield "selling", "low_stock", "must be a number of keys, or 0 for no letter."
    yield from _against_fraud(config)
    yield from _keys_apart(config)
    for key, why in _unreachable(config):
        yield "support", key, why
    if root_inside(config):
        yield "keeper", "root_key_file", "lies inside the shop's folder; keep the root key apart from the data."


def _seller(shop: Shop) -> Iterator[tuple[str, str, str]]:
    """What invoices, prices and letters would be wrong by."""
    if not re.fullmatch(r"[A-Z]{2}", shop.country):
        yield "shop", "country", "must be two capital letters, such as DE (ISO 3166-1)."
    if not re.fullmatch(r"[A-Z]{3}", shop.currency):
        yield "shop", "currency", "must be three capital letters, such as EUR (ISO 4217)."
    if shop.contact_email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", shop.contact_email):
        yield "shop", "contact_email", "must be an e-mail address, such as hello@shop.example.org."


def _mailing(config: Config) -> Iterator[tuple[str, str, str]]:
    """What would make a mailing come back to nobody, or unsigned."""
    if config.mail.bounces and not re.fullmatch(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]+", config.mail.bounces):
        yield "mail", "bounces", "must be a short address of your own, such as bounces@example.org."
    if config.mail.per_domain < 1:
        yield "mail", "per_domain", "must be at least 1."
    if config.mail.dkim_key and "PRIVATE KEY" not in config.mail.dkim_key:
        yield "mail", "dkim_key", "must be a private key in PEM; make one by `troth mailings dkim`."
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", config.mail.dkim_selector):
        yield "mail", "dkim_selector", "must be one label of a host's name, such as troth."


def _transport(web: Web) -> Iterator[tuple[str, str, str]]:
    if bool(web.certificate) != bool(web.certificate_key):
        yield "web", "certificate", "needs certificate_key besides, and the other way round."
    if web.certificate and not web.public_url.startswith("https:"):
        yield "web", "public_url", "must begin with https:// where a certificate is given."
    for proxy in web.proxies:
        try:
            ip_address(proxy)
        except ValueError:
            yield "web", "trusted_proxies", "must be IP addresses with commas between, such as 127.0.0.1, ::1."


def _against_fraud(config: Config) -> Iterator[tuple[str, str, str]]:
    fraud = config.fraud
    for key, least in (("hold_from", 0), ("hold_hours", 1), ("orders_an_hour", 1), ("failed_payments", 1),
                       ("refunds_a_year", 1)):  # fmt: skip
        if getattr(fraud, key) < least:
            yield "fraud", key, f"must be at least {least}."
    for key in ("countries", "anonymisers"):
        name = getattr(fraud, key)
        if name and name != "off" and not (config.home / name).is_file():
            yield "fraud", key, "names a file that is not there; a relative path lies in the shop's folder."
    if config.live and fraud.limits == "off":
        yield "fraud", "limits", 'must be "on" in a live shop.'


def _keys_apart(config: Config) -> Iterator[tuple[str, str, str]]:
    """Where the root key lies, and where sealed copies go."""
    if config.keys.url:
        parts = urlsplit(config.keys.url)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "") and not config.live
        if not parts.hostname or (parts.scheme != "https" and not plain):
            yield "keys", "url", "must be an address that begins with https://."
    for key in ("url", "token_file"):
        if config.keys.kms == "openbao" and not getattr(config.keys, key):
            yield "keys", key, 'is needed with kms = "openbao".'
    for recipient in config.backup.recipients:
        if not re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", recipient):
            yield "backup", "recipients", "must be age recipients, such as age-keygen prints: age1 and 58 letters."
    for key, least in (("every", 0), ("keep", 1), ("epoch_days", 1), ("keep_days", 0)):
        if getattr(config.backup, key) < least:
            yield "backup", key, f"must be at least {least}."
    if config.main_copies == config.keyring_copies:
        yield "backup", "keyring_folder", "must not be main_folder: who copies one shall not have the other."
    if any(config.root_key.resolve().is_relative_to(each.resolve()) for each in _copies(config)):
        yield "backup", "keyring_folder", "must not hold the root key; keep keys and copies apart."


def _copies(config: Config) -> tuple[Path, Path]:
    return config.main_copies, config.keyring_copies


def _incomplete(config: Config) -> Iterator[tuple[str, str, str]]:
    """A provider that is set up by half: it could take money that the shop cannot verify."""
    for key in ("client_secret", "webhook_id"):
        if config.paypal.client_id and not getattr(config.paypal, key):
            yield "paypal", key, "is needed besides client_id; copy it from PayPal's dashboard."
    for key in ("pay_to_email", "secret_word", "mqi_password"):
        if config.skrill.merchant_id and not getattr(config.skrill, key):
            yield "skrill", key, "is needed besides merchant_id; set it in Skrill's account, then here."


TAX_RATES = re.compile(r"\s*([A-Z]{2}[ =]\s*\d{1,2}(\.\d{1,2})?\s*%?\s*(,\s*|$))*")


def _unreachable(config: Config) -> Iterator[tuple[str, str]]:
    """What would keep customers' mail from coming in, or bring it in the open."""
    support = config.support
    if support.address and not re.fullmatch(r"[a-z0-9._-]{1,20}@[a-z0-9-]+(\.[a-z0-9-]+)+", support.address):
        yield "address", "must look like support@example.org: small letters, at most 20 before the @, no plus sign."
    url = urlsplit(support.imap_url)
    if support.imap_url and (url.scheme not in ("imap", "imaps") or not url.hostname or not url.username):
        yield "imap_url", "must look like imaps://user@imap.example.org:993/INBOX."
    elif url.scheme == "imap" and not is_loopback(url.hostname or ""):
        yield "imap_url", "may be unencrypted only to this machine; use imaps://."
    if support.imap_url and not support.imap_password:
        yield "imap_password", "is needed to look into that mailbox; put it into a file: imap_password_file."
    if support.imap_url and not support.address:
        yield "address", "is needed with imap_url: without it nobody can answer a letter by mail."


def _untaxable(config: Config) -> Iterator[tuple[str, str]]:
    """What would make a tax or an invoice's number wrong."""
    tax = config.tax
    if config.live and not tax.scheme:
        yield "scheme", 'is needed to sell: "destination", "origin" or "exempt"; ask whoever does your taxes.'
    if not TAX_RATES.fullmatch(tax.rates):
        yield "rates", 'must look like "FI 25.5, CH 8.1": a country, then its rate in percent.'
    first: dict[str, str] = {}
    for key in ("invoice_format", "credit_format"):
        try:
            made = {getattr(tax, key).format(year=year, number=1) for year in (2026, 2027)}
            made |= {getattr(tax, key).format(year=2026, number=2)}
        except (KeyError, ValueError, IndexError, AttributeError):
            made = set()
        if len(made) < 3 or not all(re.fullmatch(r"[A-Za-z0-9./ -]{1,30}", one) for one in made):
            yield key, 'must hold {year} and {number}, such as "{year}-{number:05}", and letters, digits, . / - only.'
        elif made & first.keys():
            yield key, f"gives the same numbers as {first[min(made & first.keys())]}; begin one with a letter."
        first |= dict.fromkeys(made, key)


def _addresses(config: Config) -> Iterator[tuple[str, str, str]]:
    yield "web", "public_url", config.web.public_url
    yield "paypal", "base_url", config.paypal.base_url
    if config.paypal.cert_url_prefix:
        yield "paypal", "cert_url_prefix", config.paypal.cert_url_prefix
    for key in ("pay_url", "query_url", "refund_url"):
        yield "skrill", key, getattr(config.skrill, key)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def root_inside(config: Config) -> bool:
    return config.home.resolve() in config.root_key.resolve().parents
