"""What `troth doctor` looks at, one function for each thing. Each says in plain sentences what it saw.

They look and change nothing, but for the keyring's journal, which SQLite may tidy up when nobody else has it open.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import sqlite3
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from troth.config import Config, Mail
from troth.faces.cli.places import places

ENOUGH, LEAST = 1 << 30, 200 << 20  # bytes free: comfortable; below that nothing is safe
CLOCK_MAY_ERR = 60  # seconds


class Seen(NamedTuple):
    """`state`: "ok", "note" (worth knowing), "wrong", or "not asked". `mend`: what to do about it, a sentence."""

    state: Literal["ok", "note", "wrong", "not asked"]
    sentence: str
    mend: str = ""


def folder(config: Config) -> Iterator[Seen]:
    """Who may read the shop's folder and the secrets in it."""
    secrets = (config.home / name for name in ("troth.toml", "web.key", "licence.key"))
    for path in (config.home, *secrets, config.keyring.parent):
        try:
            mode = path.stat()
        except OSError:
            made = "`troth init` makes it for a new shop; put it back from your backup for this one."
            yield Seen("wrong", f"{path} is missing or cannot be looked at.", made)
            continue
        if stat.S_IMODE(mode.st_mode) & 0o077 and path != config.home:
            yield Seen("wrong", f"{path} can be read by other users.", f"chmod go= {path}")
        elif stat.S_IMODE(mode.st_mode) & 0o022:
            yield Seen("wrong", f"{path} can be changed by other users.", f"chmod go-w {path}")
    yield Seen("ok", f"The shop's folder is {config.home}.")


def root_key(config: Config) -> Iterator[Seen]:
    """The root key: there, closed to others, and not beside a copy of what it opens."""
    from troth.pledge.kms import RootKeyError, find

    try:
        find(places(config)[config.keys.kms])
    except RootKeyError as error:
        yield Seen("wrong", f"{str(error).partition(';')[0]}.".capitalize(), f"{str(error).partition('; ')[2]}.")
        return
    if config.keys.kms == "file":
        yield Seen("ok", f"The root key is {config.root_key}. Keep a copy of it away from this machine.")
    else:
        yield Seen("ok", f"The root key is {config.keys.name} in OpenBao at {config.keys.url}; it cannot be copied.")


def keyring(config: Config) -> Iterator[Seen]:
    """The keyring: held by a running keeper, or openable with the root key, or not yet made."""
    from troth.pledge.keeper.keeper import Keeper
    from troth.pledge.keeper.keyring import KeyringError, connect
    from troth.pledge.kms import RootKeyError
    from troth.pledge.kms.chosen import Chosen

    if not config.keyring.exists():
        yield Seen("ok", "There is no keyring yet; the keeper makes it when it first starts.")
        return
    if any(one.state == "wrong" for one in root_key(config)):
        return  # said by root_key above
    if _held(config.keyring):
        yield Seen("ok", "A keeper is running and holds the keyring.")
        return
    try:
        db = connect(config.keyring)
    except (KeyringError, sqlite3.DatabaseError, OSError):
        yield Seen("wrong", f"{config.keyring} cannot be opened.", "Give it to this user, or restore it.")
        return
    try:
        key = Chosen(db, places(config), config.keys.kms)
        keeper = Keeper(db, key, origin=config.ledger_origin)
    except RootKeyError:
        made_with = "Put back the root key that was made with this keyring."
        yield Seen("wrong", "The root key does not open the keyring.", made_with)
        return
    finally:
        kind = key.kind
        db.close()
    public = config.home / "keeper.pub"
    if public.exists() and public.read_text("ascii").strip() != keeper.room.keys.verify_key.hex():
        yield Seen("wrong", f"{public} belongs to another keyring.", "Restore keyring and shop from the same backup.")
        return
    yield Seen("ok", "The root key opens the keyring.")
    if kind != config.keys.kms:
        mend = f'Set [keys] kms = "{kind}" in troth.toml.'
        yield Seen("note", f"The root key in force lies by {kind}, and the settings say {config.keys.kms}.", mend)


def backups(config: Config) -> Iterator[Seen]:
    """Whether sealed copies are made, and how old the newest of each kind is."""
    if not config.backup.recipients:
        mend = "`troth backup --make-identity FILE` makes a key for them; then set [backup] recipients."
        yield Seen("note", "No backups are made.", mend)
        return
    for kind, folder in (("main", config.main_copies), ("keyring", config.keyring_copies)):
        try:
            made = max((path.stat().st_mtime for path in folder.glob(f"{kind}-*.age")), default=0.0)
        except OSError:
            made = 0.0
        hours = (time.time() - made) / 3600
        if not made or (config.backup.every and hours > 2 * config.backup.every):
            told = f"The newest is {hours:.0f} hours old." if made else "There is none yet."
            yield Seen("wrong", f"Backups of {kind} are not made: {told}", "Run `troth backup`, and see what it says.")
        else:
            yield Seen("ok", f"The newest backup of {kind} is {hours:.0f} hours old.")


