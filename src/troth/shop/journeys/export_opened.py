"""What of an export only the worker may open: bills, former addresses, contacts of guests who were claimed.

The worker opens them by its own purposes, noted as ever, for who shows their capability, and seals them to the one
request that waits (HPKE, RFC 9180, as every handover here). What no door of its own opens stays sealed, and the export
says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.conf import settings
from django.db.models import Model

from troth.pledge.due import loop as due
from troth.pledge.keeper.policy import BY_DOOR, OPENS
from troth.pledge.rights.models import Export
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.pledge.vault.fields import Sealed
from troth.shop.accounts.models import Claim, Contact
from troth.shop.holdings import PEOPLE
from troth.shop.invoices import worker_key

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
MOST = (
    100  # records in one export: the newest; a day's openings of one person are limited, and buyers' letters need some
)
NEVER = {"marketing", "fraud"}  # what is kept for these two is opened for nothing else, and not for this
TOGETHER, BYTES_TOGETHER = 50, 600_000  # records in one question to the keeper, and what they may weigh


class Request:
    """A request that waits. Its private key is in this object and nowhere else."""

    def __init__(self, person_ref: str, capability: str) -> None:
        self._private = X25519PrivateKey.generate()
        self.row = Export(person_id=person_ref, public=self._private.public_key().public_bytes_raw())
        worker = X25519PublicKey.from_public_bytes(worker_key.public(settings.TROTH.home))
        self.row.proof = bytes(SUITE.encrypt(capability.encode(), worker, info=_info(self.row, "proof")))
        self.row.save(force_insert=True)

    def take(self) -> dict[str, Any] | None:
        """What was opened, by its place; None while it is being opened. KeeperRefused, with the code, if it cannot."""
        row = Export.objects.get(pk=self.row.pk)
        if row.code:
            raise KeeperRefused(row.code)
        if row.sealed is None:
            return None
        Export.objects.filter(pk=row.pk).update(sealed=None, proof=b"", code="taken")
        try:
            told = SUITE.decrypt(bytes(row.sealed), self._private, info=_info(row, "answer"))
        except InvalidTag:
            raise KeeperRefused("altered") from None
        opened: dict[str, Any] = msgspec.msgpack.decode(told)
        return opened


def open_rest(export_id: str, claim: due.Claim) -> None:
    """The errand. The request asks again by itself if we cannot."""
    row = Export.objects.filter(pk=export_id, sealed=None, code="").first()
    if row is None:
        return
    code = ""
    try:
        if _is_theirs(row):
            answer = msgspec.msgpack.encode(_opened(row))
            public = X25519PublicKey.from_public_bytes(bytes(row.public))
            sealed = bytes(SUITE.encrypt(answer, public, info=_info(row, "answer")))
            Export.objects.filter(pk=row.pk, sealed=None, code="").update(sealed=sealed)
            return
        code = "not-theirs"
    except KeeperAway:
        code = "keeper-away"
    except KeeperRefused as refused:
        code = refused.code
    Export.objects.filter(pk=row.pk, sealed=None, code="").update(code=code[:40], proof=b"")


def sealed_values(person_ref: str) -> Iterator[tuple[str, Model, Sealed]]:
    """Every sealed value of a person and of the guests they claimed, the newest rows of a table first: its name here,
    its row, the value. By holdings.py alone."""
    for holding in PEOPLE:
        if not holding.person:
            continue
        for field in holding.sealed():
            for ref in Claim.persons_of(person_ref):
                for row in holding.rows(ref).filter(**{f"{field.name}__isnull": False}).order_by("-pk"):
                    yield f"{holding.table}/{row.pk}/{field.name}", row, getattr(row, field.name)


def by_own_capability(person_ref: str, row: Model, sealed: Sealed) -> bool:
    """Whether people open it themselves: their own present contact and what hangs on it, not of before or of guests."""
    if (sealed.place.klass, "account") not in OPENS or sealed.place.ref != person_ref:
        return False
    return not isinstance(row, Contact) or row.state == Contact.CURRENT


def worker_purpose(klass: str) -> str:
    """For what the worker may open this class by itself; "" for nothing."""
    mine = [purpose for of, purpose in OPENS if of == klass and purpose in BY_DOOR["worker"] - NEVER]
    return next((purpose for purpose in ("notice", "bill") if purpose in mine), next(iter(mine), ""))


def batches(records: list[tuple[str, Sealed]], most: int) -> Iterator[list[tuple[str, Sealed]]]:
    """As many at a time as one question holds: a long message weighs more than an address."""
    part: list[tuple[str, Sealed]] = []
    weight = 0
    for record in records:
        size = len(record[1].ciphertext)
        if part and (len(part) == most or weight + size > BYTES_TOGETHER):
            yield part
            part, weight = [], 0
        part.append(record)
        weight += size
    if part:
        yield part


def _is_theirs(row: Export) -> bool:
    """Whether the request has the person's own capability, by the keeper's word."""
    contact = Contact.objects.filter(person=row.person_id, state=Contact.CURRENT, contact__isnull=False).first()
    if contact is None:
        return False
    try:
        capability = SUITE.decrypt(
            bytes(row.proof), worker_key.private(settings.TROTH.home), info=_info(row, "proof")
        ).decode()
        door().open([contact.contact], purpose="account", job="export", capability=capability)
    except (InvalidTag, ValueError, KeeperRefused):
        return False
    return True


def _opened(row: Export) -> dict[str, Any]:
    wanted: dict[str, list[tuple[str, Sealed]]] = {}
    for name, of, sealed in sealed_values(row.person_id):
        purpose = worker_purpose(sealed.place.klass)
        if purpose and not by_own_capability(row.person_id, of, sealed):
            wanted.setdefault(purpose, []).append((name, sealed))
    found: dict[str, Any] = {}
    for purpose, records in wanted.items():
        for part in batches(records[:MOST], TOGETHER):
            values = door().open([sealed for _name, sealed in part], purpose=purpose, job=row.id)
            found |= {name: msgspec.to_builtins(value) for (name, _s), value in zip(part, values, strict=True)}
    return found


def _info(row: Export, what: str) -> bytes:
    return f"troth export {what} 1 {row.pk} {row.person_id} ".encode() + bytes(row.public)
