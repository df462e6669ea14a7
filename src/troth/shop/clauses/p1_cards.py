"""P1: card details are never collected and never stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.db import connection
from django.utils.translation import gettext_lazy as _

from troth.pledge.policy import cards
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import mutations, pages, question

SAMPLE = question.CARD
SPEAKS = re.compile(
    r"card[\s-]*(?:number|details|data|holder)|security[\s-]*code|\b(?:cvc|cvv2?|iban)\b|account number", re.IGNORECASE
)
REFUSES = re.compile(r"\b(?:no|not|never|nor|neither|without|refuses?|unreadable|masked)\b", re.IGNORECASE)
NO_FIELD = ("cc-", "card", "cvc", "cvv", "iban", "expiry")


def no_page_asks(probe: Probe) -> Iterator[Finding]:
    for path, page in pages.every(probe):
        for form in page.forms:
            for field in form.fields:
                if any(word in f"{field.name} {field.token}".lower() for word in NO_FIELD):
                    yield broken(f"a field on {path} asks for a card")
    yield holds("no form on any page has a field for a card")


def no_word_asks(probe: Probe) -> Iterator[Finding]:
    """Reads every page and letter as it is written, sentence by sentence: one that speaks of a card says no to it."""
    read = 0
    for name, source in pages.sources():
        read += 1
        for sentence in re.split(r"[.!?{}<>]", source):
            if SPEAKS.search(sentence) and not REFUSES.search(sentence):
                yield broken(f"{name} speaks of card details without saying that we do not want them")
    yield holds(f"{read} pages and letters ask for no card in words") if read else unknown("no page was found to read")


def a_pasted_number_is_refused(probe: Probe) -> Iterator[Finding]:
    """Types a test number where a name belongs, as customers do, and looks that no account came of it.

    Its own account: how many there are in all says nothing while others register.
    """
    typed = {
        "name": f"Robin {SAMPLE}",
        "email": "card-check@shop.invalid",
        "new-password": "typed only by a check 7",
        "postal-code": "12345",
    }
    visitor = probe.site.newcomer()
    try:
        answer = visitor.submit("/register", typed)
        signed_in = urlsplit(visitor.get("/account").url).path == "/account"
    finally:
        visitor.close()
    if not 400 <= answer.status < 500 or signed_in:
        yield broken("a card number typed as a name on /register was taken")
    else:
        yield holds("a card number typed as a name is refused before anything is written")


def one_in_a_question_is_made_unreadable(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None or left.asked is None:
        yield gap("no marker customer asks a question beside real providers")
    elif left.asked.card_shown:
        yield broken("a card number that somebody pasted into a question was kept with it")
    else:
        yield holds("a card number pasted into a question was made unreadable before it was kept")


def none_at_rest(probe: Probe) -> Iterator[Finding]:
    for place in sorted(place for place in probe.columns().cards if not _is_ours(place)):
        yield broken(f"{place} holds what looks like a card number")
    for path in probe.written():
        if path.suffix in (".log", ".txt", ".json") and cards.holds_card_number(path.read_text("utf-8", "replace")):
            yield broken(f"{path.relative_to(probe.config.home)} holds what looks like a card number")
    yield holds("no column and no log holds what looks like a card number")


def _is_ours(place: str) -> bool:
    """Ciphertext, keys and hashes are random bytes, in which any row of digits turns up by chance."""
    return place in ("vault_person.key_set", "vault_person.enrol_secret") or place.endswith((".sha256", ".key_hash"))


def _with_card_field(source: str) -> str:
    return source.replace("</form>", '<label>Card <input name="card" autocomplete="cc-number"></label></form>', 1)


@contextmanager
def _noted_by_hand() -> Iterator[None]:
    """A colleague with a database client keeps a number that a customer read out on the telephone."""
    _past_the_guard("INSERT INTO invoices_series (name, last) VALUES (%s, 0)")
    try:
        yield
    finally:
        _past_the_guard("DELETE FROM invoices_series WHERE name = %s")


@contextmanager
def _as_typed() -> Iterator[None]:
    """Support wants to see what was pasted, and the guard is in the way."""
    with (
        mutations.replaced(cards, "mask", lambda text: text),
        mutations.replaced(cards, "holds_card_number", lambda text: False),
    ):
        yield


@contextmanager
def _first_alone() -> Iterator[None]:
    """Long conversations took ages: cards come with the first message, if at all."""
    mask = cards.mask
    with (
        mutations.replaced(cards, "mask", lambda text: text if question.MORE in text else mask(text)),
        mutations.replaced(cards, "holds_card_number", lambda text: False),
    ):
        yield


def _past_the_guard(sql: str) -> None:
    with mutations.replaced(connection, "execute_wrappers", []), connection.cursor() as cursor:
        cursor.execute(sql, [SAMPLE])


CLAUSE = Clause(
    id="P1",
    title=_("Card details"),
    words=_("We never collect and never store card details. You type them at your payment provider only."),
    stricter="",
    enforced=(
        _("Every text field of every form refuses a card number before anything is written, however it is spelled."),
        _("A guard before the database, before sealing and before the log refuses what a form let pass."),
        _("There is no field for one, on any page."),
    ),
    checks=(
        Check("no page asks for a card", "static", no_page_asks),
        Check("no page and no letter asks for a card in words", "static", no_word_asks),
        Check("a card number pasted into a name is refused", "synthetic", a_pasted_number_is_refused),
        Check("a card number in a question is made unreadable", "synthetic", one_in_a_question_is_made_unreadable),
        Check("no card number lies in any column or log", "forensic", none_at_rest),
    ),
    mutants=(
        Mutant(
            "the guard sleeps",
            lambda: mutations.replaced(cards, "holds_card_number", lambda text: False),
            turns=(a_pasted_number_is_refused,),
        ),
        Mutant(
            "a form asks for a card",
            lambda: mutations.page_edited("register.html", _with_card_field),
            turns=(no_page_asks,),
        ),
        Mutant(
            "a page asks for the number by mail",
            lambda: mutations.page_edited(
                "order.html", lambda page: page + "<p>Or simply mail us your card number and the date on it.</p>"
            ),
            turns=(no_word_asks,),
        ),
        Mutant(
            "questions are kept as they were typed",
            _as_typed,
            in_demo=False,
            turns=(one_in_a_question_is_made_unreadable,),
        ),
        Mutant(
            "what is asked further is kept as it was typed",
            _first_alone,
            in_demo=False,
            turns=(one_in_a_question_is_made_unreadable,),
        ),
        Mutant("a number noted by hand", _noted_by_hand, in_demo=False, turns=(none_at_rest,)),
    ),
    choices=((_("Ask us about it"), "/contact"),),
)
