"""`troth init DIR`: a shop's folder, with settings that explain themselves. It never overwrites anything."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click

from troth import config
from troth.pledge.kms import file as root_key
from troth.shop.invoices import worker_key
from troth.shop.texts import drafts

TEMPLATE = Path(__file__).with_name("troth.toml.txt")
QUESTIONS = {
    "name": ("The shop's name", "My shop"),
    "legal_name": ("Who runs it, with the legal name", ""),
    "address": ("The postal address, in one line", ""),
    "email": ("Your e-mail address, which customers may see", ""),
    "country": ("Your country, in two letters", "DE"),
    "currency": ("The currency of your books, in three letters", "EUR"),
    "url": ("The address under which customers reach the shop", "http://127.0.0.1:8000"),
    "mail": ("The mail relay (smtps://user:password@host:465)", "smtp://127.0.0.1:25"),
}

# option -> how it stands in the template, as a note, and how it is written
NOT_ASKED = (
    ("recipient", '# recipients = ["age1..."]', "recipients = [{}]"),
    ("vendor", '# vendor = "fernhill"', "vendor = {}"),
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Ask nothing: take the options given here, else what is usual.")
@click.option("--name", help="The shop's name.")
@click.option("--legal-name", help="Who runs it.")
@click.option("--address", help="Its postal address.")
@click.option("--email", help="The owner's e-mail address.")
@click.option("--country", help="Two letters, such as DE.")
@click.option("--currency", help="Three letters, such as EUR.")
@click.option("--url", help="The public address, such as https://shop.example.org.")
@click.option("--mail", help="The mail relay, such as smtps://user:password@mail.example.org:465.")
@click.option("--recipient", default="", help="Seal backups to this age recipient (troth backup --make-identity).")
@click.option("--vendor", default="", help="Open a Composer repository for the packages of this vendor.")
def init(folder: Path, yes: bool, recipient: str, vendor: str, **options: str | None) -> None:
    """Make a shop's folder. It asks eight things when somebody looks, and never overwrites anything."""
    folder = folder.absolute()
    for path in (folder / "troth.toml", Path(f"{folder}.key") / "root.key"):
        if path.exists():
            raise click.ClickException(f"{path} is there already; nothing was changed.")
    ask = not yes and sys.stdin.isatty()
    answers = {key: _answer(key, given, ask) for key, given in options.items()}
    made = make(folder, settings_text({**answers, "recipient": recipient, "vendor": vendor}))
    click.echo(_next_steps(made))


def settings_text(answers: dict[str, str]) -> str:
    """troth.toml from the answers to QUESTIONS; what is not answered takes its default."""
    told = {key: answers.get(key) or usual for key, (_, usual) in QUESTIONS.items()}
    where = urlsplit(told["url"])
    local = where.scheme == "http" and config.is_loopback(where.hostname or "")
    port = (where.port or 80) if local else 8000
    text = TEMPLATE.read_text("utf-8")
    for key, usual, setting in NOT_ASKED:
        if answers.get(key):
            text = text.replace(usual, setting.format(json.dumps(answers[key])), 1)
    for key, value in told.items():
        text = text.replace(f"<{key}>", json.dumps(value, ensure_ascii=False))
    return text.replace("<port>", str(port))


def make(folder: Path, text: str) -> config.Config:
    """The shop's folder with these settings, its secrets, and the root key beside it.

    Raises ConfigError, having made nothing, where the settings cannot be used; click.ClickException where a file
    of ours is there already.
    """
    _try(folder, text)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("data", "files", "uploads", "media", "keeper", "run"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        _write(folder / "web.key", secrets.token_urlsafe(48) + "\n")
        _write(folder / "licence.key", secrets.token_hex(32) + "\n")
        worker_key.make(folder)
        root_key.create(Path(f"{folder}.key") / "root.key")
        _write(folder / "catalogue.stamp", "")
        _write(folder / "troth.toml", text)
        made = config.load(folder, environ={})
        drafts.write(folder, made.shop)
    except FileExistsError as error:
        raise click.ClickException(f"{error.filename} is there already and was not touched.") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be made: {error.strerror}.") from None
    return made


def _try(folder: Path, text: str) -> None:
    """ConfigError where these settings cannot be used; it names them as if they lay in the folder already."""
    with tempfile.TemporaryDirectory() as trial:
        _write(Path(trial) / "troth.toml", text)
        try:
            config.load(Path(trial), environ={})
        except config.ConfigError as error:
            raise config.ConfigError([line.replace(trial, str(folder)) for line in error.lines]) from None


def _write(path: Path, text: str) -> None:
    """A new file, for its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _answer(key: str, given: str | None, ask: bool) -> str:
    question, usual = QUESTIONS[key]
    if given is None and ask:
        # What cannot be used is asked again at once: the other answers need not be typed a second time.
        return str(click.prompt(question, default=usual, show_default=bool(usual), value_proc=partial(_usable, key)))
    value = (usual if given is None else given).strip()
    if any(not character.isprintable() for character in value):
        raise click.UsageError(f"{question}: one line of plain text, please.")
    return value


def _usable(key: str, typed: str) -> str:
    """What was typed, without spaces around it; click.UsageError with what to do where no shop could use it."""
    if any(not character.isprintable() for character in typed.strip()):
        raise click.UsageError("One line of plain text, please.")
    try:
        _try(Path(), settings_text({key: typed.strip()}))
    except config.ConfigError as error:
        whys = [line.partition("] ")[2].partition(" ")[2] or line for line in error.lines]  # without file, line and key
        raise click.UsageError("".join(f"It {why}" for why in whys)) from None
    return typed.strip()


def _next_steps(made: config.Config) -> str:
    key = made.root_key
    return f"""\
Your shop lies in {made.home}. It starts in test mode: no real money moves.

The root key lies in {key}.
  Copy it now to a place that neither burns nor is stolen with this machine (a password manager, a safe).
  Whoever has it and a copy of the folder can read your customers; without it nobody can, you neither.

What to do next:
  1. Read {made.home / "troth.toml"} and enter what PayPal and Skrill gave you.
  2. Complete terms, imprint and the other texts in {made.home / "texts"}: places to fill in stand in [[ ]].
  3. troth --home {made.home} doctor    says what is still missing, and how to mend it.
  4. troth --home {made.home} serve     opens the shop at {made.web.public_url}
     With --sandbox it sells to look-alikes of PayPal and Skrill: a first sale without an account there.
  Register in your shop; then troth --home {made.home} staff invite --owner prints the link that makes you its owner."""
