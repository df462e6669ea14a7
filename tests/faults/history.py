"""What must be true afterwards: the shop's books, held against what people saw, the providers' books and the mailbox.

Nothing here asks the shop what it did: people, providers, relay and the keyring's file each tell their own story.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.faults.buyer import Seen
from troth.pledge.ids import from_bytes
from troth.sandbox import Sandbox


def moved(sandbox: Sandbox) -> Counter[str]:
    """Our payment id -> how often money moved for it, by the providers' own books."""
    captured = [one.custom_id for order in sandbox.paypal.orders.values() for one in order.captures]
    paid = [one.fields["transaction_id"] for one in sandbox.skrill.sessions.values() if one.status == "2"]
    return Counter(captured + paid)


def of_money(told: dict[str, Any], sandbox: Sandbox) -> Iterator[str]:
    money = moved(sandbox)
    known = {payment["id"]: payment for payment in told["payments"]}
    paid = Counter(payment["order_id"] for payment in told["payments"] if payment["state"] == "paid")
    yield from (f"money moved for {name}, and the shop calls it {known.get(name, {}).get('state')}" for name in money
                if known.get(name, {}).get("state") != "paid")  # fmt: skip
    yield from (f"money moved {times} times for {name}" for name, times in money.items() if times > 1)
    yield from (f"payment {name} is called paid, and no money moved" for name, payment in known.items()
                if payment["state"] == "paid" and name not in money)  # fmt: skip
    for order in told["orders"]:
        if (order["state"] == "paid") != (paid[order["ref"]] == 1):
            yield f"order {order['ref']} is {order['state']} with {paid[order['ref']]} payments paid"
    created = Counter(unit["custom_id"] for order in sandbox.paypal.orders.values() for unit in order.units)
    yield from (f"{times} orders at PayPal for {name}" for name, times in created.items() if times > 1)


def of_delivery(told: dict[str, Any], sandbox: Sandbox) -> Iterator[str]:
    """Paid and delivered are the same orders; each line is granted once; each letter is one letter."""
    paid = {order["ref"] for order in told["orders"] if order["state"] == "paid"}
    letters = {letter["subject"]: letter["state"] for letter in told["letters"] if letter["kind"] == "deliver"}
    mails = {ref: [mail for mail in sandbox.mailbox.sent if ref in mail.text] for ref in _refs(told)}
    for ref in _refs(told):
        delivered = letters.get(ref) == "sent"
        if delivered != (ref in paid) or bool(mails[ref]) != (ref in paid):
            yield f"order {ref}: paid {ref in paid}, letter {letters.get(ref)}, mails {len(mails[ref])}"
        if len({mail.message_id for mail in mails[ref]}) > 1:
            yield f"order {ref}: its copies have different Message-IDs"
        if len({receiver for mail in mails[ref] for receiver in mail.to}) > 1:
            yield f"order {ref}: its copies went to different people"
    granted = Counter(grant["line_id"] for grant in told["grants"])
    for line in told["lines"]:
        if granted[line["pk"]] != (1 if line["order_id"] in paid else 0):
            yield f"line {line['pk']} of {line['order_id']}: {granted[line['pk']]} grants"


def of_invoices(told: dict[str, Any]) -> Iterator[str]:
    """What is paid is billed once; numbers run from one without a gap; each paper's hash is written down once."""
    paid = Counter(order["ref"] for order in told["orders"] if order["state"] == "paid")
    billed = Counter(row["order_id"] for row in told["invoices"] if row["kind"] == "invoice")
    yield from (f"{billed[ref]} invoices for {ref}, paid {paid[ref]} times" for ref in paid | billed
                if paid[ref] != billed[ref])  # fmt: skip
    for series in told["series"]:
        numbers = sorted(row["sequence"] for row in told["invoices"] if row["series_id"] == series["name"])
        if numbers != list(range(1, series["last"] + 1)):
            yield f"{series['name']} has the numbers {numbers} and its last is {series['last']}"
    if Counter(told["prints"]) != Counter(row["order_id"] for row in told["invoices"]):
        yield f"{len(told['invoices'])} invoices and {len(told['prints'])} hashes of them"


