"""The record of processing activities of GDPR Article 30(1), written from the declarations that the shop runs by.

One activity for each table that is about people; recipients from shop/recipients.py, measures from the clauses.
The structs are its schema: `read` takes a record back and refuses what is not exactly of that form.
"""

from __future__ import annotations

import csv
import io
from typing import Annotated

import msgspec
from django.utils import translation

from troth.config import Config
from troth.pledge import clock
from troth.pledge.rights.holding import Delete, Holding, Keep
from troth.shop import policy_version, recipients
from troth.shop.clauses import CLAUSES
from troth.shop.holdings import PEOPLE

Words = Annotated[str, msgspec.Meta(min_length=1)]
SUBJECTS = "customers, and visitors who ask"


class Controller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """(a): who is answerable, and how to reach them."""

    name: Words
    address: str
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    contact: Words


class Activity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """(b), (c) and (f) for one table: why, about whom, which data, until when."""

    table: Words
    purpose: Words
    subjects: Words
    sealed: list[str]  # classes of data that only the keeper opens
    in_clear: list[str]
    ends: Words
    on_erasure: Words


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """(d) and (e): who gets what. Where a recipient sits is for the owner to add."""

    name: Words
    why: Words
    fields: list[str]
    personal: list[str]
    promise: Annotated[str, msgspec.Meta(pattern="^P([1-9]|1[0-9]|20)$")]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    made_at: Words
    policy_version: Words
    controller: Controller
    activities: Annotated[list[Activity], msgspec.Meta(min_length=1)]
    recipients: list[Told]
    measures: Annotated[list[str], msgspec.Meta(min_length=1)]  # (g)


def record(config: Config) -> Record:
    """The record of this shop, as it is set up now."""
    shop = config.shop
    with translation.override(shop.language):
        return Record(
            made_at=clock.now().isoformat(timespec="seconds"),
            policy_version=policy_version.current(),
            controller=Controller(
                shop.legal_name or shop.name, shop.address, shop.country, shop.contact_email or config.web.public_url
            ),
            activities=[_activity(one, config) for one in PEOPLE],
            recipients=[
                Told(str(one.name), str(one.why), one.fields.split(), list(one.personal), one.clause)
                for one in recipients.elsewhere(config)
            ],
            measures=[f"{clause.id}: {line}" for clause in CLAUSES for line in clause.enforced],
        )


def as_json(one: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(one), indent=2) + b"\n"


def as_csv(one: Record) -> str:
    """The activities, one a line, for a spreadsheet; lists are parted by blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(Activity.__struct_fields__)
    for activity in one.activities:
        cells = msgspec.structs.astuple(activity)
        writer.writerow([" ".join(cell) if isinstance(cell, list) else cell for cell in cells])
    return out.getvalue()


def read(written: bytes) -> Record:
    """A record from its JSON. msgspec.ValidationError, which says where, for what is not one."""
    return msgspec.json.decode(written, type=Record)


def read_csv(written: str) -> list[Activity]:
    """Activities from their CSV. ValueError for what is not exactly of that form."""
    rows = list(csv.reader(io.StringIO(written, newline="")))
    if not rows or tuple(rows[0]) != Activity.__struct_fields__:
        raise ValueError("the first line must name the fields")
    found = []
    for row in rows[1:]:
        if len(row) != len(Activity.__struct_fields__):
            raise ValueError("a line has another number of fields than the first")
        cells = dict(zip(Activity.__struct_fields__, row, strict=True))
        lists = {name: cells[name].split() for name in ("sealed", "in_clear")}
        found.append(msgspec.convert(cells | lists, Activity))
    return found


def _activity(one: Holding, config: Config) -> Activity:
    ends = "with its person, or its order"
    if one.ends is not None:
        days = one.ends.days if isinstance(one.ends.days, int) else getattr(config.policy, one.ends.days)
        ends = f"{days} days after {one.ends.since}"
    return Activity(
        table=one.table,
        purpose=str(one.why),
        subjects=SUBJECTS,
        sealed=[field.personal.klass for field in one.sealed()],
        in_clear=one.about.split(),
        ends=ends,
        on_erasure=_on_erasure(one),
    )


def _on_erasure(one: Holding) -> str:
    if isinstance(one.erasing, Delete):
        return "deleted"
    if isinstance(one.erasing, Keep):
        return f"kept: {one.erasing.reason}"
    return f"emptied: {', '.join(one.erasing.fields)}"
