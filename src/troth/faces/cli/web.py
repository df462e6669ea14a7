"""`troth web`: granian with the shop's WSGI application. It seals what it is told and can open none of it by itself."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from troth import config, law_texts, licence_secret
from troth.faces.cli import outgoing, process, separation, tls
from troth.faces.cli.supervisor import command
from troth.faces.storefront import drawing, overrides
from troth.faces.whole_requests import THREADS

STOP_WITHIN = 4  # seconds for requests under way, when told to stop
MOST_HEADERS = 64 * 1024  # bytes


@click.command()
def web() -> None:
    """Run the web process alone; TROTH_DOOR names its door to the keeper."""
    settings = config.load()
    licence_secret.read(settings.home)
    law_texts.refuse_unfinished(settings)
    drawing.refuse_unusable(settings)
    if overrides.any_of(settings.home) and subprocess.run(command("templates"), check=False).returncode != 0:  # noqa: S603
        sys.exit(2)  # said by that process, which loads the shop so that this one need not
    separation.shut_out(settings, "web")
    process.hide_memory()
    os.environ["TROTH_WEB_PARENT"] = str(os.getpid())
    certificate = tls.usable(settings)
    shop = server(f"{__name__}:application", settings.web.host, settings.web.port, settings.web.workers, certificate)
    if certificate:
        tls.follow(*certificate)
    shop.serve()


def server(
    target: str, host: str, port: int, workers: int, certificate: tuple[Path, Path] | None = None
) -> AbstractServer[Any]:
    """Granian with our settings, for an application factory named like "module:function"."""
    multiprocessing.set_start_method("fork")  # the application is loaded in the child alone: half the memory
    return Granian(
        target,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        runtime_threads=1,
        runtime_blocking_threads=2,
        backlog=256,
        backpressure=64,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=MOST_HEADERS, header_read_timeout=10_000),
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
        workers_kill_timeout=STOP_WITHIN,
        ssl_cert=certificate[0] if certificate else None,
        ssl_key=certificate[1] if certificate else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )


def application() -> Callable[..., Any]:
    """The application of one granian process, which ends when its parent does."""
    process.die_with(int(os.environ.pop("TROTH_WEB_PARENT")))
    process.hide_memory()
    from troth.faces import logs
    from troth.faces.wsgi import application as shop

    logs.guard_crashes()
    settings = config.load()
    outgoing.guard(settings, "web")
    from troth.shop.holdings import refuse_undeclared

    refuse_undeclared()
    from django.template import engines
    from django.urls import get_resolver

    from troth.shop.clauses import duty
    from troth.shop.texts import standing

    engines.all()  # once, before there are threads: two of them would each make their own
    get_resolver().check()  # loads every view, so that the first visitor does not wait for them
    standing.announce()  # texts of law count from now on; no page that only reads writes them down
    process.keep_what_is_loaded()
    duty.watch("web")
    separation.note_how_shut_in(settings, "web")
    return shop
