"""`troth units`: systemd units for this shop, with a user of its own for each process."""

from __future__ import annotations

from pathlib import Path

import click

from troth import config
from troth.faces.cli import unit_files

NEXT = """\
Look at them, then as root:
  systemd-sysusers {folder}/sysusers.d/troth.conf
  systemd-tmpfiles --create {folder}/troth/handover.conf     (once, with the shop stopped)
  systemd-tmpfiles --create {folder}/tmpfiles.d/troth.conf
  systemctl daemon-reload
  systemctl enable --now troth.target
Then `troth check --clause P18` says whether the three are kept apart."""


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("/etc"), show_default=True)
@click.option("--keeper", "keeper", default="troth-keeper", show_default=True, help="The keeper's user.")
@click.option("--worker", "worker", default="troth-worker", show_default=True, help="The worker's user.")
@click.option("--web", "web", default="troth-web", show_default=True, help="The web process's user.")
@click.option("--group", default="troth", show_default=True, help="The group that they share.")
def units(folder: Path, **names: str) -> None:
    """Write units, users and owners for systemd below a folder. Nothing is started or handed over by this."""
    settings = config.load()
    users = unit_files.Users(**names)
    if len({users.keeper, users.worker, users.web}) < 3:
        raise click.UsageError("Keeper, worker and web need a user each: that is what keeps them apart.")
    for sentence in unit_files.strays(settings):
        raise click.ClickException(sentence)
    try:
        paths = unit_files.write(folder, unit_files.files(settings, users))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}.") from None
    for path in paths:
        click.echo(path)
    click.echo(NEXT.format(folder=folder))
