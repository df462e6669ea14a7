"""`troth doctor` against a shop in which one thing is broken: it is named, with the sentence that mends it.

tests/processes/test_doctor.py has what needs a folder of its own (keys, keyring, settings, database),
tests/payments/test_doctor.py what the providers say.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, KEY, basket
from tests.operate.names import server as names
from troth.config import Config, Web
from troth.faces.cli import certificate_examinations, domain_examinations, examinations, trial_letter, work_examinations
from troth.faces.cli.examinations import Examination, Seen
from troth.pledge import clock
from troth.pledge.due.models import Due
from troth.pledge.vault.models import LedgerEvent, Person
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy
from troth.shop.orders.models import Basket


def wrong(examination: Examination, config: Config) -> list[Seen]:
    return [one for one in examination(config) if one.state == "wrong"]


def only(examination: Examination, config: Config) -> Seen:
    (one,) = wrong(examination, config)
    assert one.mend and one.sentence.endswith(".")
    return one


def with_(section: str, **values: object) -> Config:
    config = settings.TROTH
    return msgspec.structs.replace(config, **{section: msgspec.structs.replace(getattr(config, section), **values)})


def test_it_is_said_while_no_tax_is_set(house: House) -> None:
    (told,) = examinations.tax(with_("tax", scheme=""))
    assert told.state == "note" and "VAT 0%" in told.sentence and "[tax] scheme" in told.mend
    assert not list(examinations.tax(with_("tax", scheme="origin")))


# The work


def long_ago(**since: float) -> datetime:
    return clock.now() - timedelta(**since)


BROKEN_WORK: dict[str, tuple[Callable[[], object], str, str]] = {
    "no worker works": (
        lambda: Due.objects.create(kind="deliver", subject="ord_1", run_after=long_ago(minutes=20)),
        "1 things are due and nobody does them",
        "Start the worker",
    ),
    "a worker died with its lease": (
        lambda: Due.objects.create(
            kind="deliver", subject="ord_1", run_after=long_ago(hours=2), lease_until=long_ago(hours=1), attempts=1
        ),
        "nobody does them",
        "Start the worker",
    ),
    "something was given up": (
        lambda: Due.objects.create(kind="deliver", subject="ord_1", gave_up_at=clock.now()),
        "gave up on: deliver",
        "troth order",
    ),
    "something fails again and again": (
        lambda: Due.objects.create(
            kind="deliver",
            subject="ord_1",
            attempts=7,
            last_code="smtp-550",
            run_after=clock.now() + timedelta(hours=1),
        ),
        "deliver fails again and again (smtp-550, 7 times)",
        "worker's output",
    ),
    "the outbox grows": (
        lambda: LedgerEvent.objects.create(event_id="e", event={}, made_at=long_ago(hours=2)),
        "1 events have waited for the ledger",
        "Start the keeper",
    ),
    "no keys in stock": (
        lambda: [Due.objects.create(kind="sweep", subject=""), Person.objects.all().delete()],
        "nobody can register or buy",
        "Start keeper and worker",
    ),
}


def test_nothing_is_wrong_with_work_that_is_done(house: House) -> None:
    house.works()
    assert [one.state for one in work_examinations.work(settings.TROTH)] == ["ok"]


@pytest.mark.parametrize("name", BROKEN_WORK)
def test_work_that_is_not_done(house: House, name: str) -> None:
    break_it, told, mend = BROKEN_WORK[name]
    break_it()
    found = only(work_examinations.work, settings.TROTH)
    assert told in found.sentence and mend in found.mend


def test_a_proxy_that_says_of_nobody_where_they_come_from(house: House, edition: Edition) -> None:
    """Five orders within a day and no address of them, in a live shop; one address among them, and all is well."""
    live = with_("shop", mode="live")

    def orders(number: int, came_from: str = "") -> None:
        Basket.objects.all().delete()
        basket(edition)
        buyer = buy.Newcomer("Alice", f"alice{number}@b.example")
        buy.begin(KEY, buyer, ADDRESS, "paypal", came_from=came_from)

    for number in range(5):
        assert wrong(work_examinations.work, live) == []
        orders(number)
    found = only(work_examinations.work, live)
    assert "came from nowhere" in found.sentence and "X-Forwarded-For" in found.mend
    assert wrong(work_examinations.work, settings.TROTH) == []  # in test mode most come from this machine itself
    orders(5, "198.51.100.7")
    assert wrong(work_examinations.work, live) == []


def test_a_database_that_is_behind(house: House) -> None:
    assert wrong(examinations.database, settings.TROTH) == []
    ((app, newest),) = MigrationLoader(connection).graph.leaf_nodes("licences")
    MigrationRecorder(connection).record_unapplied(app, newest)
    found = only(examinations.database, settings.TROTH)
    assert "older than this version" in found.sentence and "troth upgrade" in found.mend


# What the program runs on


def test_other_libraries_than_those_that_were_tested(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text(
        "cryptography==1.2.3 \\\n    --hash=sha256:00\nnobody-has-this==1.0\ncolorama==0.4.6 ; os_name == 'nt'\n"
    )
    (found,) = work_examinations.versions(settings.TROTH, pins)
    assert found.state == "wrong" and "cryptography" in found.sentence and "for 1.2.3" in found.sentence
    assert "nobody-has-this missing" in found.sentence and "colorama" not in found.sentence
    assert found.mend.startswith("make -C")


# The machine


def test_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100 << 20))
    assert "Make room" in only(examinations.space, settings.TROTH).mend


@pytest.mark.parametrize(
    ("made", "told"), [((), "There is none yet"), (("main",), "none yet"), (("main", "keyring"), "60 hours old")]
)
def test_backups_that_are_not_made(tmp_path: Path, made: tuple[str, ...], told: str) -> None:
    folders = {kind: tmp_path / kind for kind in ("main", "keyring")}
    config = with_(
        "backup", recipients=["age1x"], main_folder=str(folders["main"]), keyring_folder=str(folders["keyring"])
    )
    for kind in made:
        folders[kind].mkdir()
        path = folders[kind] / f"{kind}-x.age"
        path.touch()
        if len(made) == 2:
            os.utime(path, (time.time() - 60 * 3600,) * 2)
    found = wrong(examinations.backups, config)
    assert found and told in found[-1].sentence and "troth backup" in found[-1].mend


class Late(BaseHTTPRequestHandler):
    """A provider whose clock is five minutes behind ours."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() - 300, usegmt=True)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_clock_that_is_off() -> None:
    with HTTPServer(("127.0.0.1", 0), Late) as provider:
        asked = threading.Thread(target=provider.handle_request)
        asked.start()
        url = f"http://127.0.0.1:{provider.server_port}"
        found = only(examinations.clock, with_("paypal", base_url=url))
        asked.join()
    assert "s away from the provider's" in found.sentence and "NTP" in found.mend


