"""Nothing personal in an address, a title or a log of the desk: every page is read by every role, with a customer whose
words stand nowhere else, and their question, order and disclosure; the search knows every spelling of them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.http import HttpResponse
from django.urls import reverse

from tests.desk.cases import COURT, Desk, narrowed, request
from tests.desk.people import Colleague, Office
from tests.desk.test_letters import comes_back
from tests.desk.test_matrix import _names
from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import Page
from tests.support.asking import asks, upload
from troth.faces import logs
from troth.faces.desk.urls import PAGES
from troth.pledge.office.policy import ROLES
from troth.pledge.policy.needles import Sieve
from troth.shop.catalogue.models import Edition
from troth.shop.disclosure.models import Case
from troth.shop.orders.models import Order
from troth.shop.support.models import Attachment, Ticket

MAIL, NEW_MAIL = "quillon.zanderbeek@wexmoor.example", "q.umberfield@yarrowby.example"
WORDS = [
    "Quillon", "Zanderbeek", MAIL, "wexmoor", NEW_MAIL, "yarrowby", "Ottersprung", "Kvelmouth", "ZX47419",
    "Plumtangle", "Brackenwhist", "Ferrowglyph.txt", "Snorrenholt", "Wimblecourt", "Vexillary", "Dragomanry",
    "Grimsettle", "Hollinquay",
]  # fmt: skip
ADDRESS = {
    "name": "Quillon Zanderbeek", "email": MAIL, "street": "Ottersprung 7", "city": "Kvelmouth",
    "billing_postcode": "ZX47419", "country": "DE", "provider": "paypal",
}  # fmt: skip
DEADLY = re.compile(r"/sign-out|/desk/join/")


class Spoken(logging.Handler):
    """What is said at every level: a line as the log writes it, and what our own code handed over to be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.out = logs.Stderr()

    def emit(self, record: logging.LogRecord) -> None:
        record.troth_constant = logs._is_constant(record)
        self.lines.append(self.out.format(record))
        if record.name.startswith(("troth", "django.request", "django.security", "django.server")):
            self.lines.append(f"{record.msg} {record.args} {record.exc_text}")


@pytest.fixture
def spoken() -> Iterator[Spoken]:
    """Every logger speaks up: of web, worker and keeper, which are one process here."""
    handler, root = Spoken(), logging.getLogger()
    known = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    before = {one: one.level for one in (root, *known)}
    for one in before:
        one.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for one, level in before.items():
        one.setLevel(level)


class Walk:
    """One colleague's way through the desk: every page with what is known, then every link that they find."""

    def __init__(self, one: Colleague, known: dict[str, str]) -> None:
        self.one, self.places = one, list[tuple[str, str]]()  # of what, and the text that stands there
        self.bodies, self.seen = list[str](), set[str]()
        for place in PAGES:
            self.reads(reverse(place.name, kwargs={name: known.get(name, "none") for name in _names(place)}))

    def reads(self, path: str) -> None:
        todo = [path]
        while todo:
            path = todo.pop()
            bare = path.partition("#")[0]
            if bare in self.seen or DEADLY.search(bare):
                continue
            self.seen.add(bare)
            todo += self.looks(bare, self.one.get(bare))

    def sends(self, path: str, fields: dict[str, object]) -> HttpResponse:
        answer = self.one.posts(path, fields)
        for found in self.looks(path, answer):
            self.reads(found)
        return answer

    def looks(self, path: str, answer: HttpResponse) -> list[str]:
        """Notes all that leaves a page with a browser besides its text; the links that stay at the desk."""
        assert answer.status_code < 500, path
        self.places += [("address", path), ("redirect", answer.get("Location", ""))]
        # A file's own name goes with the file, within the job that opens it.
        kept = [one for one in answer.items() if one[0] not in ("Location", "Content-Disposition")]
        self.places += [("header", f"{name}: {value}") for name, value in kept]
        if answer.streaming or "html" not in answer.get("Content-Type", ""):
            return [answer["Location"]] if answer.get("Location", "").startswith("/desk") else []
        body = answer.content.decode()
        self.bodies.append(body)
        self.places += [("title", unescape(said)) for said in re.findall(r"<title>(.*?)</title>", body, re.DOTALL)]
        page = Page(body)
        links = [urljoin(path, a["href"]) for a in page.all("a") if "href" in a]
        self.places += [("link", link) for link in links]
        self.places += [("link", given.get("src", given.get("href", ""))) for _, given in page.elements]
        for form, action in zip(page.all("form"), page.actions, strict=True):
            sent = page.form(action) if form.get("method", "get").lower() == "get" else {}
            self.places += [("form", action), *(("form of GET", f"{name}={value}") for name, value in sent.items())]
        assert not [link for link in links if urlsplit(link).netloc not in ("", urlsplit(ORIGIN).netloc)], path
        return [link for link in links if link.startswith("/desk")]


