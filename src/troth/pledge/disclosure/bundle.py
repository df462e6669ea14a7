"""What is handed over: a ZIP with a manifest of hashes and one JSON file for each record, sealed by age.

Of each record the fields that the scope names and no others. https://age-encryption.org/v1
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Generator
from typing import Any

import msgspec
import pyrage

from troth.pledge.disclosure import messages
from troth.pledge.disclosure.case import Case
from troth.pledge.keeper.credentials import rest
from troth.pledge.keeper.messages import Record, Refused, raw_ref
from troth.pledge.keeper.policy import OPENS, SINCE
from troth.pledge.office.desk import Desk

SLICE = 5  # records that are unsealed before other questions pass
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in a ZIP: what is in it says when


def bundled(desk: Desk, case: Case, scope: messages.Scope, records: list[Record]) -> Generator[Any, Any, bytes]:
    """Refused "restricted" where somebody in it asked to be forgotten, "gone", "seal", "given-before"."""
    files = dict[str, bytes]()
    for number, record in enumerate(records, 1):
        if number % SLICE == 0:
            yield rest
        files[f"records/{number:04}.json"] = _record(desk, scope, record)
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {
        "case": scope.case, "basis": scope.basis, "scope": case.hash.hex(), "document": scope.document.hex(),
        "made": desk.room.clock().isoformat(timespec="seconds"), "sha256": listed,
    }  # fmt: skip
    packed = _zip({"manifest.json": _json(manifest), **files})
    return bytes(pyrage.encrypt(packed, [pyrage.x25519.Recipient.from_str(scope.recipient)]))


def _record(desk: Desk, scope: messages.Scope, record: Record) -> bytes:
    place = record.place
    raw = raw_ref(place.ref)
    sql = "SELECT 1 FROM restricted WHERE ref IN (?1, (SELECT owner FROM link WHERE ref = ?1))"
    if desk.db.one(sql, raw):
        raise Refused("restricted")
    if place.schema < SINCE.get((place.klass, "legal"), 0):
        raise Refused("given-before")
    value = msgspec.msgpack.decode(desk.room.unseal(record, OPENS[place.klass, "legal"]))
    told = {name: value[name] for name in scope.fields[place.klass] if name in value}
    return _json({"person": place.ref, "class": place.klass, "record": place.row, "fields": told})


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
