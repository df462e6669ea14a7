"""P11: an IP address protects from fraud, serves nothing else, and ends after some days."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.keeper import policy
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe, sealed_columns
from troth.pledge.vault.classes import Network
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Session
from troth.shop.clauses import marker, mutations, same_everywhere
from troth.shop.fraud import keyed
from troth.shop.fraud.models import Hold, Sighting, Trace
from troth.shop.journeys import weigh

LATE = timedelta(days=1)  # rows end hourly; a worker that stood still for a day is late
NOTED = "from "  # how the mutant below begins what it keeps
OURS = frozenset({"fraud", "legal"})


def an_address_stands_nowhere_in_clear(probe: Probe) -> Iterator[Finding]:
    """A marker customer comes from an address of their own; then everything that was written is searched for it."""
    left, traces = probe.marker(), marker.traces(probe)
    if left is None or traces is None:
        yield gap("no marker customer beside real providers; what is sealed, and for how long, is looked at instead")
        return
    for place in traces.of_address:
        yield broken(f"the IP address of a marker customer stands in clear in {place}")
    kept = Trace.objects.filter(order__in=left.refs).count()
    if kept:
        yield holds(f"the IP address of a marker customer lies sealed beside {kept} orders, and nowhere in clear: "
                    f"{traces.searched}")  # fmt: skip
    else:
        yield holds(f"the IP address of a marker customer was not kept: {traces.searched}")


def no_other_class_has_room_for_it(probe: Probe) -> Iterator[Finding]:
    """Of all that is sealed only the class network has an address, and only the table against fraud has that class."""
    for model, field in sealed_columns():
        names = set(field.personal.__struct_fields__)
        of_network = field.personal.klass == "network"
        if of_network and model is not Trace:
            yield broken(f"a table besides that against fraud holds IP addresses: {model._meta.label}")
        if not of_network and names & {"address", "ip", "ip_address", "network"}:
            yield broken(f"the class {field.personal.klass} has room for an IP address")
    if set(Network.__struct_fields__) != {"address", "points", "signs"}:
        yield broken("what is sealed with an IP address is more than the signs of fraud")
    yield holds("one table has IP addresses, sealed, with the signs of fraud beside them and nothing else")


def it_ends_on_its_day(probe: Probe) -> Iterator[Finding]:
    days = probe.config.policy.network_days
    before = probe.now - timedelta(days=days) - LATE
    if count := Trace.objects.filter(made_at__lt=before).count():
        yield broken(f"IP addresses that are kept longer than {days} days: {count}")
    if count := Hold.objects.filter(made_at__lt=before).exclude(state=Hold.HELD).count():
        yield broken(f"judgements about an order that are kept longer than {days} days: {count}")
    if count := Sighting.objects.filter(made_at__lt=probe.now - 3 * LATE).count():
        yield broken(f"counts under a name of the day that are older than two days: {count}")
    old = f"network-{probe.now - 2 * LATE:%Y-%m-%d}.key"
    if keys := [path for path in (probe.config.home / "run").glob("network-*.key") if path.name <= old]:
        yield broken(f"keys of days that are over were not destroyed: {len(keys)}")
    yield holds(f"IP addresses that are held: {Trace.objects.count()}; none longer than {days} days")


def it_opens_for_fraud_and_lawful_disclosure_alone(probe: Probe) -> Iterator[Finding]:
    """By the keeper's own table; and tried at its door with the newest address held, for every other purpose."""
    wider = {purpose for klass, purpose in policy.OPENS if klass == "network"} - OURS
    for purpose in sorted(wider):
        yield broken(f"an IP address may be opened for {purpose}")
    if "legal" in policy.BY_DOOR["worker"] | policy.BY_DOOR["web"] or "fraud" in policy.BY_DOOR["web"]:
        yield broken("a process may open IP addresses by itself that must not")
    trace = Trace.objects.order_by("made_at").last()
    if trace is None:
        yield holds("by the keeper's table an IP address opens for fraud and lawful disclosure alone; none is held")
        return
    opened = [purpose for purpose in policy.PURPOSES if purpose not in OURS and _opens(trace, purpose)]
    for purpose in opened:
        yield broken(f"the keeper opened an IP address for {purpose}")
    tried = len(policy.PURPOSES) - len(OURS)
    yield holds(f"an IP address opens for fraud and lawful disclosure alone; tried for {tried} other purposes")


