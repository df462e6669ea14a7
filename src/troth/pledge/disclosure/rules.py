"""When personal data may be handed to somebody outside: P12 as the keeper goes by it. Nothing here asks the program.

(a) a subpoena, a court order or such legal process; (b) a government agency or an attorney who subpoenas it, or
formally requests discovery, pursuant to a named legal action; (c) the shop's own attorney, for a named legal matter in
which the customer is or may become a party, or contributed to what caused it.
"""

import hashlib

from troth.pledge.disclosure.messages import Asked, Scope
from troth.pledge.keeper.policy import OPENS

BASES = {
    "a": {"subpoena", "court-order", "legal-process"},
    "b": {"agency", "attorney"},
    "c": {"actual-party", "potential-party", "contributed"},
}
ACTIONS = {"a": {""}, "b": {"current", "pending"}, "c": {"current", "pending"}}
# What somebody has to have looked into before a scope is filed. "call-back": the issuer was called at a number that
# was found independently of the document.
CHECKED = {
    "a": {"call-back", "issuer", "jurisdiction", "narrowed"},
    "b": {"call-back", "issuer", "jurisdiction", "narrowed"},
    "c": {"call-back", "issuer", "matter", "part", "narrowed"},
}
MAY_APPROVE = frozenset({"officer", "owner"})
DAY = 86400
LEAST, GOOD_FOR, WAIT = 2, 30 * DAY, 3 * DAY  # approvals; an approval's life; of one alone, and of an outsider's key
MOST, LONGEST_BAR = 200, 3 * 366 * DAY  # records in a case; seconds of a bar
SIGNED_AS, HASHED_AS = b"troth disclosure approval 1\0", b"troth disclosure scope 1\0"


def hash_of(scope: bytes) -> bytes:
    return hashlib.sha256(HASHED_AS + scope).digest()


def wrong(scope: Scope, now: int) -> str:
    """What keeps this scope from being filed: "basis", "checked", "wider", "shape"; "" if nothing does."""
    grounds = set(scope.grounds)
    if not grounds or not grounds <= BASES.get(scope.basis, set()) or (scope.basis != "c" and len(grounds) > 1):
        return "basis"
    if scope.action not in ACTIONS[scope.basis] or len(scope.statement) != 32 or len(scope.document) != 32:
        return "basis"
    if set(scope.checked) != CHECKED[scope.basis]:
        return "checked"
    if wider(scope, scope.asked):
        return "wider"
    if not 0 < len(scope.places) <= MOST or len(scope.salt) != 16 or len(scope.country) != 2:
        return "shape"
    if any((klass, "legal") not in OPENS for klass in scope.fields):
        return "shape"
    told = 1 <= scope.notice_days <= 90 and not scope.bar_until
    return "" if told or now < scope.bar_until <= now + LONGEST_BAR else "notice"


def wider(scope: Scope, asked: Asked) -> bool:
    """Whether it would hand over more than the document asks for, or records that are not of its own fields."""
    fields = all(set(names) and set(names) <= set(asked.fields.get(one, ())) for one, names in scope.fields.items())
    dates = asked.since <= scope.since < scope.until <= asked.until
    places = {place.klass for place in scope.places} <= scope.fields.keys()
    return not (fields and dates and places and len({place.ref for place in scope.places}) <= asked.persons)


def still_counts(at: int, now: int, same: bool, roles: tuple[str, ...], reviewed: int) -> bool:
    """Whether an approval of then is one now: in time, and nothing changed about who gave it.

    `same`: no capability of theirs was ended since (suspended, a new password); `reviewed`: when they were last
    attested, as who lost a role and got it back approves again.
    """
    return now < at + GOOD_FOR and same and bool(MAY_APPROVE & set(roles)) and reviewed <= at


def filer_counts(filer: bytes, able: set[bytes], needed: int) -> bool:
    """The filer is none of the approvers where there are enough others."""
    return len(able - {filer}) < needed


def enough(approved: set[bytes], able: set[bytes], needed: int, outside: bool, waited: int) -> int:
    """By how many it is approved; 0: not. Of too few, all who are here, and an outsider or three days of waiting."""
    few = len(able) < needed
    count = len(approved) + (1 if few and outside else 0)
    if count >= needed:
        return count
    return len(approved) if few and approved == able and approved and waited >= WAIT else 0
