"""What the profession asks for: the Article 30 record, gpc.json, security.txt. Each is valid; broken ones are not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.conf import settings
from django.test import Client
from sectxt import Parser

from tests.house import House
from troth.faces.storefront import gpc
from troth.pledge import clock
from troth.pledge.rights.models import Consent
from troth.shop.clauses import record
from troth.shop.holdings import PEOPLE
from troth.shop.support import security_txt

DAY = {"name": "Alice", "email": "alice@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}


def made(db: None) -> record.Record:
    return record.record(settings.TROTH)


def test_every_table_about_people_is_in_the_record(db: None) -> None:
    one = made(db)
    assert [activity.table for activity in one.activities] == [holding.table for holding in PEOPLE]
    contact = next(activity for activity in one.activities if activity.table == "accounts.Contact")
    assert contact.sealed == ["contact"]
    assert any(measure.startswith("P16: ") for measure in one.measures)


def test_json_and_csv_are_read_back_as_they_were(db: None) -> None:
    one = made(db)
    assert record.read(record.as_json(one)) == one
    assert record.read_csv(record.as_csv(one)) == one.activities


@pytest.mark.parametrize("breaks", ["no controller", "no purpose", "another field", "a country that is none", "no end"])
def test_a_broken_record_is_refused(db: None, breaks: str) -> None:
    told = json.loads(record.as_json(made(db)))
    match breaks:
        case "no controller":
            del told["controller"]
        case "no purpose":
            told["activities"][0]["purpose"] = ""
        case "another field":
            told["activities"][0]["sold_to"] = "Addresses Ltd"
        case "a country that is none":
            told["controller"]["country"] = "Germany"
        case "no end":
            del told["activities"][0]["ends"]
    with pytest.raises(msgspec.ValidationError):
        record.read(json.dumps(told).encode())


def test_a_broken_csv_is_refused(db: None) -> None:
    told = record.as_csv(made(db))
    for broken in ("", told.replace("purpose", "reason", 1), told + "one,cell\r\n"):
        with pytest.raises(ValueError):
            record.read_csv(broken)


def test_gpc_json_says_that_the_signal_is_honoured_and_a_broken_one_is_refused(db: None) -> None:
    answer = Client().get("/.well-known/gpc.json")
    assert msgspec.json.decode(answer.content, type=gpc.Support).gpc is True
    for broken in (b"{}", b'{"gpc": "yes"}', b'{"gpc": true, "sells": true}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(broken, type=gpc.Support)


@pytest.mark.parametrize(("signal", "said"), [("1", Consent.OBJECTED), ("", Consent.TOLD)])
def test_a_browser_that_says_no_has_objected(house: House, signal: str, said: str) -> None:
    policy = msgspec.structs.replace(settings.TROTH.policy, marketing_basis="objection")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, policy=policy)
    client = Client(headers={"Sec-GPC": signal} if signal else {})
    assert client.post("/register", DAY).status_code == 200
    assert Consent.objects.get().what == said


def test_security_txt_is_valid_and_a_broken_one_is_not(db: None) -> None:
    web = msgspec.structs.replace(settings.TROTH.web, public_url="https://shop.example")
    text = security_txt.text(msgspec.structs.replace(settings.TROTH, web=web), clock.now()).encode()
    assert _faults(text) == []
    soon = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for broken, fault in (
        (b"Expires: 2020-01-01T00:00:00Z\nContact: mailto:a@b.example\n", "expired"),
        (f"Expires: {soon}\n".encode(), "no_contact"),
        (b"Contact: mailto:a@b.example\n", "no_expire"),
    ):
        assert fault in _faults(broken)


def _faults(text: bytes) -> list[str]:
    return [str(error["code"]) for error in Parser(text).errors]
