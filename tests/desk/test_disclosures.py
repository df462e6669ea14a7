"""A disclosure from its document to the page on transparency: exactly what was approved, to its recipient alone."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.desk.cases import COURT, Desk, day, handed, opened
from tests.desk.people import Office
from tests.desk.test_jobs import openings
from tests.house import House
from tests.storefront.conftest import Browser
from tests.support.asking import upload
from troth.faces.cli.disclosure import disclosure
from troth.pledge import clock
from troth.pledge.disclosure import rules
from troth.pledge.vault.models import LedgerEvent
from troth.shop.clauses.p12_lawful_disclosure import CLAUSE
from troth.shop.disclosure import counts, told
from troth.shop.disclosure.models import Case
from troth.shop.journeys import ask
from troth.shop.journeys import disclosure as disclosing
from troth.shop.orders.models import Order
from troth.shop.support.files import Intake
from troth.shop.support.models import Attachment, Piece


@pytest.fixture
def desk(office: Office, order: Order) -> Desk:
    return Desk(office, order)


def p12(house: House) -> list[str]:
    house.works()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # a test's client connects it again
    with house.as_worker():
        probe = house.probe()
        return [f"{one.state}: {one.sentence}" for check in CLAUSE.checks for one in check.run(probe)]


def test_from_the_document_to_the_page_on_transparency(desk: Desk, house: House, order: Order) -> None:
    case = desk.filed()
    house.works()
    notice = house.mails[-1]
    assert notice.to == ["alice@elsewhere.example"] and "14 days" in notice.text
    for one in desk.others:
        assert desk.approves(one, case).status_code == 303
    desk.hands_over(case)
    assert not handed(case)  # the customer has two weeks

    desk.weeks_pass()
    assert desk.hands_over(case).status_code == 303
    files = opened(case)
    manifest = files.pop("manifest.json")
    told_of = [(one["class"], one["fields"]) for one in files.values()]
    assert sorted(told_of) == [("billing", {"city": "Berlin"}), ("contact", {"name": "Alice Abend"})]
    assert set(manifest["sha256"]) == set(files) and manifest["document"] == hashlib.sha256(b"We order it.").hexdigest()
    assert ("disclosure", "legal", case.ref) in openings(house, order.person_id)
    house.works()
    assert "handed over what the law made us" in house.mails[-1].text

    bundle = desk.filer.get(f"/desk/disclosures/{case.ref}/bundle")
    assert bundle.content == bytes(Case.objects.get().bundle) and b"Berlin" not in bundle.content
    desk.filer.posts(f"/desk/disclosures/{case.ref}/do", {"do": "end"})
    assert (Case.objects.get().state, Case.objects.get().bundle) == (Case.CLOSED, None)
    visitor = Browser()
    rows = json.loads(visitor.get("/transparency.json").content)["rows"]
    now = told.period(clock.now())
    assert rows[0] | {"period": now, "requests": "1-9", "accounts": "1-9", "fields": "1-9", "basis": "a"} == rows[0]
    assert rows[0]["outcome"] == "disclosed" and rows[0]["approved_by_one"] == "0"
    assert "Germany" in visitor.page("/transparency").text
    assert visitor.get("/transparency.csv").content.decode().splitlines()[0] == ",".join(counts.HEADS)
    assert not [line for line in p12(house) if line.startswith("broken")]


def test_the_counts_are_made_again_from_the_ledger(desk: Desk, house: House) -> None:
    """Whoever is given the openings needs nothing else of ours: commitments, salts, and the entries."""
    case = desk.filed()
    desk.filer.posts(f"/desk/disclosures/{case.ref}/do", {"do": "end", "outcome": "refused"})
    house.works()
    again = []
    for one in told.openings(list(Case.objects.all())):
        event = LedgerEvent.objects.get(seq=one.seq).event
        body = json.dumps(one.says, sort_keys=True, separators=(",", ":")).encode()
        assert event["c"] == hashlib.sha256(bytes.fromhex(one.salt) + body).hexdigest()
        again.append(one.says)
    assert [one["did"] for one in again] == ["received", "ended"]
    assert (again[1]["outcome"], again[1]["accounts"]) == ("refused", 0)
    LedgerEvent.objects.filter(event_id__endswith="-ended").update(seq=0)
    assert any("do not stand in the ledger" in line for line in p12(house))


def test_half_years_without_a_request_are_published(house: House) -> None:
    browser = Browser()
    assert "Nobody asked." in browser.page("/transparency").text
    clock.travel(timedelta(days=400))
    assert {row["requests"] for row in json.loads(browser.get("/transparency.json").content)["rows"]} == {"0"}


def test_a_bar_keeps_it_from_the_customer_until_its_day_and_no_longer(desk: Desk, house: House, order: Order) -> None:
    house.works()
    before = len(house.mails)
    case = desk.filed(bar_until=day(60), enclosed=upload("bar.txt", b"Do not tell."))
    for one in desk.others:
        desk.approves(one, case)
    desk.hands_over(case)
    assert handed(case)
    house.works()
    assert len(house.mails) == before
    assert not [one for one in openings(house, order.person_id) if one[1] == "legal"]
    desk.weeks_pass(59)
    again = {"bar_until": day(40), "enclosed": upload("bar.txt", b"Do not tell.")}
    desk.filer.proves()
    assert "only another one prolongs" in desk.filer.posts(f"/desk/disclosures/{case.ref}/bar", again).content.decode()
    again["enclosed"] = upload("bar2.txt", b"Nor until then.")
    assert desk.filer.posts(f"/desk/disclosures/{case.ref}/bar", again).status_code == 303
    house.works(later=timedelta(days=3))
    assert len(house.mails) == before and not [line for line in p12(house) if line.startswith("broken")]
    desk.weeks_pass(42)
    house.works()
    assert len(house.mails) == before + 1 and "handed over" in house.mails[-1].text
    desk.filer.page("/desk/disclosures")
    desk.filer.page(f"/desk/disclosures/{case.ref}")  # the keeper's part was asked: what was held is in the list
    assert [one for one in openings(house, order.person_id) if one[1] == "legal"]


def test_what_was_written_opens_in_a_job_on_the_case_alone(desk: Desk, house: House) -> None:
    case = desk.filed()
    page = desk.filer.page(f"/desk/disclosures/{case.ref}").text
    assert "by the number in the register" not in page and "order.txt" not in page
    taken = desk.filer.posts(f"/desk/disclosures/{case.ref}/take", {})
    papers = desk.filer.page(taken["Location"])
    assert "by the number in the register" in papers.text
    link = next(a["href"] for a in papers.all("a") if "/documents/" in a["href"])
    assert b"".join(desk.filer.get(link).streaming_content) == b"We order it."
    assert desk.others[1].get(taken["Location"]).status_code == 403
    desk.filer.posts(taken["Location"].partition("/disclosures/")[0] + "/close", {})
    assert desk.filer.get(taken["Location"]).status_code == desk.filer.get(link).status_code == 403


def test_the_command_line_counts_and_signs(desk: Desk, house: House, tmp_path: Path) -> None:
    case = desk.filed()
    run = CliRunner()
    assert case.ref in run.invoke(disclosure, ["list"]).output
    published = json.loads(Browser().get("/transparency.json").content)
    assert json.loads(run.invoke(disclosure, ["counts", "--json"]).output) == published
    assert run.invoke(disclosure, ["counts"]).output.startswith("period,basis,")
    assert json.loads(run.invoke(disclosure, ["openings", case.ref]).output)[0]["says"]["basis"] == "a"
    file, scope = str(tmp_path / "key"), disclosing.scope_hash(case)
    public = run.invoke(disclosure, ["key", file]).output.strip()
    assert "is there already" in run.invoke(disclosure, ["key", file]).output
    signed = run.invoke(disclosure, ["sign", scope.hex(), "--key", file]).output.strip()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signed), rules.SIGNED_AS + scope)
    assert run.invoke(disclosure, ["sign", "none", "--key", file]).exit_code == 2


def with_files(desk: Desk, *wanted: str) -> Case:
    """A document that asks for what was written and for files; handed over is what is `wanted` of that."""
    case = desk.case(wanted=["correspondence.text", "correspondence.file"])
    answer = desk.narrows(case, wanted=[f"correspondence.{one}" for one in wanted])
    assert answer.status_code == 303, answer.content.decode()
    for one in desk.others:
        assert desk.approves(one, case).status_code == 303
    desk.office.house.keeper.db.execute("UPDATE disclosure SET earliest = filed WHERE id = ?", (case.ref,))
    assert desk.hands_over(case).status_code == 303
    return case


def bundle(case: Case) -> zipfile.ZipFile:
    sealed = bytes(Case.objects.get(pk=case.pk).bundle or b"")
    return zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [COURT])))


def sends(order: Order, content: bytes, name: str = "proof.txt") -> None:
    """Alice asks from her order's page, with a file."""
    intake = Intake(name)
    intake.feed(content)
    intake.end()
    assert ask.ask(order.person_id, ask.Question("Look at this", "A proof", attached=[intake])).person_id


