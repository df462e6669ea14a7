"""`troth refund ORDER`: money goes back, all of it or for one line; the running worker speaks with the provider."""

from __future__ import annotations

import os
import sys
import time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

from troth import config

if TYPE_CHECKING:
    from troth.shop.orders.models import Order
    from troth.shop.payments.models import Refund

PATIENCE = 30  # seconds to wait for the provider's word


@click.command()
@click.argument("order")
@click.option("--line", type=int, metavar="N", help="Only the order's line N, counted from 1 as on its page.")
@click.option("--amount", metavar="X", help="Only a part of it, such as 10.00, in the order's currency.")
@click.option("--surplus", is_flag=True, help="Only what was paid twice.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def refund(order: str, line: int | None, amount: str | None, surplus: bool, yes: bool) -> None:
    """Give money back for ORDER. Access to what is paid back in full ends when the provider confirms.

    Exit code 0: it went back, or is on its way; 1: it cannot; 3: no word from the provider yet, it goes on by itself.
    """
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.journeys import refund as journey
    from troth.shop.orders.models import Order
    from troth.shop.refusal import Refused

    found = Order.objects.filter(pk=order).first()
    if found is None:
        raise click.UsageError("There is no such order; its reference looks like ord_…")
    minor = _minor(amount, found)
    if not yes and sys.stdin.isatty():
        click.confirm(f"Give back {amount or 'all that is left'} for {order}?", abort=True)
    try:
        asked = journey.of_surplus(found) if surplus else [journey.ask(found, line=line, minor=minor)]
    except Refused as no:
        click.echo(f"troth: {no.sentence}", err=True)
        sys.exit(1)
    sys.exit(max(_wait(one) for one in asked))


def _minor(amount: str | None, order: Order) -> int | None:
    from troth.shop.money import Money

    if amount is None:
        return None
    try:
        Decimal(amount)
        return Money.parse(amount, order.currency).minor
    except (ValueError, InvalidOperation):
        raise click.UsageError(f"Write the amount as a number in {order.currency}, such as 10.00.") from None


def _wait(refund: Refund) -> int:
    told = f"{refund.amount.decimal()} {refund.amount.currency}"
    until = time.monotonic() + PATIENCE
    while refund.state == refund.ASKED and time.monotonic() < until:
        time.sleep(0.3)
        refund.refresh_from_db()
    words = {
        refund.DONE: f"{told} went back.",
        refund.PENDING: f"{told} are on their way back; the provider still works on it.",
        refund.FAILED: f"{told} could not go back: {refund.reason}.",
        refund.ASKED: f"{told} are set aside; the provider has not confirmed yet. The worker goes on by itself.",
    }
    click.echo(words[refund.state])
    return {refund.FAILED: 1, refund.ASKED: 3}.get(refund.state, 0)
