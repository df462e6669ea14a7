"""`troth serve`: the whole shop on one machine."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import click

import troth
from troth import config, law_texts, licence_secret
from troth.config import Config
from troth.faces.cli import served
from troth.faces.cli.migrate import may_be_behind
from troth.faces.cli.supervisor import Supervisor, command, say
from troth.faces.storefront import drawing


@click.command()
@click.option("--sandbox", is_flag=True, help="With look-alikes of PayPal and Skrill and a mailbox: nothing is paid.")
def serve(sandbox: bool) -> None:
    """Run the shop: keeper, worker and web. Ctrl-C or SIGTERM stops all three; SIGUSR1 starts the program anew."""
    with _with_sandbox() if sandbox else nullcontext():
        anew = run()
    if anew:
        say("starting anew.")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the line that started us


def _with_sandbox() -> AbstractContextManager[None]:
    from troth.faces.cli.sandbox import beside

    return beside(config.load())


def run(commands: Mapping[str, Sequence[str]] | None = None) -> bool:
    """Serve, with other commands for some of the roles, until told to end; True: to begin anew, with a new program.

    Exits with 1 where the shop does not come up.
    """
    settings = config.load()
    with served.by_us(settings.home):
        return _run(settings, commands)


def _run(settings: Config, commands: Mapping[str, Sequence[str]] | None) -> bool:
    if not is_free(settings.web.host, settings.web.port):
        raise click.ClickException(
            f"port {settings.web.port} is taken by another program; set [web] port to another one."
        )
    prepare(settings)
    environ = environment()
    supervisor = Supervisor(settings.home, environ, commands)
    began = supervisor.begin(lambda: bring_up_to_date(settings, environ), lambda: answers(settings))
    if not began and not supervisor.anew:
        sys.exit(1)
    if not began:
        return True
    say(f"{settings.shop.name} is open at {settings.web.public_url} ({settings.shop.mode} mode). Ctrl-C stops it.")
    supervisor.run()
    say("stopped.")
    return supervisor.anew


def environment() -> dict[str, str]:
    """Ours, with the folder of this very package first among those that children import from."""
    ours = str(Path(troth.__file__).resolve().parent.parent)
    others = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != ours]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([ours, *others])}


def is_free(host: str, port: int) -> bool:
    """Whether the port is nobody's. Granian would share one with another shop of this user, each getting half."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def prepare(settings: Config) -> None:
    """Folders that must be there before web and worker lose the right to make them."""
    database = urlsplit(settings.database.url)
    for folder in (settings.home / "run", settings.home / "run" / "tmp", settings.home / "keeper"):
        folder.mkdir(mode=0o700, exist_ok=True)
    for folder in (settings.main_copies, settings.keyring_copies) if settings.backup.recipients else ():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if database.scheme == "sqlite":
        (settings.home / database.path.removeprefix("/")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.home / "catalogue.stamp").touch()
    for noted in ("separation.json", "shut_in.json"):
        (settings.home / "run" / noted).unlink(missing_ok=True)


def bring_up_to_date(settings: Config, environ: dict[str, str]) -> None:
    """Apply migrations in a process of its own, so that the supervisor stays small. Exits where that fails.

    ConfigError where worker and web could not start afterwards: said once, instead of by each of them again and again.
    """
    if may_be_behind(settings):
        told = {**environ, "TROTH_HOME": str(settings.home)}
        if subprocess.run(command("migrate"), env=told, check=False).returncode != 0:  # noqa: S603 - our own command
            say("the database could not be brought up to date.")
            sys.exit(1)
    licence_secret.read(settings.home)
    law_texts.refuse_unfinished(settings)
    drawing.refuse_unusable(settings)


def answers(settings: Config) -> bool:
    """Whether the web process answers /healthz."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web.host, settings.web.host)  # noqa: S104 - never bound
    name = urlsplit(settings.web.public_url).hostname
    try:
        with socket.create_connection((host, settings.web.port), timeout=2) as plain, _line(settings, plain) as line:
            line.sendall(f"GET /healthz HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            return line.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def _line(settings: Config, plain: socket.socket) -> socket.socket:
    """The line itself, or TLS on it. Whose certificate it is does not matter here: nothing is told, "ok" is asked."""
    if not settings.web.certificate:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=urlsplit(settings.web.public_url).hostname)