# The certificate


def certificate(folder: Path, name: str = "shop.acme.example", days: int = 90, issuer: str = "An authority") -> Config:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)])
    made = x509.CertificateBuilder(
        above, subject, key.public_key(), 7, now - timedelta(days=99), now + timedelta(days=days)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "chain.pem").write_bytes(pem * (2 if issuer == "An authority" else 1))
    (folder / "key.pem").write_bytes(private)
    return _shown(folder)


def _shown(folder: Path) -> Config:
    web = Web(
        public_url="https://shop.acme.example",
        certificate=str(folder / "chain.pem"),
        certificate_key=str(folder / "key.pem"),
    )
    return msgspec.structs.replace(settings.TROTH, web=web)


def torn(folder: Path) -> Config:
    certificate(folder)
    (folder / "key.pem").write_text("none")
    return _shown(folder)


BROKEN_CERTIFICATES: dict[str, tuple[Callable[[Path], Config], str, str]] = {
    "ended": (lambda p: certificate(p, days=-3), "The certificate ended on", "Renew it"),
    "ends soon": (lambda p: certificate(p, days=5), "The certificate ends on", "Renew it"),
    "another name": (lambda p: certificate(p, "www.acme.example"), "is not for shop.acme.example", "Get one for"),
    "no chain": (lambda p: certificate(p, issuer="Somebody"), "without those that lead to a root", "fullchain.pem"),
    "no key": (torn, "cannot be used", "two PEM files that fit"),
}


def test_a_certificate_that_fits(tmp_path: Path) -> None:
    assert [one.state for one in certificate_examinations.certificate(certificate(tmp_path))] == ["ok"]
    assert [one.state for one in certificate_examinations.certificate(certificate(tmp_path, "*.acme.example"))] == [
        "ok"
    ]


