"""The real clients, the look-alikes, and HTTP between them. Nothing of ours is replaced by a mock."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest

from troth.sandbox import Addresses, Sandbox
from troth.sandbox.server import Answer, Faults, Request, Server
from troth.shop.money import Money
from troth.shop.payments.providers.contract import Ask
from troth.shop.payments.providers.http import make_client
from troth.shop.payments.providers.paypal import PayPal, PayPalSettings
from troth.shop.payments.providers.skrill import Skrill, SkrillSettings


@dataclass
class Door:
    """Stands where the shop's /hooks/ would be: writes down what arrives and answers as it is told."""

    url: str = ""
    arrived: list[Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Request) -> Answer:
        with self.lock:
            self.arrived.append(request)
            return Answer(self.answers.pop(0) if self.answers else 200)


@pytest.fixture(scope="session")
def world() -> Iterator[tuple[Sandbox, Addresses, Door]]:
    sandbox, door = Sandbox(mode="test"), Door()
    server = Server(0, [("POST", r"/hooks/[a-z]+", lambda request: door.take(request))], Faults())
    server.start()
    door.url = f"http://127.0.0.1:{server.server_port}/hooks"
    told = sandbox.start()
    yield sandbox, told, door
    sandbox.stop()
    server.stop()


@pytest.fixture
def sandbox(world) -> Iterator[Sandbox]:
    sandbox, _, door = world
    sandbox.paypal.merchant.webhook_url = f"{door.url}/paypal"
    yield sandbox
    sandbox.reset()
    sandbox.skrill.merchant.wallet_currency = ""
    sandbox.skrill.merchant.secure_return = True
    door.arrived.clear()
    door.answers.clear()


@pytest.fixture
def told(world) -> Addresses:
    return world[1]


@pytest.fixture
def door(world) -> Door:
    return world[2]


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with make_client(connect=1.0, read=1.0) as client:
        yield client


@pytest.fixture
def paypal_settings(told) -> PayPalSettings:
    return msgspec.convert(told.paypal, PayPalSettings)


@pytest.fixture
def paypal(sandbox, paypal_settings, http) -> PayPal:
    return PayPal(paypal_settings, http)


@pytest.fixture
def skrill_settings(told) -> SkrillSettings:
    return msgspec.convert(told.skrill, SkrillSettings)


@pytest.fixture
def skrill(sandbox, skrill_settings, http) -> Skrill:
    return Skrill(skrill_settings, http)


@pytest.fixture
def ask(door):
    """Make an Ask; name what shall be different."""

    def make(**other) -> Ask:
        usual = Ask(
            payment_id="pay-0001-abcdef12",
            order_ref="TR-2WQK-7",
            amount=Money(4900, "EUR"),
            item_name="Field Guide 2.1",
            return_url="https://shop.example/checkout/return?order=TR-2WQK-7",
            cancel_url="https://shop.example/checkout/cancel",
            status_url=f"{door.url}/skrill",
            locale="en",
            request_id="begin-pay-0001-1",
            brand_name="Honest Extensions",
        )
        return msgspec.structs.replace(usual, **other)

    return make


@pytest.fixture
def posts(paypal, sandbox, ask):
    """The webhooks of a whole purchase, by kind."""
    begun = paypal.begin(ask())
    sandbox.paypal.approve(begun.provider_ref)
    paypal.capture(begun.provider_ref, "", "capture-1")
    assert sandbox.wait()
    return {post.kind: post for post in sandbox.paypal.courier.posts}


@pytest.fixture
def paid(posts):
    return posts["PAYMENT.CAPTURE.COMPLETED"]
