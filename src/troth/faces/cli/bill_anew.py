"""`troth bill-anew ORDER`: a company on an invoice, afterwards, for somebody who asked the owner for it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from troth import config

if TYPE_CHECKING:
    from troth.faces.storefront.forms.billing import BillingForm


@click.command("bill-anew")
@click.argument("order")
def bill_anew(order: str) -> None:
    """Take ORDER's invoice back by a credit note, and bill the same sum anew to whom you type.

    What is typed is asked for and never an argument: a shell remembers those. Exit code 1: it cannot be done.
    """
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.journeys import bill_anew as journey
    from troth.shop.orders.models import Order
    from troth.shop.refusal import Refused

    found = Order.objects.filter(pk=order).first()
    if found is None:
        raise click.UsageError("There is no such order; its reference looks like ord_…")
    standing = journey.standing(found)
    if standing is None:
        _stop("There is nothing left on this order to bill anew.")
    click.echo(f"{standing.number} is taken back and billed anew. Its country, {standing.country}, stays.", err=True)
    form = _typed(standing.time)
    try:
        made = journey.for_its_customer(found, form.billing(standing.country), standing.time)
    except Refused as no:
        _stop(str(no.sentence))
    click.echo(made.number)


def _typed(time: int) -> BillingForm:
    from troth.faces.storefront.forms.billing import BillingForm

    fields = [name for name in BillingForm.base_fields if name != "time"]
    given = {name: _asked(str(BillingForm.base_fields[name].label), BillingForm.base_fields[name].required)
             for name in fields}  # fmt: skip
    form = BillingForm({**given, "time": str(time)})
    if not form.is_valid():
        _stop(*(f"{form.label(name)}: {faults[0]}" for name, faults in form.errors.items() if name != "__all__"))
    return form


def _asked(label: str, required: bool) -> str:
    more: dict[str, Any] = {} if required else {"default": "", "show_default": False}
    return str(click.prompt(label, err=True, **more))


def _stop(*sentences: str) -> NoReturn:
    for sentence in sentences:
        click.echo(f"troth: {sentence}", err=True)
    sys.exit(1)
