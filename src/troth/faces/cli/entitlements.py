"""`troth services`: what is left of an order's services, and time that was spent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.shop.orders.models import Order


@click.group()
def services() -> None:
    """Show what is left of services; note hours that were spent."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()


@services.command()
@click.argument("order")
def show(order: str) -> None:
    """The services of ORDER."""
    from troth.shop.journeys import entitlement

    found = entitlement.of(_order(order))
    if not found:
        raise click.ClickException("This order has no services, or they are not delivered yet.")
    for one in found:
        left = (
            f"{entitlement.hours(one.left)} of {entitlement.hours(one.minutes)} hours left"
            if one.minutes
            else "no hours"
        )
        until = f"until {one.until}" if one.until else "without an end"
        click.echo(f"{one.id}  {one.name}  {'ended' if one.ended or one.over else 'in force'}  {left}  {until}")
        for done in one.works:
            click.echo(f"  {done.done_at:%Y-%m-%d}  {entitlement.hours(done.minutes)}  {done.what}".rstrip())


@services.command()
@click.argument("order")
@click.argument("line", type=int)
@click.argument("spent", metavar="HOURS")
@click.option("--for", "what", default="", help="A few words that the buyer reads. They stand in clear: no names.")
def use(order: str, line: int, spent: str, what: str) -> None:
    """Note HOURS (such as 1.5) spent on LINE of ORDER, counted from 1. Never more than is left."""
    from troth.shop.journeys import entitlement
    from troth.shop.refusal import Refused

    try:
        left = entitlement.use(_order(order), line, entitlement.read_hours(spent), what).left
    except Refused as no:
        raise click.ClickException(str(no.sentence)) from None
    click.echo(f"Noted; {entitlement.hours(left)} hours are left.")


def _order(ref: str) -> Order:
    from troth.shop.orders.models import Order

    found = Order.found(ref)
    if found is None:
        raise click.ClickException("There is no such order; its reference looks like ord_…")
    return found
