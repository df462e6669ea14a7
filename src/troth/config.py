"""The shop's settings: `troth.toml` in the shop's folder, every key also as TROTH_SECTION_KEY.

A key that ends in `_file` names a file that holds the value (`client_secret_file`), so that secrets stay out of the
settings. Unknown or wrong keys are told one by one, with file, key and line, and nothing starts (ConfigError).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec


class ConfigError(Exception):
    """The settings cannot be used; `lines` has one clear sentence for each thing to mend."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Shop(msgspec.Struct, frozen=True):
    mode: Literal["test", "live"] = "test"
    name: str = "My shop"
    tagline: str = ""
    legal_name: str = ""
    address: str = ""
    country: str = "DE"
    currency: str = "EUR"
    contact_email: str = ""
    language: str = "en"


class Web(msgspec.Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    workers: int = 1
    certificate: str = ""  # PEM files: then this process speaks TLS itself; a relative path lies in the shop's folder
    certificate_key: str = ""
    trusted_proxies: str = "127.0.0.1, ::1"  # addresses whose word counts that a browser came by https

    @property
    def proxies(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.trusted_proxies.split(",") if part.strip())


class Database(msgspec.Struct, frozen=True):
    url: str = "sqlite:///data/main.sqlite3"  # a relative path lies in the shop's folder


class Mail(msgspec.Struct, frozen=True):
    url: str = "smtp://127.0.0.1:25"  # smtp:// (plain, loopback only), smtp+starttls://, smtps://user:pass@host:port
    sender: str = ""
    timeout: int = 20


class PayPal(msgspec.Struct, frozen=True):
    base_url: str = "https://api-m.sandbox.paypal.com"
    client_id: str = ""
    client_secret: str = ""
    webhook_id: str = ""
    cert_url_prefix: str = ""
    ca_file: str = ""


class Skrill(msgspec.Struct, frozen=True):
    pay_url: str = "https://pay.skrill.com"
    query_url: str = "https://www.skrill.com/app/query.pl"
    refund_url: str = "https://www.skrill.com/app/refund.pl"
    merchant_id: str = ""
    pay_to_email: str = ""
    secret_word: str = ""
    mqi_password: str = ""


class Keeper(msgspec.Struct, frozen=True):
    root_key_file: str = ""  # empty: beside the shop's folder, "<folder>.key/root.key"
    blanks: int = 200
    worker_daily_opens: int = 20_000


class Policy(msgspec.Struct, frozen=True):
    """The numbers in the promises."""

    network_days: int = 90
    download_days: int = 90
    download_limit: int = 20
    link_hours: int = 24
    session_days: int = 14
    abandon_hours: int = 48
    disclosure_approvals: int = 2
    erase_window: int = 168  # hours in which somebody who asked to be forgotten may still cancel; 0: at once
    tax_years: int = 10  # after the year of the last paid order
    unconfirmed_days: int = 30
    abandoned_days: int = 30


class Tax(msgspec.Struct, frozen=True):
    """How sales are taxed and invoiced. What tax a shop has only its owner knows, so a live shop must say it."""

    scheme: Literal["", "destination", "origin", "exempt"] = ""
    prices: Literal["gross", "net"] = "gross"
    rates: str = ""  # "FI 25.5, CH 8.1": what the shipped table does not know
    vat_number: str = ""  # the seller's, as it stands on invoices
    exempt_words: str = ""  # why there is no tax, as the law of an exempt seller wants it said
    invoice_format: str = "{year}-{number:05}"
    credit_format: str = "C{year}-{number:05}"


class Config(msgspec.Struct, frozen=True):
    home: Path
    shop: Shop
    web: Web
    database: Database
    mail: Mail
    paypal: PayPal
    skrill: Skrill
    keeper: Keeper
    policy: Policy
    tax: Tax

    @property
    def live(self) -> bool:
        return self.shop.mode == "live"

    @property
    def root_key(self) -> Path:
        """Where the root key lies: never inside the shop's folder, so that a copy of the folder opens nothing."""
        return Path(self.keeper.root_key_file or f"{self.home}.key/root.key").absolute()

    @property
    def journal(self) -> Path:
        """References of the erased, outside both databases; copied to the place of backups at once."""
        return self.root_key.parent / "erasures"

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """Certificate chain and key for TLS in the web process; None where a proxy speaks it, or nobody."""
        if not self.web.certificate:
            return None
        return self.home / self.web.certificate, self.home / self.web.certificate_key

    @property
    def keyring(self) -> Path:
        return self.home / "keeper" / "keyring.sqlite3"


SECTIONS: dict[str, Any] = {
    name: kind for name, kind in get_type_hints(Config).items() if name != "home" and isinstance(kind, type)
}


def home() -> Path:
    """The shop's folder: TROTH_HOME, or ./shop."""
    return Path(os.environ.get("TROTH_HOME", "shop")).absolute()


def load(folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check the settings. ConfigError lists everything that is wrong with them."""
    folder = (folder or home()).absolute()
    path = folder / "troth.toml"
    text, found = _read(path)
    wrong: list[str] = []
    sections: dict[str, Any] = {}
    for name in found.keys() - SECTIONS.keys():
        wrong.append(f"{path}, line {_line(text, name, None)}: there is no section [{name}]; remove it.")
    for name, kind in SECTIONS.items():
        sections[name] = _section(name, kind, found.get(name, {}), environ, path, text, wrong)
    config = Config(home=folder, **sections)
    if config.live and "TROTH_FAULT" in environ:
        wrong.append("environment, TROTH_FAULT: makes processes die for tests; unset it, a live shop does not start.")
    wrong += [
        f"{path}, line {_line(text, section, key)}: [{section}] {key} {why}" for section, key, why in _senseless(config)
    ]
    if wrong:
        raise ConfigError(sorted(wrong))
    return config


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError([f"{path} is missing: make a shop with `troth init`, or set TROTH_HOME."]) from None
    except (UnicodeDecodeError, PermissionError):
        raise ConfigError([f"{path} cannot be read as UTF-8 text by this user."]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not valid TOML, {error}."]) from None


def _section(
    name: str, kind: Any, given: Any, environ: Mapping[str, str], path: Path, text: str, wrong: list[str]
) -> Any:
    if not isinstance(given, dict):
        wrong.append(
            f"{path}, line {_line(text, None, name)}: {name} must be a section: write [{name}] above its keys."
        )
        given = {}
    hints, values = get_type_hints(kind), {}
    for key, (value, where) in _given(name, hints, given, environ, path, text).items():
        target = key.removesuffix("_file") if key not in hints else key
        try:
            if target not in hints:
                raise ValueError("is unknown; remove it or mend its spelling")
            if target != key:
                value = _from_file(path.parent, value)
            values[target] = msgspec.convert(value, hints[target], strict=not where.startswith("environment"))
        except (ValueError, msgspec.ValidationError) as error:
            wrong.append(f"{where}: [{name}] {key} {_plain(str(error))}.")
    return kind(**values)


def _given(
    name: str, hints: dict[str, Any], given: dict[str, Any], environ: Mapping[str, str], path: Path, text: str
) -> dict[str, tuple[Any, str]]:
    """Each key with its value and where that stands; the environment wins over the file."""
    values = {key: (value, f"{path}, line {_line(text, name, key)}") for key, value in given.items()}
    for key in hints:
        for spelling in (key, f"{key}_file"):
            variable = f"TROTH_{name}_{spelling}".upper()
            if variable in environ:
                values.pop(key, None)
                values.pop(f"{key}_file", None)
                values[spelling] = (environ[variable], f"environment, {variable}")
    return values


def _from_file(folder: Path, name: object) -> str:
    if not isinstance(name, str):
        raise ValueError("must be the name of a file")
    try:
        return (folder / name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("names a file that cannot be read") from None


def _plain(error: str) -> str:
    wanted = re.match(r"Expected `(\w+)`, got `(\w+)`", error)
    words = {"int": "a whole number", "str": "a text in quotes", "bool": "true or false"}
    return f"must be {words.get(wanted[1], wanted[1])}" if wanted else error[:1].lower() + error[1:]


def _line(text: str, section: str | None, key: str | None) -> int:
    """The line of a key (or of a section's head). 1 where the file does not name it."""
    current, head = None, 1
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            current = match[1]
            if current == section:
                head = number
                if key is None:
                    return number
        elif current == section and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return head


LOOPBACK = "may be plain http only in test mode and only on this machine (127.0.0.1); use https."


def _senseless(config: Config) -> Iterator[tuple[str, str, str]]:
    """What is well formed and still wrong."""
    if not 0 <= config.web.port < 65536:
        yield "web", "port", "must be between 1 and 65535."
    for section, key, url in _addresses(config):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield section, key, "must be an address that begins with https://."
        elif parts.scheme == "http" and (config.live or not is_loopback(parts.hostname)):
            yield section, key, LOOPBACK
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
    if not re.match(r"(sqlite:///|postgres(ql)?://)", config.database.url):
        yield "database", "url", "must begin with sqlite:/// or postgresql://."
    for key in msgspec.structs.asdict(config.policy):
        least = 0 if key == "erase_window" else 1
        if getattr(config.policy, key) < least:
            yield "policy", key, f"must be at least {least}."
    if root_inside(config):
        yield "keeper", "root_key_file", "lies inside the shop's folder; keep the root key apart from the data."


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


def _incomplete(config: Config) -> Iterator[tuple[str, str, str]]:
    """A provider that is set up by half: it could take money that the shop cannot verify."""
    for key in ("client_secret", "webhook_id"):
        if config.paypal.client_id and not getattr(config.paypal, key):
            yield "paypal", key, "is needed besides client_id; copy it from PayPal's dashboard."
    for key in ("pay_to_email", "secret_word", "mqi_password"):
        if config.skrill.merchant_id and not getattr(config.skrill, key):
            yield "skrill", key, "is needed besides merchant_id; set it in Skrill's account, then here."


TAX_RATES = re.compile(r"\s*([A-Z]{2}[ =]\s*\d{1,2}(\.\d{1,2})?\s*%?\s*(,\s*|$))*")


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
