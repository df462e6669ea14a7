"""`troth demo --once`: buys with both providers, shows the evidence of each step, checks every promise, and ends."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import click

from troth.faces.cli.demo.buyer import NAMES, Buyer, Failed, until
from troth.faces.cli.demo.look import summary
from troth.faces.cli.demo.stage import Stage
from troth.pledge.policy.needles import search

SLUG = "order-notes"


def through(stage: Stage) -> int:
    """Exit code 0, or 1 after a sentence that names the step which failed."""
    typed: list[str] = []
    try:
        for provider in NAMES:
            buyer = Buyer(stage.shop, stage.mailbox, stage.control, stage.goods / "SHA256SUMS", provider)
            for evidence in buyer.buy(SLUG):
                _show(NAMES[provider], evidence.step, evidence.shown)
            _show(NAMES[provider], "messages", _messages(stage, provider, buyer.ref))
            typed += buyer.typed
        _show("Shop", "look", _nothing_in_clear(stage, typed))
    except Failed as failed:
        click.echo(f"FAILED  {failed}", err=True)
        return 1
    click.echo("Checking every promise ...")
    code = subprocess.run(stage.command("check"), env=stage.environ, check=False).returncode  # noqa: S603
    if code != 0:
        click.echo("FAILED  troth check: a promise is not kept; its line above says which.", err=True)
        return code
    click.echo("Two purchases, two letters, nothing in clear, no promise broken.")
    return 0


def _show(who: str, step: str, shown: str) -> None:
    click.echo(f"{who:7} {step:13} {shown}")


def _messages(stage: Stage, provider: str, ref: str) -> str:
    """How many messages of the provider about this order had a good signature. Failed where none has, or one is bad."""
    events = _events(stage)

    def verified() -> int:
        return int(events.filter(provider=provider, verified=True, payment__order_id=ref).count())

    lacking = f"{NAMES[provider]}, messages: no message with a good signature came for this order."
    good = until(verified, lacking)
    forged = events.filter(provider=provider, verified=False).count()
    if forged:
        raise Failed(f"{NAMES[provider]}, messages: {forged} came with a signature that does not verify.")
    return f"{good} with a verified signature, none without"


def _events(stage: Stage) -> Any:
    """The shop's table of providers' messages."""
    for name in [name for name in os.environ if name.startswith("TROTH_")]:
        del os.environ[name]
    os.environ |= {"TROTH_HOME": str(stage.home), "DJANGO_SETTINGS_MODULE": "troth.faces.settings"}
    import django

    django.setup()
    from troth.shop.payments.models import ProviderEvent

    return ProviderEvent.objects.all()


def _nothing_in_clear(stage: Stage, typed: list[str]) -> str:
    """Everything written, searched for everything typed."""
    found = search([stage.folder], typed)
    if found.hits or found.unread:
        places = sorted({str(path.relative_to(stage.folder)) for path in [h.path for h in found.hits] + found.unread})
        raise Failed(f"Shop, look: what was typed stands in clear, or cannot be searched, in {', '.join(places)}.")
    return summary(found)
