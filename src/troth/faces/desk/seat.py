"""Who sits at the desk, for one request: what the keeper said, and the cookies it said it to.

Three cookies, of the desk's path alone and never sent along from another site: a session (the keeper's capability),
the second factor of just now, and between password and code the proof of the password. No table knows any of them,
and none is a customer's.
"""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.pledge.office import messages as office
from troth.pledge.office import policy
from troth.shop.journeys import desk

SESSION, FRESH, HALF, DEVICE = "troth_desk", "troth_desk_fresh", "troth_desk_half", "troth_desk_device"
PATH = "/desk"
HALF_AGE, DEVICE_AGE = 900, 400 * 86400  # seconds


class Seat(msgspec.Struct, frozen=True):
    """`capability` and `fresh` go to the keeper with every question and to no page."""

    told: office.Seat
    capability: str
    fresh: str

    def __repr__(self) -> str:
        return "<seat>"

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the keeper says they have now: none while unattested, lapsed or suspended."""
        return frozenset(self.told.roles)

    def job(self, job_id: str) -> office.Job | None:
        """An open job of theirs."""
        return next((job for job in self.told.jobs if job.id == job_id), None)

    def job_on(self, person_ref: str) -> office.Job | None:
        """An open job of theirs on this customer."""
        return next((job for job in self.told.jobs if person_ref in job.persons), None)


def of(request: HttpRequest) -> Seat | None:
    """None for a visitor. KeeperAway."""
    capability, fresh = request.COOKIES.get(SESSION, ""), request.COOKIES.get(FRESH, "")
    told = desk.seat(capability, fresh)
    return Seat(told, capability, fresh) if told else None


def half_way(request: HttpRequest) -> str:
    """The proof of a password that still lacks its second factor, or ""."""
    return request.COOKIES.get(HALF, "")


def begin(response: HttpResponse, own: str, device: str) -> None:
    """The password was right: for some minutes a code may follow."""
    give(response, HALF, own, HALF_AGE)
    if device:
        give(response, DEVICE, device, DEVICE_AGE)


def sit_down(response: HttpResponse, entered: office.Entered) -> None:
    give(response, SESSION, entered.capability, policy.SHIFT)
    give(response, FRESH, entered.fresh, policy.FRESH)
    response.delete_cookie(HALF, path=PATH, samesite="Strict")


def stand_up(response: HttpResponse) -> None:
    for name in (SESSION, FRESH, HALF):
        response.delete_cookie(name, path=PATH, samesite="Strict")


def give(response: HttpResponse, name: str, value: str, age: int) -> None:
    response.set_cookie(
        name, value, max_age=age, path=PATH, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict"
    )