def test_files_are_handed_over_where_the_document_asks_for_them(desk: Desk, order: Order) -> None:
    content = b"A line of the log.\n" * 9000  # several pieces
    sends(order, content)
    packed = bundle(with_files(desk, "text", "file"))
    told = [json.loads(packed.read(name))["fields"] for name in packed.namelist() if name.startswith("records/")]
    (file,) = [one for one in told if "file" in one]
    assert (file["name"], packed.read(file["file"])) == ("proof.txt", content)
    assert [one for one in told if "file" not in one] == [{"text": "Look at this"}]
    listed = json.loads(packed.read("manifest.json"))["sha256"]
    assert listed[file["file"]] == hashlib.sha256(content).hexdigest()
    assert "key" not in {name for one in told for name in one}


def test_a_scope_without_files_has_none_and_one_that_was_not_asked_for_is_refused(desk: Desk, order: Order) -> None:
    sends(order, b"A line of the log.")
    packed = bundle(with_files(desk, "text"))
    assert not [name for name in packed.namelist() if name.startswith("files/")]
    case = desk.case(wanted=["correspondence.text"])
    answer = desk.narrows(case, wanted=["correspondence.text", "correspondence.file"])
    assert answer.status_code == 400 and Case.objects.get(pk=case.pk).scope is None


def test_files_that_are_too_large_or_altered_are_not_handed_over(desk: Desk, order: Order) -> None:
    sends(order, b"a" * 900_000)
    case = desk.case(wanted=["correspondence.file"])
    large = desk.narrows(case, wanted=["correspondence.file"])
    assert large.status_code == 400 and "too large for one bundle" in large.content.decode()
    Attachment.objects.all().delete()
    sends(order, b"A line of the log.")
    assert desk.narrows(case, wanted=["correspondence.file"]).status_code == 303
    for one in desk.others:
        assert desk.approves(one, case).status_code == 303
    desk.office.house.keeper.db.execute("UPDATE disclosure SET earliest = filed WHERE id = ?", (case.ref,))
    piece = Piece.objects.get()
    Piece.objects.update(sealed=bytes(piece.sealed)[:-1] + b"x")
    assert desk.hands_over(case).status_code == 400 and not handed(case)
    Piece.objects.update(sealed=piece.sealed)
    assert desk.hands_over(case).status_code == 303 and handed(case)
