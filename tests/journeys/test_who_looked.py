"""Who looked at my data: the whole truth of a month, nobody else's, each line proved by a script that is not ours."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from tests.campaign import draws
from tests.faults.shopping import Purchase
from tests.house import House
from tests.shape.tree import ROOT
from tests.storefront.conftest import Browser
from tests.storefront.page import read
from troth.pledge.ids import to_bytes
from troth.pledge.ledger import checkpoint
from troth.pledge.policy import needles
from troth.pledge.vault import door as doors
from troth.pledge.vault import published, seen
from troth.shop.accounts.models import Account, Claim, Contact
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import erase
from troth.shop.orders.models import Billing, Order

NAMES = ("ann", "ben", "cy")
DOCUMENT = (ROOT / "docs/verify.md").read_text("utf-8")
SCRIPT = re.search(r"<!-- check.py -->\n```python\n(.*?)```", DOCUMENT, re.DOTALL)[1]


@pytest.fixture(autouse=True)
def public(house: House) -> Iterator[Path]:
    """The folder that the log is published in, empty."""
    settings.TROTH.home.mkdir(exist_ok=True)
    shutil.rmtree(published.folder(), ignore_errors=True)
    yield published.folder()
    shutil.rmtree(published.folder(), ignore_errors=True)


def publish(house: House) -> None:
    with house.as_worker():
        seen.compare()
        published.publish()


def registered(house: House, name: str) -> Browser:
    browser = Browser()
    typed = {"name": name, "email": f"{name}@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}
    browser.send("/register", typed, 200)
    return browser


def shown(browser: Browser) -> list[list[str]]:
    """Every row of the table, page after page."""
    rows, path = [], "/account/privacy"
    while path:
        html = browser.get(path).content.decode()
        table = html.split('id="looks"')[1].split("</section>")[0]
        for row in re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</tr>", table, re.DOTALL):
            rows.append([" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"</t[hd]>", row)])
        older = re.search(r'href="(/account/privacy\?before=\d+)#looks"', table)
        path = older[1] if older else ""
    return rows


def kept(house: House, person: str) -> int:
    """The keeper's own count of entries about somebody."""
    return int(house.keeper.db.value("SELECT count(*) FROM about WHERE ref = ?", to_bytes(person)))


def checked(archive: bytes, folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """The receipt as the twenty-line script of docs/verify.md sees it."""
    shutil.rmtree(folder, ignore_errors=True)
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder / "receipt")
    (folder / "check.py").write_text(SCRIPT)
    return subprocess.run([sys.executable, "check.py", "receipt", key], cwd=folder, capture_output=True, text=True)


