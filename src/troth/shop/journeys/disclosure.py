"""Disclosure: from a document that asks for somebody to a bundle for its sender, or to a no (P12).

What counts stands with the keeper: the filed scope's hash, who approved it, until when. It opens what was approved and
seals it to the recipient, so that a customer's data pass through here unreadable.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.disclosure import messages, rules
from troth.pledge.due import loop as due
from troth.pledge.ids import SHAPE
from troth.pledge.vault.classes import Enclosure, Words
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed, seal
from troth.pledge.vault.models import Person
from troth.shop.delivery.letters import queue
from troth.shop.disclosure import no, records, told
from troth.shop.disclosure.models import Bar, Case, Document, Named, OutsideApprover, Sheet
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused
from troth.shop.support.files import Intake
from troth.shop.support.models import Attachment, Piece

Answer = TypeVar("Answer", bound=messages.Answer)
MOST_BYTES, MOST_OF_FILES = 900_000, 800_000  # of sealed values in one question to the keeper; of files among them
FILES = Attachment._meta.db_table


class Seat(msgspec.Struct, frozen=True):
    """Who does it: a session at the desk, with a second factor of just now."""

    capability: str
    fresh: str

    def __repr__(self) -> str:
        return "<seat>"


class Request(msgspec.Struct, frozen=True):
    """What came in. `name`: of the legal action or matter; `fields`: class -> fields that the document asks for."""

    basis: str
    grounds: list[str]
    action: str
    name: str
    reasons: str
    authority: str
    called: str
    country: str
    recipient: str
    fields: dict[str, list[str]]
    persons: int
    since: datetime
    until: datetime
    document: Intake
    answer_by: datetime | None = None

    def __repr__(self) -> str:
        return "<request>"


class Narrowed(msgspec.Struct, frozen=True):
    """What of it is to be handed over. `who`: order numbers and whole e-mail addresses. `bar`: the document that
    forbids to tell the customers, with the day on which that ends."""

    who: list[str]
    fields: dict[str, list[str]]
    since: datetime
    until: datetime
    checked: list[str]
    notice_days: int = 14
    bar: Intake | None = None
    bar_until: datetime | None = None

    def __repr__(self) -> str:
        return "<narrowed>"


def ask(question: messages.Question, wanted: type[Answer], field: str = "") -> Answer:
    """What the keeper answers. Refused with one sentence (and the keeper's `code`); KeeperAway."""
    try:
        return door().on_disclosure(question, wanted)
    except KeeperRefused as refused:
        sentence = no.said(refused, field)
    raise sentence


def receive(seat: Seat, request: Request) -> Case:
    """Write a case down, and its document's hash into the ledger. Nothing of any customer is looked at yet.

    Refused for a basis that is none of the three, or lacks what it must name; NoBlank; KeeperAway.
    """
    ask(messages.Look(seat.capability, ""), messages.Standing)  # whoever has no role for it gets no further
    allowed = rules.BASES.get(request.basis, set())
    if (
        not request.grounds
        or not set(request.grounds) <= allowed
        or (request.basis != "c" and len(request.grounds) > 1)
    ):
        raise Refused(no.SENTENCES["basis"], "basis")
    if request.action not in rules.ACTIONS[request.basis] or not (request.name.strip() or request.basis == "a"):
        raise Refused(_("Name the legal action or matter, and say whether it is current or pending."), "name")
    if not request.fields or not request.since < request.until:
        raise Refused(_("Say which fields the document asks for, and from which day to which."), "wanted")
    with transaction.atomic():
        return _written(request)


def _written(request: Request) -> Case:
    person, _secret = Person.take()
    asked = messages.Asked(request.fields, request.persons, _seconds(request.since), _seconds(request.until))
    case = Case(
        person=person, basis=request.basis, grounds=sorted(request.grounds), action=request.action,
        country=request.country, recipient=request.recipient, document=request.document.sha256.hexdigest(),
        asked=msgspec.to_builtins(asked), salt=secrets.token_bytes(16), answer_by=request.answer_by,
    )  # fmt: skip
    seal(case, "statement", Words(request.reasons, request.name))
    seal(case, "issuer", Words(request.called, request.authority))
    case.save(force_insert=True)
    _keep(case, request.document)
    told.note(case, told.received(case))
    return case


def _keep(case: Case, intake: Intake) -> None:
    row = Document(
        id=intake.id, case=case, person=case.person, size=intake.size, sha256=intake.sha256.hexdigest()
    )  # fmt: skip
    seal(row, "enclosure", Enclosure(intake.name, intake.kind, intake.key))
    row.save(force_insert=True)
    for n, piece in enumerate(intake.pieces()):
        Sheet.objects.create(document=row, n=n, sealed=piece)


def narrow(seat: Seat, case: Case, to: Narrowed) -> messages.Standing:
    """Put exactly this up for approval; what was approved before is void. Customers are told, or a bar is recorded."""
    if (to.bar is None) != (to.bar_until is None):
        raise Refused(_("A bar has both: the document that forbids to tell the customer, and its last day."), "bar")
    refs = _persons(seat, to.who)
    sealed = records.held(refs, to.fields, to.since, to.until)
    if not sealed or len(sealed) > rules.MOST:
        raise Refused(_("That is %(count)d records; it must be between one and 200.") % {"count": len(sealed)}, "who")
    if _files_of(sealed).aggregate(bytes=Sum("size", default=0))["bytes"] > MOST_OF_FILES:
        raise Refused(_("The files of these days are too large for one bundle (800 kB): narrow the days."), "until")
    scope = _scope(case, to, sealed)
    body = messages.encode(scope)
    standing = ask(messages.File(seat.capability, seat.fresh, body), messages.Standing)
    with transaction.atomic():
        if not case.move((Case.OPEN, Case.FILED), Case.FILED, scope=body, checked=sorted(to.checked)):
            raise Refused(no.SENTENCES["done"])
        case.named.all().delete()
        people = [Named.objects.create(case=case, person_id=ref) for ref in sorted({one.place.ref for one in sealed})]
        if to.bar is not None and to.bar_until is not None:
            _barred(case, to.bar, to.bar_until, people)
        else:
            for one in people:
                queue("disclosure-notice", str(one.pk), one.person)
    return standing


def _scope(case: Case, to: Narrowed, sealed: Sequence[Sealed]) -> messages.Scope:
    statement = hashlib.sha256(b"".join(bytes(value.ciphertext) for value in (case.statement, case.issuer))).digest()
    return messages.Scope(
        case.ref, secrets.token_bytes(16), case.basis, case.grounds, case.action, statement, case.country,
        bytes.fromhex(case.document), case.recipient, sorted(to.checked), msgspec.convert(case.asked, messages.Asked),
        to.fields, _seconds(to.since), _seconds(to.until), [value.place for value in sealed],
        0 if to.bar_until else to.notice_days, _seconds(to.bar_until) if to.bar_until else 0,
    )  # fmt: skip


def _persons(seat: Seat, who: Sequence[str]) -> list[str]:
    found: set[str] = set()
    for name in who:
        order = Order.found(name.lower()) if SHAPE.match(name.lower()) else None
        if order is None and "@" not in name:
            raise Refused(_("Name each customer by an order number, which begins with ord_, or by e-mail."), "who")
        by = {"ref": order.person_id} if order else {"mailbox": name}
        found |= set(ask(messages.Who(seat.capability, seat.fresh, **by), messages.Persons, "who").refs)
    return sorted(found)


def _barred(case: Case, document: Intake, until: datetime, people: Sequence[Named]) -> None:
    _keep(case, document)
    bar = Bar.objects.create(case=case, document=document.sha256.hexdigest(), until=until)
    told.note(case, told.barred(case, bar), f"bar-{bar.pk}")
    for one in people:
        due.add("disclosure-told", str(one.pk), after=(until - clock.now()).total_seconds())


def prolong(seat: Seat, case: Case, document: Intake, until: datetime) -> None:
    """The customers are told later, as another document demands. It stands in the ledger. Refused without one."""
    if case.bars.filter(document=document.sha256.hexdigest()).exists():
        raise Refused(_("This is the document of before: only another one prolongs a bar."), "bar")
    ask(
        messages.Prolong(seat.capability, seat.fresh, case.ref, document.sha256.digest(), _seconds(until)),
        messages.Standing,
        "bar_until",
    )
    with transaction.atomic():
        _barred(case, document, until, ())


def standing(capability: str, case: Case) -> messages.Standing:
    return ask(messages.Look(capability, case.ref), messages.Standing)


def approve(seat: Seat, case: Case) -> messages.Standing:
    """My yes to the scope as it stands on the page: to its hash."""
    question = messages.Approve(seat.capability, seat.fresh, case.ref, scope_hash(case))
    return ask(question, messages.Standing)


def register_outsider(seat: Seat, key: bytes, label: str) -> None:
    ask(messages.Register(seat.capability, seat.fresh, key), messages.Standing, "key")
    OutsideApprover.objects.get_or_create(key=key.hex(), defaults={"label": label})


def sign(capability: str, case: Case, key: bytes, signature: bytes) -> messages.Standing:
    """An outside approver's yes to this scope."""
    question = messages.Sign(capability, case.ref, scope_hash(case), key, signature)
    return ask(question, messages.Standing, "signature")


def hand_over(seat: Seat, case: Case) -> Case:
    """The bundle for the recipient. Whoever asks again gets the same one; each record is opened once."""
    scope = read_scope(case)
    refs = sorted({place.ref for place in scope.places})
    kept = records.held(refs, scope.fields, _time(scope.since), _time(scope.until))
    values = {value.place: value.record for value in kept}
    if any(place not in values for place in scope.places):
        raise Refused(_("Something of this scope is no longer held: narrow it again, and have that approved."))
    asked = [values[place] for place in scope.places]
    files = _pieces(kept)
    sizes = [len(record.sealed) for record in asked] + [len(one) for pieces in files.values() for one in pieces]
    if sum(sizes) > MOST_BYTES:
        raise Refused(_("That is too much for one bundle: narrow the dates, and have that approved."))
    question = messages.HandOver(seat.capability, seat.fresh, bytes(case.scope or b""), asked, files)
    given = ask(question, messages.Handed)
    counts = {"accounts": len(refs), "fields": sum(len(names) for names in scope.fields.values())}
    with transaction.atomic():
        if case.move(
            (Case.FILED,), Case.HANDED, bundle=given.sealed, outcome=Case.DISCLOSED, approvals=given.approvals,
            handed_at=clock.now(), **counts,
        ):  # fmt: skip
            told.note(case, told.ended(case))
            _tell(case)
    return Case.objects.get(pk=case.pk)


def _files_of(sealed: Sequence[Sealed]) -> QuerySet[Attachment]:
    """The files among what is held: those whose keys these values are."""
    return Attachment.objects.filter(pk__in=[one.place.row for one in sealed if one.place.table == FILES])


def _pieces(sealed: Sequence[Sealed]) -> dict[str, list[bytes]]:
    """Their pieces, as sealed as they lie, which the keeper alone can put together."""
    found: dict[str, list[bytes]] = {}
    rows = Piece.objects.filter(attachment__in=_files_of(sealed)).order_by("attachment", "n")
    for row, piece in rows.values_list("attachment_id", "sealed"):
        found.setdefault(row, []).append(bytes(piece))
    return found


def end(seat: Seat, case: Case, outcome: str) -> Case:
    """Without a disclosure: refused, withdrawn by who asked, or nothing was held. Or, handed over, done with."""
    if case.state == Case.HANDED:
        case.move((Case.HANDED,), Case.CLOSED, bundle=None, closed_at=clock.now())
        return case
    if outcome not in Case.OUTCOMES:
        raise Refused(_("Say how it ended."), "outcome")
    ask(messages.Drop(seat.capability, seat.fresh, case.ref), messages.Standing)
    with transaction.atomic():
        if case.move((Case.OPEN, Case.FILED), Case.CLOSED, outcome=outcome, closed_at=clock.now()):
            told.note(case, told.ended(case))
            _tell(case)
    return case


def _tell(case: Case) -> None:
    """What came of it, to those who may be told now. The others' letters are due on the last day of the bar."""
    if not case.bars.exists():
        for one in case.named.all():
            due.add("disclosure-told", str(one.pk))


def read_scope(case: Case) -> messages.Scope:
    """Refused where none was filed."""
    if not case.scope:
        raise Refused(no.SENTENCES["scope"])
    return messages.read_scope(bytes(case.scope))


def scope_hash(case: Case) -> bytes:
    read_scope(case)
    return rules.hash_of(bytes(case.scope or b""))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
