"""The providers' part of `troth doctor`: what is set up wrong there is said in a sentence, and no money moves."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from troth.config import Config
from troth.faces.cli import provider_examinations
from troth.faces.cli.examinations import Seen
from troth.sandbox.server import Answer, Faults, Server, json_answer


@pytest.fixture
def site() -> Iterator[str]:
    """A shop that answers at its hooks as ours does: 405 to a look."""
    server = Server(0, [("POST", r"/hooks/[a-z]+", lambda request: Answer(200))], Faults())
    server.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stop()


@pytest.fixture
def config(house: House, site: str) -> Config:
    house.sandbox.paypal.merchant.webhook_url = f"{site}/hooks/paypal"
    return msgspec.structs.replace(settings.TROTH, web=msgspec.structs.replace(settings.TROTH.web, public_url=site))


def wrong(config: Config) -> list[Seen]:
    return [one for one in provider_examinations.accounts(config) if one.state != "ok"]


def test_nothing_is_wrong_where_nothing_is(config: Config, house: House) -> None:
    assert wrong(config) == []
    assert len(list(provider_examinations.accounts(config))) == 6
    assert not house.sandbox.paypal.orders and not house.sandbox.skrill.sessions


def of_paypal(**other: str) -> Callable[[Config], Config]:
    return lambda config: msgspec.structs.replace(config, paypal=msgspec.structs.replace(config.paypal, **other))


def of_skrill(**other: str) -> Callable[[Config], Config]:
    return lambda config: msgspec.structs.replace(config, skrill=msgspec.structs.replace(config.skrill, **other))


def elsewhere(config: Config) -> Config:
    return msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, public_url="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (of_paypal(client_secret="another"), "PayPal does not know these credentials."),
        (of_paypal(webhook_id="ANOTHER"), "PayPal knows no webhook of this id."),
        (of_paypal(base_url="http://127.0.0.1:9"), "PayPal does not answer."),
        (of_skrill(mqi_password="another"), "Skrill's query interface does not let us in."),
        (of_skrill(query_url="http://127.0.0.1:9"), "Skrill does not answer."),
        (of_skrill(secret_word=" "), "A provider cannot be set up: skrill.secret_word must not be empty."),
        (elsewhere, "PayPal's webhook leads to another address."),
        (elsewhere, "http://127.0.0.1:9 does not answer."),
    ],
)
def test_what_is_broken_is_found(config: Config, change: Callable[[Config], Config], told: str) -> None:
    found = {one.sentence: one for one in wrong(change(config))}
    assert told in found
    assert found[told].mend


def test_a_webhook_that_leaves_events_out_names_them(
    config: Config, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    listed = [{"name": "PAYMENT.CAPTURE.COMPLETED"}, {"name": "CHECKOUT.ORDER.APPROVED"}]
    answer = {"id": "x", "url": house.sandbox.paypal.merchant.webhook_url, "event_types": listed}
    server = house.sandbox._server
    others = [route for route in server.routes if not route[1].pattern.endswith("webhooks/([^/]+)")]
    asked = next(route for route in server.routes if route not in others)
    monkeypatch.setattr(server, "routes", [*others, (*asked[:2], lambda request, name: json_answer(200, answer))])
    (seen,) = wrong(config)
    assert "leaves out 7 kinds of event" in seen.sentence
    assert "CUSTOMER.DISPUTE.CREATED" in seen.mend


@pytest.mark.parametrize(("where", "told"), [
    ("/customer/disputes", "PayPal does not let us look at disputes."),
    ("/reporting/transactions", "PayPal does not let us compare its books with ours."),
])  # fmt: skip
def test_a_right_that_the_app_does_not_have_is_named(config: Config, house: House, where: str, told: str) -> None:
    house.sandbox.faults.add("403", where=where)
    (seen,) = wrong(config)
    assert seen.sentence == told
    assert "Tick" in seen.mend
