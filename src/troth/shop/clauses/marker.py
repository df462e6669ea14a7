"""The marker customer: somebody whose every value is unique and has one stem, who goes through every journey.

Afterwards everything that the shop wrote is searched for the stem, once for all clauses of a round: every file byte by
byte in eight spellings, and every column value by value. Test mode only, where providers are look-alikes here and
pay with nothing: a live shop gets no invented customers, nor does a provider elsewhere. At somebody else's
look-alikes, whose page has no button that is known here, they order without paying; what needs a paid order is a gap.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from troth.config import is_loopback
from troth.pledge import clock
from troth.pledge.due.models import Due
from troth.pledge.policy.columns import read as again
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Page, Stuck, Visitor
from troth.shop.accounts.models import Account, Session
from troth.shop.clauses import checkout, letterbox, mutations, own_openings, question
from troth.shop.delivery.models import Letter
from troth.shop.journeys import buy, standby
from troth.shop.orders.models import Order
from troth.shop.payments import gateways

CONFIRMING = 3.0  # seconds for the letter with which a registration is confirmed
PATIENCE = 20.0  # seconds for payment and letter
STEP = 0.1
OWN = ("/account", "/orders/", "/tickets/", "/invoice/")  # pages that are somebody's


class Left(msgspec.Struct):
    """What a run left behind."""

    stem: str
    began: datetime
    address: str = ""  # the IP address that a proxy told of them
    knock: str = ""  # the one from which they came themselves, as a guest
    orders: int = 0
    refs: list[str] = []
    undelivered: int = 0
    unheard: int = 0  # orders whose letter never reached the relay, where all that reaches it is heard
    confirmed_unasked: bool = False  # the account counted as confirmed before anybody followed its link
    told_providers: list[str] = []
    persons: list[str] = []  # our own names for them
    ways: list[str] = []  # addresses by which they were led to providers and back
    pages: dict[str, Page] = {}  # kind of page -> as it was shown
    forms: list[tuple[str, Page]] = []  # kind and page, each time that one with a form was shown
    guest_checkout: Page | None = None
    asked: question.Asked | None = None  # what came of a question of theirs
    asked_about: str | None = None  # the order that a question from the page of their first one was taken for
    openings: own_openings.Compared = own_openings.Compared(0, 0)  # what they were shown of who looked
    loose_cookies: set[str] = set()  # names of those that scripts may read
    still_in: bool = False  # the account's page still opened after signing out
    shown_to_others: list[str] = []  # kinds of pages on which somebody else read of them, by the address alone
    kept_by_browsers: list[str] = []  # kinds of pages about them that a browser or a cache may keep
    letters: letterbox.Letterbox | None = None  # what was handed to the relay meanwhile, by this process
    stranger_heard: bool = False  # a question of somebody without an account arrived
    invoice: Page | None = None  # as its buyer sees it
    invoice_to_others: list[Page] = []  # as those see it who know its id, or guess a link

    def names_them(self, text: str) -> bool:
        """By any word of theirs, or by the address from which they came."""
        return any(word in text.lower() for word in (self.stem, self.address, self.knock) if word)


class Traces(msgspec.Struct, frozen=True):
    """Where the marker customer stands in clear: places with the spelling."""

    of_person: list[str]
    of_bill: list[str]
    of_address: list[str]
    searched: str  # what was looked through, in words


def play(probe: Probe, work: Callable[[], object] | None = None) -> Left | None:
    """Play the marker customer through the shop's pages. None in a live shop, and where providers are not here.

    `work`: does what is due, where no worker runs beside (tests).
    """
    if probe.config.live or not _here(probe):
        return None
    left = Left("q" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(8)), clock.now())
    left.address = "2001:db8:" + ":".join(f"{secrets.randbelow(0xEFFF) + 0x1000:x}" for _ in range(6))  # RFC 3849
    left.knock = "127." + ".".join(str(100 + secrets.randbelow(150)) for _ in range(3))
    member, guest, stranger = probe.site.newcomer(), probe.site.newcomer(at=left.knock), probe.site.newcomer()
    member.comes_from = stranger.comes_from = left.address
    for visitor in (member, guest, stranger):
        visitor.browser = f"Mozilla/5.0 (X11; {left.stem})"
    listening = ExitStack()
    left.letters = listening.enter_context(letterbox.of(left.stem, stranger, _sandbox(probe)))
    try:
        _register(member, left.stem)
        names, payable = gateways.offered(), _ours(probe, member)
        left.refs = [
            checkout.buys(member, left.stem, names[0], checkout.bill(left.stem, firm=True)),
            checkout.buys(guest, left.stem, names[-1], checkout.bill(left.stem) | _person(left.stem, "guest")),
        ]
        _wait(left.refs if payable else _paid(left.refs), work)
        left.confirmed_unasked = _is_confirmed(left.refs[0])
        _confirms(member, stranger, left.letters, work)
        left.refs.append(checkout.buys(member, left.stem, names[-1]))  # once more, soon, with a proved mailbox
        left.still_in = _looks_around(member, left.stem)
        refs = left.refs if payable else _paid(left.refs)
        left.orders = len(refs)
        left.asked = question.ask(member, left.stem)
        left.asked_about = question.about(member, left.stem, left.refs[0])
        left.stranger_heard = question.arrives(stranger, left.stem, _person(left.stem, "stranger"))
        left.undelivered = _wait(refs, work)
        question.be_answered(left.asked, member, left.stem, work, PATIENCE)
        with mutations.replaced(standby, "pause", lambda _: work()) if work else nullcontext():
            left.invoice, left.invoice_to_others = _invoices(member, guest, refs[0]) if refs else (None, [])
        left.openings = own_openings.compare(member, [left.refs[0], left.refs[2]])
        passer_by = listening.enter_context(closing(probe.site.newcomer()))
        _looked_over_the_shoulder(member, passer_by, left)
        left.letters.look(stranger)
        left.unheard = left.letters.missing(refs, every=work is not None)
        _told(probe, member, left)
        left.ways = [url for visitor in (member, guest) for page in visitor.seen for url in page.redirects]
        left.persons = list(Order.objects.filter(pk__in=left.refs).values_list("person", flat=True))
        left.guest_checkout = next(page for page in guest.seen if _kind(page.url) == "/checkout")
        left.loose_cookies = member.loose_cookies | guest.loose_cookies | stranger.loose_cookies
        seen = [page for visitor in (stranger, guest, member) for page in visitor.seen]
        left.forms = [(_kind(page.url), page) for page in seen if page.forms]
        left.pages = {_kind(page.url): page for page in seen}
    finally:
        listening.close()
        for visitor in (member, guest, stranger):
            visitor.close()
    probe.seek(left.stem, _network(left), left.knock)
    probe.seek_hashes(left.stem, _typed(left))
    return left


def _typed(left: Left) -> list[str]:
    """Every value that could be told apart from others by its hash."""
    people = [_person(left.stem, kind) for kind in ("member", "guest", "stranger")]
    billed = [value for value in checkout.bill(left.stem, firm=True).values() if left.stem in value]
    return [
        *(value for who in people for value in who.values()),
        f"{left.stem}-Secret-7",
        *billed,
        left.address,
        left.knock,
    ]


def _is_confirmed(ref: str) -> bool:
    """Whether the account that ordered this counts as one with a proved mailbox."""
    person = Order.objects.filter(pk=ref).values("person")
    return Account.objects.filter(person__in=person, confirmed_at__isnull=False).exists()


def _kind(url: str) -> str:
    """The page's path, with our ids and secrets left out: /orders/…"""
    parts = ["…" if len(part) > 20 else part for part in urlsplit(url).path.split("/")]
    return "/".join(parts)


