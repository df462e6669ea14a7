"""`troth demo look TEXT`: every byte that the demo has written, searched for what somebody typed into it."""

from __future__ import annotations

from pathlib import Path

import click

from troth.pledge.policy.needles import Found, search
from troth.pledge.policy.spellings import SPELLINGS


def look_for(folder: Path, text: str) -> int:
    """Print the places, or that there are none. 0: nowhere; 1: found; 2: something could not be read."""
    try:
        found = search([folder], [text])
    except FileNotFoundError:
        raise click.ClickException(f"{folder} is not there; run `troth demo` first, or give --dir.") from None
    except ValueError as error:
        raise click.ClickException(f"{error}.") from None
    for hit in found.hits:
        click.echo(f"{hit.path.relative_to(folder)}: {hit.spelling}, at byte {hit.offset}")
    for path in found.unread:
        click.echo(f"{path.relative_to(folder)}: may not be read by this user", err=True)
    click.echo(summary(found))
    return 1 if found.hits else 2 if found.unread else 0


def summary(found: Found) -> str:
    hits, files, size = len(found.hits), found.files, f"{found.bytes / 1e6:.0f} MB"
    return f"{hits} hit{'s' * (hits != 1)} in {files} file{'s' * (files != 1)}, {size}, {len(SPELLINGS)} spellings"
