"""P19: whoever has questions can contact the shop, and is answered in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.vault.models import Person
from troth.shop.clauses import mutations
from troth.shop.delivery.models import Letter
from troth.shop.journeys import answer, ask
from troth.shop.support import security_txt
from troth.shop.support.models import Ticket

FIELDS = {"name", "email", "text"}
SOON = timedelta(hours=1)


def anybody_can_ask(probe: Probe) -> Iterator[Finding]:
    """The contact page as a stranger sees it: a form that needs no account, and until when it is answered."""
    visitor = probe.site.newcomer()
    page = visitor.get("/contact")
    visitor.close()
    forms = [form for form in page.forms if {field.name for field in form.fields} >= FIELDS]
    if page.status != 200 or not forms:
        yield broken("/contact has no form in which a stranger can ask")
    days = probe.config.policy.answer_days
    if (f"within {days} days" if days > 1 else "within a day") not in page.text and probe.config.shop.language == "en":
        yield broken("/contact does not say until when we answer")
    yield holds("/contact has a form that needs no account, and says until when we answer")


def a_question_is_answered(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None:
        yield gap("no marker customer beside real providers; the form and the real questions are looked at instead")
        return
    asked, days = left.asked, probe.config.policy.answer_days
    if asked is None or not asked.ref:
        yield broken("a question of the marker customer did not arrive")
        return
    if not left.stranger_heard:
        yield broken("a question of somebody without an account, which names two pages, did not arrive")
    if asked.owed is None or asked.owed > days + 0.1:
        yield broken(f"a question was taken without a day until which it is answered, or with one after {days} days")
    if not asked.letter:
        yield broken("an answer to the marker customer was not brought by a letter")
    if not asked.shown:
        yield broken("question and answer do not stand on the marker customer's page")
    yield holds("a question of the marker customer was answered by a letter and on their own page")


def nobody_waits_longer_than_was_said(probe: Probe) -> Iterator[Finding]:
    ours = Ticket.objects.filter(state__in=Ticket.OURS)
    late, unsaid = ours.filter(due_at__lt=probe.now).count(), ours.filter(due_at__isnull=True).count()
    if late:
        yield broken(f"questions that wait longer than {probe.config.policy.answer_days} days: {late}")
    if unsaid:
        yield broken(f"questions without a day until which they are answered: {unsaid}")
    stuck = Letter.objects.filter(kind="ticket-answer", state=Letter.QUEUED, queued_at__lt=probe.now - SOON).count()
    if stuck:
        yield broken(f"answers whose letter has not left for an hour: {stuck}")
    failed = Letter.objects.filter(kind="ticket-answer", state=Letter.FAILED).count()
    if failed:
        yield gap(f"answers that no mail server takes at the address we were given: {failed}")
    yield holds(f"questions that wait for us: {ours.count()}; none longer than was said")


def whoever_finds_a_hole_finds_us(probe: Probe) -> Iterator[Finding]:
    """security.txt (RFC 9116): a contact, and an end that is not past."""
    page = probe.page(security_txt.PATH)
    lines = [line.partition(": ") for line in page.text.splitlines() if not line.startswith("#")]
    said = {name.lower(): value.strip() for name, _colon, value in lines}
    if page.status != 200 or "contact" not in said or "expires" not in said:
        yield broken(f"{security_txt.PATH} is not there, or names no contact or no end")
        return
    ends = _time(said["expires"])
    if ends is None or ends < probe.now + timedelta(days=7):
        yield broken(f"{security_txt.PATH} has expired, or does within a week")
    elif ends > probe.now + timedelta(days=366):
        yield broken(f"{security_txt.PATH} is good for longer than a year, so that nobody looks after it")
    if not said["contact"].startswith(("mailto:", "https://", "tel:")) and probe.config.live:
        yield broken(f"{security_txt.PATH} names a contact that is neither a mailbox nor a page by https")
    yield holds(f"{security_txt.PATH} names a contact and has not expired")


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


@contextmanager
def _somebody_waits() -> Iterator[None]:
    """A question of nobody's, whose day is over."""
    if settings.TROTH.live:
        raise mutations.NotHere
    nobody = Person.objects.filter(taken_at__isnull=True).order_by("made_at").last()
    if nobody is None:
        raise LookupError("no blank in stock")
    ticket = Ticket.objects.create(person=nobody, due_at=clock.now() - SOON)
    try:
        yield
    finally:
        ticket.delete()


CLAUSE = Clause(
    id="P19",
    title=_("Questions"),
    words=_("Whoever has questions about this policy, or about anything else, can contact us."),
    stricter=_("We say until when we answer, and what was asked lies sealed to who asked it."),
    enforced=(
        _("The contact page needs no account; a mail does as well."),
        _("A question is due from the moment it arrives, in the same transaction, until somebody answers it."),
    ),
    checks=(
        Check("anybody can ask", "runtime", anybody_can_ask),
        Check("a question of a marker customer is answered", "synthetic", a_question_is_answered),
        Check("nobody waits longer than was said", "runtime", nobody_waits_longer_than_was_said),
        Check("whoever finds a hole finds us", "runtime", whoever_finds_a_hole_finds_us),
    ),
    mutants=(
        Mutant(
            "the form is taken off the contact page",
            lambda: mutations.page_edited("contact.html", lambda page: page.replace("<form", "<div")),
            turns=(anybody_can_ask, a_question_is_answered),
        ),
        Mutant(
            "an answer makes no letter due",
            lambda: mutations.replaced(answer, "queue", lambda *_: None),
            turns=(a_question_is_answered,),
        ),
        Mutant(
            "questions may wait for ever",
            lambda: mutations.replaced(ask, "promised", lambda: clock.now() + timedelta(days=3650)),
            turns=(a_question_is_answered,),
        ),
        Mutant(
            "time is up and nobody has answered",
            lambda: _somebody_waits(),
            in_demo=False,
            turns=(nobody_waits_longer_than_was_said,),
        ),
        Mutant(
            "security.txt ran out",
            lambda: mutations.replaced(security_txt, "LASTS", timedelta(days=-1)),
            turns=(whoever_finds_a_hole_finds_us,),
        ),
    ),
    choices=((_("Ask us"), "/contact"), (_("Your questions, and our answers"), "/account/tickets")),
    by_people=_("That the answer is one."),
)
