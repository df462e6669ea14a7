"""The history checks see what they are there for: a true story passes, and each lie in it is found."""

import copy
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults import history
from tests.faults.buyer import Seen
from troth.pledge.ids import from_bytes

RAW = bytes(16)
PERSON = from_bytes("per", RAW)


def sandbox() -> Any:
    """One person paid ord_1 by PayPal, and ord_2 waits for its buyer at Skrill."""
    capture = SimpleNamespace(custom_id="pay_1")
    order = SimpleNamespace(units=[{"custom_id": "pay_1"}], captures=[capture])
    session = SimpleNamespace(fields={"transaction_id": "pay_2"}, status="")
    mail = SimpleNamespace(text="ord_1 /download/", message_id="<1@x>", to=["a@b.example"])
    return SimpleNamespace(
        paypal=SimpleNamespace(orders={"P1": order}),
        skrill=SimpleNamespace(sessions={"S1": session}),
        mailbox=SimpleNamespace(sent=[mail]),
    )


def told() -> dict[str, Any]:
    return {
        "orders": [
            {"ref": "ord_1", "person_id": PERSON, "state": "paid"},
            {"ref": "ord_2", "person_id": "per_2", "state": "open"},
        ],
        "lines": [{"pk": 1, "order_id": "ord_1"}, {"pk": 2, "order_id": "ord_2"}],
        "payments": [
            {"id": "pay_1", "order_id": "ord_1", "state": "paid"},
            {"id": "pay_2", "order_id": "ord_2", "state": "sent"},
        ],
        "invoices": [{"order_id": "ord_1", "kind": "invoice", "series_id": "invoice-2026", "sequence": 1}],
        "series": [{"name": "invoice-2026", "last": 1}],
        "prints": ["ord_1"],
        "grants": [{"line_id": 1}],
        "letters": [{"kind": "deliver", "subject": "ord_1", "state": "sent"}],
        "due": [{"kind": "abandon", "subject": "ord_2", "last_code": "", "gave_up_at": None}],
        "round": ["blanks", "check", "leftovers"],
        "taken": [PERSON, "per_2"],
        "secrets": 0,
        "contacts": ["per_2", PERSON],
        "under_way": [],
    }


def seen() -> list[Seen]:
    paid = Seen("paypal", "a@b.example", closes=False, ref="ord_1", paid=True, thanked=True, linked=True)
    return [paid, Seen("skrill", "c@d.example", closes=False)]


def keeper(folder: Path, leaves: int = 1, size: int = 1, first: int = 0) -> tuple[Path, Path]:
    """A keyring with so many leaves about the person, and the opening that the worker got."""
    path, openings = folder / "keyring", folder / "openings"
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE head (size); CREATE TABLE leaf (seq); CREATE TABLE about (ref, seq)")
    db.execute("INSERT INTO head VALUES (?)", (size,))
    for seq in range(first, first + leaves):
        db.execute("INSERT INTO leaf VALUES (?)", (seq,))
        db.execute("INSERT INTO about VALUES (?, ?)", (RAW, seq))
    db.commit()
    db.close()
    openings.write_text(f"{PERSON}\n")
    return path, openings


def faults(story: dict[str, Any], world: Any, people: list[Seen]) -> list[str]:
    return [
        *history.of_money(story, world),
        *history.of_delivery(story, world),
        *history.of_invoices(story),
        *history.of_rows(story),
        *history.of_people(story, people, world),
    ]


def test_a_true_story_passes(tmp_path: Path) -> None:
    assert faults(told(), sandbox(), seen()) == []
    assert list(history.of_ledger(*keeper(tmp_path), sandbox(), told())) == []
    assert history.copies(told(), sandbox()) == 0


LIES = {
    "money, and the order open": lambda story, world, people: story["orders"][0].update(state="open"),
    "money, and the payment open": lambda story, world, people: story["payments"][0].update(state="sent"),
    "paid without money": lambda story, world, people: world.paypal.orders["P1"].captures.clear(),
    "captured twice": lambda story, world, people: world.paypal.orders["P1"].captures.append(
        world.paypal.orders["P1"].captures[0]
    ),
    "two orders at the provider": lambda story, world, people: world.paypal.orders.update(
        P2=SimpleNamespace(units=[{"custom_id": "pay_1"}], captures=[])
    ),
    "Skrill has money that we do not know of": lambda story, world, people: setattr(
        world.skrill.sessions["S1"], "status", "2"
    ),
    "no mail": lambda story, world, people: world.mailbox.sent.clear(),
    "no letter": lambda story, world, people: story["letters"].clear(),
    "letter still queued": lambda story, world, people: story["letters"][0].update(state="queued"),
    "no grant": lambda story, world, people: story["grants"].clear(),
    "two grants": lambda story, world, people: story["grants"].append({"line_id": 1}),
    "granted unpaid": lambda story, world, people: story["grants"].append({"line_id": 2}),
    "delivered unpaid": lambda story, world, people: story["letters"].append(
        {"kind": "deliver", "subject": "ord_2", "state": "sent"}
    ),
    "another Message-ID": lambda story, world, people: world.mailbox.sent.append(
        SimpleNamespace(text="ord_1", message_id="<2@x>", to=["a@b.example"])
    ),
    "to somebody else": lambda story, world, people: world.mailbox.sent.append(
        SimpleNamespace(text="ord_1", message_id="<1@x>", to=["e@f.example"])
    ),
    "not billed": lambda story, world, people: (story["invoices"].clear(), story["series"][0].update(last=0)),
    "billed unpaid": lambda story, world, people: story["invoices"][0].update(order_id="ord_2"),
    "a gap": lambda story, world, people: story["invoices"][0].update(sequence=2),
    "a number lost": lambda story, world, people: story["series"][0].update(last=2),
    "no hash": lambda story, world, people: story["prints"].clear(),
    "stuck": lambda story, world, people: story["under_way"].append("deliver ord_1 - 3"),
    "given up": lambda story, world, people: story["due"][0].update(gave_up_at="2026-11-22"),
    "nothing due": lambda story, world, people: story["due"].clear(),
    "half an order": lambda story, world, people: story["lines"].pop(),
    "half a person": lambda story, world, people: story["contacts"].pop(),
    "a secret left": lambda story, world, people: story.update(secrets=1),
    "no longer comes round": lambda story, world, people: story["round"].remove("blanks"),
    "got stuck": lambda story, world, people: setattr(people[1], "trouble", "Stuck"),
    "paid and saw no link": lambda story, world, people: setattr(people[0], "linked", False),
    "pressed once, ordered twice": lambda story, world, people: people.pop(),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(lie: str) -> None:
    story, world, people = copy.deepcopy((told(), sandbox(), seen()))
    LIES[lie](story, world, people)
    assert faults(story, world, people)


@pytest.mark.parametrize("forged", [{"leaves": 0, "size": 0}, {"size": 2}, {"first": 1}])
def test_a_missing_leaf_is_found(tmp_path: Path, forged: dict[str, int]) -> None:
    assert list(history.of_ledger(*keeper(tmp_path, **forged), sandbox(), told()))


def test_a_mail_without_an_opening_is_found(tmp_path: Path) -> None:
    keyring, openings = keeper(tmp_path)
    openings.write_text("")
    assert list(history.of_ledger(keyring, openings, sandbox(), told()))
