"""P20: changes of the policy are told before they count, and what was given before is used for nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.keeper import policy
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds, unknown
from troth.pledge.policy.models import Version
from troth.pledge.policy.probe import Probe
from troth.pledge.rights.models import Consent, Erasure
from troth.shop import policy_version
from troth.shop.accounts.models import Contact
from troth.shop.clauses import mutations, objector
from troth.shop.delivery.models import Letter
from troth.shop.journeys import tell_of_policy
from troth.shop.orders.models import Order

SETTLED = timedelta(minutes=5)  # after which nobody is ordering any more what they began before a change
LATE = timedelta(days=2)  # of a letter after its version was told to all


def what_is_said_is_a_version(probe: Probe) -> Iterator[Finding]:
    from troth.shop.clauses import versions  # it reads all clauses, this one too

    newest = Version.objects.order_by("-made_at").first()
    if newest is None:
        yield unknown("no version of the policy was written down yet")
    elif newest.digest != versions.digest(versions.text()):
        yield broken("what is said differs from the newest version that was written down")
    else:
        yield holds(f"what is said is version {newest.name}, and {policy_version.current()} is in force")


def everybody_was_told_before(probe: Probe) -> Iterator[Finding]:
    rows = list(Version.objects.order_by("made_at"))
    notice = timedelta(days=probe.config.policy.change_notice_days)
    for version in rows[1:]:
        if version.takes_effect_at and (not version.told_at or version.takes_effect_at < version.told_at + notice):
            yield broken(f"version {version.name} counts before its notice was over")
        if version.told_at is None and probe.now - version.made_at > LATE:
            yield broken(f"version {version.name} is not told to everybody yet")
    late = Letter.objects.filter(kind="policy", state=Letter.QUEUED, queued_at__lt=probe.now - LATE).count()
    if late:
        yield broken(f"letters about a change that did not leave within two days: {late}")
    yield holds(f"{len(rows)} versions; each but the first was told {notice.days} days before it counts")


def nobody_would_be_left_out(probe: Probe) -> Iterator[Finding]:
    """Whom a change would be told now, beside whom it must be told, counted in another way."""
    quiet = Consent.objects.filter(what__in=Consent.ENDING).values("person")
    here = Contact.objects.filter(state=Contact.CURRENT, contact__isnull=False).exclude(person__in=quiet)
    here = here.exclude(person__in=Erasure.objects.values("person"))
    if missed := here.exclude(pk__in=tell_of_policy.to_tell("").values("pk")).count():
        yield broken(f"people who would hear nothing of a change, and never asked for that: {missed}")
    yield holds(f"a change would be told to everybody who is here and did not object: {here.count()} people")


def each_order_has_its_version(probe: Probe) -> Iterator[Finding]:
    played = probe.marker() is not None
    known = {policy_version.FIRST, *Version.objects.values_list("name", flat=True)}
    lost = Order.objects.exclude(policy_version__in=known).count()
    if lost:
        yield broken(f"orders without the version of the policy that was accepted with them: {lost}")
    orders = Order.objects.count()
    # Of what was ordered since the newest one counts, and a little later: an order may have been on its way.
    newest = Version.objects.filter(takes_effect_at__lt=probe.now - SETTLED).order_by("-takes_effect_at").first()
    if newest is not None and newest.takes_effect_at is not None:
        since = Order.objects.filter(made_at__gt=newest.takes_effect_at + SETTLED)
        later = Version.objects.filter(takes_effect_at__gt=newest.takes_effect_at).values("name")
        if old := since.exclude(policy_version=newest.name).exclude(policy_version__in=later).count():
            yield broken(f"orders under an older version of the policy than was in force with them: {old}")
    if orders or played:
        yield holds(f"each of {orders} orders has the version that was accepted with it")
    else:
        yield gap("there is no order yet")


def nothing_given_before_gains_a_purpose(probe: Probe) -> Iterator[Finding]:
    """Every purpose of now that an earlier version did not name must ask for data given under a newer schema."""
    rows = list(Version.objects.order_by("made_at"))
    for version in rows:
        said = {(klass, purpose) for klass, purposes in version.text["purposes"].items() for purpose in purposes}
        for klass, purpose in sorted(policy.OPENS.keys() - said):
            if policy.SINCE.get((klass, purpose), 0) < 2:
                yield broken(f"{klass} given under {version.name} would now open for {purpose}, which it did not name")
    yield holds("nothing that was given opens for more than its version named") if rows else unknown("no version yet")


@contextmanager
def _at_once() -> Iterator[None]:
    """A colleague is in a hurry: the new version counts today, and the letters can wait."""
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        first, now = Version.objects.order_by("made_at").first(), clock.now()
        assert first is not None
        row = Version.objects.create(
            name="hurried", text=first.text, digest=first.digest, made_at=now, takes_effect_at=now
        )
        try:
            yield
        finally:
            row.delete()


@contextmanager
def _remembered() -> Iterator[None]:
    """It changes once a year, and every order asks. A new one counts since yesterday."""
    if settings.TROTH.live:
        raise mutations.NotHere
    contact = objector.somebody()
    rows, now, before = Version.objects.order_by("made_at"), clock.now(), policy_version.current()
    first = rows[0]
    long_ago, lately = now - timedelta(days=90), now - timedelta(days=1)
    rows.filter(pk=first.pk).update(takes_effect_at=long_ago)
    told = {"told_at": now - timedelta(days=60), "takes_effect_at": lately, "made_at": now - timedelta(days=61)}
    row = Version.objects.create(name="of yesterday", text=first.text, digest=first.digest, **told)
    order = Order.objects.create(
        person_id=contact.person_id, contact=contact, currency="EUR", total_minor=0, policy_version=before
    )
    try:
        yield
    finally:
        order.delete()
        row.delete()
        rows.filter(pk=first.pk).update(takes_effect_at=first.takes_effect_at)
        contact.delete()


def _unsaid() -> AbstractContextManager[None]:
    from troth.shop.clauses import versions

    said = versions.text
    return mutations.replaced(versions, "text", lambda: {**said(), "numbers": {"network_days": 3650}})


@contextmanager
def _only_of_late() -> Iterator[None]:
    """Only who bought within two years hears of it. Somebody who registered long ago is here meanwhile."""
    contact = objector.somebody()
    lately = Order.objects.filter(paid_at__gte=clock.now() - timedelta(days=730)).values("person")
    to_tell = tell_of_policy.to_tell
    try:
        with mutations.replaced(tell_of_policy, "to_tell", lambda after: to_tell(after).filter(person__in=lately)):
            yield
    finally:
        contact.delete()


def _silently_wider() -> AbstractContextManager[None]:
    return mutations.added(policy.OPENS, ("locality", "support"), "standing")


CLAUSE = Clause(
    id="P20",
    title=_("Changes are told"),
    words=_(
        "When this policy changes, we write to you before the change counts, with the difference word by word. What "
        "you gave us before is used for nothing new unless you agree."
    ),
    stricter=_("Who asked for no mail sees the change here, and with the next order."),
    enforced=(
        _("The words, their numbers and what may be opened for what have a version with a hash, in the public ledger."),
        _("A new version counts only when its notice is over, which begins when the last letter is on its way."),
        _("The version accepted stands with each order."),
        _("The keeper opens nothing for a purpose that came after it was given."),
    ),
    checks=(
        Check("what is said is the version that was written down", "static", what_is_said_is_a_version),
        Check("everybody was told before a version counts", "runtime", everybody_was_told_before),
        Check("nobody would be left out of a change", "runtime", nobody_would_be_left_out),
        Check("each order has the version accepted with it", "synthetic", each_order_has_its_version),
        Check("nothing given before gains a purpose", "static", nothing_given_before_gains_a_purpose),
    ),
    mutants=(
        Mutant("a number is changed and nobody told", _unsaid, turns=(what_is_said_is_a_version,)),
        Mutant(
            "a web process remembers the version that it saw first",
            _remembered,
            in_demo=False,
            turns=(each_order_has_its_version,),
        ),
        Mutant("a version counts at once", _at_once, in_demo=False, turns=(everybody_was_told_before,)),
        Mutant(
            "letters to old customers are saved",
            _only_of_late,
            in_demo=False,
            turns=(nobody_would_be_left_out,),
        ),
        Mutant(
            "orders forget which version they accepted",
            lambda: mutations.replaced(policy_version, "current", lambda: ""),
            in_demo=False,
            turns=(each_order_has_its_version,),
        ),
        Mutant(
            "the postcode is shown to support from now on",
            _silently_wider,
            in_demo=False,
            turns=(nothing_given_before_gains_a_purpose,),
        ),
    ),
    choices=((_("Be forgotten"), "/erase"),),
)