def _opens(trace: Trace, purpose: str) -> bool:
    try:
        door().open([trace.network], purpose=purpose, job="check-of-addresses")
    except KeeperRefused as refused:
        if refused.code not in ("purpose", "capability"):
            raise  # it never came to the question: then nothing is known
        return False
    return True


@contextmanager
def _noted_in_the_session() -> Iterator[None]:
    """A colleague keeps the address at hand."""
    keep = weigh._keep

    def beside(person: Any, address: str, *rest: Any) -> None:
        keep(person, address, *rest)
        later = clock.now() + timedelta(days=1)
        Session.objects.create(session_key=secrets.token_hex(16), session_data=f"{NOTED}{address}", expire_date=later)

    with mutations.replaced(weigh, "_keep", beside):
        yield


def _opens_for_letters() -> AbstractContextManager[None]:
    """Somebody wants letters to say where an order came from."""
    return mutations.added(policy.OPENS, ("network", "notice"), "network")


@contextmanager
def _nothing_ends() -> Iterator[None]:
    """The address of nobody, whose days are over."""
    if settings.TROTH.live:
        raise mutations.NotHere
    nobody = Person.objects.filter(taken_at__isnull=True).order_by("made_at").last()
    if nobody is None:
        raise LookupError("no blank in stock")
    since = clock.now() - timedelta(days=settings.TROTH.policy.network_days) - 2 * LATE
    trace = Trace(person=nobody, made_at=since)
    seal(trace, "network", Network(bytes(4)))
    trace.save(force_insert=True)
    try:
        yield
    finally:
        trace.delete()


@contextmanager
def _kept_with_the_postcode() -> Iterator[None]:
    field = next(field for _model, field in sealed_columns() if field.personal.klass == "locality")
    wider = msgspec.defstruct("Locality", [("postcode", str), ("ip", str)], namespace={"klass": "locality"})
    with mutations.replaced(field, "personal", wider):
        yield


CLAUSE = Clause(
    id="P11",
    title=_("Your IP address"),
    words=_(
        "We may use your IP address to protect you, us and our payment partners from fraud, and for nothing else. "
        "It is forgotten after {network_days} days."
    ),
    stricter=_(
        "It lies sealed and apart, for days that are counted. Where several signs of fraud come together, an order is "
        "held before a payment partner hears of it; its page says why, and a person looks at it."
    ),
    enforced=(
        _("It is sealed the moment an order or a registration comes; what is thought of it lies and ends with it."),
        _("The keeper opens it for fraud and lawful disclosure, and refuses every other purpose."),
        _("What is counted is counted under a keyed hash, whose key is destroyed each day."),
        _("No mailing, answer or report has a way to these tables, and payment partners are told nothing of them."),
    ),
    checks=(
        Check("an address stands nowhere in clear", "synthetic", an_address_stands_nowhere_in_clear),
        Check("no other class has room for it", "static", no_other_class_has_room_for_it),
        Check("it ends on its day", "runtime", it_ends_on_its_day),
        Check("it opens for fraud and lawful disclosure alone", "runtime",
              it_opens_for_fraud_and_lawful_disclosure_alone),
        Check("pages are the same everywhere", "synthetic", same_everywhere.pages_are_the_same_everywhere),
    ),
    mutants=(
        Mutant(
            "the address is noted in a session",
            _noted_in_the_session,
            turns=(an_address_stands_nowhere_in_clear,),
        ),
        Mutant(
            "it is counted by its own name",
            lambda: mutations.replaced(keyed, "name", keyed.counted),
            in_demo=False,
            turns=(an_address_stands_nowhere_in_clear,),
        ),
        Mutant(
            "the sealed postcode has an address beside it",
            _kept_with_the_postcode,
            in_demo=False,
            turns=(no_other_class_has_room_for_it,),
        ),
        Mutant("its days are over, and it is there", _nothing_ends, in_demo=False, turns=(it_ends_on_its_day,)),
        Mutant(
            "it opens for letters",
            _opens_for_letters,
            in_demo=False,
            turns=(it_opens_for_fraud_and_lawful_disclosure_alone,),
        ),
        Mutant(
            "the checkout shows where it thinks you are",
            same_everywhere.told_where_they_are,
            in_demo=False,
            turns=(same_everywhere.pages_are_the_same_everywhere,),
        ),
    ),
    choices=((_("See what we hold about you"), "/account/privacy"), (_("Ask why an order is held"), "/contact")),
    by_people=_("That whoever looks at a held order looks at it soon, and with an open mind."),
)  # fmt: skip
