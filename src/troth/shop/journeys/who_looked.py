"""Who looked: people see every entry of the ledger about themselves, in words, and take the proof of each along.

The keeper tells them by their own capability and opens nothing for it. An entry says that an opening was asked for
and allowed; its answer may have been lost on the way.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.pledge.keeper.messages import NEWEST, Entry
from troth.pledge.ledger.proof import Receipt
from troth.pledge.vault import published
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.models import Claim
from troth.shop.refusal import Refused

CLASSES = {
    "contact": _("name and e-mail address"),
    "locality": _("postcode"),
    "billing": _("billing name and address"),
    "network": _("IP address"),
    "correspondence": _("messages"),
}
PURPOSES = {
    "account": _("to show it to you"),
    "deliver": _("to send you what you bought"),
    "notice": _("to write to you about your account or order"),
    "bill": _("to write your invoice"),
    "support": _("to answer you"),
    "tax": _("for tax"),
    "legal": _("for a lawful disclosure"),
    "fraud": _("to protect you and us from fraud"),
    "marketing": _("to write to you about new products"),
}
ROLES = {
    "web": _("you yourself, signed in"),
    "worker": _("the shop's program; no person looked"),
    "support": _("somebody who works here, in support"),
    "billing": _("somebody who works here, in billing"),
    "officer": _("the privacy officer here"),
    "disclosure": _("our keeper, for a lawful disclosure; nobody here saw it"),
    "break-glass": _("somebody who works here, in an emergency; the owner was told"),
}
# What a job is, by the beginning of its name: an id of ours, or a journey.
JOBS = {
    "ord_": _("your order"),
    "per_": _("the letter to confirm your address"),
    "con_": _("the change of your address"),
    "let_": _("the letter you asked for to set a password"),
    "era_": _("your wish to be forgotten"),
    "tkt_": _("your question"),
    "dsc_": _("a lawful disclosure"),
    "job_": _("a case of yours that somebody here took up"),
    "exp_": _("your export of all that is held"),
    "mai_": _("a mailing that you allow"),
    "own-data": _("your look at your own data"),
    "own-invoice": _("your own look at your invoice"),
    "prefill": _("your bill, which it prefills"),
    "export": _("your export of all that is held"),
    "correct": _("your correction of your own data"),
    "change-email": _("the change of your address"),
    "erase": _("your wish to be forgotten"),
}
DEEDS = {
    "open": _("Opened"),
    "claim": _("Taken into your account as yours"),
    "job": _("Your case was taken up"),
    "grant": _("Allowed from now on"),
    "withdraw": _("Ended from now on"),
    "restrict": _("Closed, as you asked to be forgotten"),
    "lift": _("Opened up again, as you cancelled that"),
    "password": _("A new password was set"),
    "mailbox": _("Your e-mail address was changed"),
    "passkey": _("A passkey was added"),
    "passkey-removed": _("A passkey was removed"),
}


class Event(msgspec.Struct, frozen=True):
    """What an entry says. What is not of this list is passed over; the receipt has all of it."""

    at: datetime
    did: str
    classes: list[str] = []
    purpose: str = ""
    role: str = ""
    job: str = ""


class Look(msgspec.Struct, frozen=True):
    """One entry, in words. `order`: the reference of the order that the job is, or ""."""

    seq: int
    at: datetime
    did: object
    what: list[object]
    purpose: object
    role: object
    job: object
    order: str


def looks(person_ref: str, capability: str, before: int = NEWEST) -> tuple[list[Look], bool]:
    """The newest entries before a number about a person and the guests whom they claimed, and whether there are older
    ones. Refused if the session has ended; KeeperAway."""
    entries, more = _history(person_ref, capability, before)
    return [in_words(entry) for entry in entries], more


def receipt(person_ref: str, capability: str, seq: int) -> Receipt:
    """The proof of one of one's own entries. Refused for another's, and until it is published; KeeperAway."""
    entries, _more = _history(person_ref, capability, seq + 1)
    mine = next((entry for entry in entries if entry.seq == seq), None)
    if mine is None:
        raise Refused(_("This entry is not about you; look through the ones that are."))
    made = published.receipt(seq, mine.leaf, mine.event, mine.salt)
    if made is None:
        raise Refused(_("This entry is too new to be proved; try again in a minute."))
    return made


def _history(person_ref: str, capability: str, before: int) -> tuple[list[Entry], bool]:
    """Of several persons as of one: down to where the list of somebody who has older entries breaks off."""
    try:
        told = [door().history(capability, before, ref) for ref in ("", *Claim.persons_of(person_ref)[1:])]
    except KeeperRefused:
        told = []
    if not told:
        raise Refused(_("Your session has ended; please sign in again."))
    floor = max((one.entries[-1].seq for one in told if one.more), default=0)
    entries = sorted((entry for one in told for entry in one.entries), key=lambda entry: -entry.seq)
    return [entry for entry in entries if entry.seq >= floor], any(one.more for one in told)


def in_words(entry: Entry) -> Look:
    event = msgspec.json.decode(entry.event, type=Event)
    job = JOBS.get(event.job[:4]) or JOBS.get(event.job) or event.job
    return Look(
        entry.seq,
        event.at,
        DEEDS.get(event.did, event.did),
        [CLASSES.get(klass, klass) for klass in event.classes],
        PURPOSES.get(event.purpose, event.purpose),
        ROLES.get(event.role, event.role),
        job,
        event.job if event.job.startswith("ord_") else "",
    )
