"""Letters of service serve: they lead to what is their reader's own, and offer nothing (P9).

In test mode the marker customer's letters are read as they came; everywhere the templates are, the owner's own too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from troth.pledge.policy.clause import Finding, broken, holds
from troth.pledge.policy.probe import Probe
from troth.shop import ways_out
from troth.shop.clauses import mutations, pages
from troth.shop.coupons.models import Coupon
from troth.shop.delivery import letters

# Where a link to this shop may lead from there: to what is somebody's, and to what the law wants told.
LEADS = (
    "/account", "/claim/", "/composer", "/confirm/", "/contact", "/download/", "/erase", "/erasures/", "/imprint",
    "/invoice/", "/ledger/", "/orders/", "/privacy", "/recover", "/renew", "/sign-in", "/terms", "/tickets/",
    "/transparency", "/withdraw",
)  # fmt: skip
LINK = re.compile(r"https?://[^\s<>\"]+")
IN_SOURCE = re.compile(r"\{\{\s*site\s*\}\}(?!\s*\{\{)([^\s\"<{]*)")
WORD = re.compile(r"[A-Z0-9][A-Z0-9-]{3,}")  # what a coupon's code may look like


def letters_of_service_offer_nothing(probe: Probe) -> Iterator[Finding]:
    codes = set(Coupon.objects.values_list("code", flat=True))
    seen = 0
    for name, source in pages.sources():
        if not _is_of_service(name):
            continue
        seen += 1
        if led := [path for path in IN_SOURCE.findall(source) if not path.startswith(LEADS)]:
            yield broken(f"the letter {name} is one of service and leads to what is sold: {led[0] or '/'}")
        if codes & set(WORD.findall(source)):
            yield broken(f"the letter {name} is one of service and offers a coupon")
    left = probe.marker()
    came = left.letters.texts if left is not None and left.letters is not None else []
    own = urlsplit(probe.config.web.public_url).netloc
    for text in came:
        paths = [urlsplit(link).path for link in LINK.findall(text) if urlsplit(link).netloc == own]
        for path in sorted({path.partition("/")[2].partition("/")[0] for path in paths if not path.startswith(LEADS)}):
            yield broken(f"a letter of service to the marker customer leads to what is sold: /{path}")
        if codes & set(WORD.findall(text)):
            yield broken("a letter of service to the marker customer offers a coupon")
    yield holds(f"{seen} templates of letters of service, and {len(came)} letters that came, offer nothing")


def _is_of_service(name: str) -> bool:
    kind = name.partition(".")[0]
    return name in ("foot.txt", "letter.html") or ways_out.LETTERS.get(kind, "P9") != "P9"


def with_an_offer() -> AbstractContextManager[None]:
    """Mutant: whoever confirms an address is shown what is new, too."""
    write = letters.write

    def offering(letter: Any, *given: Any, **words: Any) -> EmailMessage:
        message = write(letter, *given, **words)
        part = message.get_body(preferencelist=("plain",))
        if letter.kind == "confirm" and part is not None:
            part.set_content(
                f"{part.get_content()}\nAnd see what is new this week: {words['link'].partition('/confirm')[0]}/\n"
            )
        return message

    return mutations.replaced(letters, "write", offering)
