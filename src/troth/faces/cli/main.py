"""The command `troth`. Each command is a file of its own, imported when it is called: a keeper never loads Django."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from troth.config import ConfigError

# name -> where it is, and one line for `troth --help` (so that help imports none of them)
COMMANDS = {
    "init": ("troth.faces.cli.init:init", "Make a shop's folder."),
    "doctor": ("troth.faces.cli.doctor:doctor", "Say in plain sentences what is wrong, and how to mend it."),
    "serve": ("troth.faces.cli.serve:serve", "Run the shop: keeper, worker and web, supervised."),
    "web": ("troth.faces.cli.web:web", "Run the web process alone."),
    "worker": ("troth.faces.cli.worker:worker", "Run a worker alone."),
    "keeper": ("troth.faces.cli.keeper:keeper", "Run the keeper alone."),
    "units": ("troth.faces.cli.units:units", "Write systemd units, with a user of its own for each process."),
    "migrate": ("troth.faces.cli.migrate:migrate", "Bring the database up to date; `serve` does it by itself."),
    "texts": ("troth.faces.cli.texts:texts", "Terms, imprint and other texts of law: list them, write drafts."),
    "upgrade": ("troth.faces.cli.upgrade:upgrade", "Bring a shop's data to this version of the program."),
    "templates": ("troth.faces.cli.templates:templates", "Whether your own templates can be used."),
    "bill-anew": ("troth.faces.cli.bill_anew:bill_anew", "Put a company on an invoice, by credit note and a new one."),
    "invoices": ("troth.faces.cli.invoices:invoices", "The books: invoices and credit notes, by month."),
    "order": ("troth.faces.cli.order:order", "Why an order waits, and what happens next; what waits for you."),
    "orders": ("troth.faces.cli.orders:orders", "Orders held against fraud; evidence for a dispute."),
    "refund": ("troth.faces.cli.refund:refund", "Give money back, for an order or one line of it."),
    "reconcile": ("troth.faces.cli.reconcile:reconcile", "Lay the providers' books beside yours."),
    "mail-in": ("troth.faces.cli.mail_in:mail_in", "Take a mail from standard input, as mail servers hand it over."),
    "product": ("troth.faces.cli.product:product", "Goods one at a time: add, release, publish, withdraw."),
    "stock": ("troth.faces.cli.stock:stock", "Put goods on the shelf, from a folder with a catalogue.toml."),
    "services": ("troth.faces.cli.entitlements:services", "What is left of services; note hours that were spent."),
    "coupons": ("troth.faces.cli.coupons:coupons", "Make, list and end coupons."),
    "disclosure": ("troth.faces.cli.disclosure:disclosure", "Lawful disclosures: cases, counts, an approver outside."),
    "mailings": ("troth.faces.cli.mailings:mailings", "Write to customers about news, as they allow it."),
    "licences": ("troth.faces.cli.licences:licences", "Import keys to sell; show, replace or revoke licences."),
    "check": ("troth.faces.cli.check:check", "Check every promise now."),
    "record": ("troth.faces.cli.record:record", "The record of processing that the GDPR wants (Article 30)."),
    "erase": ("troth.faces.cli.erase:erase", "Forget somebody who asked for it."),
    "confirm": ("troth.faces.cli.confirm:confirm", "Say what only people can keep; once a year."),
    "ledger": ("troth.faces.cli.ledger:ledger", "Verify or export the ledger."),
    "keys": ("troth.faces.cli.keys:keys", "Rotate the keys, or move the root key."),
    "backup": ("troth.faces.cli.backup:backup", "Make sealed copies now, or verify the newest."),
    "restore": ("troth.faces.cli.restore:restore", "Bring a shop back from sealed copies."),
    "staff": ("troth.faces.cli.staff:staff", "Invite the first owner to the desk, or an owner who lost their way in."),
    "incidents": ("troth.faces.cli.incidents:incidents", "What happened in the keeper that never should."),
    "sandbox": ("troth.faces.cli.sandbox:sandbox", "Look-alikes of PayPal and Skrill and a mailbox, for a first sale."),
    "demo": ("troth.faces.cli.demo.command:demo", "Run a whole shop with sample goods, to try it."),
    "bench": ("troth.faces.cli.bench.command:bench", "Measure what pages and purchases cost."),
}


class Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Lazy)
@click.option("--home", type=click.Path(path_type=Path), help="The shop's folder (else TROTH_HOME, else ./shop).")
@click.version_option(package_name=None, version=importlib.import_module("troth").__version__, prog_name="troth")
def troth(home: Path | None) -> None:
    """Sell digital products and keep your word."""
    if home is not None:
        os.environ["TROTH_HOME"] = str(home.absolute())


def main() -> None:
    """Exit code 2, and one line for each thing to mend, where the settings cannot be used."""
    os.umask(os.umask(0o077) | 0o007)  # nothing that a shop writes is for every user of the machine
    try:
        troth(prog_name="troth")
    except ConfigError as error:
        for line in error.lines:
            print(f"troth: {line}", file=sys.stderr)
        sys.exit(2)
    except _database_errors():
        if not _tables_are_missing():
            raise
        print("troth: the database lacks tables of this version; `troth migrate` makes them.", file=sys.stderr)
        sys.exit(2)


def _database_errors() -> tuple[type[Exception], ...]:
    """Asked once something went wrong: a command that never loaded Django cannot have failed by its database."""
    if "django.db.utils" not in sys.modules:
        return ()
    from django.db.utils import OperationalError, ProgrammingError

    return OperationalError, ProgrammingError


def _tables_are_missing() -> bool:
    from django.db import DatabaseError, connection

    from troth.faces.cli.migrating import Whole, plan_of

    try:
        return bool(plan_of(Whole(connection)))
    except DatabaseError:
        return False
