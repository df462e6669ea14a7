"""`troth coupons`: make, list and end them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.shop.coupons.models import Coupon

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group()
def coupons() -> None:
    """Make, list and end coupons."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()


@coupons.command()
@click.argument("code", required=False, default="")
@click.option("--percent", type=int, help="Take off so many percent, 1 to 100.")
@click.option("--amount", help="Take off an amount in the shop's currency, such as 10 or 9.50.")
@click.option("--from", "starts", type=DAY, help="The day, or moment (UTC), from which it is good.")
@click.option("--until", "ends", type=DAY, help="The day, or moment (UTC), at whose beginning it ends.")
@click.option("--uses", type=int, help="How often it may be used in all.")
@click.option("--once", is_flag=True, help="Once for each customer, as far as that is known (docs/coupons.md).")
@click.option("--product", "products", multiple=True, help="Only for this product; may be given several times.")
@click.option("--least", default="0", help="Only for baskets that cost at least so much, at the prices on the shelf.")
@click.option("--again", is_flag=True, help="An order that was paid back as a whole gives its use back.")
def add(code: str, products: tuple[str, ...], **given: Any) -> None:
    """Make the coupon CODE; without one, it gets a random code. Said twice, it is made once."""
    from troth.shop.coupons import making
    from troth.shop.refusal import Refused

    terms = making.Terms(
        percent=given["percent"],
        minor=_minor(given["amount"], "--amount") if given["amount"] is not None else None,
        least_minor=_minor(given["least"], "--least"),
        starts_at=_utc(given["starts"]),
        ends_at=_utc(given["ends"]),
        limit=given["uses"],
        once=given["once"],
        again=given["again"],
    )
    try:
        coupon, made = making.add(code, terms, products)
    except Refused as no:
        raise click.ClickException(str(no.sentence)) from None
    click.echo(f"{coupon.code} is made." if made else f"{coupon.code} is there already, with these terms.")


@coupons.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """All coupons, what they take off, how often they were used and until when they are good."""
    from troth.shop.coupons import making

    told = [_told(one) for one in making.every()]
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    for one in told:
        limit = f" of {one['uses']}" if one["uses"] else ""
        rest = [f"from {one['from']}" if one["from"] else "", f"until {one['until']}" if one["until"] else ""]
        rest += ["once a customer" if one["once"] else "", " ".join(one["products"])]
        click.echo("  ".join([one["code"], one["takes"], f"used {one['used']}{limit}", *filter(None, rest)]))
    if not told:
        click.echo("There are no coupons. Make one: troth coupons add WELCOME --percent 10")


@coupons.command()
@click.argument("code")
def end(code: str) -> None:
    """End CODE now. Orders that were made with it keep their price."""
    from troth.shop.coupons import making
    from troth.shop.coupons.models import Coupon

    try:
        ended = making.end(code)
    except Coupon.DoesNotExist:
        raise click.ClickException("There is no such coupon; troth coupons list shows all.") from None
    click.echo("The coupon has ended." if ended else "It had ended before.")


def _told(one: Coupon) -> dict[str, Any]:
    from troth.shop.money import Money

    def text(moment: datetime | None) -> str | None:
        return moment.isoformat(timespec="minutes") if moment else None

    takes = f"{one.percent}%" if one.percent else f"{Money(one.minor or 0, one.currency).decimal()} {one.currency}"
    return {
        "code": one.code,
        "takes": takes,
        "used": one.used,
        "uses": one.limit,
        "from": text(one.starts_at),
        "until": text(one.ends_at),
        "once": one.once,
        "least": str(Money(one.least_minor, one.currency).decimal()),
        "again": one.again,
        "products": sorted(product.pk for product in one.products.all()),
    }


def _minor(text: str, option: str) -> int:
    from django.conf import settings

    from troth.shop.money import Money

    try:
        return Money.parse(text, settings.TROTH.shop.currency).minor
    except ValueError:
        raise click.UsageError(f"{option}: write an amount such as 9.50.") from None


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
