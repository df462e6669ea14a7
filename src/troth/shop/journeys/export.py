"""Export: all that is held of somebody, as one download, for whoever is signed in as them.

A zip: index.html to read, data.json for programs, schema.json for what data.json is, and every ledger entry with its
proof. Which tables and fields it has says shop/holdings.py, by which erasing goes as well: a field that stands there
is in both, and one that does not stops the start. It leaves by this answer alone, never by mail.
"""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.keeper.messages import NEWEST, Entry
from troth.pledge.keeper.policy import OPENS
from troth.pledge.rights.holding import Cut, Delete, Holding
from troth.pledge.rights.models import Export
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop import policy_version
from troth.shop.accounts.models import Claim, Contact
from troth.shop.holdings import PEOPLE
from troth.shop.journeys import erase, export_opened, held, standby
from troth.shop.journeys.export_opened import Request, batches, by_own_capability, sealed_values, worker_purpose
from troth.shop.refusal import Refused

FORM = 1  # of data.json: raised when programs that read it have to change
PATIENCE = 15.0  # seconds that a request waits for the worker
A_DAY = 4  # exports of one person
LONG = 5000  # bytes: what is longer is a piece of a file, which is in the archive as it was
NOT_HELD = {
    "password": "kept by the keeper as an Argon2id hash, which leaves it for nobody",
    "passkeys": "kept by the keeper: their public halves and counters; the list is in your account",
    "keys": "the private keys behind your sealed data never leave the keeper",
}
RECIPIENTS = {
    "PayPal, Skrill": "amount, currency, our reference of the payment, the name of what is bought; no data of yours",
    "the mail relay": "name and e-mail address on each letter, and the letter",
}


class Gathered(msgspec.Struct, frozen=True):
    """All that goes into the archive."""

    data: dict[str, Any]
    entries: list[Entry]


def gather(person_ref: str, capability: str) -> Gathered:
    """Everything, opened and noted. Refused if the session has ended, or too often today; standby.Late; KeeperAway."""
    if erase.under_way(person_ref) is not None:
        raise Refused(_("You asked to be forgotten: nothing of yours is opened meanwhile. Cancel that to export it."))
    today = Export.objects.filter(person=person_ref, asked_at__gte=clock.now() - timedelta(days=1))
    if today.count() >= A_DAY:
        raise Refused(_("You had this four times today; please come back tomorrow."))
    gone = False
    with standby.place():
        with transaction.atomic():
            request = Request(person_ref, capability)
            due.add("export", request.row.pk)
        try:
            values = _own(person_ref, capability)
            entries = _entries(person_ref, capability)
            values |= standby.wait_for(request.take, PATIENCE)
        except KeeperRefused as refused:
            gone = refused.code in ("capability", "not-theirs")
            if not gone:
                raise
    if gone:
        raise Refused(_("Your session has ended; please sign in again."))
    return Gathered(_data(person_ref, values), entries)


def _own(person_ref: str, capability: str) -> dict[str, Any]:
    """What people open by themselves. Each question has to hold their contact."""
    mine = [(name, row, one) for name, row, one in sealed_values(person_ref) if by_own_capability(person_ref, row, one)]
    contacts = [(name, one) for name, row, one in mine if isinstance(row, Contact)]
    rest = [(name, one) for name, row, one in mine if not isinstance(row, Contact)]
    found: dict[str, Any] = {}
    for some in batches(rest, export_opened.TOGETHER - len(contacts)) if rest else [[]]:
        part = contacts + some
        values = door().open([one for _name, one in part], purpose="account", job="export", capability=capability)
        found |= {name: msgspec.to_builtins(value) for (name, _one), value in zip(part, values, strict=True)}
    return found


def _entries(person_ref: str, capability: str) -> list[Entry]:
    """Every entry of the ledger about them and the guests they claimed, the oldest first."""
    found: dict[int, Entry] = {}
    for ref in ("", *Claim.persons_of(person_ref)[1:]):
        before, more = NEWEST, True
        while more:
            told = door().history(capability, before, ref)
            found |= {entry.seq: entry for entry in told.entries}
            more = told.more and bool(told.entries)
            before = told.entries[-1].seq if told.entries else 0
    return [found[seq] for seq in sorted(found)]


