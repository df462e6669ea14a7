"""The mailbox over real SMTP, its pages, and the sandbox as a process."""

import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

import troth
from troth.sandbox import Addresses, Sandbox


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Sandbox, Addresses]]:
    sandbox = Sandbox(mode="test")
    yield sandbox, sandbox.start()
    sandbox.stop()


@pytest.fixture
def mailbox(world):
    yield world[0].mailbox
    world[0].mailbox.clear()


@pytest.fixture
def http(world) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world[1].base, trust_env=False) as client:
        yield client


def letter(subject="Your download", text="Fetch it: https://shop.example/d/abc?x=1&y=2.\n", html=None):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@merchant.example", "alice@personal.example", subject
    mail["Message-ID"] = "<order-1@merchant.example>"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail


def send(mailbox, mail):
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=5) as smtp:
        smtp.send_message(mail)


def test_a_mail_arrives_whole(mailbox, http):
    send(mailbox, letter(subject="Größe 1", html="<p>Fetch <a href='https://shop.example/d/abc'>it</a></p>"))
    (mail,) = mailbox.sent
    assert mail.to == ["alice@personal.example"]
    assert mail.subject == "Größe 1"
    assert mail.message_id == "<order-1@merchant.example>"
    assert "https://shop.example/d/abc?x=1&y=2" in mail.text
    assert "<p>Fetch" in mail.html
    (shown,) = http.get("/mailbox.json").json()
    assert shown["text"] == mail.text
    assert ["Message-ID", mail.message_id] in shown["headers"]


@pytest.mark.parametrize(
    ("how", "error", "code"),
    [
        ("421", smtplib.SMTPSenderRefused, 421),
        ("450", smtplib.SMTPRecipientsRefused, 450),
        ("550", smtplib.SMTPRecipientsRefused, 550),
        ("451", smtplib.SMTPDataError, 451),
        ("554", smtplib.SMTPDataError, 554),
    ],
)
def test_refusals_come_as_often_as_told(mailbox, how, error, code):
    mailbox.fails(times=2, how=how)
    for _ in range(2):
        with pytest.raises(error) as refused:
            send(mailbox, letter())
        if error is smtplib.SMTPRecipientsRefused:
            assert refused.value.recipients["alice@personal.example"][0] == code
        else:
            assert refused.value.smtp_code == code
    assert mailbox.sent == []
    send(mailbox, letter())
    assert len(mailbox.sent) == 1


@pytest.mark.parametrize(("how", "kept"), [("cut", 0), ("lost", 1)])
def test_a_line_cut_after_data_leaves_the_sender_unsure(mailbox, how, kept):
    mailbox.fails(how=how)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(mailbox, letter())
    assert len(mailbox.sent) == kept
    send(mailbox, letter())
    assert len(mailbox.sent) == kept + 1


def test_down_means_refused_and_up_again_on_the_same_port(mailbox):
    port = mailbox.port
    mailbox.down()
    with pytest.raises(ConnectionRefusedError):
        send(mailbox, letter())
    mailbox.up()
    assert mailbox.port == port
    send(mailbox, letter())
    assert len(mailbox.sent) == 1


def test_a_failure_there_is_not_is_refused(mailbox):
    with pytest.raises(ValueError, match="failure"):
        mailbox.fails(how="explode")


def test_the_pages_show_mail_and_run_nothing_of_it(mailbox, http):
    assert "No mail has arrived yet" in http.get("/mailbox/").text
    evil = "<script>alert(1)</script>"
    send(mailbox, letter(subject=evil, text=f"{evil} https://shop.example/d/a?x=1&y=2.\n", html=evil))
    listed = http.get("/mailbox/").text
    assert '<a href="/mailbox/1">' in listed
    page = http.get("/mailbox/1")
    assert evil not in listed + page.text
    assert '<a href="https://shop.example/d/a?x=1&amp;y=2">' in page.text
    assert "<iframe sandbox title=" in page.text
    assert page.text.count("<h1>") == 1
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert http.get("/mailbox/2").status_code == 404


def test_mail_controls_over_http(mailbox, http):
    assert http.post("/_control/mail/fails", json={"times": 1, "how": "451"}).status_code == 200
    with pytest.raises(smtplib.SMTPDataError):
        send(mailbox, letter())
    send(mailbox, letter())
    assert http.post("/_control/mail/clear", json={}).status_code == 200
    assert http.get("/mailbox.json").json() == []


def _process(*options):
    command = [sys.executable, "-m", "troth.sandbox", *options]
    env = os.environ | {"PYTHONPATH": str(Path(troth.__file__).parents[1])}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.processes
def test_as_a_process_it_writes_its_addresses_and_stops_cleanly(tmp_path):
    file = tmp_path / "sandbox.json"
    with _process("--mode", "test", "--port-file", str(file)) as process:
        try:
            ends = time.monotonic() + 20
            while not file.exists() and time.monotonic() < ends and process.poll() is None:
                time.sleep(0.05)
            told = json.loads(file.read_text())
            assert file.stat().st_mode & 0o077 == 0
            with httpx.Client(trust_env=False) as http:
                assert http.get(told["mailbox"]).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert not file.exists()


@pytest.mark.processes
def test_as_a_process_it_refuses_a_live_shop(tmp_path):
    with _process("--mode", "live", "--port-file", str(tmp_path / "sandbox.json")) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert 'mode = "test"' in err
