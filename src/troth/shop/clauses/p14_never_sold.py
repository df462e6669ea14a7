"""P14: what customers tell is never sold or rented to anyone; whatever leaves the shop has a declared recipient."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge import egress
from troth.pledge.policy import addresses
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.pledge.vault.door import door
from troth.shop import recipients
from troth.shop.clauses import mutations
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import books
from troth.shop.payments.providers.contract import Ask

PERSON = "per_"  # how our names of people begin
DAY = 86400  # seconds in which a refused connection is told
MAY_GET = {"P8": {"contact"}, "P16": {"contact", "locality", "billing", "network", "correspondence"}}
SEALED_ONLY = "P16"


def everybody_refuses_the_undeclared(probe: Probe) -> Iterator[Finding]:
    """Asks the guard of this process, and what web and worker noted when they put theirs up."""
    if not egress.stands():
        yield broken("this process would connect to anybody")
    for role in ("web", "worker"):
        try:
            stood = json.loads(_noted(probe, f"egress-{role}").read_text("utf-8"))["stands"]
        except (OSError, ValueError, KeyError):
            yield unknown(f"nobody noted whether the {role} process refuses undeclared recipients")
        else:
            if not stood:
                yield broken(f"the {role} process would connect to anybody")
    yield holds("web and worker connect to declared recipients alone; the guard refuses all others")


def nobody_tried(probe: Probe) -> Iterator[Finding]:
    """What the guards refused of late: something in this shop wanted to tell somebody something."""
    path = _noted(probe, "egress-refused")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    told = [json.loads(line) for line in lines]
    for host in sorted({one["to"] for one in told if time.time() - one["at"] < DAY}):
        yield broken(f"something tried to connect to {host}, which is nowhere declared, and was refused")
    yield holds("nothing tried to connect to anybody undeclared within a day")


def recipients_get_what_they_may(probe: Probe) -> Iterator[Finding]:
    known = recipients.declared(probe.config)
    for one in known:
        more = set(one.personal) - MAY_GET.get(one.clause, set())
        if more:
            yield broken(f"{one.name} would get {', '.join(sorted(more))}, which {one.clause} does not allow")
        if one.clause == "P2" and set(one.fields.split()) != set(Ask.__struct_fields__):
            yield broken(f"{one.name} gets other fields than are declared")
    yield holds(f"{len(known)} declared recipients, each with its fields and the promise that allows it")


def the_books_name_nobody(probe: Probe) -> Iterator[Finding]:
    """The month's books are the only export in bulk: what they say of the marker customer's orders is searched.

    Of the entries since they came, since no earlier one can say a word that was drawn after it was written. In a live
    shop those of a day are searched for what has the shape of a mailbox, or is the name of a person in our tables.
    """
    left = probe.marker()
    seen = 0
    for entry in books.entries(since=left.began if left else probe.now - timedelta(days=1)):
        seen += 1
        lines = [str(line).lower() for line in msgspec.structs.astuple(entry)]
        if any(left.stem in line for line in lines if left) or any(addresses.found("\n".join(lines).encode())):
            yield broken("the month's books say who bought")
            return
        if any(line.startswith(PERSON) for line in lines):
            yield broken("the month's books have our own name for a buyer, by which they are found in our tables")
            return
    if seen or not left or not left.orders:
        yield holds("the month's books, our only export in bulk, have a pseudonym for each buyer and no name")
    else:
        yield unknown("a marker customer bought, and the month's books have no entry since")


def _noted(probe: Probe, name: str) -> Path:
    return Path(probe.config.home) / "run" / name


def _sold() -> AbstractContextManager[None]:
    declared = recipients.declared
    buyer = recipients.Recipient(
        "Addresses Ltd", "pays for it", (("list.example", 443),), ("worker",), "P9", "name email", ("contact",)
    )
    return mutations.replaced(recipients, "declared", lambda config: [*declared(config), buyer])


@contextmanager
def _told_somebody() -> Iterator[None]:
    """A library that was put in yesterday reports how it is used."""
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        noted = settings.TROTH.home / "run" / "egress-refused"
        before = noted.read_text("utf-8") if noted.exists() else ""
        noted.write_text(json.dumps({"to": "telemetry.example", "role": "web", "at": int(time.time())}) + "\n")
        try:
            yield
        finally:
            noted.write_text(before, "utf-8")


def _with_buyers(who: Callable[[Invoice], str]) -> AbstractContextManager[None]:
    """A colleague puts the buyer into the books, as the accountant asked for it."""
    made = books._entry

    def entry(row: Invoice, payment_country: str) -> books.Entry:
        return msgspec.structs.replace(made(row, payment_country), buyer=who(row))

    return mutations.replaced(books, "_entry", entry)


def _name_of(row: Invoice) -> str:
    (billing,) = door().open([row.billing.billing], purpose="bill", job="books")
    return str(billing.name)


CLAUSE = Clause(
    id="P14",
    title=_("Never sold"),
    words=_("We never sell or rent what you told us to anyone."),
    stricter=_(
        "Whatever leaves this shop has a declared recipient, listed below with what it gets. The only export in bulk "
        "is the month's books, without names."
    ),
    enforced=(
        _("Each process refuses connections to anybody who is not declared, whichever library asks for them."),
        _("The books have numbers, dates, countries, sums and a pseudonym; no command writes a list of people."),
    ),
    checks=(
        Check("each process refuses undeclared recipients", "runtime", everybody_refuses_the_undeclared),
        Check("nothing tried to reach one", "runtime", nobody_tried),
        Check("recipients get what their promise allows", "static", recipients_get_what_they_may),
        Check("the books name nobody", "synthetic", the_books_name_nobody),
    ),
    mutants=(
        Mutant("a buyer of addresses is declared", _sold, turns=(recipients_get_what_they_may,)),
        Mutant("a library reports to its maker", _told_somebody, in_demo=False, turns=(nobody_tried,)),
        Mutant(
            "the guard is taken off",
            lambda: mutations.replaced(egress, "_door", None),
            in_demo=False,
            turns=(everybody_refuses_the_undeclared,),
        ),
        Mutant(
            "the books say who bought",
            lambda: _with_buyers(_name_of),
            in_demo=False,
            turns=(the_books_name_nobody,),
        ),
        Mutant(
            "the books have our own name for the buyer",
            lambda: _with_buyers(lambda row: row.person_id),
            in_demo=False,
            turns=(the_books_name_nobody,),
        ),
    ),
)
