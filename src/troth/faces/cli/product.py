"""`troth product`: goods of one's own, one at a time; the desk calls the same verbs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from troth.shop.money import Money

Did = TypeVar("Did")


@click.group()
def product() -> None:
    """Add a product, release a version of it, put it on the shelf, take it off."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()


@product.command()
@click.argument("slug")
@click.option("--name", required=True, help="As customers read it.")
@click.option("--price", required=True, help="In the shop's currency, such as 49.00.")
@click.option("--kind", type=click.Choice(["module", "bundle", "service"]), default="module", show_default=True)
@click.option("--tagline", default="", help="What it is, in one line.")
@click.option("--summary", default="", help="What it does, in some sentences.")
@click.option("--package", default="", help="Its name for Composer, such as vendor/module-name.")
@click.option("--edition", default="single", show_default=True, help="Code of its first edition.")
@click.option("--edition-name", default="Single site", show_default=True)
@click.option("--sites", default=1, show_default=True, help="Sites that a licence may be active on; 0: any number.")
@click.option("--updates", default=12, show_default=True, help="Months of updates; 0: without end.")
@click.option("--support", default=0, help="Months of support, of services; 0: none.")
@click.option("--hours", default=0, help="Hours of work, of services; 0: none.")
def add(
    slug: str,
    price: str,
    edition: str,
    edition_name: str,
    sites: int,
    updates: int,
    support: int,
    hours: int,
    **said: str,
) -> None:
    """A new product at /p/SLUG, not yet on the shelf."""
    from troth.shop.catalogue import shelving
    from troth.shop.catalogue.models import Product

    first = shelving.NewEdition(_money(price), edition, edition_name, "", sites, updates, support, hours)
    made = _do(lambda: shelving.add(shelving.NewProduct(slug, **said), first))
    released = made.kind == Product.MODULE
    click.echo(f"{slug} is made. Next: troth product {f'release {slug} 1.0.0 FILE' if released else f'publish {slug}'}")


@product.command()
@click.argument("slug")
@click.argument("code")
@click.option("--name", required=True, help="As customers read it.")
@click.option("--price", required=True, help="In the shop's currency, such as 149.00.")
@click.option("--terms", default="", help="What it allows, in one line.")
@click.option("--sites", default=1, show_default=True, help="Sites that a licence may be active on; 0: any number.")
@click.option("--updates", default=12, show_default=True, help="Months of updates; 0: without end.")
@click.option("--support", default=0, help="Months of support, of services; 0: none.")
@click.option("--hours", default=0, help="Hours of work, of services; 0: none.")
def edition(
    slug: str, code: str, name: str, price: str, terms: str, sites: int, updates: int, support: int, hours: int
) -> None:
    """Sell SLUG in an edition CODE at a price; for one that is there, change it."""
    from troth.shop.catalogue import shelving

    offered = shelving.NewEdition(_money(price), code, name, terms, sites, updates, support, hours)
    _do(lambda: shelving.offer(slug, offered))
    click.echo(f"{slug} is sold as {name}.")


@product.command()
@click.argument("slug")
@click.argument("version")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--changes", multiple=True, help="A line of what is new; may be given several times.")
@click.option("--requires", default="", help="What it needs, in one line.")
@click.option("--draft", is_flag=True, help="Look into it and keep it, and release it later.")
def release(slug: str, version: str, file: Path, changes: tuple[str, ...], requires: str, draft: bool) -> None:
    """Release VERSION of SLUG: the archive FILE, which is looked into and copied."""
    from troth.shop.catalogue import releasing

    verb = releasing.draft if draft else releasing.release
    made = _do(lambda: verb(slug, version, file, changes, requires))
    done = "is a draft" if draft else "is released"
    click.echo(f"{slug} {version} {done}: {made.size:,} bytes, SHA-256 {made.sha256}")


@product.command("put-out")
@click.argument("slug")
@click.argument("version")
def put_out(slug: str, version: str) -> None:
    """Release the draft VERSION of SLUG."""
    from troth.shop.catalogue import releasing

    made = _do(lambda: releasing.put_out(slug, version))
    click.echo(f"{slug} {version} is released: {made.size:,} bytes, SHA-256 {made.sha256}")


@product.command()
@click.argument("slug")
@click.argument("version")
def drop(slug: str, version: str) -> None:
    """Throw the draft VERSION of SLUG away."""
    from troth.shop.catalogue import releasing

    click.echo("The draft is gone." if releasing.drop(slug, version) else "There is no such draft.")


@product.command()
@click.argument("slug")
@click.argument("code")
def stop(slug: str, code: str) -> None:
    """Sell the edition CODE of SLUG no more in the shop's currency."""
    from django.conf import settings

    from troth.shop.catalogue import shelving

    _do(lambda: shelving.stop(slug, code, settings.TROTH.shop.currency))
    click.echo(f"{slug} is no longer sold as {code}.")


@product.command()
@click.argument("slug")
def publish(slug: str) -> None:
    """Put SLUG on the shelf."""
    from django.conf import settings

    from troth.shop.catalogue import shelving

    first = _do(lambda: shelving.publish(slug))
    click.echo(f"{slug} {'is' if first else 'was'} on the shelf: {settings.TROTH.web.public_url.rstrip('/')}/p/{slug}")


@product.command()
@click.argument("slug")
@click.option("--release", "version", default="", help="Take back this release alone: nobody fetches it any more.")
def withdraw(slug: str, version: str) -> None:
    """Take SLUG from the shelf; who bought it keeps what they have."""
    from troth.shop.catalogue import releasing, shelving

    if version:
        _do(lambda: releasing.recall(slug, version))
        click.echo(f"{slug} {version} can no longer be fetched.")
    else:
        first = _do(lambda: shelving.withdraw(slug))
        click.echo(f"{slug} is off the shelf." if first else f"{slug} was not on the shelf.")


@product.command("list")
def list_() -> None:
    """Every product with its newest release and its state."""
    from troth.shop.catalogue.models import Product
    from troth.shop.money import Money

    rows = Product.objects.prefetch_related("releases", "editions__prices")
    for row in rows:
        newest = list(row.releases.all())
        prices = [
            f"{e.code} {Money(p.minor, p.currency).decimal()} {p.currency}"
            for e in row.editions.all()
            for p in e.prices.all()
        ]
        state = "on the shelf" if row.published else "not on the shelf"
        version = newest[0].version if newest else "no release"
        click.echo("  ".join([row.slug, state, version, ", ".join(prices) or "no price"]))
    if not rows:
        click.echo("There is no product yet: troth product add")


def _money(text: str) -> Money:
    from django.conf import settings

    from troth.shop.money import Money

    try:
        return Money.parse(text, settings.TROTH.shop.currency)
    except ValueError:
        raise click.UsageError(f"--price: write an amount in {settings.TROTH.shop.currency}, such as 49.00") from None


def _do(act: Callable[[], Did]) -> Did:
    """What the verb gives; where it refuses, its sentence and exit code 1."""
    from troth.shop.refusal import Refused

    try:
        return act()
    except Refused as no:
        raise click.ClickException(str(no.sentence)) from None
    except OSError as error:
        raise click.ClickException(f"the file could not be kept: {error.strerror}.") from None
