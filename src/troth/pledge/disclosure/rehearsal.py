"""A rehearsal: invented colleagues try to hand an invented customer over, through the verbs themselves. None of it
stays. So that "by two, for exactly this scope" is asked of the keeper that runs.
"""

import secrets
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import msgspec
import pyrage

from troth.pledge.disclosure import messages, rules
from troth.pledge.disclosure.case import Cases
from troth.pledge.keeper.messages import Place, Record, Refused, raw_ref
from troth.pledge.keeper.policy import BY_CAPABILITY, BY_DOOR
from troth.pledge.office import policy
from troth.pledge.vault.sealing import read_key_set, seal

# what somebody tries -> what is different about it: (scope, who approves, what happens to the keyring before the end)
Try = tuple[dict[str, object], str, str]
Step = Callable[[Cases, Any], Any]
LAWFUL: Try = ({}, "bc", "")
TRIES: dict[str, Try] = {
    "approved by one person twice": ({}, "bb", ""),
    "approved by the filer where others could": ({}, "ab", ""),
    "approved by nobody": ({}, "", ""),
    "with a scope that was changed after approval": ({}, "bc", "changed"),
    "with approvals that are too old": ({}, "bc", "UPDATE disclosure_yes SET at = at - 9999999"),
    "after an approver lost the role": ({}, "bc", "UPDATE staff SET roles = 'catalogue' WHERE ref = :b"),
    "after an approver was suspended": ({}, "bc", "UPDATE staff SET state = 'suspended' WHERE ref = :b"),
    "wider than the document asks": ({"since": 0}, "bc", ""),
    "with a field the document does not ask for": ({"fields": {"contact": ["name", "email"]}}, "bc", ""),
    "on a basis that is not one of the three": ({"basis": "d"}, "bc", ""),
    "on no ground of its basis": ({"grounds": []}, "bc", ""),
    "without having called the issuer back": ({"checked": ["issuer", "jurisdiction", "narrowed"]}, "bc", ""),
    "before the customer's notice is over": ({}, "bc", "UPDATE disclosure SET earliest = filed + 99999999"),
    "with neither notice nor bar": ({"notice_days": 0}, "bc", ""),
}


class _Over(Exception):
    """The rehearsal ends, and with it all that it wrote."""


def rehearse(cases: Cases, file: Step, approve: Step, hand_over: Step) -> tuple[list[str], list[str]]:
    """What was handed over and must not be; what was not and must."""
    lawful = _hands_over(cases, LAWFUL, file, approve, hand_over)
    opened = [what for what, how in TRIES.items() if _hands_over(cases, how, file, approve, hand_over)]
    doors = [*BY_DOOR.values(), *BY_CAPABILITY.values(), *(grants.keys() for grants in policy.GRANTS.values())]
    if any("legal" in purposes for purposes in doors):
        opened.append("by a door, without a case")
    return opened, [] if lawful else ["approved by two others"]


def _hands_over(cases: Cases, how: Try, file: Step, approve: Step, hand_over: Step) -> bool:
    changed, who, then = how
    done, db = False, cases.db
    with suppress(_Over), db.step():
        db.execute("DELETE FROM staff")
        raws = {name: raw_ref(cases.desk.room.persons.make().ref) for name in "abc"}
        for raw in raws.values():
            row = (raw, "officer", "employee", "active", cases.now() + 3600)
            db.execute("INSERT INTO staff VALUES (?, ?, ?, ?, ?, 0, NULL, 1)", row)
        keys = {
            n: (cases.desk.issue(raw, "staff", 600), cases.desk.issue(raw, "fresh", 600)) for n, raw in raws.items()
        }
        record = _record(cases)
        scope = msgspec.structs.replace(_scope(record.place, cases.now()), **changed)
        with suppress(Refused):
            body = messages.encode(scope)
            file(cases, messages.File(*keys["a"], body))
            db.execute("UPDATE disclosure SET earliest = filed WHERE id = ?", (scope.case,))
            for name in who:
                with suppress(Refused):
                    approve(cases, messages.Approve(*keys[name], scope.case, rules.hash_of(body)))
            if then == "changed":
                body = messages.encode(msgspec.structs.replace(scope, until=scope.until - 1))
            elif then:
                db.execute(then, raws if ":b" in then else ())
            done = bool(_drained(hand_over(cases, messages.HandOver(*keys["a"], body, [record]))))
        raise _Over
    return done


def _drained(steps: Generator[Any, Any, messages.Handed]) -> bytes:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return bytes(end.value.sealed)


def _record(cases: Cases) -> Record:
    blank = cases.desk.room.persons.make()
    keys = read_key_set(cases.desk.room.keys.sign.public_key(), blank.key_set, blank.ref)
    place = Place("rehearsal", "contact", "1", blank.ref, "contact", 1)
    return Record(place, seal(keys, place, msgspec.msgpack.encode({"name": "Nobody", "email": "nobody@example.org"})))


def _scope(place: Place, now: int) -> messages.Scope:
    asked = messages.Asked({"contact": ["name"]}, 1, now - 2000, now)
    return messages.Scope(
        f"dsc_{'a' * 26}", secrets.token_bytes(16), "a", ["court-order"], "", bytes(32), "DE", bytes(32),
        str(pyrage.x25519.Identity.generate().to_public()), sorted(rules.CHECKED["a"]), asked, {"contact": ["name"]},
        now - 1000, now, [place], 14,
    )  # fmt: skip