def of_rows(told: dict[str, Any]) -> Iterator[str]:
    """Nothing stuck, nothing by half."""
    yield from (f"stuck: {row}" for row in told["under_way"])
    yield from (f"given up: {row['kind']} {row['last_code']}" for row in told["due"] if row["gave_up_at"])
    lines, payments = ({row["order_id"] for row in told[name]} for name in ("lines", "payments"))
    refs = set(_refs(told))
    yield from (f"order {ref} has lines: {ref in lines}, a payment: {ref in payments}" for ref in refs
                if not (ref in lines and ref in payments))  # fmt: skip
    watched = {row["subject"] for row in told["due"]}
    yield from (f"open order {order['ref']} is due for nothing" for order in told["orders"]
                if order["state"] == "open" and order["ref"] not in watched)  # fmt: skip
    if sorted(told["taken"]) != sorted(told["contacts"]) or told["secrets"]:
        yield f"{len(told['taken'])} persons, {len(told['contacts'])} contacts, {told['secrets']} secrets left"
    if missing := {"blanks", "leftovers"} - set(told["round"]):
        yield f"no longer comes round: {missing}"


def of_people(told: dict[str, Any], seen: Iterable[Seen], sandbox: Sandbox) -> Iterator[str]:
    """Who pressed once has one order; who paid has the product; who was thanked is not un-thanked."""
    seen, states = list(seen), {order["ref"]: order["state"] for order in told["orders"]}
    receivers = Counter(receiver for mail in sandbox.mailbox.sent for receiver in mail.to if "/download/" in mail.text)
    for one in seen:
        if one.trouble:
            yield f"somebody with {one.provider} did not get through: {one.trouble}"
        if one.paid and not receivers[one.email]:
            yield f"somebody paid by {one.provider} and has no mail"
        if one.paid and not one.closes and not (one.thanked and one.linked):
            yield f"{one.ref}: thanked {one.thanked}, downloads shown {one.linked}"
        if one.thanked and states.get(one.ref) != "paid":
            yield f"{one.ref}: thanked, and now {states.get(one.ref)}"
    if len(told["orders"]) != len(seen):
        yield f"{len(seen)} people ordered once each, and there are {len(told['orders'])} orders"


def of_ledger(keyring: Path, openings: Path, sandbox: Sandbox, told: dict[str, Any]) -> Iterator[str]:
    """No gap, and each opening that anybody got has its leaf, about that very person. The keeper must have stopped."""
    db = sqlite3.connect(f"file:{keyring}?mode=ro", uri=True)
    try:
        size, numbers = (
            db.execute("SELECT size FROM head").fetchone()[0],
            db.execute("SELECT seq FROM leaf ORDER BY seq"),
        )
        if [seq for (seq,) in numbers] != list(range(size)):
            yield "the ledger's sequence has gaps"
        about = Counter(from_bytes("per", ref) for (ref,) in db.execute("SELECT ref FROM about"))
    finally:
        db.close()
    opened = Counter(openings.read_text().split())
    yield from (
        f"{times} openings of {ref}, {about[ref]} leaves" for ref, times in opened.items() if times > about[ref]
    )
    persons = {order["ref"]: order["person_id"] for order in told["orders"]}
    for ref, person in persons.items():
        copies = sum(ref in mail.text for mail in sandbox.mailbox.sent)
        if copies > opened[person]:
            yield f"{copies} mails about {ref}, and its address was opened {opened[person]} times"


def copies(told: dict[str, Any], sandbox: Sandbox) -> int:
    """Mails beyond the first of each letter."""
    return len(sandbox.mailbox.sent) - len({mail.message_id for mail in sandbox.mailbox.sent})


def _refs(told: dict[str, Any]) -> list[str]:
    return [order["ref"] for order in told["orders"]]
