"""`troth confirm`: the owner says what no program can see, once a year."""

from __future__ import annotations

import os

import click

from troth import config


@click.command()
@click.argument("clause", metavar="P18")
@click.option("--item", "items", multiple=True, help="Confirm this one without being asked; may be given again.")
def confirm(clause: str, items: tuple[str, ...]) -> None:
    """Go through the list that people keep for a promise, and note what you confirm with its date."""
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.pledge.due import loop as due
    from troth.pledge.policy import kept_by_people
    from troth.shop.clauses import LISTS

    known = LISTS.get(clause.upper())
    if known is None:
        raise click.UsageError(f"There is no such list; lists have {', '.join(LISTS)}.")
    for item in items:
        if item not in known:
            raise click.UsageError(f"{clause.upper()} has no item {item}; it has {', '.join(known)}.")
    said = items or [item for item, words in known.items() if click.confirm(f"{words[0].upper()}{words[1:]}?")]
    kept_by_people.confirm(clause.upper(), said)
    due.hasten("check", clause.upper())
    click.echo(f"Confirmed {len(said)} of {len(known)}; each lasts a year.")
