"""P9: news, unless the customer asks not to; one click ends it, at once and for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from troth.pledge.keeper.policy import OPENS
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.rights.models import Consent
from troth.pledge.vault.models import Person
from troth.shop.clauses import mutations, objector, pages, service_letters
from troth.shop.delivery import post
from troth.shop.journeys import choose, mail_out
from troth.shop.mailings import consent
from troth.shop.mailings.models import Mailing, Recipient

TOPICS = {Mailing.NEWS: Consent.NEWS, Mailing.RELEASE: Consent.RELEASES}
SOON = timedelta(minutes=15)
LEFT = (Recipient.SENDING, Recipient.SENT, Recipient.UNSURE, Recipient.BOUNCED, Recipient.COMPLAINED)


def an_invented_customer_objects(probe: Probe) -> Iterator[Finding]:
    heard = probe.once(objector.play)
    if heard is None:
        yield gap("a live shop plays no invented customer; what left after real objections is counted instead")
        return
    if heard.before_a_word:
        yield broken("the keeper opens for mailings who never said that we may write")
    if not heard.allowed or not heard.looked_at:
        yield broken("who allows mailings, and only looks at the page behind a letter's link, cannot be written to")
    if heard.click != 200 or heard.objected:
        yield broken("one click on a letter's link does not end mailings")
    if heard.twin:
        yield broken("an objection is forgotten when somebody else comes with that mailbox")
    yield holds("an invented customer objected by one click; the keeper opens nobody with that mailbox for mailings")


def nothing_left_after_an_objection(probe: Probe) -> Iterator[Finding]:
    seen = 0
    for kind, topic in TOPICS.items():
        left = Recipient.objects.filter(state__in=LEFT, mailing__kind=kind, taken_at__isnull=False)
        said = Consent.objects.filter(
            person=OuterRef("person"), topic=topic, what__in=Consent.CHOSEN, said_at__lt=OuterRef("taken_at")
        )
        last = left.annotate(last=Subquery(said.order_by("-pk").values("what")[:1]))
        late, seen = last.filter(last__in=Consent.ENDING).count(), seen + left.count()
        if late:
            yield broken(f"letters of mailings that left for somebody who had objected: {late}")
    yield holds(f"letters of mailings that left: {seen}; none for somebody who had objected before")


def each_kind_passes_over_who_objected(probe: Probe) -> Iterator[Finding]:
    """Offers each kind of mailing an invented person who objected to it, at the last look before a letter leaves."""
    if probe.config.live:
        yield gap("a live shop invents nobody; what left after real objections is counted instead")
        return
    for kind, topic in TOPICS.items():
        with transaction.atomic():
            person, _secret = Person.take()
            consent.say([person.ref], Consent.OBJECTED, "account", topic=topic)
            mailing = Mailing.objects.create(kind=kind, title="t", text="t")
            taken = mail_out.take(mailing, Recipient.objects.create(mailing=mailing, person=person), "")
            transaction.set_rollback(True)
        if taken:
            yield broken(f"a letter of the kind “{kind}” leaves for somebody who objected to it")
    yield holds(f"{len(TOPICS)} kinds of mailings pass over who objected, at the last look before a letter leaves")


def every_objection_is_carried_out(probe: Probe) -> Iterator[Finding]:
    old = consent.to_carry().filter(said_at__lt=probe.now - SOON, person__contact__contact__isnull=False)
    if late := old.values("person").distinct().count():
        yield broken(f"objections that the keeper does not know after {SOON.seconds // 60} minutes: {late}")
    yield holds(f"objections: {Consent.objects.filter(what=Consent.OBJECTED).count()}; the keeper knows of each")


def the_choice_stands_where_data_are_given(probe: Probe) -> Iterator[Finding]:
    if "mailings" not in pages.inputs(probe.page("/register"), "/register"):
        yield broken("/register does not ask whether we may write")
    for path, page in pages.every(probe):
        if any(field.name == "mailings" and field.checked for form in page.forms for field in form.fields):
            yield broken(f"the choice on {path} is made before anybody made it")  # C-673/17, Planet49
    letter = mail_out.sample(Mailing(title="News", text="News."))
    link = str(letter["List-Unsubscribe"] or "").strip("<>")
    if "/unsubscribe/" not in link or letter["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
        yield broken("a mailing's letter has no one-click way to stop it (RFC 8058)")
    if f"\nList-Unsubscribe: <{link}>\r\n".encode() not in post.flat(letter, probe.config.mail)[2]:
        yield broken("the address that stops a mailing leaves in a form that mail programs do not read")
    for kind in ("plain", "html"):
        part = letter.get_body(preferencelist=(kind,))
        if part is None or link not in str(part.get_content()):
            yield broken("a mailing's letter does not show the link that stops it")
    yield holds("registering asks, and each mailing's letter has a link and a one-click way to stop it")


def _ticked(source: str) -> str:
    return source.replace("</form>", '<input type="checkbox" name="mailings" checked></form>', 1)


def _unmarked(*given: Any) -> EmailMessage:
    letter = _write(*given)
    del letter["List-Unsubscribe-Post"]
    return letter


_write = mail_out.write


@contextmanager
def _opened_as_all_else() -> Iterator[None]:
    """A colleague has the keeper open contacts for mailings by the wrap that is always there, said or not."""
    before = OPENS["contact", "marketing"]
    OPENS["contact", "marketing"] = "standing"
    try:
        yield
    finally:
        OPENS["contact", "marketing"] = before


@contextmanager
def _one_sent_past_it() -> Iterator[None]:
    """A colleague's script writes to a list of its own."""
    person, _secret = Person.take()
    mailing = Mailing.objects.create(title="t", text="t")
    consent.say([person.ref], Consent.OBJECTED, "account")
    row = Recipient.objects.create(mailing=mailing, person=person, state=Recipient.SENT)
    Recipient.objects.filter(pk=row.pk).update(taken_at=F("next_at") + timedelta(seconds=5))
    try:
        yield
    finally:
        mailing.delete()
        Consent.objects.filter(person=person).delete()


