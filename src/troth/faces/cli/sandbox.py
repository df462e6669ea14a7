"""`troth sandbox`: look-alikes of PayPal and Skrill and a mailbox, beside a shop in test mode, for a first sale.

What the shop has to be told of them is written as settings of the environment (NAME=value, one a line, as
systemd.exec(5) reads them) into `run/sandbox.env`, for as long as they run. A live shop refuses them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from troth import config
from troth.config import Config
from troth.faces.cli import process
from troth.sandbox import Addresses, PayPalMerchant, Sandbox

PATIENCE = 30.0  # seconds until the sandbox must listen
SHARED = 0o640  # for the group that web and worker share


@click.command()
@click.option("--port", default=8900, show_default=True, help="Of their pages; 0: any free one.")
@click.option("--smtp-port", default=8925, show_default=True, help="Of the mailbox; 0: any free one.")
def sandbox(port: int, smtp_port: int) -> None:
    """Run look-alikes of PayPal and Skrill and a mailbox until Ctrl-C. No money, and no letter leaves the machine."""
    settings = config.load()
    hook = f"{settings.web.public_url.rstrip('/')}/hooks/paypal"
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        ours = Sandbox(settings.shop.mode, port=port, smtp_port=smtp_port, paypal=PayPalMerchant(webhook_url=hook))
    except ValueError as wrong:
        raise click.ClickException(f"{wrong}.") from None
    try:
        try:
            told = ours.start()
        except OSError:
            raise click.ClickException("a port is taken; choose others with --port and --smtp-port.") from None
        _until(ended, settings, told)
    finally:
        ours.stop()


def _until(ended: threading.Event, settings: Config, told: Addresses) -> None:
    """The shop is told of these look-alikes until then, and of none afterwards."""
    _tell(settings, told)
    try:
        click.echo(f"Letters arrive at {told.mailbox}\nThe shop meets the look-alikes when it starts again.")
        ended.wait()
    finally:
        told_in(settings).unlink(missing_ok=True)


def told_in(settings: Config) -> Path:
    return settings.home / "run" / "sandbox.env"


def _tell(settings: Config, told: Addresses) -> None:
    """All or nothing: who waits for the file never reads half of it."""
    folder = told_in(settings).parent
    folder.mkdir(mode=0o700, exist_ok=True)
    authority = folder / "sandbox-ca.pem"
    shutil.copyfile(told.paypal["ca_file"], authority)
    authority.chmod(SHARED)
    sections = {"paypal": {**told.paypal, "ca_file": str(authority)}, "skrill": told.skrill, "mail": told.mail}
    each = [(name, key, value) for name, keys in sections.items() for key, value in keys.items()]
    lines = [f"TROTH_{name}_{key}".upper() + f"={value}\n" for name, key, value in each]
    draft = told_in(settings).with_suffix(".new")
    draft.touch(mode=SHARED)
    draft.write_text("".join(lines), "utf-8")
    draft.replace(told_in(settings))


@contextmanager
def beside(settings: Config) -> Iterator[None]:
    """A sandbox of this shop's own while it is served, on free ports; our environment has its settings."""
    from troth.faces.cli.supervisor import command

    told_in(settings).unlink(missing_ok=True)
    us = os.getpid()
    running = subprocess.Popen(  # noqa: S603 - our own command
        [*command("sandbox"), "--port", "0", "--smtp-port", "0"],
        env={**os.environ, "TROTH_HOME": str(settings.home)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C stops the shop first
        preexec_fn=lambda: _bound(us),
    )
    before = dict(os.environ)
    try:
        os.environ |= _heard(settings, running)
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ |= before
        running.terminate()
        running.wait()


def _heard(settings: Config, running: subprocess.Popen[bytes]) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE
    while not told_in(settings).exists():
        if running.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException("the sandbox did not start.")
        time.sleep(0.03)
    return dict(line.split("=", 1) for line in told_in(settings).read_text("utf-8").splitlines())


def _bound(parent: int) -> None:
    process.die_with(parent)