def _held(path: Path) -> bool:
    """Whether another process has the keyring open: it locks it for itself alone."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)
    try:
        connection.execute("SELECT 1 FROM sqlite_master")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
    return False


def database(config: Config) -> Iterator[Seen]:
    """The main database: it answers, and has the tables of this version."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        yield Seen("ok", "There is no database yet; `troth serve` makes it when it first starts.")
        return
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        applied = executor.loader.applied_migrations
    except (DatabaseError, OSError):
        yield Seen("wrong", "The database does not answer.", "Start it, or mend [database] url in troth.toml.")
        return
    finally:
        if not connection.in_atomic_block:
            connection.close()
    if not applied:
        yield Seen("ok", "The database is empty; `troth serve` fills it when it first starts.")
    elif waiting:
        yield Seen("wrong", "The database is older than this version.", "`troth upgrade` brings it up to date.")
    else:
        yield Seen("ok", "The database answers and is up to date.")


def providers(config: Config) -> Iterator[Seen]:
    """Whether money can come in."""
    names = [
        name for name, given in (("PayPal", config.paypal.client_id), ("Skrill", config.skrill.merchant_id)) if given
    ]
    if not names:
        mend = "Enter what PayPal or Skrill gave you under [paypal] or [skrill] in troth.toml."
        mend += "" if config.live else " Until then `troth serve --sandbox` sells to look-alikes."
        yield Seen("wrong", "No payment provider is set up: nobody can pay.", mend)
        return
    yield Seen("ok", f"Customers can pay with {' and '.join(names)}.")
    if config.live and "sandbox" in config.paypal.base_url and "PayPal" in names:
        mend = 'Set [paypal] base_url = "https://api-m.paypal.com".'
        yield Seen("wrong", "The shop is live and PayPal's address is that of its sandbox.", mend)


def mail(config: Config) -> Iterator[Seen]:
    """Whether the relay answers, with encryption where the settings ask for it."""
    trouble = _greet(config.mail)
    if trouble:
        mend = "Mend [mail] url in troth.toml, or ask who runs the relay."
        yield Seen("wrong", f"The mail relay {trouble}.", mend)
        return
    yield Seen("ok", "The mail relay answers.")
    if not (config.mail.sender or config.shop.contact_email):
        yield Seen("wrong", "Letters have no sender.", "Set [mail] sender or [shop] contact_email in troth.toml.")


def _greet(mail: Mail) -> str:
    """What keeps the relay from taking letters, or "". Its own words are left out: they may hold names."""
    relay, secure = urlsplit(mail.url), ssl.create_default_context()
    host, usual = relay.hostname or "", {"smtps": 465, "smtp+starttls": 587}.get(relay.scheme, 25)
    try:
        if relay.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, relay.port or usual, timeout=mail.timeout, context=secure)
        else:
            smtp = smtplib.SMTP(host, relay.port or usual, timeout=mail.timeout)
        with smtp:
            if relay.scheme == "smtp+starttls":
                smtp.starttls(context=secure)
            smtp.ehlo_or_helo_if_needed()
            if relay.username:
                smtp.login(unquote(relay.username), unquote(relay.password or ""))
    except ssl.SSLError:
        return "shows no certificate that can be trusted"
    except smtplib.SMTPAuthenticationError:
        return "does not take the user name and password"
    except smtplib.SMTPNotSupportedError:
        return "offers no encryption, or no way to sign in"
    except (OSError, smtplib.SMTPException):
        return "does not answer"
    return ""


def clock(config: Config) -> Iterator[Seen]:
    """The clock against a provider's: links, leases and certificates all hang on it."""
    import httpx

    for url in (config.paypal.base_url, config.skrill.pay_url):
        try:
            told = httpx.head(url, timeout=5, trust_env=False).headers.get("date", "")
            away = abs(parsedate_to_datetime(told).timestamp() - time.time())
        except (httpx.HTTPError, ValueError):
            continue
        if away > CLOCK_MAY_ERR:
            yield Seen("wrong", f"The clock is {away:.0f} s away from the provider's.", "Set it by NTP (timedatectl).")
        else:
            yield Seen("ok", "The clock is right.")
        return
    yield Seen("note", "The clock could not be compared: no provider answers.", "Check the way to the internet.")


def tax(config: Config) -> Iterator[Seen]:
    """Whether anybody said what tax is on a sale. A live shop does not start without."""
    if not config.tax.scheme:
        mend = 'Set [tax] scheme to "destination", "origin" or "exempt", as whoever does your taxes says.'
        yield Seen("note", "No tax is on any sale yet: invoices say VAT 0%.", mend)


def space(config: Config) -> Iterator[Seen]:
    """Room on the disk: a full one stops the ledger, and then nothing is opened."""
    free = shutil.disk_usage(config.home).free
    told = f"{free / (1 << 30):.1f} GiB are free for the shop's folder."
    if free < LEAST:
        yield Seen("wrong", told, "Make room, or move the folder to a larger disk.")
    else:
        yield Seen("ok" if free >= ENOUGH else "note", told)


Examination = Callable[[Config], Iterator[Seen]]
HERE: tuple[Examination, ...] = (folder, root_key, keyring, database, backups, providers, tax, space)
OUTSIDE: tuple[Examination, ...] = (mail, clock)  # these speak to other machines
