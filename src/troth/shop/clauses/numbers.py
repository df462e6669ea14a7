"""The numbers of `[policy]`: what each means, which promises rest on it, and what another one would change.

The settings stay the source: nothing here writes them. Whoever may change `troth.toml` on the server changes a number;
this says beforehand what customers will then read, who is told, from when it counts, and which check looks.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, get_type_hints

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.config import Policy
from troth.config_sense import senseless
from troth.pledge import clock
from troth.pledge.policy.models import Version
from troth.shop.clauses import BY_ID, versions
from troth.shop.clauses.versions import Change
from troth.shop.refusal import Refused

# name -> what it means, the promises that rest on it
MEANINGS: dict[str, tuple[object, tuple[str, ...]]] = {
    "network_days": (_("days for which an IP address is kept against fraud"), ("P11",)),
    "download_days": (_("days after the purchase in which it can be downloaded"), ("P8",)),
    "download_limit": (_("downloads of each file"), ("P8",)),
    "link_hours": (_("hours for which a link in a letter is good"), ("P8",)),
    "session_days": (_("days until somebody has to sign in again"), ()),
    "abandon_hours": (_("hours after which an order that nobody paid lapses"), ()),
    "disclosure_approvals": (_("people who must approve a lawful disclosure"), ("P12",)),
    "erase_window": (_("hours in which a wish to be forgotten can be cancelled"), ()),
    "tax_years": (_("years for which billing addresses are kept for tax"), ("P6",)),
    "answer_days": (_("days in which a question is answered"), ("P19",)),
    "correspondence_days": (_("days after which a closed conversation is deleted"), ("P19",)),
    "unconfirmed_days": (_("days after which an account that nobody confirmed is deleted"), ()),
    "change_notice_days": (_("days between telling a change of the policy and its counting"), ("P20",)),
    "abandoned_days": (_("days after which a guest who never paid is forgotten"), ()),
    "marketing_basis": (_("whom the shop may write to about news"), ("P9",)),
    "release_notices": (_("what word of a new release is"), ("P9",)),
    "roster_days": (_("days in which the owner looks through the colleagues again"), ("P17",)),
}


class Number(msgspec.Struct, frozen=True):
    """`choices`: the words that may stand there; none for a whole number."""

    name: str
    value: int | str
    meaning: object
    clauses: list[str]
    choices: list[str]


class Would(msgspec.Struct, frozen=True):
    """What a change would do. `counts`: not before this day, as its letters must all be on their way first."""

    number: Number
    value: int | str
    changes: list[Change]
    counts: datetime
    line: str
    checks: list[tuple[str, str]]  # clause, what its check does


def every() -> list[Number]:
    """All of them, in the order of the settings."""
    hints, held = get_type_hints(Policy), msgspec.structs.asdict(settings.TROTH.policy)
    return [
        Number(name, value, *_meant(name), choices=[str(one) for one in getattr(hints[name], "__args__", ())])
        for name, value in held.items()
    ]


def would(name: str, typed: str) -> Would:
    """What would be said and done if this stood in the settings instead. Refused for what could not stand there."""
    number = next((one for one in every() if one.name == name), None)
    if number is None:
        raise Refused(_("Choose one of the numbers."), "name")
    value = _value(number, typed.strip())
    said = versions.text()
    said_then = said | {"numbers": said["numbers"] | {name: value}}
    changes = versions.difference(Version(text=said), Version(text=said_then))
    notice = value if name == "change_notice_days" else settings.TROTH.policy.change_notice_days
    checks = [(one, check.name) for one in number.clauses if one in BY_ID for check in BY_ID[one].checks]
    return Would(
        number, value, changes, clock.now() + timedelta(days=int(notice)), f"{name} = {json.dumps(value)}", checks
    )


def _meant(name: str) -> tuple[object, list[str]]:
    meaning, clauses = MEANINGS[name]
    return meaning, list(clauses)


def _value(number: Number, typed: str) -> int | str:
    """As troth.toml would be read, and looked at by the same rules."""
    if number.choices:
        if typed not in number.choices:
            raise Refused(_("Choose one of its words."), "value")
        return typed
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 5):
        raise Refused(_("Write a whole number, of at most five digits."), "value")
    changed: Any = msgspec.structs.replace(settings.TROTH.policy, **{number.name: int(typed)})
    config = msgspec.structs.replace(settings.TROTH, policy=changed)
    if any((section, key) == ("policy", number.name) for section, key, _why in senseless(config)):
        raise Refused(_("The shop would not start with it: it is less than it must be at least."), "value")
    return int(typed)