@pytest.mark.parametrize("name", BROKEN_CERTIFICATES)
def test_a_certificate_that_does_not_fit(tmp_path: Path, name: str) -> None:
    make, told, mend = BROKEN_CERTIFICATES[name]
    found = only(certificate_examinations.certificate, make(tmp_path))
    assert told in found.sentence and mend in found.mend


# Mail

RECORDS = {
    "acme.net": ["v=spf1 mx -all", "some-verification=1"],
    "_dmarc.acme.net": ["v=DMARC1; p=reject"],
    "mail._domainkey.acme.net": ["v=DKIM1; k=rsa; p=MIIB"],
}
BROKEN_RECORDS: dict[str, tuple[dict[str, list[str]], str, str]] = {
    "no SPF": ({"acme.net": ["x"]}, "(SPF)", 'acme.net. TXT "v=spf1 mx a:relay.acme.net -all"'),
    "two SPF": ({"acme.net": ["v=spf1 mx -all", "v=spf1 -all"]}, "2 SPF records", "one of them"),
    "open SPF": ({"acme.net": ["v=spf1 +all"]}, "lets everybody", "-all"),
    "no DMARC": ({"_dmarc.acme.net": []}, "(DMARC)", '_dmarc.acme.net. TXT "v=DMARC1; p=quarantine"'),
    "no DKIM": ({"mail._domainkey.acme.net": []}, "(DKIM)", 'SELECTOR._domainkey.acme.net. TXT "v=DKIM1'),
}


def sends_from(sender: str) -> Config:
    return with_("mail", sender=sender, url="smtps://relay.acme.net:465")


def examined(sender: str, records: dict[str, list[str]]) -> list[Seen]:
    with names(records) as resolver:
        return list(domain_examinations.domain(sends_from(sender), resolver))


def test_a_domain_with_its_records_and_one_below_it() -> None:
    assert [one.state for one in examined("Acme <shop@acme.net>", RECORDS)] == ["ok"] * 3
    below = {"shop.acme.net": RECORDS["acme.net"], "mail._domainkey.shop.acme.net": ["p=x"]}
    assert [one.state for one in examined("a@shop.acme.net", {**RECORDS, **below})] == ["ok"] * 3


@pytest.mark.parametrize("name", BROKEN_RECORDS)
def test_a_record_that_is_not_there(name: str) -> None:
    change, told, paste = BROKEN_RECORDS[name]
    (found,) = [one for one in examined("shop@acme.net", {**RECORDS, **change}) if one.state != "ok"]
    assert found.state == "wrong" and told in found.sentence and paste in found.mend


def test_without_a_name_server_or_a_real_domain_it_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_examinations, "TIMEOUT", 0.3)
    with names(RECORDS) as resolver:
        resolver.port = 9
        assert [one.state for one in domain_examinations.domain(sends_from("a@acme.net"), resolver)] == ["not asked"]
        assert [one.state for one in domain_examinations.domain(sends_from("a@acme.example"), resolver)] == [
            "not asked"
        ]


def answers(monkeypatch: pytest.MonkeyPatch, typed: Callable[[], str]) -> None:
    monkeypatch.setattr(trial_letter.click, "prompt", lambda *_, **__: typed())


def test_a_letter_that_arrived_is_confirmed_by_its_code(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def code() -> str:
        mail: Any = house.mails[-1]
        return str(mail.text.split("The code is ")[1][:6])

    answers(monkeypatch, code)
    assert [one.state for one in trial_letter.letter(settings.TROTH)] == ["ok"]
    assert house.mails[-1].to == [settings.TROTH.shop.contact_email]


def test_a_letter_that_nobody_saw_or_no_relay_took(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, lambda: "")
    assert "spam folder" in only(trial_letter.letter, settings.TROTH).mend
    house.sandbox.mailbox.fails(how="550")
    assert "did not take the letter (smtp-550)" in only(trial_letter.letter, settings.TROTH).sentence
    assert "nobody to write to" in only(trial_letter.letter, with_("shop", contact_email="")).sentence


def test_the_command_leaves_out_other_machines_and_says_so(house: House) -> None:
    from troth.faces.cli.doctor import doctor

    said = CliRunner().invoke(doctor, ["--offline"]).output
    for name in ("Mail", "Clock", "Domain", "Accounts"):
        assert f"not asked  {name}: left out with --offline." in said
    assert "Nothing that is due waits" in said
