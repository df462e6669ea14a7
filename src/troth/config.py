"""The shop's settings: `troth.toml` in the shop's folder, every key also as TROTH_SECTION_KEY.

A key that ends in `_file` names a file that holds the value (`client_secret_file`), so that secrets stay out of the
settings. Unknown or wrong keys are told one by one, with file, key and line, and nothing starts (ConfigError).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec

from troth.config_sense import is_loopback as is_loopback
from troth.config_sense import root_inside as root_inside
from troth.config_sense import senseless


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
    logo: str = ""  # SVG, PNG or WebP in the shop's folder
    logo_dark: str = ""  # another one for dark pages
    accent: str = ""  # #rrggbb; the other tones follow from it
    footer: str = ""  # Markdown
    withdrawal_days: int = 14  # in which consumers in the EU may withdraw; 0: this shop sells to none
    waiver: Literal["asked", "required"] = "asked"  # whether they must ask for delivery at once to order


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
    bounces: str = ""  # where mail that cannot be delivered comes back; bounces+...@ has to arrive there as well
    per_domain: int = 120  # letters of a mailing a minute to one mail domain
    dkim_selector: str = "troth"
    dkim_key: str = ""  # PEM, RSA; dkim_key_file = "dkim.pem", as `troth mailings dkim` makes it; empty: unsigned


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


class Keys(msgspec.Struct, frozen=True):
    """Where the root key lies. The token is read by the keeper from its file, by nobody else."""

    kms: Literal["file", "openbao"] = "file"
    url: str = ""
    token_file: str = ""
    ca_file: str = ""
    namespace: str = ""
    mount: str = "transit"
    name: str = "troth"


class Backup(msgspec.Struct, frozen=True):
    """Sealed copies. An epoch ends after epoch_days; keep_days later nobody reads its copies of the keyring."""

    recipients: list[str] = []
    main_folder: str = ""  # empty: beside the shop's folder, "<folder>.backups/main"
    keyring_folder: str = ""
    every: int = 24
    keep: int = 30
    epoch_days: int = 30
    keep_days: int = 30


class Server(msgspec.Struct, frozen=True):
    """The machine, as its owner wants it to be found (P18)."""

    open_ports: str = "22, 80, 443"  # TCP ports that other machines may reach, with commas between

    @property
    def ports(self) -> frozenset[int]:
        return frozenset(int(part) for part in self.open_ports.replace(",", " ").split() if part.isdigit())


class Payments(msgspec.Struct, frozen=True):
    # What becomes of money that an order no longer needs: it goes back by itself, or waits for the owner.
    surplus: Literal["refund", "ask"] = "refund"


class Support(msgspec.Struct, frozen=True):
    """Questions and answers. Mail comes in by `troth mail-in`, or is fetched from a mailbox by IMAP."""

    letters: Literal["text", "link"] = "text"  # whether a letter holds the answer itself
    attachments: int = 5  # files with one message
    attachment_mb: int = 10  # all of them together
    address: str = ""  # support@example.org: mail to it, and to support+...@example.org, is brought to `troth mail-in`
    imap_url: str = ""  # imaps://user@imap.example.org:993/INBOX
    imap_password: str = ""


class Selling(msgspec.Struct, frozen=True):
    # To whom a letter goes 30 and 7 days before updates or support end: to who bought them; to those of them who may
    # be written to about news; to nobody.
    reminders: Literal["service", "marketing", "off"] = "service"
    low_stock: int = 10  # imported keys of an edition that are left when the owner gets a letter; 0: no letter


class Fraud(msgspec.Struct, frozen=True):
    """When an order waits for somebody's look before a payment provider sees it (P11)."""

    hold_from: int = 60  # points from which an order is held; 0: none is. No single weak sign comes to so many
    hold_hours: int = 48  # in which somebody here looks at it
    unreviewed: Literal["release", "refuse"] = "release"  # what becomes of one that nobody looked at
    orders_an_hour: int = 6  # from one address; more are a sign
    failed_payments: int = 6  # in an hour, from one address or account; then each next try waits ten minutes
    refunds_a_year: int = 4  # of one account; more are a sign
    countries: str = ""  # a file "network,country", where the shipped table is not exact enough; or "off"
    anonymisers: str = ""  # a file with an address or network a line: who comes from there hides where from
    limits: Literal["on", "off"] = "on"  # how often each door may be knocked at; "off" in test mode alone


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
    answer_days: int = 3  # in which a question is answered
    correspondence_days: int = 365  # after a conversation was closed
    unconfirmed_days: int = 30
    change_notice_days: int = 30  # between telling everybody of a new policy and its taking effect
    abandoned_days: int = 30
    # Whom the shop may write to about news: buyers, about similar products, until they object; who asked for it; or all
    # who did not object.
    marketing_basis: Literal["similar-products", "consent", "objection"] = "similar-products"
    # What word of a new release is, to who is entitled to it: part of the service, to be turned off, or news.
    release_notices: Literal["service", "marketing", "off"] = "service"
    roster_days: int = 90  # who works here is looked through again at least so often


class Tax(msgspec.Struct, frozen=True):
    """How sales are taxed and invoiced. What tax a shop has only its owner knows, so a live shop must say it."""

    scheme: Literal["", "destination", "origin", "exempt"] = ""
    prices: Literal["gross", "net"] = "gross"
    rates: str = ""  # "FI 25.5, CH 8.1": what the shipped table does not know
    vat_number: str = ""  # the seller's, as it stands on invoices
    exempt_words: str = ""  # why there is no tax, as the law of an exempt seller wants it said
    invoice_format: str = "{year}-{number:05}"
    credit_format: str = "C{year}-{number:05}"
    fonts: str = ""  # a folder with further fonts for PDFs, for names in scripts that ours lack


class Composer(msgspec.Struct, frozen=True):
    """The Composer repository for who holds a licence."""

    vendor: str = ""  # the only vendor whose packages it serves; empty: there is no repository


class Config(msgspec.Struct, frozen=True):
    home: Path
    shop: Shop
    web: Web
    database: Database
    mail: Mail
    paypal: PayPal
    skrill: Skrill
    payments: Payments
    selling: Selling
    keeper: Keeper
    keys: Keys
    backup: Backup
    server: Server
    support: Support
    fraud: Fraud
    policy: Policy
    tax: Tax
    composer: Composer

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
    def main_copies(self) -> Path:
        """Where sealed copies of the main database and the shop's files are put."""
        return Path(self.backup.main_folder or f"{self.home}.backups/main").absolute()

    @property
    def keyring_copies(self) -> Path:
        """Where the keeper puts sealed copies of the keyring, and the erasures at once."""
        return Path(self.backup.keyring_folder or f"{self.home}.backups/keyring").absolute()

    @property
    def ledger_origin(self) -> str:
        """The ledger's name for the rest of the world (C2SP tlog-checkpoint), given to it when it is begun."""
        return f"{urlsplit(self.web.public_url).netloc}/ledger"

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
        f"{path}, line {_line(text, section, key)}: [{section}] {key} {why}" for section, key, why in senseless(config)
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
            if hints[target] == list[str] and isinstance(value, str):
                value = re.split(r"[,\s]+", value.strip(", "))  # in the environment, or in a file
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
