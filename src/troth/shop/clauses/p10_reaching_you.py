"""P10: contact information reaches the customer when necessary, for any questions; by who works here, in a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from django.utils.translation import gettext_lazy as _

from troth.pledge.keeper import policy
from troth.pledge.office import policy as office
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed, seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.clauses import mutations
from troth.shop.journeys import ask
from troth.shop.orders.models import Order

BY_ITSELF = {"deliver", "notice"}  # the program's own letters; marketing only while its person allows it
AT_THE_DESK = {"support"}


def tried_for_every_purpose(probe: Probe) -> Iterator[Finding]:
    """Seals an invented contact to nobody's keys, without storing it, and asks the keeper for it for every purpose."""
    contact = _invented()
    opened = {purpose for purpose in policy.PURPOSES if _opens(contact, purpose)}
    for purpose in sorted(opened - BY_ITSELF):
        yield broken(f"without a job on you, the keeper opens a name and address for {purpose}")
    for purpose in sorted(BY_ITSELF - opened):
        yield broken(f"the keeper does not open a name and address for {purpose}")
    yield holds("asked for every purpose, the keeper opens a name and address to the program for its letters alone")


def _invented() -> Sealed:
    blank = Person.objects.filter(taken_at__isnull=True).order_by("made_at").last()
    if blank is None:
        raise LookupError("no blank in stock")
    row = Contact(person=blank, state=Contact.OLD)
    seal(row, "contact", ContactData("Nobody", "nobody@nowhere.invalid"))
    sealed: Sealed = row.contact
    return sealed


def _opens(contact: Sealed, purpose: str) -> bool:
    try:
        door().open([contact], purpose=purpose, job="check-contact")
    except KeeperRefused:
        return False
    return True


def a_question_stays_with_its_order(probe: Probe) -> Iterator[Finding]:
    """The marker customer has several orders, and asks from the page of the first."""
    left = probe.marker()
    if left is None:
        yield gap("a live shop plays no invented customer who could ask about an order")
    elif left.asked_about is None:
        yield unknown("a question from an order's page did not arrive")
    elif left.asked_about != left.refs[0]:
        yield broken("a question from an order's page is not kept with that order")
    else:
        yield holds("a question from the page of an older order is kept with that order")


def who_works_here_reaches_you_for_questions_alone(probe: Probe) -> Iterator[Finding]:
    for role, granted in office.GRANTS.items():
        for purpose in sorted(purpose for purpose, classes in granted.items() if "contact" in classes):
            if purpose not in AT_THE_DESK:
                yield broken(f"the role {role} opens a name and address for {purpose}")
    yield holds("every role that opens a name and address does so to answer, in a job on one customer")


def _about_the_latest() -> AbstractContextManager[None]:
    """It is always the latest order that people ask about, thinks a colleague."""
    opened = ask._open

    def to_the_latest(*given: Any) -> Any:
        ticket = opened(*given)
        if ticket.order_id:
            ticket.order = Order.objects.filter(person=ticket.person_id).order_by("-made_at").first()
            ticket.save(update_fields=["order"])
        return ticket

    return mutations.replaced(ask, "_open", to_the_latest)


CLAUSE = Clause(
    id="P10",
    title=_("Reaching you"),
    words=_("We use your contact information to reach you when necessary, for any questions."),
    stricter=_("Who works here opens it for one question at a time, and you see each time that they did."),
    enforced=(
        _("At the desk the keeper opens it within a job on you alone, to answer you, and notes it first."),
        _("The shop's program opens it for its letters: your order, your account."),
    ),
    checks=(
        Check("every purpose is tried at the keeper", "runtime", tried_for_every_purpose),
        Check("a question stays with its order", "synthetic", a_question_stays_with_its_order),
        Check("roles open it to answer, for nothing else", "static", who_works_here_reaches_you_for_questions_alone),
    ),
    mutants=(
        Mutant(
            "support may write about news",
            lambda: mutations.added(office.GRANTS["support"], "marketing", frozenset({"contact"})),
            turns=(who_works_here_reaches_you_for_questions_alone,),
        ),
        Mutant(
            "a question goes with the latest order",
            _about_the_latest,
            in_demo=False,
            turns=(a_question_stays_with_its_order,),
        ),
        Mutant(
            "billing by the program may read it",
            lambda: mutations.added(policy.OPENS, ("contact", "bill"), "standing"),
            in_demo=False,
            turns=(tried_for_every_purpose,),
        ),
    ),
    choices=((_("See who looked"), "/account/privacy"), (_("Write to us"), "/contact")),
)
