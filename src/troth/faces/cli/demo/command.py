"""`troth demo`: a whole shop to try, and ways to try whether it keeps its word."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NoReturn

import click

from troth.faces.cli.demo.stage import Stage, free_port

TOLD = """
  The shop       {stage.shop}/
  The mailbox    {stage.mailbox}
  The promises   {stage.shop}/privacy

Buy something: PayPal and Skrill are look-alikes on this machine, no money moves. The coupon FERN20 takes a fifth off,
and Shop Facts costs nothing. Then, in another terminal:
  troth demo look "a text that you typed into the shop"
  troth demo break P7    and reload the promises; troth demo mend
Ctrl-C stops it."""


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(1, 65535), help="The shop's port (else 8000, or any free one).")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default="build/demo", show_default=True)
@click.option("--once", is_flag=True, help="Buy with PayPal and with Skrill, show the evidence, check, and end.")
@click.pass_context
def demo(ctx: click.Context, port: int | None, folder: Path, once: bool) -> None:
    """Run a whole shop with sample goods, both providers' look-alikes and a mailbox."""
    ctx.obj = folder
    if ctx.invoked_subcommand is not None:
        return
    signal.signal(signal.SIGTERM, _interrupted)
    click.echo("Setting up the shop ...", err=True)
    try:
        with Stage(folder, free_port(port)) as stage:
            if once:
                from troth.faces.cli.demo.once import through

                sys.exit(through(stage))
            click.echo(TOLD.format(stage=stage))
            stage.wait()
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@demo.command()
@click.argument("text")
@click.pass_obj
def look(folder: Path, text: str) -> None:
    """Search everything that the demo has written for TEXT. Exit code 1 where it is found."""
    from troth.faces.cli.demo.look import look_for

    sys.exit(look_for(folder, text))


@demo.command(name="break")
@click.argument("clause", metavar="P7")
@click.pass_obj
def break_(folder: Path, clause: str) -> None:
    """Break a promise on purpose and see it found out. Test mode only."""
    from troth.faces.cli.demo.mutants import plant

    sys.exit(plant(folder / "shop", clause.upper()))


@demo.command()
@click.pass_obj
def mend(folder: Path) -> None:
    """Mend what `demo break` broke."""
    from troth.faces.cli.demo.mutants import take_out

    sys.exit(take_out(folder / "shop"))
