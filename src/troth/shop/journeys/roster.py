"""The roster: the owner invites, attests for a time, reviews, suspends; a colleague joins with an account of theirs.

Every change is the keeper's, for the owner's session with a second factor of just now; here stand only the names by
which colleagues call one another.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from django.conf import settings

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.office import messages as office
from troth.shop.journeys.desk import ask
from troth.shop.staff.models import Member
from troth.shop.staff.short import code


def link(secret: str) -> str:
    return f"{settings.TROTH.web.public_url.rstrip('/')}/desk/join/{secret}"


def fresh_secret() -> tuple[str, bytes]:
    """What goes into an invitation's link, and the hash of it that the keeper gets."""
    secret = secrets.token_urlsafe(24)
    return secret, hashlib.sha256(secret.encode()).digest()


def invite(capability: str, fresh: str, roles: Iterable[str], kind: str) -> str:
    """The link of an invitation, good for a week and once. Refused; KeeperAway."""
    secret, token = fresh_secret()
    ask(office.Invite(capability, fresh, token, list(roles), kind), office.Done)
    return link(secret)


def join(person_ref: str, own: str, secret: str, handle: str) -> None:
    """Take an invitation up. Without the owner's attestation it gives no power yet. Refused; KeeperAway."""
    ask(office.Join(own, secret), office.Done)
    Member.objects.update_or_create(person_id=person_ref, defaults={"handle": handle})
    due.hasten("check", "P17")


class Line(msgspec.Struct, frozen=True):
    """A colleague as the roster shows them."""

    ref: str
    code: str
    handle: str
    roles: list[str]
    kind: str
    state: str  # joined, active, lapsed, suspended, ended
    until: datetime | None
    review_by: datetime
    second_factor: bool

    @property
    def review_due(self) -> bool:
        return self.state == "active" and self.review_by <= clock.now()


def colleagues(capability: str) -> list[Line]:
    """Everybody who works here or did. Refused unless owner or privacy officer; KeeperAway."""
    found = ask(office.Roster(capability), office.Colleagues).all
    handles = dict(Member.objects.filter(pk__in=[one.ref for one in found]).values_list("pk", "handle"))
    lines = [_line(one, handles.get(one.ref, "")) for one in found]
    return sorted(lines, key=lambda one: (one.state == "ended", one.handle.casefold()))


def attest(capability: str, fresh: str, ref: str, roles: Iterable[str], kind: str, until: datetime) -> None:
    """The owner's word: this account is an employee's (or an agency's), in these roles, until then."""
    ask(office.Attest(capability, fresh, ref, list(roles), kind, int(until.timestamp())), office.Done)
    due.hasten("check", "P17")


def put(capability: str, fresh: str, ref: str, state: str) -> None:
    """Suspend, take back ("active"), end, or say that all stays as it is ("reviewed")."""
    ask(office.Put(capability, fresh, ref, state), office.Done)
    due.hasten("check", "P17")


def _line(one: office.Colleague, handle: str) -> Line:
    until = datetime.fromtimestamp(one.until, UTC) if one.until else None
    state = "lapsed" if one.state == "active" and until and until <= clock.now() else one.state
    review_by = datetime.fromtimestamp(one.reviewed, UTC) + timedelta(days=settings.TROTH.policy.roster_days)
    return Line(
        one.ref, code(one.ref), handle or code(one.ref), one.roles, one.kind, state, until, review_by, one.second_factor
    )