def _nobody_listens(person_ref: str, *rest: Any) -> None:
    Consent.objects.filter(person=person_ref).update(carried_at=F("said_at"))


@contextmanager
def _an_old_one_waits() -> Iterator[None]:
    """The errand that carries objections was given up."""
    contact = objector.somebody()
    consent.say([contact.person_id], Consent.OBJECTED, "account")
    rows = Consent.objects.filter(person=contact.person_id)
    rows.update(said_at=F("said_at") - timedelta(hours=1))
    try:
        yield
    finally:
        rows.delete()


CLAUSE = Clause(
    id="P9",
    title=_("News and mailings"),
    words=_(
        "Unless you ask us not to, we may write to you about specials, new products or services, and changes of this "
        "policy."
    ),
    stricter=_(
        "Without your own yes only to buyers, about similar products, as EU law has it, unless the shop chose "
        "otherwise in its settings; and only to a mailbox that is known to be yours. Our letters have no pictures and "
        "count no clicks. An objection is remembered as a keyed hash of your mailbox, also after you were forgotten."
    ),
    enforced=(
        _("What you chose is a list of events with the words that you saw; nobody edits the state, it is computed."),
        _("The keeper has a wrap of your contact's key for mailings only while you allow them."),
        _("An objection counts from the next letter on, and for whoever comes with that mailbox."),
    ),
    checks=(
        Check("an invented customer objects by one click", "synthetic", an_invented_customer_objects),
        Check("nothing left after an objection", "runtime", nothing_left_after_an_objection),
        Check("each kind of mailing passes over who objected", "synthetic", each_kind_passes_over_who_objected),
        Check("every objection is carried out", "runtime", every_objection_is_carried_out),
        Check("letters of service offer nothing", "synthetic", service_letters.letters_of_service_offer_nothing),
        Check("the choice stands in forms and letters", "runtime", the_choice_stands_where_data_are_given),
    ),
    mutants=(
        Mutant(
            "objections stay in the main database",
            lambda: mutations.replaced(choose, "carry", _nobody_listens),
            turns=(an_invented_customer_objects,),
        ),
        Mutant(
            "contacts open for mailings as for everything else",
            _opened_as_all_else,
            in_demo=False,
            turns=(an_invented_customer_objects,),
        ),
        Mutant(
            "a script writes to a list of its own",
            _one_sent_past_it,
            in_demo=False,
            turns=(nothing_left_after_an_objection,),
        ),
        Mutant(
            "a new release is said to concern everybody",
            lambda: mutations.replaced(mail_out, "take", lambda *_: True),
            turns=(each_kind_passes_over_who_objected,),
        ),
        Mutant(
            "the errand of an objection was given up",
            _an_old_one_waits,
            in_demo=False,
            turns=(every_objection_is_carried_out,),
        ),
        Mutant(
            "the box is ticked already",
            lambda: mutations.page_edited("register.html", _ticked),
            turns=(the_choice_stands_where_data_are_given,),
        ),
        Mutant(
            "the letter that confirms an address shows what is new",
            service_letters.with_an_offer,
            in_demo=False,
            turns=(service_letters.letters_of_service_offer_nothing,),
        ),
        Mutant(
            "letters lose the one click",
            lambda: mutations.replaced(mail_out, "write", _unmarked),
            turns=(the_choice_stands_where_data_are_given,),
        ),
        Mutant(
            "letters are folded as words",
            lambda: mutations.replaced(post, "FOR_PROGRAMS", frozenset()),
            in_demo=False,
            turns=(the_choice_stands_where_data_are_given,),
        ),
    ),
    choices=((_("Choose what we may write, or object"), "/account/mails"),),
)
