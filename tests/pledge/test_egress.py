"""Connections leave for declared recipients alone, whichever library asks; the rest is refused, told and noted."""

from __future__ import annotations

import json
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from django.conf import settings

from tests.house import House
from troth import config
from troth.pledge import egress
from troth.shop import recipients
from troth.shop.catalogue.models import Edition
from troth.shop.money import Money
from troth.shop.payments.providers.contract import Ask, ProviderDown, RefundAsk
from troth.shop.payments.providers.http import send
from troth.shop.payments.providers.paypal import PayPal, PayPalSettings
from troth.shop.payments.providers.paypal.certificates import LIVE_CERTIFICATES, SANDBOX_CERTIFICATES
from troth.shop.payments.providers.skrill import Skrill, SkrillSettings


@pytest.fixture
def noted(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "refused"
    egress.rest()


@pytest.fixture
def listening() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def test_a_declared_recipient_is_reached_by_name_and_nobody_else(noted: Path, listening: tuple[str, int]) -> None:
    egress.guard("worker", [("localhost", listening[1])], noted)
    socket.create_connection(("localhost", listening[1]), timeout=30).close()
    for elsewhere in (("127.0.0.1", listening[1] ^ 1), ("192.0.2.1", 443)):
        with socket.socket() as line, pytest.raises(egress.Refused):
            sys.audit("socket.connect", line, elsewhere)
    with pytest.raises(egress.Refused):
        socket.getaddrinfo("tracker.invalid", 443)
    with pytest.raises(egress.Refused):
        socket.gethostbyname("tracker.invalid")
    told = [json.loads(line) for line in noted.read_text().splitlines()]
    assert {one["to"] for one in told} == {"127.0.0.1", "192.0.2.1", "tracker.invalid"}
    assert egress.stands()


def test_libraries_are_refused_as_if_the_network_were_away(noted: Path) -> None:
    egress.guard("worker", [], noted)
    with pytest.raises(httpx.ConnectError):
        httpx.get("https://tracker.invalid/", trust_env=False)
    with pytest.raises(OSError):
        smtplib.SMTP("relay.invalid", 25)
    assert "tracker.invalid" in noted.read_text()


def test_without_a_guard_nobody_says_that_it_stands(noted: Path) -> None:
    assert not egress.stands()
    with socket.socket() as line:
        sys.audit("socket.connect", line, ("192.0.2.1", 443))  # nothing refuses it


def test_in_a_process_of_its_own(tmp_path: Path, listening: tuple[str, int]) -> None:
    """The real connect, of a fresh interpreter without any of pytest's own guards."""
    script = (
        "import socket, sys; from pathlib import Path; from troth.pledge import egress\n"
        f"egress.guard('web', [], Path({str(tmp_path / 'refused')!r}))\n"
        f"try: socket.create_connection(('127.0.0.1', {listening[1]}), timeout=30)\n"
        "except egress.Refused: sys.exit(7)\n"
    )
    package = Path(egress.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(package)}, capture_output=True, text=True
    )
    assert done.returncode == 7, done.stderr
    assert '"event": "refused"' in done.stderr


def test_the_shop_sells_with_nothing_but_its_declared_recipients(house: House, edition: Edition, noted: Path) -> None:
    from tests.journeys.test_buy_to_delivery import begin, come_back, pay

    egress.guard("web", recipients.allowed(settings.TROTH, "web") | recipients.allowed(settings.TROTH, "worker"), noted)
    order = begin(edition)
    pages = pay(house, order)  # the buyer's browser at the provider's page, which is the same address
    come_back(order, pages)
    house.works()
    assert not noted.exists(), noted.read_text()
    assert len(house.mails) == 1, house.due()


def test_all_that_the_providers_code_asks_is_declared() -> None:
    """As a live shop has it, where each provider has several hosts: the look-alikes of the tests have one."""
    live = msgspec.structs.replace(
        settings.TROTH,
        shop=msgspec.structs.replace(settings.TROTH.shop, mode="live"),
        paypal=config.PayPal("https://api-m.paypal.com", "x", "y", "z"),
        skrill=config.Skrill(merchant_id="1", pay_to_email="a@b.example", secret_word="w", mqi_password="m"),
    )
    asked: set[tuple[str, int]] = set()
    certificates = [url for hosts in (LIVE_CERTIFICATES, SANDBOX_CERTIFICATES) for url in hosts]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.add((request.url.host, request.url.port or 443))
        return httpx.Response(503)

    ask = Ask("pay_1", "ord_1", Money(100, "EUR"), "Thing", "https://s.example/r", "https://s.example/c",
              "https://s.example/h", "en", "create-pay_1", "Shop")  # fmt: skip
    back = RefundAsk("ref_1", "pay_1", "C1", ask.amount, ask.amount, None, True, "refund-ref_1")
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        skrill = Skrill(SkrillSettings(**msgspec.structs.asdict(live.skrill)), http)
        paypal = PayPal(PayPalSettings("https://api-m.paypal.com", "x", "y", "z"), http)
        for call in (
            lambda: skrill.begin(ask), lambda: skrill.look("s", "pay_1"), lambda: skrill.prepare_refund(back),
            lambda: paypal.begin(ask), *(lambda u=url: send(http, "GET", u + "CERT-1") for url in certificates),
        ):  # fmt: skip
            with pytest.raises(ProviderDown):
                call()
    assert len(asked) == 8
    for role in ("web", "worker"):
        assert asked <= recipients.allowed(live, role)


def test_what_providers_get_is_what_the_only_message_has() -> None:
    assert set(recipients.SALE.split()) == set(Ask.__struct_fields__)


def test_each_recipient_of_a_full_shop_has_an_address_and_a_promise() -> None:
    full = msgspec.structs.replace(
        settings.TROTH,
        mail=config.Mail(url="smtps://u:p@mail.example"),
        paypal=config.PayPal(client_id="x"),
        skrill=config.Skrill(merchant_id="1"),
        keys=config.Keys(kms="openbao", url="https://bao.example:8200"),
        database=config.Database(url="postgresql://u@db.example/troth"),
    )
    known = {str(one.name): one for one in recipients.elsewhere(full)}
    assert {"PayPal", "Skrill", "the mail relay", "the keeper of the root key", "the database"} <= known.keys()
    assert ("mail.example", 465) in recipients.allowed(full, "worker")
    assert ("mail.example", 465) not in recipients.allowed(full, "web")
    assert ("bao.example", 8200) in recipients.allowed(full, "keeper")