def _person(stem: str, kind: str) -> dict[str, str]:
    return {"name": f"{stem} name", "email": f"{stem}.{kind}@marker.invalid"}


def _register(visitor: Visitor, stem: str) -> None:
    own = {"new-password": f"{stem}-Secret-7", "postal-code": f"{stem}9"}
    page = visitor.submit("/register", _person(stem, "member") | own)
    if page.status != 200:
        raise Stuck("/register did not take the marker customer")


def _sandbox(probe: Probe) -> str:
    """Where the look-alikes are."""
    config = probe.config
    return "{0.scheme}://{0.netloc}".format(
        urlsplit(config.paypal.base_url if config.paypal.client_id else config.skrill.pay_url)
    )


def _here(probe: Probe) -> bool:
    """Whether every provider of this shop is a look-alike on this machine."""
    config = probe.config
    used = [config.paypal.base_url] if config.paypal.client_id else []
    used += [config.skrill.pay_url] if config.skrill.merchant_id else []
    return bool(used) and all(is_loopback(urlsplit(url).hostname or "") for url in used)


def _ours(probe: Probe, visitor: Visitor) -> bool:
    """Whether these look-alikes are the sandbox: then orders can be paid, and one that is not is no gap."""
    return visitor.get(f"{_sandbox(probe)}/_control/books").status == 200


