"""The export: every value that somebody gave, each declared table and field, the proofs, nothing of anybody else."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.journeys.test_buy_to_delivery import KEY, basket, come_back, pay
from tests.shape.tree import ROOT
from troth.pledge import clock
from troth.pledge.ledger.proof import Receipt
from troth.pledge.ledger.verify import verify
from troth.pledge.rights.models import Export
from troth.pledge.vault import published, seen
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.fields import seal
from troth.shop.accounts.models import Account
from troth.shop.catalogue.models import Edition
from troth.shop.holdings import PEOPLE
from troth.shop.journeys import buy, change_email, who_looked
from troth.shop.journeys.held import SINCE
from troth.shop.orders.models import Basket, Billing, Order, OrderLine

STEM = "qzmarker"
PASSWORD = f"{STEM}-Secret-77"
GIVEN = {"name": f"{STEM} name", "email": f"{STEM}@marker.example", "postcode": f"{STEM}9"}
BILL = BillingData(f"{STEM} bill", f"{STEM} street 1", f"{STEM} city", f"{STEM}8", "GB", company=f"{STEM} company")


@pytest.fixture
def member(house: House, edition: Edition) -> Client:
    client = Client()
    client.post("/register", GIVEN | {"password": PASSWORD, "mailings": "on"})
    house.works()
    link = next(line for line in house.mails[0].text.splitlines() if "/confirm/" in line)
    Client().post(link[link.index("/confirm") :])
    buys(house, edition, Account.objects.get().pk)
    return client


def buys(house: House, edition: Edition, person: str, bill: BillingData = BILL) -> Order:
    Basket.objects.all().delete()
    basket(edition)
    begun = buy.begin(KEY, buy.Known(person), bill, "paypal", mailings=False)
    order = Order.objects.get(pk=begun.order_ref)
    come_back(order, pay(house, order))
    house.works()
    return order


def stranger(house: House, edition: Edition) -> None:
    Client().post(
        "/register", {"name": "Bob Bystander", "email": "bob@bystander.example", "password": PASSWORD, "postcode": "B9"}
    )
    bob = Account.objects.exclude(pk=Account.objects.order_by("made_at")[0].pk).get().pk
    buys(house, edition, bob, BillingData("Bob Bystander", "Bystander Road 1", "Bystead", "B9 9", "GB"))


def fetched(client: Client) -> dict[str, bytes]:
    answer = client.post("/account/privacy/export")
    assert answer.status_code == 200, answer.content
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_has_every_value_that_was_given_and_nothing_of_anybody_else(
    house: House, edition: Edition, member: Client
) -> None:
    stranger(house, edition)
    files = fetched(member)
    for name in ("data.json", "index.html"):
        text = files[name].decode()
        for value in (*GIVEN.values(), BILL.name, BILL.street, BILL.city, BILL.postcode, BILL.company):
            assert value in text, (name, value)
    everything = b"".join(files.values()).lower()
    for foreign in ("bystander", "bystead", PASSWORD.lower()):
        assert foreign.encode() not in everything
    refs = {row["ref"] for table in json.loads(files["data.json"])["tables"] for row in table["rows"] if "ref" in row}
    assert refs <= {Account.objects.order_by("made_at")[0].pk, *Order.objects.values_list("pk", flat=True)}
    others = Order.objects.exclude(person=Account.objects.order_by("made_at")[0].pk)
    assert not refs & set(others.values_list("pk", flat=True))


def test_it_has_the_tables_and_fields_that_erasing_goes_by(house: House, member: Client) -> None:
    data, schema = (json.loads(fetched(member)[name]) for name in ("data.json", "schema.json"))
    told = {table["table"]: table for table in data["tables"]}
    assert told.keys() == {holding.table for holding in PEOPLE if holding.person}
    for holding in PEOPLE:
        if not holding.person:
            assert data["not_by_person"][holding.table]
            continue
        fields = {*holding.about.split(), *holding.ours.split(), *(field.name for field in holding.sealed())}
        assert all(row.keys() == fields for row in told[holding.table]["rows"]), holding.table
        assert told[holding.table]["when_forgotten"]
        assert told[holding.table]["ends"]
    described = schema["properties"]["tables"]["prefixItems"]
    assert [one["properties"]["table"]["const"] for one in described] == list(told)
    for one, table in zip(described, data["tables"], strict=True):
        for row in table["rows"]:
            assert row.keys() == set(one["properties"]["rows"]["items"]["required"])


def test_how_long_each_thing_is_kept_is_said_in_words_on_the_page_and_in_the_export(
    house: House, member: Client
) -> None:
    page = member.get("/account/privacy").content.decode()
    assert "until you are forgotten; with an invoice 10 years" in page
    kept = {table["table"]: table["ends"] for table in json.loads(fetched(member)["data.json"])["tables"]}
    assert kept["fraud.Trace"] == f"until {settings.TROTH.policy.network_days} days after it was written down"
    assert kept["invoices.Invoice"] == "with the books"
    assert {holding.ends.since for holding in PEOPLE if holding.ends} <= SINCE.keys()


def test_whatever_opens_for_its_owner_is_named_in_words() -> None:
    """A job that is no id of ours is spoken of on the page that says who looked."""
    sources = [path.read_text() for path in (ROOT / "src/troth/shop/journeys").glob("*.py")]
    jobs = {job for source in sources for job in re.findall(r"job(?:: str)? ?= ?\"([a-z-]+)\"", source)}
    assert {"export", "own-invoice"} < jobs
    assert jobs <= who_looked.JOBS.keys()


def test_every_entry_of_the_ledger_comes_with_a_proof_that_verifies(house: House, member: Client) -> None:
    fetched(member)
    with house.as_worker():
        seen.compare()
        published.publish()
    files = fetched(member)
    folders = {name.split("/")[1] for name in files if name.startswith("ledger/0")}
    proved = 0
    for folder in folders:
        held = {name.split("/")[2]: content for name, content in files.items() if name.startswith(f"ledger/{folder}/")}
        if "receipt.tlog-proof" in held:
            verify(Receipt.read(held), seen.verify_key())
            proved += 1
    assert proved >= 3
    assert "billing name and address" in files["index.html"].decode()  # the opening for the export before is told


def test_an_address_of_before_and_what_was_bought_as_a_guest_are_in_it(
    house: House, edition: Edition, member: Client
) -> None:
    person = Account.objects.get().pk
    capability = member.cookies["troth_cap"].value
    change_email.ask(person, capability, PASSWORD, "new@marker.example")
    house.works()
    link = next(line for line in house.mails[-1].text.splitlines() if "/confirm/" in line)
    Client().post(link[link.index("/confirm") :])
    member.post("/sign-in", {"email": "new@marker.example", "password": PASSWORD})
    text = fetched(member)["data.json"].decode()
    assert "new@marker.example" in text
    assert GIVEN["email"] in text


def test_nobody_gets_it_without_the_capability_of_whose_it_is(house: House, member: Client) -> None:
    assert Client().post("/account/privacy/export").status_code == 303
    assert member.get("/account/privacy/export").status_code == 405
    member.cookies["troth_cap"] = "invented"
    assert member.post("/account/privacy/export").status_code == 409
    assert not Export.objects.filter(sealed__isnull=False).exists()


def test_four_times_a_day_and_nothing_of_it_stays(house: House, member: Client) -> None:
    for _ in range(4):
        fetched(member)
    assert member.post("/account/privacy/export").status_code == 409
    assert not Export.objects.exclude(sealed=None, proof=b"").exists()
    clock.travel(timedelta(days=1, minutes=5))
    fetched(member)


def test_a_thousand_orders(house: House, edition: Edition, member: Client, record_property) -> None:
    first = Order.objects.get()
    address = Billing(person=first.person, country="GB")
    seal(address, "billing", BILL)
    address.save(force_insert=True)
    orders = Order.objects.bulk_create(
        Order(
            person=first.person, contact=first.contact, billing=address, country="GB", currency="EUR",
            total_minor=4900, viewer="", policy_version="1", terms_version="1", state=Order.PAID, paid_at=clock.now(),
        ) for _ in range(1000)
    )  # fmt: skip
    line = first.lines.get()
    copied = {
        name: getattr(line, name) for name in
        ("edition", "name", "unit_minor", "quantity", "net_minor", "tax_minor", "rate", "tax_country", "treatment")
    }  # fmt: skip
    OrderLine.objects.bulk_create(OrderLine(order=order, **copied) for order in orders)
    began = time.perf_counter()
    files = fetched(member)
    record_property("table", f"export of 1,000 orders: {time.perf_counter() - began:.2f} s")
    assert (
        sum(
            table["table"] == "orders.Order" and len(table["rows"])
            for table in json.loads(files["data.json"])["tables"]
        )
        == 1001
    )
