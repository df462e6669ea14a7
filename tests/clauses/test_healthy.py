"""What is as it should be is never told as broken: a list of the owner's own, and ciphertext as short as there is."""

from __future__ import annotations

import random

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from troth.pledge.policy.clause import State
from troth.pledge.vault.classes import Billing, Contact, Enclosure, Network, Personal, Words
from troth.shop.clauses import addresses_in_clear, p16_at_rest


def states(house: House) -> set[str]:
    with house.as_worker():
        return {finding.state for finding in addresses_in_clear.no_address_stands_in_clear(house.probe())}


def test_the_owners_list_of_relays_names_no_customer(house: House) -> None:
    relays = settings.TROTH.home / "relays.txt"
    relays.write_text("203.0.113.0/24\n")
    try:
        assert states(house) == {State.BROKEN, State.HOLDS}  # nobody named it: it may be anything
        named = msgspec.structs.replace(settings.TROTH.fraud, anonymisers="relays.txt")
        settings.TROTH = msgspec.structs.replace(settings.TROTH, fraud=named)  # the house puts it back
        assert states(house) == {State.HOLDS}
    finally:
        relays.unlink()


def test_the_look_alikes_account_names_no_customer(house: House) -> None:
    told = settings.TROTH.home / "run" / "sandbox.env"
    told.parent.mkdir(exist_ok=True)
    told.write_text("TROTH_SKRILL_PAY_TO_EMAIL=shop@merchant.example\n")
    try:
        assert states(house) == {State.HOLDS}
        settings.TROTH = msgspec.structs.replace(  # the house puts it back
            settings.TROTH, shop=msgspec.structs.replace(settings.TROTH.shop, mode="live")
        )
        assert states(house) == {State.BROKEN, State.HOLDS}  # there is no sandbox beside a live shop
    finally:
        told.unlink()


HEAD = p16_at_rest.HEAD.ljust(p16_at_rest.HEAD_SIZE, b"\1")


def test_ciphertext_is_not_taken_for_a_text_by_chance() -> None:
    draw, shortest = random.Random(20261123), p16_at_rest.LEAST - p16_at_rest.HEAD_SIZE
    assert not any(p16_at_rest.lies_open(HEAD + draw.randbytes(shortest), Contact) for _ in range(500_000))
    assert p16_at_rest.lies_open(HEAD + b"ada.finch@mail.example, Fern Lane 12, Upper Fern, 10115", Contact)


@pytest.mark.parametrize(
    "record",
    [
        Contact(name="\u8d75\u654f" * 8, email="zm@b.example"),
        Billing(name="Ada", street="Fern Lane 12", city="Upper Fern", postcode="10115", country="DE", salt="q3-Xw"),
        Words(text="\u041a\u043e\u0433\u0434\u0430? " * 12),
        Enclosure(name="heron.png", kind="image/png", key=bytes(range(200, 232))),
        Network(address=bytes([203, 0, 113, 7]), points=9, signs=("several-countries", "many-orders")),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_in_clear_is_told_whatever_its_script(record: Personal) -> None:
    assert p16_at_rest.lies_open(HEAD + msgspec.msgpack.encode(record), type(record))
