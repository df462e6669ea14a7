"""P12: nobody else learns anything, but on one of three bases, and then only what two people approved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.disclosure import messages, rules
from troth.pledge.due.models import Due
from troth.pledge.ledger.events import canonical
from troth.pledge.ledger.tree import WIDTH
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.pledge.vault.door import door
from troth.pledge.vault.models import LedgerEvent, Person
from troth.shop.clauses import mutations
from troth.shop.disclosure import counts, told
from troth.shop.disclosure.models import Bar, Case, Named

LATE = timedelta(hours=1)  # for a row on its way into the ledger, or a letter
NOWHERE = "ZZ"  # no country has this code (ISO 3166-1: user-assigned)
ENTRIES = -1  # the level of tiles that stands for bundles of entries


def the_keeper_discloses_what_was_approved(probe: Probe) -> Iterator[Finding]:
    """The keeper rehearses through its own verbs; and what it ever handed over are the cases that say so."""
    found = door().on_disclosure(messages.Rehearse(), messages.Rehearsed)
    for what in found.opened:
        yield broken(f"in a rehearsal the keeper handed an invented customer over {what}")
    for what in found.shut:
        yield broken(f"in a rehearsal the keeper handed nothing over {what}")
    one, all_here = {b"one"}, {b"one", b"two", b"three"}
    if rules.enough(one, all_here, rules.LEAST, False, 30 * rules.WAIT):
        yield broken("where others could approve, one person's approval is enough after some days")
    cases = Case.objects.filter(handed_at__isnull=False).count()
    if len(found.handed) != cases:
        yield broken(f"the keeper handed over {len(found.handed)} scopes, and there are {cases} such cases")
    yield holds(
        "in a rehearsal the keeper handed over what two others approved, and nothing by one person twice, by the "
        "filer, for a changed scope, by old approvals, after a role was lost, wider than the document, or on another "
        "basis"
    )


def the_counts_are_those_of_the_ledger(probe: Probe) -> Iterator[Finding]:
    """What is published, counted again from what the ledger's entries open to."""
    cases = list(Case.objects.all())
    missing = [one for one in told.openings(cases) if not _stands(one)]
    fresh = LedgerEvent.objects.filter(seq__isnull=True, made_at__gt=clock.now() - LATE).exists()
    if missing and not fresh:
        yield broken(f"{len(missing)} steps of cases do not stand in the ledger as they are told")
    page = probe.site.get("/transparency.json")
    if page.status != 200:
        yield unknown("the counts could not be read")
        return
    rows = json.loads(page.text)["rows"]
    asked = Counter((told.period(one.came_at), one.basis, one.country, one.outcome or "open") for one in cases)
    shown = {(row["period"], row["basis"], row["country"], row["outcome"]): row["requests"] for row in rows}
    for key, count in asked.items():
        if shown.get(key) != counts.band(count):
            yield broken(f"the page on transparency does not say what {key[0]} was like")
    quiet = _half_years(probe) - {key[0] for key in asked}
    for period in sorted(quiet - {row["period"] for row in rows if row["requests"] == "0"}):
        yield broken(f"the page on transparency does not say that nobody asked in {period}")
    yield holds(f"{len(cases)} cases, all in the ledger, and published as they are, quiet half-years too")


def no_kind_of_case_is_left_out(probe: Probe) -> Iterator[Finding]:
    """Invents a case of each basis and outcome, told and under a bar, sees what would be published, takes all back."""
    with transaction.atomic():
        person, _secret = Person.take()
        asked = {"fields": {}, "persons": 1, "since": 0, "until": 1}
        given = {"country": NOWHERE, "recipient": "", "document": "", "asked": asked, "salt": bytes(16)}
        kinds = [(basis, outcome) for basis in counts.BASES for outcome in ("", Case.DISCLOSED, *Case.OUTCOMES)]
        missing = []
        for barred in (False, True):
            for basis, outcome in kinds:
                case = Case(person=person, basis=basis, outcome=outcome, **given)
                _sealed(case)
                case.save(force_insert=True)
                if barred:
                    Bar.objects.create(case=case, document="", until=clock.now() + timedelta(days=300))
                rows = {(row.basis, row.country, row.outcome): row.requests for row in counts.table()}
                if rows.get((basis, NOWHERE, outcome or "open")) != counts.band(1):
                    missing.append(f"basis {basis}, {outcome or 'open'}{', under a bar' if barred else ''}")
                case.delete()
        transaction.set_rollback(True)
    for kind in missing:
        yield broken(f"a case would not be counted on the page on transparency: {kind}")
    yield holds(f"invented and taken back: cases of {2 * len(kinds)} kinds, each of which would be counted")


def bars_end_when_they_said(probe: Probe) -> Iterator[Finding]:
    """Each bar stands in the ledger; each customer behind one has a letter due on its last day, or had it."""
    for bar in Bar.objects.select_related("case"):
        says = told.barred(bar.case, bar)
        row = LedgerEvent.objects.filter(pk=told.event_id(bar.case, says, f"bar-{bar.pk}")).first()
        if row is None or row.event != told.event(bar.case, says):
            yield broken("a bar was set or prolonged, and the ledger does not have it")
    waiting = Named.objects.filter(told_at__isnull=True, case__bars__isnull=False).distinct()
    due = set(Due.objects.filter(kind="disclosure-told").values_list("subject", flat=True))
    for one in waiting:
        last = max(bar.until for bar in one.case.bars.all())
        if last + LATE < probe.now:
            yield broken("the last day of a bar is over, and a customer was not told")
        elif str(one.pk) not in due:
            yield broken("nobody is going to tell a customer when a bar ends")
    yield holds("every bar stands in the ledger, and customers are told on its last day")