def bought(edition: Edition) -> Order:
    browser = Browser()
    browser.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN=ORIGIN)
    assert browser.send("/checkout", ADDRESS).status_code == 303
    return Order.objects.get()


def filed(desk: Desk, order: Order) -> Case:
    """A disclosure whose every free word is one of ours."""
    desk.filer.proves()
    asked = request(
        basis="b", grounds=["agency"], action="current", name="Snorrenholt", reasons="Vexillary",
        authority="Wimblecourt", called="Dragomanry", recipient=str(COURT.to_public()),
        enclosed=upload("Grimsettle.txt", b"Hollinquay"),
    )  # fmt: skip
    answer = desk.filer.posts("/desk/disclosures/new", asked)
    assert answer.status_code == 303, Page(answer.content.decode()).text
    return Case.objects.get()


def test_no_address_title_or_log_of_the_desk_says_anything_of_anybody(
    office: Office, edition: Edition, house: House, spoken: Spoken, capfd: pytest.CaptureFixture[str]
) -> None:
    order = bought(edition)
    comes_back(house, order)
    guest = {"name": "Quillon Zanderbeek", "email": MAIL, "subject": "Plumtangle", "text": "Brackenwhist"}
    ticket = asks(Browser(), **guest, enclosed=upload("Ferrowglyph.txt", b"Brackenwhist"))
    assert isinstance(ticket, Ticket)
    desk = Desk(office, order)
    case = filed(desk, order)
    crew = {role: office.hired(role, role) for role in ROLES if role not in ("owner", "officer")}
    crew |= {"owner": office.owner, "officer": desk.filer}
    file = Attachment.objects.get()
    known = {
        "slug": "field-guide", "version": "1.0.0", "name": "sales", "ref": order.ref, "letter": "none",
        "attachment": file.id, "document": case.documents.get().id,
    }  # fmt: skip
    walks = {role: walk(one, known, order, ticket, case, file) for role, one in crew.items()}
    house.works()

    sieve = Sieve(WORDS)
    everything = [(role, *place) for role, one in walks.items() for place in one.places]
    assert not [found for found in everything if list(sieve.hits(found[2].encode(), 0))]
    lines = spoken.lines + list(capfd.readouterr())
    assert not [line for line in lines if list(sieve.hits(line.encode(), 0))]
    assert len(lines) > 100 and len(everything) > 5000
    # And they would have been seen: they are on pages, and the search finds them where they are written otherwise.
    shown = "".join(body for one in walks.values() for body in one.bodies)
    assert all(word in shown for word in WORDS if word not in ("yarrowby", "Hollinquay")), shown.count("Quillon")
    assert all(list(sieve.hits(f"/desk/orders?q={quote(word)}".encode(), 0)) for word in WORDS)


def walk(one: Colleague, known: dict[str, str], order: Order, ticket: Ticket, case: Case, file: Attachment) -> Walk:
    """All pages, before and within a job on the order, the question and the case; what is typed goes by POST."""
    one.proves()
    way = Walk(one, known)
    for typed in (MAIL, "Zanderbeek", order.ref):
        way.sends("/desk/search", {"q": typed})
    way.sends("/desk/take", {"mailbox": MAIL, "why": "question", "hours": "8"})
    for why in ("question", "invoice", "delivery"):
        taken = way.sends("/desk/take", {"order": order.ref, "why": why, "hours": "8"})
        if taken.status_code == 303:
            job = taken["Location"]
            way.reads(f"{job}/orders/{order.ref}/address")
            way.sends(f"{job}/orders/{order.ref}/address", {"email": "Zanderbeek"})
    taken = way.sends(f"/desk/tickets/{ticket.ref}/take", {"hours": "8"})
    if taken.status_code == 303:
        talk = taken["Location"]
        way.reads(f"{talk}/files/{file.id}")
        for do in ("note", "answer"):
            way.sends(talk, {"text": "Brackenwhist Plumtangle", "do": do})
        way.sends(f"{talk}/merge", {"into": MAIL})
    way.sends("/desk/break-glass", {"order": MAIL, "sure": "on"})
    way.sends(f"/desk/disclosures/{case.ref}/narrow", narrowed(order, who=NEW_MAIL))
    way.sends(f"/desk/disclosures/{case.ref}/narrow", narrowed(order, who=MAIL))
    way.sends(f"/desk/disclosures/{case.ref}/take", {})
    way.seen.clear()
    way.reads("/desk/")  # and all once more that can be reached with these jobs open
    return way
