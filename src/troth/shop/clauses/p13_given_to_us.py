"""P13: the shop alone owns what it collects, and has only what the customer gave, by mail or other direct contact."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from django.utils.translation import gettext_lazy as _

from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, holds
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import letterbox, mutations, pages
from troth.shop.delivery import letters
from troth.shop.journeys import mail_out
from troth.shop.mailings import markup
from troth.shop.mailings.models import Mailing
from troth.shop.payments.models import ProviderEvent

TEXT = "See [the guide](https://shop.example/p/guide)."
# Of what providers send: no field that can hold a person (docs/payment-states.md).
PERSONAL = re.compile(
    r"mail|name|addr|phone|payer_id|birth|ip$|firstname|lastname|postal|zip|city|street", re.IGNORECASE
)
# Codes, ids, amounts and times: all that is kept of a message, of PayPal's and of Skrill's. It has our own names.
KEPT = frozenset((
    "create_time", "resource_type", "resource_id", "status", "value", "currency", "refunded_in_all", "invoice_id",
    "dispute_id", "dispute_capture", "dispute_stage", "dispute_reason", "dispute_outcome", "dispute_value",
    "dispute_currency",
    "transaction_id", "mb_amount", "mb_currency", "amount", "amount_signed", "mb_transaction_id", "failed_reason_code",
    "payment_type", "payment_instrument_country",
))  # fmt: skip


def visitors_get_no_cookie(probe: Probe) -> Iterator[Finding]:
    seen = 0
    for path, page in pages.public(probe):
        seen += 1
        if "set-cookie" in {name.lower() for name in page.headers} and (path in UNTOUCHED or path.startswith("/p/")):
            yield broken(f"{path} gives a visitor a cookie who has given nothing")
    yield holds(f"{seen} kinds of public pages are read without leaving a trace: no cookie, no counting")


UNTOUCHED = ("/", "/privacy", "/terms")


def letters_report_nothing(probe: Probe) -> Iterator[Finding]:
    """What a mail program would fetch or pass on when somebody reads a mailing."""
    letter = mail_out.sample(Mailing(title="News", text=TEXT))
    part = letter.get_body(preferencelist=("html",))
    html = str(part.get_content()) if part is not None else ""
    if letterbox.FETCHED.search(html):
        yield broken("a letter makes the mail program fetch something, which tells that it was read")
    if 'href="https://shop.example/p/guide"' not in html:
        yield broken("links in letters lead through a page that counts them")
    left = probe.marker()
    if left is not None and left.letters.fetching:
        yield broken(f"letters that make the mail program of who bought fetch something: {left.letters.fetching}")
    yield holds("letters fetch nothing, and their links lead where they were written to")


def providers_tell_no_more_than_is_needed(probe: Probe) -> Iterator[Finding]:
    """What was kept of providers' messages, by the names of its fields."""
    seen, wrong, strange = 0, set[str](), set[str]()
    for kept in ProviderEvent.objects.order_by("-came_at").values_list("kept", flat=True)[:500]:
        seen += 1
        wrong |= {name for name in _names(kept) if PERSONAL.search(name)}
        strange |= set(kept) - KEPT
    for name in sorted(strange - wrong):
        yield broken(f"of a payment provider's message something is kept that nobody declared: {name}")
    for name in sorted(wrong):
        yield broken(f"of a payment provider's message a field about a person is kept: {name}")
    yield holds(
        f"{seen} messages of payment providers looked at: what they say about persons was cut off before storing"
    )


def _names(kept: object) -> Iterator[str]:
    if isinstance(kept, dict):
        for name, value in kept.items():
            yield str(name)
            yield from _names(value)
    elif isinstance(kept, list):
        for value in kept:
            yield from _names(value)


def _pixel(text: str) -> str:
    return f'{_html(text)}<img src="https://count.example/open.gif" alt="">'


def _detour(text: str) -> str:
    return _html(text).replace('href="', 'href="https://count.example/?to=')


_html = markup.html


def _with_picture(*given: Any, **words: Any) -> EmailMessage:
    message = _write(*given, **words)
    part = message.get_body(preferencelist=("html",))
    if part is not None:
        part.set_content(f'{part.get_content()}<img src="https://shop.example/logo.png" alt="">', subtype="html")
    return message


_write = letters.write


@contextmanager
def _one_kept(kept: dict[str, Any]) -> Iterator[None]:
    """A colleague keeps more of a message, to look into it later."""
    row = ProviderEvent.objects.create(
        provider="paypal", event_id=secrets.token_hex(8), kind="test", verified=True, kept=kept
    )
    try:
        yield
    finally:
        row.delete()


def _with_token(source: str) -> str:
    return source.replace("</body>", "{{ csrf_input }}</body>", 1)


CLAUSE = Clause(
    id="P13",
    title=_("What you gave us, and nothing else"),
    words=_(
        "We alone own what is collected here. We have only what you gave us of your own will, by mail or other direct "
        "contact."
    ),
    stricter="",
    enforced=(
        _("No tracking: pages and letters fetch nothing that counts, links lead where they say."),
        _("No bought data, no joined lists: every table is declared, and none has another source than you."),
        _("What payment providers send beyond need is cut off before it is stored."),
    ),
    checks=(
        Check("visitors get no cookie", "runtime", visitors_get_no_cookie),
        Check("letters report nothing", "runtime", letters_report_nothing),
        Check("providers tell no more than is needed", "runtime", providers_tell_no_more_than_is_needed),
    ),
    mutants=(
        Mutant(
            "letters have a counting pixel",
            lambda: mutations.replaced(markup, "html", _pixel),
            turns=(letters_report_nothing,),
        ),
        Mutant(
            "what was bought comes with a picture of the shop",
            lambda: mutations.replaced(letters, "write", _with_picture),
            in_demo=False,
            turns=(letters_report_nothing,),
        ),
        Mutant(
            "links in letters are counted",
            lambda: mutations.replaced(markup, "html", _detour),
            turns=(letters_report_nothing,),
        ),
        Mutant(
            "every page marks its reader",
            lambda: mutations.page_edited("base.html", _with_token),
            turns=(visitors_get_no_cookie,),
        ),
        Mutant(
            "messages of providers are kept as they come",
            lambda: _one_kept({"resource": {"payer": {"email_address": "somebody"}}}),
            in_demo=False,
            turns=(providers_tell_no_more_than_is_needed,),
        ),
        Mutant(
            "who paid is known again by a short hash",
            lambda: _one_kept({"wallet": secrets.token_hex(8)}),
            in_demo=False,
            turns=(providers_tell_no_more_than_is_needed,),
        ),
    ),
    choices=((_("Take along what we hold"), "/account/privacy"),),
)