def _stands(one: told.Opening) -> bool:
    """Whether the ledger's own entry is this one: asked of the keeper."""
    if one.seq is None:
        return False
    bundle, leaves = door().tile(ENTRIES, one.seq // WIDTH), list[bytes]()
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        leaves.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    at = one.seq % WIDTH
    leaf = json.loads(leaves[at]) if at < len(leaves) else {}
    return canonical({name: leaf.get(name) for name in one.event}) == canonical(one.event)


def _half_years(probe: Probe) -> set[str]:
    at, found = counts.begun(), {told.period(probe.now)}
    while at < probe.now:
        found.add(told.period(at))
        at += timedelta(days=90)
    return found


def _quiet_times_left_out() -> AbstractContextManager[None]:
    return mutations.replaced(counts, "periods", lambda since, until: [])


def _shown_as_less() -> AbstractContextManager[None]:
    return mutations.replaced(counts, "table", list)


def _untold_left_out() -> AbstractContextManager[None]:
    """A colleague thinks that of what may not be told nothing is said here either."""
    table = counts.table

    def told_alone() -> list[counts.Row]:
        barred = {(told.period(one.came_at), one.basis, one.country) for one in Case.objects.filter(bars__isnull=False)}
        return [row for row in table() if (row.period, row.basis, row.country) not in barred]

    return mutations.replaced(counts, "table", told_alone)


@contextmanager
def _silently_prolonged() -> Iterator[None]:
    """A bar that nobody told the ledger of."""
    with mutations.replaced(told, "KIND", told.KIND), transaction.atomic():  # refuses outside test mode
        person, _secret = Person.take()
        asked = {"fields": {}, "persons": 1, "since": 0, "until": 1}
        case = Case(person=person, basis="a", country="DE", recipient="", document="", asked=asked, salt=bytes(16))
        _sealed(case)
        case.save(force_insert=True)
        Bar.objects.create(case=case, document="", until=clock.now() + timedelta(days=300))
    try:
        yield
    finally:
        case.delete()


def _sealed(case: Case) -> None:
    from troth.pledge.vault.classes import Words
    from troth.pledge.vault.fields import seal

    for column in ("statement", "issuer"):
        seal(case, column, Words(""))


CLAUSE = Clause(
    id="P12",
    title=_("When the law asks"),
    words=_(
        "We never reveal personal information to any other person or body, except (a) for a subpoena, a court order or "
        "such legal process; (b) where a government agency or an attorney subpoenas it or formally requests discovery, "
        "pursuant to a legal action, current or pending, which is named; (c) where our own attorney requests what is "
        "relevant to a current or pending legal matter in which the customer is a potential or actual party, or "
        "otherwise contributed in some way to what caused it."
    ),
    stricter=_(
        "Two people approve exactly what is handed over, you are told before unless a document forbids it, it is "
        "sealed to whoever asked, and it is counted in public. There is no other way out."
    ),
    enforced=(
        _("The keeper opens for this purpose only what two others than the filer approved, each with a second factor."),
        _("An approval is for one scope: its customers, fields, days, basis, document, recipient; for 30 days."),
        _("A firm of one has an approver outside, with a key of their own, or waits for three days, and says so."),
        _("What is opened leaves the keeper sealed to the recipient: no page, person or program here reads it."),
        _("Every step stands in the public ledger; what may not be told yet is told on the day on which the bar ends."),
    ),
    checks=(
        Check("the keeper rehearses a disclosure", "runtime", the_keeper_discloses_what_was_approved),
        Check("what is published is counted again", "runtime", the_counts_are_those_of_the_ledger),
        Check("no kind of case is left out", "runtime", no_kind_of_case_is_left_out),
        Check("bars end when they said", "runtime", bars_end_when_they_said),
    ),
    mutants=(
        Mutant("the page shows nothing", _shown_as_less, turns=(the_counts_are_those_of_the_ledger,)),
        Mutant(
            "half-years without a request are left out",
            _quiet_times_left_out,
            turns=(the_counts_are_those_of_the_ledger,),
        ),
        Mutant(
            "what may not be told is not counted",
            _untold_left_out,
            in_demo=False,
            turns=(no_kind_of_case_is_left_out,),
        ),
        Mutant(
            "the filer counts as an approver",
            lambda: mutations.replaced(rules, "filer_counts", lambda filer, able, needed: True),
            in_demo=False,
            turns=(the_keeper_discloses_what_was_approved,),
        ),
        Mutant(
            "one approval is enough after some days",
            lambda: mutations.replaced(
                rules, "enough", lambda approved, able, needed, outside, waited: waited >= rules.WAIT and len(approved)
            ),
            in_demo=False,
            turns=(the_keeper_discloses_what_was_approved,),
        ),
        Mutant(
            "approvals never end",
            lambda: mutations.replaced(rules, "still_counts", lambda *given: True),
            in_demo=False,
            turns=(the_keeper_discloses_what_was_approved,),
        ),
        Mutant(
            "what is wider than the document passes",
            lambda: mutations.replaced(rules, "wider", lambda scope, asked: False),
            in_demo=False,
            turns=(the_keeper_discloses_what_was_approved,),
        ),
        Mutant(
            "a bar is prolonged and nobody says so",
            _silently_prolonged,
            in_demo=False,
            turns=(bars_end_when_they_said,),
        ),
    ),
    choices=(
        (_("See the counts"), "/transparency"),
        (_("See who looked"), "/account/privacy"),
        (_("Object"), "/contact"),
    ),
    by_people=_("That whoever asks is called back, at a number found elsewhere, and is who they say."),
)
