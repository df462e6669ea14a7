"""The keeper's part for lawful disclosure (P12): loaded with the first question about one; no Django, no settings.

The only way by which anything is opened for the purpose `legal`. What is opened leaves this process sealed to the
recipient whom the approved scope names: neither web nor worker, nor whoever captured them, reads it on its way.
"""

from collections.abc import Callable, Generator
from typing import Any

import msgspec
import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.pledge.disclosure import messages, rules
from troth.pledge.disclosure.bundle import bundled
from troth.pledge.disclosure.case import Case, Cases
from troth.pledge.disclosure.rehearsal import rehearse
from troth.pledge.keeper import messages as keeper
from troth.pledge.keeper.credentials import Credentials, Steps
from troth.pledge.keeper.messages import Refused, raw_ref, ref_name
from troth.pledge.keeper.room import Room
from troth.pledge.office import jobs, policy

Verb = Callable[[Cases, Any], Any]


def act(room: Room, credentials: Credentials, role: str, ask: keeper.Disclosure) -> Steps:
    """Do what is asked. Refused "capability", "power", "fresh" as at the desk, and by verb."""
    try:
        question = messages.read_question(ask.asked)
    except msgspec.MsgspecError:
        raise Refused("shape") from None
    if (verb := VERBS[role].get(type(question).__name__)) is None:
        raise Refused("door")
    cases = Cases(room, credentials)
    cases.end_holds()
    answer = verb(cases, question)
    if isinstance(answer, Generator):
        answer = yield from answer
    return keeper.Answered(messages.encode(answer))


def file(cases: Cases, ask: messages.File) -> messages.Standing:
    """Refused as rules.wrong says, "recipient", or "done" for a case that was handed over."""
    raw, scope = cases.approver(ask.capability, ask.fresh), read(ask.scope)
    if code := rules.wrong(scope, cases.now()):
        raise Refused(code)
    try:
        pyrage.x25519.Recipient.from_str(scope.recipient)
    except pyrage.RecipientError:
        raise Refused("recipient") from None
    hashed = rules.hash_of(ask.scope)
    before = cases.find(scope.case)
    if before is not None and (before.handed or before.hash == hashed):
        if before.hash != hashed:
            raise Refused("done")
        return cases.standing(before, raw)
    cases.file(scope, hashed, raw)
    return cases.standing(cases.found(scope.case), raw)


def approve(cases: Cases, ask: messages.Approve) -> messages.Standing:
    """Refused "scope" for another than is filed, "filer", "done". Said twice it is one approval."""
    raw, case = cases.approver(ask.capability, ask.fresh), cases.found(ask.case, ask.hash)
    if raw == case.filer and not rules.filer_counts(raw, cases.able(), cases.needed()):
        raise Refused("filer")
    cases.approve(case, raw)
    return cases.standing(case, raw)


def register(cases: Cases, ask: messages.Register) -> messages.Standing:
    """An outside approver, by the owner. Refused "shape" for what is no key."""
    cases.desk.owner(ask.capability, ask.fresh)
    try:
        Ed25519PublicKey.from_public_bytes(ask.key)
    except ValueError:
        raise Refused("shape") from None
    cases.db.execute("INSERT OR IGNORE INTO disclosure_outsider VALUES (?, ?)", (ask.key, cases.now()))
    cases.tell("outside approver", key=ask.key.hex())
    return messages.Standing()


def sign(cases: Cases, ask: messages.Sign) -> messages.Standing:
    """Refused "outsider" for a key that is not known, or of less than three days, "signature", "scope", "done"."""
    raw, _, _ = cases.desk.seated(ask.capability)
    case = cases.found(ask.case, ask.hash)
    since = cases.db.value("SELECT since FROM disclosure_outsider WHERE key = ?", ask.key)
    if since is None or cases.now() < since + rules.WAIT:
        raise Refused("outsider")
    try:
        Ed25519PublicKey.from_public_bytes(ask.key).verify(ask.signature, rules.SIGNED_AS + ask.hash)
    except InvalidSignature:
        raise Refused("signature") from None
    cases.db.execute("UPDATE disclosure SET outside = ? WHERE id = ?", (cases.now(), case.id))
    cases.tell("approved outside", scope=case.hash.hex())
    return cases.standing(case, raw)


