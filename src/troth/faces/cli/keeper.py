"""`troth keeper`: the process that can read people. Neither Django nor the shop is imported."""

from __future__ import annotations

import logging
import os
import pwd
import socket
import sys
from pathlib import Path

import click

from troth import config
from troth.faces.cli.doorways import VARIABLE, listen
from troth.faces.cli.outgoing import keys_kept_at, noted
from troth.faces.cli.places import beside_copies, order, places
from troth.pledge import egress, older_keyrings
from troth.pledge.keeper import main as process
from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.policy import ROLES
from troth.pledge.kms.chosen import Chosen


@click.command()
@click.option(
    "--door",
    "doors",
    multiple=True,
    metavar="ROLE=SOCKET:USER",
    help="A door for a separate user, such as web=/run/troth/web.sock:1001; once for each role.",
)
def keeper(doors: tuple[str, ...]) -> None:
    """Run the keeper alone, with one door for each role. It stops by SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    logging.captureWarnings(True)
    settings = config.load()
    egress.guard("keeper", keys_kept_at(settings), noted(settings))
    found = [_listening(door) for door in doors] or inherited(os.environ.pop(VARIABLE, ""))
    if not found:
        raise click.UsageError("give at least one --door; `troth serve` makes doors by itself")
    sys.exit(
        process.run(
            settings.keyring,
            lambda db: _chosen(db, settings),
            settings.home / "keeper.pub",
            found,
            daily=settings.keeper.worker_daily_opens,
            journal=settings.journal,
            elsewhere=beside_copies(settings),
            order=order(settings),
            origin=settings.ledger_origin,
            site=settings.web.public_url.rstrip("/"),
        )
    )


def _chosen(db: Keyring, settings: config.Config) -> Chosen:
    """The root key in force, once the keyring has the form of this version."""
    for sentence in older_keyrings.bring_up(db):
        logging.getLogger("keeper").warning("%s", sentence)
    with db.batch():  # how many approve a disclosure, for pledge/disclosure: no setting that the web process reads out
        approvals = ("disclosure approvals", settings.policy.disclosure_approvals)
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", approvals)
    return Chosen(db, places(settings), settings.keys.kms)


def inherited(text: str) -> list[process.Door]:
    """The doors named by a text like "web:5,worker:6"."""
    pairs = [part.split(":") for part in text.split(",") if part]
    return [(socket.socket(fileno=int(descriptor)), role, None) for role, descriptor in pairs]


def _listening(text: str) -> process.Door:
    role, _, rest = text.partition("=")
    path, _, uid = rest.rpartition(":")
    if role not in ROLES or not path or not uid:
        raise click.UsageError(f"--door must look like web=/run/troth/web.sock:1001; roles are {' and '.join(ROLES)}")
    return listen(Path(path)), role, _uid(uid)


def _uid(user: str) -> int:
    """Of a user by number or by name."""
    try:
        return int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
    except KeyError:
        raise click.UsageError(f"--door: there is no user {user} on this machine") from None
