"""The evidence of a dispute has what the provider does not know, and nobody in it."""

import json

import pytest

from tests.fraud.test_holds import DUBLIN, order
from tests.house import House
from tests.journeys.test_buy_to_delivery import come_back, pay
from troth.shop.catalogue.models import Edition, Release
from troth.shop.journeys import download, evidence
from troth.shop.refusal import Refused


def test_it_tells_what_was_delivered_and_nobody(house: House, edition: Edition) -> None:
    placed = order(edition, DUBLIN)
    come_back(placed, pay(house, placed))
    house.works()
    placed.refresh_from_db()
    (link,) = download.links(placed)
    download.fetch(*link.url.removeprefix("/download/").split("?")[0].split("/"), link.url.split("?s=")[1])
    text = evidence.pack(placed.ref)
    told = json.loads(text)
    assert told["delivery"]["letter_taken_by_the_mail_relay_at"]
    (got,) = told["delivery"]["downloads"]
    assert got["times_downloaded"] == 1
    assert got["files"][0]["sha256"] == Release.objects.get().sha256
    (paid,) = told["payments"]
    assert paid["their_capture"] == placed.payments.get().capture_ref
    assert told["invoices"][0]["digest"]
    for personal in ("Alice", "@", "Elm", "Leeds", "LS1", DUBLIN, placed.person_id, placed.viewer):
        assert personal not in text, personal


def test_there_is_none_of_what_nobody_paid(house: House, edition: Edition) -> None:
    for ref in (order(edition).ref, "ord_none", "' or 1=1"):
        with pytest.raises(Refused):
            evidence.pack(ref)