def prolong(cases: Cases, ask: messages.Prolong) -> messages.Standing:
    """Refused "notice" where none was forbidden, for one that is over, or not later, or too late."""
    raw, case, now = cases.approver(ask.capability, ask.fresh), cases.found(ask.case), cases.now()
    if not now < case.bar < ask.until <= now + rules.LONGEST_BAR or len(ask.document) != 32:
        raise Refused("notice")
    cases.prolong(case, ask.document, ask.until)
    return cases.standing(cases.found(case.id), raw)


def drop(cases: Cases, ask: messages.Drop) -> messages.Standing:
    cases.approver(ask.capability, ask.fresh)
    case = cases.find(ask.case)
    if case is not None and case.handed:
        raise Refused("done")
    cases.drop(ask.case)
    return messages.Standing()


def look(cases: Cases, ask: messages.Look) -> messages.Standing:
    raw, _, roles = cases.desk.seated(ask.capability)
    if not rules.MAY_APPROVE & set(roles):
        raise Refused("power")
    case = cases.find(ask.case)
    return messages.Standing() if case is None else cases.standing(case, raw)


def who(cases: Cases, ask: messages.Who) -> messages.Persons:
    """Refused "unknown", "budget". A search is counted and noted, and says nothing to whom it finds."""
    raw = cases.approver(ask.capability, ask.fresh)
    if ask.mailbox:
        cases.desk.room.spend(raw + b" searches", 1, policy.SEARCHES_A_DAY, rules.DAY)
        cases.desk.tell("search", role="disclosure")
    found = sorted(jobs.named(cases.desk, ask.mailbox) if ask.mailbox else jobs.whole(cases.desk, raw_ref(ask.ref)))
    if not found:
        raise Refused("unknown")
    return messages.Persons([ref_name(one) for one in found])


def hand_over(cases: Cases, ask: messages.HandOver) -> Generator[Any, Any, messages.Handed]:
    """Refused "scope", "unready" (approvals, the customer's notice, the wait), "restricted", "gone", "seal"."""
    case, scope, by = _ready(cases, ask)
    if case.handed:
        return messages.Handed(case.sealed, len(scope.places), case.approvals)
    sealed = yield from bundled(cases.desk, case, scope, ask)
    case, scope, by = _ready(cases, ask)  # what changed meanwhile counts
    if not case.handed:
        cases.handed(case, scope, sealed, by)
        case = cases.found(case.id)
    return messages.Handed(case.sealed, len(scope.places), case.approvals)


def _ready(cases: Cases, ask: messages.HandOver) -> tuple[Case, messages.Scope, int]:
    raw, scope = cases.approver(ask.capability, ask.fresh), read(ask.scope)
    case = cases.found(scope.case, rules.hash_of(ask.scope), handed=True)
    if [record.place for record in ask.records] != scope.places:
        raise Refused("scope")
    standing = cases.standing(case, raw)
    if not standing.ready and not case.handed:
        raise Refused("unready")
    return case, scope, cases.approvals(case)


def read(scope: bytes) -> messages.Scope:
    try:
        return messages.read_scope(scope)
    except msgspec.MsgspecError:
        raise Refused("shape") from None


def _rehearse(cases: Cases, ask: messages.Rehearse) -> messages.Rehearsed:
    opened, shut = rehearse(cases, file, approve, hand_over)
    done = cases.db.execute("SELECT hash FROM disclosure WHERE handed ORDER BY handed").fetchall()
    return messages.Rehearsed(opened, shut, [row[0].hex() for row in done])


VERBS: dict[str, dict[str, Verb]] = {
    "web": {
        "File": file, "Approve": approve, "Register": register, "Sign": sign, "HandOver": hand_over, "Drop": drop,
        "Prolong": prolong, "Look": look, "Who": who,
    },
    "worker": {"Rehearse": _rehearse},
}  # fmt: skip
