"""The keeper's part for people who work here: loaded with the first question about them, no Django, no settings.

Who works here, in which roles and until when, second factors, and jobs on customers all stand in the keyring, and are
looked at again with every question and every opening. The web process brings capabilities and is believed nothing.
"""

from collections.abc import Callable, Generator
from typing import Any

import msgspec

from troth.pledge.keeper import messages as keeper
from troth.pledge.keeper.credentials import Credentials, Steps
from troth.pledge.keeper.room import Room
from troth.pledge.office import factors, jobs, messages, roster
from troth.pledge.office.desk import Desk
from troth.pledge.office.rehearsal import muster

Verb = Callable[[Desk, Any], Any]
VERBS: dict[str, dict[str, Verb]] = {
    "web": {
        "Invite": roster.invite, "Join": roster.join, "Roster": roster.colleagues, "Attest": roster.attest,
        "Put": roster.put, "Plant": factors.plant, "Enter": factors.enter, "Renew": factors.renew,
        "Leave": factors.leave, "Passkeys": factors.passkeys, "Count": factors.count,
        "Me": jobs.me, "Take": jobs.take, "Close": jobs.close, "Redirect": jobs.redirect,
    },
    "worker": {"Muster": muster},
}  # fmt: skip


def act(room: Room, credentials: Credentials, role: str, ask: keeper.Office) -> Steps:
    """Do what is asked. Refused "capability", "power" (the role lacks it), "fresh", "factor", "shape", and by verb."""
    try:
        question = messages.read_question(ask.asked)
    except msgspec.MsgspecError:
        raise keeper.Refused("shape") from None
    if (verb := VERBS[role].get(type(question).__name__)) is None:
        raise keeper.Refused("door")
    answer = verb(Desk(room, credentials), question)
    if isinstance(answer, Generator):
        answer = yield from answer
    return keeper.Answered(messages.encode(answer))


def may_open(room: Room, credentials: Credentials, ask: keeper.Open) -> str:
    """The role by which somebody who works here opens these records in their job. Refused otherwise."""
    return jobs.may_open(Desk(room, credentials), ask)
