"""What is held: every declared table with rows of one person, in words, counted and never opened.

Read from shop/holdings.py alone, so that the page cannot say less than the tables hold: a table that is not declared
there stops the start. The credential lies with the keeper, in no table, and is told besides.
"""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from troth.pledge.keeper.policy import OPENS
from troth.pledge.rights.holding import Cut, Delete, Holding, Keep
from troth.shop.holdings import BOOKS, PEOPLE
from troth.shop.journeys.who_looked import CLASSES, PURPOSES

# Fields in clear, in words; a field without words here is told by its name.
FIELDS = {
    "business": _("whether you buy as a business"),
    "confirmed_at": _("when you confirmed your address"),
    "country": _("country"),
    "instance_hash": _("where it is in use, as a hash"),
    "key_hash": _("the key in its cookie, as a hash"),
    "followed_at": _("when you came by the link in our letter"),
    "mailbox": _("a keyed hash of your mailbox, until the mailing is done"),
    "payer_country": _("the country that the payment provider reports"),
    "policy_version": _("the version of the policy you read"),
    "sealed": _("a mail as it came, sealed to the program that reads it"),
    "sender": _("the address, as a keyed hash"),
    "session_data": _("that you are signed in"),
    "tax_country": _("whose tax it has"),
    "treatment": _("how it is taxed"),
    "viewer": _("the browser that ordered, as a hash"),
    "what": _("what you said about news"),
    "place": _("where you said it"),
    "why": _("why it came to that"),
}


# From when the days of a table count, in words, by the field that says when.
SINCE = {
    "asked_at": _("you asked"),
    "came_at": _("it came"),
    "case__closed_at": _("the case was closed"),
    "closed_at": _("it was closed"),
    "ended_at": _("it ended"),
    "expire_date": _("it runs out"),
    "heard_at": _("it was read"),
    "made_at": _("it was written down"),
    "queued_at": _("it was written"),
    "taken_at": _("it was taken up"),
    "touched_at": _("it was last in use"),
}


class Held(msgspec.Struct, frozen=True):
    """One table. `count`: rows of this person; None where nothing leads from a person to the rows.

    `sealed` and `clear` say what is in a row about them; `purposes` for what the sealed part opens; `until` how long
    the rows are kept; `ending` what becomes of them when their person is forgotten.
    """

    table: str
    why: object
    count: int | None
    sealed: list[object]
    clear: list[object]
    purposes: list[object]
    until: str
    ending: object


def held(person_ref: str) -> list[Held]:
    """Every table that may hold something of a person, those with rows of theirs first."""
    told = [_told(holding, person_ref) for holding in PEOPLE]
    return sorted(told, key=lambda one: not one.count)


def _told(holding: Holding, person_ref: str) -> Held:
    classes = [field.personal.klass for field in holding.sealed()]
    return Held(
        table=holding.table,
        why=holding.why,
        count=holding.rows(person_ref).count() if holding.person else None,
        sealed=[CLASSES.get(klass, klass) for klass in classes],
        clear=[FIELDS.get(name, name.replace("_", " ")) for name in holding.about.split()],
        purposes=[PURPOSES.get(purpose, purpose) for klass, purpose in OPENS if klass in classes],
        until=until(holding),
        ending=_ending(holding),
    )


def until(holding: Holding) -> str:
    """How long rows are kept, in words."""
    if (ends := holding.ends) is not None:
        days = ends.days if isinstance(ends.days, int) else int(getattr(settings.TROTH.policy, ends.days))
        said = {"num": days, "since": SINCE[ends.since]}
        if not days:
            return gettext("until %(since)s") % said
        told = ngettext("until a day after %(since)s", "until %(num)d days after %(since)s", days) % said
        return told + ("; " + gettext("others with what they belong to") if ends.where else "")
    match holding.erasing:
        case Delete():
            return gettext("until you are forgotten")
        case Cut(_fields, spared):
            taxed = ngettext("with an invoice %(num)d year", "with an invoice %(num)d years", years := _tax_years())
            return gettext("until you are forgotten") + (f"; {taxed % {'num': years}}" if spared else "")
        case Keep(reason) if BOOKS in reason:
            return gettext("with the books")
        case _kept:
            return gettext("with what it belongs to")


def _tax_years() -> int:
    return int(settings.TROTH.policy.tax_years)


def _ending(holding: Holding) -> object:
    match holding.erasing:
        case Delete():
            return _("deleted") if not holding.where else _("deleted, but for what belongs to an order")
        case Cut():
            return (
                _("emptied: the row stays without you")
                if not holding.erasing.spared
                else _("emptied; where tax law wants the bill, when its time is over")
            )
        case kept:
            return kept.reason
