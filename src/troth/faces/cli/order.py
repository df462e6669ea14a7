"""`troth order [REF]`: what is known of an order's money, why it waits and what happens next; or what waits for you."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from troth import config


@click.command()
@click.argument("ref", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def order(ref: str | None, as_json: bool) -> None:
    """Show an order's payments and what happens next; without REF, everything that waits for a person."""
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.orders.models import Order

    if ref is None:
        told = _waiting()
    else:
        found = Order.objects.filter(pk=ref).first()
        if found is None:
            raise click.UsageError("There is no such order; its reference looks like ord_…")
        told = _one(found)
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else _text(told))


def _one(found: Any) -> dict[str, Any]:
    """Nothing here is about a person: references, states, times and sums."""
    from troth.shop.journeys import waiting

    payments = [
        {
            "id": one.id,
            "provider": one.provider,
            "state": one.state + (" (surplus)" if one.surplus else ""),
            "amount": _sum(one.amount_minor, one.currency),
            "went_back": _sum(one.refunded_minor - one.regained_minor, one.currency),
            "at_provider": one.capture_ref or one.provider_ref,
            "made_at": one.made_at.isoformat(timespec="seconds"),
        }
        for one in found.payments.order_by("made_at")
    ]
    lines = [
        {
            "name": line.name,
            "paid": _sum(line.paid_minor, found.currency),
            "went_back": _sum(line.returned_minor, found.currency),
            "access": line.ended or "open",
        }
        for line in found.lines.order_by("pk")
    ]
    said = [_said(told) for told in waiting.to_owner(found)]
    return {"order": found.ref, "state": found.state, "lines": lines, "payments": payments, "waiting": said}


def _waiting() -> dict[str, Any]:
    from troth.shop.journeys import waiting

    return {"waiting": [{"order": ref, **_said(told)} for ref, told in waiting.for_a_person()]}


def _said(told: Any) -> dict[str, Any]:
    when = told.next_at.isoformat(timespec="seconds") if told.next_at else None
    return {"sentence": told.sentence, "next": when, "for_you": told.person}


def _sum(minor: int, currency: str) -> str:
    from troth.shop.money import Money

    return f"{Money(minor, currency).decimal()} {currency}"


def _text(told: dict[str, Any]) -> str:
    text = [f"{told['order']}: {told['state']}"] if "order" in told else []
    for line in told.get("lines", []):
        text.append(f"  {line['name']}: {line['paid']}, went back {line['went_back']}, access {line['access']}")
    for one in told.get("payments", []):
        text.append(f"  {one['provider']} {one['state']}: {one['amount']}, went back {one['went_back']}")
    for said in told["waiting"]:
        when = f" Next: {said['next']}." if said["next"] else ""
        text.append(f"{said.get('order', ' '):2}{'! ' if said['for_you'] else '  '}{said['sentence']}{when}")
    return "\n".join(text or ["Nothing waits for you."]) if told["waiting"] or "order" in told else "Nothing waits."