def _data(person_ref: str, values: dict[str, Any]) -> dict[str, Any]:
    shop = settings.TROTH.shop
    return {
        "form": FORM,
        "made_at": clock.now().isoformat(timespec="seconds"),
        "by": {
            "shop": shop.name,
            "legal_name": shop.legal_name,
            "address": shop.address,
            "contact": shop.contact_email,
        },
        "policy_version": policy_version.current(),
        "persons": Claim.persons_of(person_ref),
        "tables": [_table(holding, person_ref, values) for holding in PEOPLE if holding.person],
        "not_by_person": {one.table: str(one.why) for one in PEOPLE if not one.person},
        "recipients": RECIPIENTS,
        "not_held_here": NOT_HELD,
    }


def _table(holding: Holding, person_ref: str, values: dict[str, Any]) -> dict[str, Any]:
    rows = [row for ref in Claim.persons_of(person_ref) for row in holding.rows(ref).order_by("pk")]
    sealed = {field.name: field.personal.klass for field in holding.sealed()}
    return {
        "table": holding.table,
        "why": str(holding.why),
        "sealed": {
            name: {"class": klass, "opened_only_for": [purpose for of, purpose in OPENS if of == klass]}
            for name, klass in sealed.items()
        },
        "about_you": holding.about.split(),
        "when_forgotten": _erasing(holding),
        "ends": held.until(holding),
        "rows": [_row(holding, row, list(sealed), values) for row in rows],
    }


def _row(holding: Holding, row: Model, sealed: list[str], values: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in [*holding.about.split(), *holding.ours.split()]:
        field = row._meta.get_field(name)
        if field.many_to_many:
            told[name] = [str(one.pk) for one in getattr(row, name).all()]
        else:
            told[name] = _plain(getattr(row, getattr(field, "attname", name)))
    for name in sealed:
        told[name] = _opened(row, name, values.get(f"{holding.table}/{row.pk}/{name}"))
    return told


def _opened(row: Model, name: str, value: Any) -> Any:
    if value is not None:
        return value
    lies = getattr(row, name)
    if lies is None:
        return None  # cut, as somebody was forgotten
    if worker_purpose(lies.place.klass):
        return {"sealed": "held and not opened here: an export opens the newest hundred; its invoice shows it"}
    return {"sealed": "held and not opened here: the keeper opens it for the purposes above alone; ask us to read it"}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview) and len(value) > LONG:
        return {"bytes": len(value), "see": "files/"}
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return value


def _erasing(holding: Holding) -> str:
    match holding.erasing:
        case Delete():
            return "the rows are deleted" + (" (those that belong to no order)" if holding.where else "")
        case Cut(fields, spared):
            kept = "; where tax law keeps a bill, when its time is over" if spared else ""
            return f"emptied: {', '.join(fields)}{kept}"
        case kept:
            return f"the rows stay: {kept.reason}"


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of data.json, from the same declarations."""
    tables = []
    for holding in PEOPLE:
        if holding.person:
            names = [*holding.about.split(), *holding.ours.split(), *(field.name for field in holding.sealed())]
            fields = {name: {"description": _kind(holding, name)} for name in names}
            row = {"type": "object", "required": names, "additionalProperties": False, "properties": fields}
            parts = {"table": {"const": holding.table}, "rows": {"type": "array", "items": row}}
            tables.append(
                {"type": "object", "required": ["why", "when_forgotten", "ends", *parts], "properties": parts}
            )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What a shop holds about one person",
        "type": "object",
        "required": ["form", "made_at", "by", "policy_version", "persons", "tables", "recipients", "not_held_here"],
        "properties": {"form": {"const": FORM}, "tables": {"type": "array", "prefixItems": tables, "items": False}},
    }


def _kind(holding: Holding, name: str) -> str:
    if name in holding.about.split():
        return "says something about you, in clear"
    if name in holding.ours.split():
        return "an identifier of ours, a state, a time, a sum, or goods"
    return "sealed; as it was opened for this export"
