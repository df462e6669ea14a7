"""What is handed over: a ZIP with a manifest of hashes and one JSON file for each record, sealed by age.

Of each record the fields that the scope names and no others. A record that is a file's key is told as the file itself,
which lies beside it, and only where the scope names files. https://age-encryption.org/v1
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
from troth.pledge.disclosure.messages import FILE, KEY
from troth.pledge.keeper.credentials import rest
from troth.pledge.keeper.messages import Record, Refused, raw_ref
from troth.pledge.keeper.policy import OPENS, SINCE
from troth.pledge.office.desk import Desk
from troth.pledge.vault import blobs

SLICE = 5  # records that are unsealed before other questions pass
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in a ZIP: what is in it says when


def bundled(desk: Desk, case: Case, scope: messages.Scope, ask: messages.HandOver) -> Generator[Any, Any, bytes]:
    """Refused "restricted" where somebody in it asked to be forgotten, "gone", "seal", "given-before"."""
    files = dict[str, bytes]()
    for number, record in enumerate(ask.records, 1):
        if number % SLICE == 0:
            yield rest
        place, value = record.place, _opened(desk, record)
        names = scope.fields[place.klass]
        told = {name: value[name] for name in names if name in value and name != KEY}
        if FILE in names and KEY in value:
            told = {FILE: f"files/{number:04}", "name": value["name"], "kind": value["kind"]}
            files[told[FILE]] = _file(value[KEY], place.row, ask.files)
        says = {"person": place.ref, "class": place.klass, "record": place.row, "fields": told}
        files[f"records/{number:04}.json"] = _json(says)
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {
        "case": scope.case, "basis": scope.basis, "scope": case.hash.hex(), "document": scope.document.hex(),
        "made": desk.room.clock().isoformat(timespec="seconds"), "sha256": listed,
    }  # fmt: skip
    packed = _zip({"manifest.json": _json(manifest), **files})
    return bytes(pyrage.encrypt(packed, [pyrage.x25519.Recipient.from_str(scope.recipient)]))


def _opened(desk: Desk, record: Record) -> dict[str, Any]:
    place = record.place
    raw = raw_ref(place.ref)
    sql = "SELECT 1 FROM restricted WHERE ref IN (?1, (SELECT owner FROM link WHERE ref = ?1))"
    if desk.db.one(sql, raw):
        raise Refused("restricted")
    if place.schema < SINCE.get((place.klass, "legal"), 0):
        raise Refused("given-before")
    return msgspec.msgpack.decode(desk.room.unseal(record, OPENS[place.klass, "legal"]), type=dict[str, Any])


def _file(key: bytes, row: str, files: dict[str, list[bytes]]) -> bytes:
    """Refused "seal" for one that is not as it came, or did not come along."""
    try:
        return b"".join(blobs.opened(key, row, files.get(row, ())))
    except blobs.BadBlob:
        raise Refused("seal") from None


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
