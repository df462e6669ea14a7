"""The shop of a test, without processes: the keeper behind both doors, blanks in stock, the sandbox as its providers.

The worker is on call: `works()` does everything that is due now, `works(later=...)` everything due until then.
Messages of the providers wait in the sandbox until `messages()` brings them to the shop's door.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import msgspec
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from tests.driving import drive
from troth import config
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Page, Visitor
from troth.pledge.vault import door as doors
from troth.pledge.vault.door import Door
from troth.pledge.vault.models import Person
from troth.sandbox import Addresses, Sandbox
from troth.sandbox.courier import Post
from troth.sandbox.mailbox import Mail
from troth.shop.catalogue.models import Edition, Price, Product, Release
from troth.shop.clauses import marker
from troth.shop.journeys.errands import ERRANDS
from troth.shop.payments import gateways
from troth.shop.texts import standing

SITE = "http://127.0.0.1:8000"


def with_sandbox(told: Addresses) -> config.Config:
    """The shop's settings with the sandbox as PayPal, Skrill and mail relay."""
    return msgspec.structs.replace(
        settings.TROTH,
        paypal=config.PayPal(**told.paypal),
        skrill=config.Skrill(**told.skrill),
        mail=config.Mail(**told.mail, sender="shop@fernhill.example"),
        web=msgspec.structs.replace(settings.TROTH.web, public_url=SITE),
    )


class House:
    def __init__(self, keeper: Keeper, sandbox: Sandbox) -> None:
        self.keeper, self.sandbox = keeper, sandbox
        self.web = Door(lambda body: drive(keeper, "web", body))
        self.worker = Door(lambda body: drive(keeper, "worker", body))
        self._brought = 0
        self.to_check: list[str] = []
        self._sites: list[InProcess] = []
        for courier in (sandbox.paypal.courier, sandbox.skrill.courier):
            courier.dropping = True
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)  # the test's transaction lives in this connection
        doors.use(self.web)
        standing.publish()  # as a web process does when it starts
        self.stock(8)

    @property
    def mails(self) -> list[Mail]:
        return self.sandbox.mailbox.sent

    def stock(self, count: int) -> None:
        fresh = self.worker.blank(count)
        Person.objects.bulk_create(
            Person(ref=blank.ref, key_set=blank.key_set, enrol_secret=blank.secret) for blank in fresh
        )

    @contextmanager
    def as_role(self, role: Door) -> Iterator[Door]:
        """This process holds that role's door for a while."""
        before = doors._door
        doors.use(role)
        try:
            yield role
        finally:
            doors.use(before)

    def as_worker(self) -> AbstractContextManager[Door]:
        return self.as_role(self.worker)

    def works(self, later: timedelta = timedelta()) -> int:
        """Let the worker do all that is due `later` than now; the clock stays there. Returns how many errands ran."""
        if later:
            clock.travel(clock._ahead + later)
        ran = 0
        with self.as_worker():
            while (claimed := due.claim()) is not None:
                due.work_off(claimed, {**ERRANDS, "check": self._check})
                ran += 1
                assert ran < 500, "an errand is due again and again"
        return ran

    def _check(self, clause: str, claim: due.Claim) -> None:
        """A look at a promise that something made due. The worker's own look asks a shop that is served; a test takes
        its look by `probe()`, and sees here what was to be looked at."""
        self.to_check.append(clause)

    def posts(self) -> list[Post]:
        """What the providers have told so far, in order of telling."""
        return [*self.sandbox.paypal.courier.posts, *self.sandbox.skrill.courier.posts]

    def bring(self, post: Post, body: bytes | None = None, **headers: str) -> int:
        """Bring one message to the shop's door; the status it answers."""
        provider = "skrill" if post.url.rstrip("/").endswith("skrill") else "paypal"
        names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in {**post.headers, **headers}.items()}
        kind = names.pop("HTTP_CONTENT_TYPE", "application/x-www-form-urlencoded")
        answer = Client().post(f"/hooks/{provider}", post.body if body is None else body, content_type=kind, **names)
        return answer.status_code

    def messages(self, times: int = 1) -> list[int]:
        """Bring every message that has not been brought yet."""
        waiting = self.posts()[self._brought :]
        self._brought += len(waiting)
        return [self.bring(post) for post in waiting for _ in range(times)]

    def probe(self) -> Probe:
        """A round of checks, with the worker at hand."""
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)  # Django's test client connects it again with each request
        site = InProcess(self)
        self._sites.append(site)
        return Probe(settings.TROTH, clock.now(), site, lambda probe: marker.play(probe, self._serves))

    def _serves(self) -> None:
        self.works()

    def close(self) -> None:
        for site in self._sites:
            site.close()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)

    def due(self) -> list[str]:
        return [f"{row.kind} {row.subject} {row.last_code}".strip() for row in Due.objects.order_by("kind")]


def goods() -> Edition:
    """A small product with a file behind it; the edition to buy."""
    body = b"PK\x05\x06" + bytes(18)
    (settings.FILES_ROOT / "field-guide-1.0.0.zip").write_bytes(body)
    product = Product.objects.create(
        slug="field-guide", kind=Product.MODULE, name="Field Guide", tagline="t", summary="s", published=True
    )
    edition = Edition.objects.create(product=product, code="single", name="Single site")
    Price.objects.create(edition=edition, currency="EUR", minor=4900)
    Release.objects.create(
        product=product,
        version="1.0.0",
        released_on="2026-11-01",
        file="field-guide-1.0.0.zip",
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )
    return edition


@contextmanager
def settings_of(told: Addresses) -> Iterator[None]:
    before = settings.TROTH
    settings.TROTH = with_sandbox(told)
    gateways.forget()
    try:
        yield
    finally:
        settings.TROTH = before
        gateways.forget()
        clock.travel(timedelta())


class InProcess:
    """The shop's pages for checks, through its WSGI application; the providers' pages over HTTP as ever."""

    base = SITE

    def __init__(self, house: House) -> None:
        self.house, self.application = house, WSGIHandler()
        self.visitor = self.newcomer()

    def get(self, path: str) -> Page:
        return self.visitor.get(path)

    def submit(self, path: str, values: dict[str, str], form: str = "") -> Page:
        return self.visitor.submit(path, values, form)

    def newcomer(self, at: str = "") -> Visitor:
        shop = httpx.WSGITransport(app=self.serve, remote_addr=at or "127.0.0.1")
        return Visitor(SITE, httpx.Client(trust_env=False, timeout=20, mounts={SITE: shop}))

    def serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        with self.house.as_role(self.house.web):
            return self.application(environ, start_response)

    def close(self) -> None:
        self.visitor.close()