def test_a_months_openings_are_told_to_whom_they_are_about_and_each_is_proved(
    house: House, edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from troth.pledge.keeper import keeper as module

    monkeypatch.setattr(module, "MOST_ENTRIES", 7)
    customers = {name: registered(house, name) for name in NAMES}
    house.works()
    contacts = dict(zip(NAMES, Contact.objects.order_by("made_at"), strict=True))
    lots: random.Random = draws("who looked")
    for _day in range(30):
        name = lots.choice(NAMES)
        if lots.random() < 0.3:
            customers[name].get("/account?show=me")
        job = lots.choice(["deliver", "sweep-letter"])
        house.worker.open([contacts[name].contact], purpose=lots.choice(["deliver", "notice"]), job=job)
    publish(house)
    key, seqs = str(seen.verify_key()), []
    for name, browser in customers.items():
        rows = shown(browser)
        assert len(rows) == kept(house, contacts[name].person_id) > 0
        assert all("name and e-mail address" in row[1] for row in rows)
        mine = [int(row[4]) for row in rows]
        assert mine == sorted(set(mine), reverse=True)
        seqs += mine
        for seq in lots.sample(mine, min(4, len(mine))):
            answer = browser.get(f"/account/privacy/receipt/{seq}")
            assert answer["Content-Disposition"] == f'attachment; filename="receipt-{seq}.zip"'
            done = checked(answer.content, tmp_path / "proof", key)
            assert done.returncode == 0, done.stderr
            assert f"Proven: entry {seq} of the" in done.stdout
            said = json.loads(done.stdout.split(" says ")[1])
            assert said["did"] == "open" and said["classes"][0] == "contact"
            strangers = [other for other in NAMES if other != name]
            assert customers[strangers[0]].get(f"/account/privacy/receipt/{seq}").status_code == 404
    assert sorted(seqs) == list(range(house.worker.attest().ledger_size))  # nothing twice, nothing untold


def test_an_order_is_told_in_plain_words_and_a_proof_waits_to_be_published(house: House, edition: Edition) -> None:
    purchase = Purchase(house, edition, "paypal")
    purchase.complete()
    order = Order.objects.get()
    buyer = Browser()
    buyer.send("/sign-in", {"email": purchase.email, "password": "heron and lantern"}, 303)
    rows = shown(buyer)
    assert len(rows) == kept(house, order.person_id)
    delivered = next(row for row in rows if "to send you what you bought" in row[2])
    assert "your order" in delivered[2]
    assert "no person looked" in delivered[3]
    assert any("write your invoice" in row[2] or "confirm your address" in row[2] for row in rows)
    page = buyer.page("/account/privacy")
    assert f"/orders/{order.ref}" in {a["href"] for a in page.all("a")}
    seq = int(delivered[4])
    shutil.rmtree(published.folder(), ignore_errors=True)
    too_new = buyer.get(f"/account/privacy/receipt/{seq}")
    assert (too_new.status_code, "too new to be proved" in read(too_new).text) == (404, True)
    publish(house)
    assert buyer.get(f"/account/privacy/receipt/{seq}").status_code == 200
    assert buyer.get("/account/privacy/receipt/999999").status_code == 404


def test_ones_own_look_stands_there_and_looking_at_the_list_adds_nothing(house: House) -> None:
    ann = registered(house, "ann")
    assert "Nobody has opened anything of yours" in ann.page("/account/privacy").text
    ann.get("/account?show=me")
    (row,) = shown(ann)
    assert "you yourself, signed in" in row[3]
    assert len(shown(ann)) == 1


def test_a_visitor_and_an_ended_session_are_told_nothing(house: House) -> None:
    assert Browser().get("/account/privacy/receipt/0").status_code == 303
    ann = registered(house, "ann")
    ann.get("/account?show=me")
    del ann.cookies["troth_cap"]
    assert "Sign in again" in ann.page("/account/privacy").text
    assert ann.get("/account/privacy/receipt/0").status_code == 404


def test_while_the_keeper_is_away_the_page_says_so(house: House) -> None:
    ann = registered(house, "ann")

    def dead(body: bytes) -> bytes:
        raise ConnectionError

    doors.use(doors.Door(dead))
    page = ann.page("/account/privacy")
    assert "look again in a minute" in page.text
    assert "name and e-mail address" in page.text


def test_a_letter_about_an_order_carries_key_and_checkpoint(house: House, edition: Edition) -> None:
    purchase = Purchase(house, edition, "paypal")
    purchase.complete()
    (mail,) = [mail for mail in house.mails if "/orders/" in mail.text]
    key = seen.verify_key()
    assert str(key) in mail.text and str(key) in mail.html
    lines = mail.text.splitlines()
    at = lines.index(key.name)
    signed = checkpoint.read("\n".join(lines[at : at + 5]) + "\n", key)
    mine = house.web.history(house.web.sign_in(purchase.email, "heron and lantern").capability).entries
    (seq,) = [entry.seq for entry in mine if b'"deliver"' in entry.event]
    assert seq < signed.size  # the opening for this very letter is under it
    assert "/ledger/verify" in mail.text and "/ledger/verify" in mail.html


def test_the_page_shows_the_script_and_commands_that_the_document_has(house: House) -> None:
    text = Browser().page("/ledger/verify").text
    blocks = {"check.py": "python", "commitment": "sh", "signature": "sh"}
    for mark, kind in blocks.items():
        block = re.search(rf"<!-- {mark} -->\n```{kind}\n(.*?)```", DOCUMENT, re.DOTALL)[1]
        assert " ".join(block.split()) in " ".join(text.split())
    assert str(seen.verify_key()) in text


def test_after_somebody_is_forgotten_nothing_links_an_entry_to_them(house: House, edition: Edition) -> None:
    purchase = Purchase(house, edition, "paypal")
    purchase.complete()
    person = Order.objects.get().person_id
    account = Account.objects.get()
    entries = house.web.history(house.web.sign_in(purchase.email, "heron and lantern").capability).entries
    assert len(entries) == kept(house, person) > 0
    billing = Billing.objects.get().pk
    erase.begin(erase.opened(person))
    house.works()
    house.works(later=timedelta(hours=169))
    publish(house)
    held = "\n".join(house.keeper.db.iterdump()).encode()
    tiles = b"\n".join(path.read_bytes() for path in sorted(published.folder().rglob("*")) if path.is_file())
    known = [purchase.email, "Alice Example", person, person[4:], account.pk, billing, Order.objects.get().ref]
    assert needles.Scan(needles.Sieve(known)).feed(tiles + b"\n") == []
    for entry in entries:
        assert entry.salt.hex().encode() not in held.lower()
        assert entry.event not in held
    assert kept(house, person) == 0


def test_what_was_bought_as_a_guest_is_told_with_the_account_that_claimed_it(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    from troth.pledge.keeper import keeper as module

    monkeypatch.setattr(module, "MOST_ENTRIES", 2)
    Purchase(house, edition, "paypal").complete()
    guest, order = Order.objects.get().person_id, Order.objects.get()
    ann = registered(house, "ann")
    mine = Account.objects.exclude(pk=guest).get().pk
    house.keeper.db.execute("INSERT INTO link VALUES (?, ?)", (to_bytes(guest), to_bytes(mine)))
    Account.objects.filter(pk=guest).delete()
    Claim.objects.create(guest_id=guest, account_id=mine)
    house.works()
    for purpose in ("notice", "deliver", "notice"):
        house.worker.open([Contact.objects.get(person=mine).contact], purpose=purpose, job="deliver")
        house.worker.open([order.contact.contact], purpose=purpose, job="deliver")
    rows = [int(row[4]) for row in shown(ann)]
    assert rows == sorted(set(rows), reverse=True)
    assert len(rows) == kept(house, guest) + kept(house, mine) > 6
    publish(house)
    (first,) = house.keeper.db.execute("SELECT min(seq) FROM about WHERE ref = ?", (to_bytes(guest),)).fetchone()
    assert ann.get(f"/account/privacy/receipt/{first}").status_code == 200
