"""The shop of a test, without processes: the keeper behind both doors, blanks in stock, the sandbox as its providers.

The worker is on call: `works()` does everything that is due now, `works(later=...)` everything due until then.
Messages of the providers wait in the sandbox until `messages()` brings them to the shop's door.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
from django.conf import settings
from django.test import Client

from troth import config
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.keeper.keeper import Keeper, drive
from troth.pledge.vault import door as doors
from troth.pledge.vault.door import Door
from troth.pledge.vault.models import Person
from troth.sandbox import Addresses, Sandbox
from troth.sandbox.courier import Post
from troth.sandbox.mailbox import Mail
from troth.shop.catalogue.models import Edition, Price, Product, Release
from troth.shop.journeys.errands import ERRANDS
from troth.shop.payments import gateways

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
        for courier in (sandbox.paypal.courier, sandbox.skrill.courier):
            courier.dropping = True
        doors.use(self.web)
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
    def as_worker(self) -> Iterator[Door]:
        doors.use(self.worker)
        try:
            yield self.worker
        finally:
            doors.use(self.web)

    def works(self, later: timedelta = timedelta()) -> int:
        """Let the worker do all that is due `later` than now; the clock stays there. Returns how many errands ran."""
        if later:
            clock.travel(clock._ahead + later)
        ran = 0
        with self.as_worker():
            while (claimed := due.claim()) is not None:
                due.work_off(claimed, ERRANDS)
                ran += 1
                assert ran < 500, "an errand is due again and again"
        return ran

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