def _paid(refs: list[str]) -> list[str]:
    return [ref for ref in refs if Order.objects.filter(pk=ref, state=Order.PAID).exists()]


def _confirms(
    visitor: Visitor, postman: Visitor, letters: letterbox.Letterbox, work: Callable[[], object] | None
) -> None:
    """Follow the link of the first letter, if it can be read here, so that one buyer has a proved mailbox."""
    until = time.monotonic() + CONFIRMING
    while not (path := letters.link("/confirm/")) and time.monotonic() < until:
        if work is not None:
            work()
            until = 0  # nobody else does it
        else:
            time.sleep(STEP)
            letters.look(postman)
    if path and not any(form.method == "post" for form in visitor.get(path).forms):
        raise Stuck("the link of the first letter does not lead to where it is confirmed")
    if path:
        visitor.submit(path, {})


def _looks_around(visitor: Visitor, stem: str) -> bool:
    """The rest of what a customer does: look at oneself, leave, mistype, come back, ask for a new password.

    Whether they were still in after they had left.
    """
    visitor.get("/account")
    visitor.get("/account?show=me")
    visitor.submit("/account", {}, form="sign-out")
    still_in = urlsplit(visitor.get("/account").url).path == "/account"
    email = f"{stem}.member@marker.invalid"
    visitor.submit("/sign-in", {"email": email, "current-password": f"{stem}-wrong"})
    visitor.submit("/sign-in", {"email": email, "current-password": f"{stem}-Secret-7"})
    visitor.submit("/recover", {"email": email})
    visitor.get("/account/privacy")
    return still_in


def _looked_over_the_shoulder(visitor: Visitor, other: Visitor, left: Left) -> None:
    """Somebody else asks for every page of the marker customer's by its address alone; a browser would keep them."""
    about = {page.url: page for page in visitor.seen if page.status == 200 and _is_own(page, left.stem)}
    shown = {_kind(url) for url in about if _tells(other.get(url), url, left.stem)}
    kept = {_kind(url) for url, page in about.items() if "no-store" not in page.headers.get("cache-control", "")}
    left.shown_to_others, left.kept_by_browsers = sorted(shown), sorted(kept)


def _is_own(page: Page, stem: str) -> bool:
    return stem in page.text or urlsplit(page.url).path.startswith(OWN)


def _tells(page: Page, asked: str, stem: str) -> bool:
    """Whether a page says anything of its customer: it names them, or it is there at all where only they should see."""
    path = urlsplit(page.url).path
    return stem in page.text or (page.status < 400 and path == urlsplit(asked).path and path.startswith(OWN))


def _wait(refs: list[str], work: Callable[[], object] | None) -> int:
    """Wait until each paid order is delivered; return how many are not, and will not be."""
    until = time.monotonic() + PATIENCE
    while True:
        if work is not None:
            work()
        paid = set(Order.objects.filter(pk__in=refs, state=Order.PAID).values_list("pk", flat=True))
        sent = set(Letter.objects.filter(subject__in=refs, state=Letter.SENT).values_list("subject", flat=True))
        due = Due.objects.filter(kind="deliver", subject__in=refs)
        refused = due.filter(last_code__startswith="keeper-").exclude(last_code="keeper-away")  # waiting helps nobody
        waiting = set(due.exclude(pk__in=refused.values("pk")).values_list("subject", flat=True))
        unsettled = set(refs) - paid
        if sent >= set(refs) or (not unsettled and not waiting) or work is not None or time.monotonic() > until:
            return len(set(refs) - sent)
        time.sleep(STEP)


