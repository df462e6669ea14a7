"""P17: only employees who need it for a specific job get access, for as long as that job lasts."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.urls import URLPattern, get_resolver, reverse
from django.utils.translation import gettext_lazy as _

from troth.pledge.office import messages as office
from troth.pledge.office import policy
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.vault.door import door
from troth.shop.clauses import mutations, own_openings

THE_WAY_IN = {"desk_sign_in", "desk_join"}
DUMMY = {"int": "1", "str": "none", "slug": "none", "path": "none"}


def the_desk_is_shut(probe: Probe) -> Iterator[Finding]:
    """Every page of the desk, as a visitor who does not work here asks for it."""
    visitor, tried = probe.site.newcomer(), 0
    for page in _pages():
        if page.name in THE_WAY_IN:
            continue
        kinds = {name: DUMMY.get(_kind(one), "none") for name, one in page.pattern.converters.items()}
        seen, tried = visitor.get(reverse(str(page.name), kwargs=kinds)), tried + 1
        if seen.status < 400 and urlsplit(seen.url).path != reverse("desk_sign_in"):
            yield broken(f"anybody may see a page of the desk: {page.name}")
    visitor.close()
    if tried:
        yield holds(f"{tried} pages of the desk lead whoever does not work here to the sign-in, or nowhere")


def the_keeper_opens_for_a_job_alone(probe: Probe) -> Iterator[Finding]:
    """The keeper rehearses with invented people, in the functions that it opens by; and says how the roster stands."""
    found = door().at_desk(office.Muster(), office.Mustered)
    for what in found.opened:
        yield broken(f"in a rehearsal the keeper opened a customer {what}")
    for what in found.shut:
        yield broken(f"in a rehearsal the keeper opened nothing to {what}")
    if found.unfit:
        yield broken(f"{found.unfit} accounts have power without attestation in time and a second factor")
    if found.overdue:
        yield broken(f"{found.overdue} jobs run past their time")
    reviewed = datetime.fromtimestamp(found.oldest_review, UTC)
    if found.working and reviewed + timedelta(days=probe.config.policy.roster_days) < probe.now:
        yield broken(f"the owner has not looked through the colleagues since {reviewed:%d %B %Y}")
    yield holds(
        "in a rehearsal the keeper opened a customer to an employee in their job, and not after closing, after its "
        "time, for another customer, class or purpose, nor to who is not attested"
    )
    counts = f"accounts with power: {found.working}; open jobs: {found.jobs}, of which break-glass: {found.glass}"
    yield holds(f"now at the desk: {counts}")


def _pages() -> Iterator[URLPattern]:
    for one in get_resolver().url_patterns:
        if isinstance(one, URLPattern) and str(one.pattern).startswith("desk/"):
            yield one


def _kind(converter: object) -> str:
    return type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")


def _orders_for_anybody() -> AbstractContextManager[None]:
    listing = next(page for page in _pages() if page.name == "desk_orders")
    return mutations.replaced(listing, "callback", inspect.unwrap(listing.callback))


CLAUSE = Clause(
    id="P17",
    title=_("Who gets access"),
    words=_(
        "Only employees who need the information to do a specific job, such as billing or customer service, get access "
        "to it."
    ),
    stricter=_("It is on record, where you can see it: who took up your case, for what, and each opening."),
    enforced=(
        _("An account has power only while the owner attests it as an employee's, in a role, until a day."),
        _("The keeper opens a customer for a role and an open job on that customer, and for its purpose alone."),
        _("After the job is closed, or its time is over, the same request is refused at once."),
        _("Everybody at the desk has a second factor, asked for at each sign-in and before what is grave."),
    ),
    checks=(
        Check("every page of the desk is asked for by a visitor", "runtime", the_desk_is_shut),
        Check("the keeper rehearses, and tells the roster", "runtime", the_keeper_opens_for_a_job_alone),
        Check("a customer sees every opening", "synthetic", own_openings.a_customer_sees_every_opening),
    ),
    mutants=(
        Mutant("the list of orders forgot its guard", _orders_for_anybody, turns=(the_desk_is_shut,)),
        Mutant(
            "a closed job opens for a day longer, for a last look",
            lambda: mutations.replaced(
                policy, "runs", lambda until, closed, now: now < until and (not closed or now < closed + 86400)
            ),
            in_demo=False,
            turns=(the_keeper_opens_for_a_job_alone,),
        ),
        Mutant(
            "an attestation never lapses",
            lambda: mutations.replaced(policy, "power", lambda roles, kind, state, until, now: tuple(roles.split())),
            in_demo=False,
            turns=(the_keeper_opens_for_a_job_alone,),
        ),
        Mutant(
            "who looked is told of people alone",
            own_openings.of_people_alone,
            in_demo=False,
            turns=(own_openings.a_customer_sees_every_opening,),
        ),
    ),
    choices=((_("See who looked"), "/account/privacy"),),
    by_people=_("That the accounts which the owner attests are employees' own."),
)
