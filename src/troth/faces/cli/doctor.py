"""`troth doctor`: what is wrong with this shop, in plain sentences, each with how to mend it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from troth import config
from troth.faces.cli.certificate_examinations import certificate
from troth.faces.cli.domain_examinations import domain
from troth.faces.cli.examinations import HERE, OUTSIDE, Seen
from troth.faces.cli.face_examinations import logo, texts
from troth.faces.cli.provider_examinations import accounts
from troth.faces.cli.trial_letter import letter
from troth.faces.cli.work_examinations import versions, work


@click.command()
@click.option("--offline", is_flag=True, help="Ask no other machine.")
@click.option("--letter", "write", is_flag=True, help="Write to the owner, and ask for the code in that letter.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(offline: bool, write: bool, as_json: bool) -> None:
    """Look at all that a shop needs, and say what is wrong. Exit code 1 where something is."""
    seen = list(examine(offline, write))
    if as_json:
        click.echo(json.dumps([one._asdict() for one in seen], indent=2))
    else:
        for one in seen:
            click.echo(f"{one.state:9}  {one.sentence}" + (f"\n{'':9}  To mend it: {one.mend}" if one.mend else ""))
    sys.exit(1 if any(one.state == "wrong" for one in seen) else 0)


def examine(offline: bool, write: bool = False) -> Iterator[Seen]:
    """Everything that was seen, in the order of looking. `write`: a letter to the owner besides."""
    try:
        settings = config.load()
    except config.ConfigError as error:
        yield from (Seen("wrong", line, "Put that right first; nothing else was looked at.") for line in error.lines)
        return
    yield Seen("ok", f"The settings can be used; the shop is in {settings.shop.mode} mode.")
    for examination in (*HERE, texts, logo):
        yield from examination(settings)
    for examination in (work, certificate, versions):
        yield from examination(settings)
    for examination in (*OUTSIDE, domain, accounts, *((letter,) if write else ())):
        if offline:
            yield Seen("not asked", f"{examination.__name__.capitalize()}: left out with --offline.")
        else:
            yield from examination(settings)