def _invoices(buyer: Visitor, other: Visitor, ref: str) -> tuple[Page | None, list[Page]]:
    """The invoice as it stands on its buyer's order, and what anybody else gets of it."""
    order = buyer.get(f"/orders/{ref}")
    found = re.search(r'href="(/invoice/[a-z0-9_]+)"', order.text)
    if found is None:
        return None, []
    path = found[1]
    guess = f"?s={int(clock.now().timestamp()) + 10**6:x}.{secrets.token_hex(16)}"  # as long as a link's, and as good
    guesses = (path, path + guess, f"{path}.pdf", f"{path}.pdf{guess}", f"/invoice/{ref}")
    return buyer.get(path), [other.get(guess) for guess in guesses]


def _told(probe: Probe, visitor: Visitor, left: Left) -> None:
    """What the look-alikes' books know, as they tell it to tests."""
    page = visitor.get(f"{_sandbox(probe)}/_control/books")
    if page.status == 200:
        books = msgspec.json.decode(page.body, type=dict[str, list[Any]])
        left.told_providers = [msgspec.json.encode(entry).decode() for entries in books.values() for entry in entries]


def traces(probe: Probe) -> Traces | None:
    """Search every file and every column for the marker customer: once in a round. None where nobody was played."""
    return probe.once(_search)


def _network(left: Left) -> str:
    """The /64 of the marker customer's address: what is counted by."""
    return ":".join(left.address.split(":")[:4])


def _search(probe: Probe) -> Traces | None:
    left: Left | None = probe.marker()
    if left is None:
        return None
    read, found = probe.columns(), probe.files()
    addresses, bill = (_network(left), left.knock), f"{left.stem}bill"
    home = probe.config.home
    files = {(hit.needle, f"{hit.path.relative_to(home)} ({hit.spelling})") for hit in found.hits}
    columns = {(needle, f"{place} ({spelling})") for needle, place, spelling in read.hits}
    tables = frozenset(place.partition(".")[0] for needle, place, _ in read.hits if needle == left.stem)
    bills = {f"{place} ({spelling})" for _, place, spelling in again([bill], tables).hits} if tables else set()
    unread = f", {len(found.unread)} kept from this process by the system" if found.unread else ""
    return Traces(
        of_person=sorted(place for needle, place in files | columns if needle == left.stem),
        of_bill=sorted(bills),
        of_address=sorted(place for needle, place in files | columns if needle in addresses),
        searched=f"{found.files} files and every column, {(found.bytes + read.bytes) // 1_000_000} MB, "
        f"8 spellings{unread}",
    )


def item_named_after_buyer() -> AbstractContextManager[None]:
    """Mutant: what is bought is told to the provider together with who buys it."""
    return _after_writing(lambda order, buyer, billing: None, named=True)


def noted_beside(kind: str) -> AbstractContextManager[None]:
    """Mutant: a colleague keeps a personal value at hand, in clear."""

    def note(order: Order, buyer: Any, billing: Any) -> None:
        if kind == "billing" and not isinstance(billing, str):
            order.lines.update(name=f"to {billing.street}"[:210])
        elif kind != "billing" and not isinstance(buyer, buy.Known):
            later = clock.now() + timedelta(days=1)
            said = hashlib.sha256(buyer.email.upper().encode()).hexdigest()[:40] if kind == "hash" else buyer.email
            Session.objects.create(session_key=secrets.token_hex(16), session_data=said, expire_date=later)

    return _after_writing(note)


@contextmanager
def _after_writing(note: Callable[[Order, Any, Any], None], named: bool = False) -> Iterator[None]:
    written = buy._write

    def write(viewer: str, buyer: Any, billing: Any, *rest: Any) -> Any:
        told = written(viewer, buyer, billing, *rest)
        note(told.order, buyer, billing)
        return (
            msgspec.structs.replace(told, names=[f"for {getattr(buyer, 'name', '') or getattr(billing, 'name', '')}"])
            if named
            else told
        )

    with mutations.replaced(buy, "_write", write):
        yield
