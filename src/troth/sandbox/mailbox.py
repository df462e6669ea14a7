"""A mail server that keeps all it gets in memory, shows it on a page, and fails on demand.

It takes mail for everybody from this machine and passes nothing on.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import re
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from html import escape
from typing import Any

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from troth.sandbox import pages
from troth.sandbox.server import Answer, Request, Route, html_answer, json_answer

LARGEST = 10 * 1024 * 1024
_LINK = re.compile(r"https?://[^\s<>\"']+")
_ANSWERS = {
    "421": "421 4.3.2 Service not available, closing",
    "450": "450 4.2.0 Mailbox busy, try again",
    "451": "451 4.3.0 Local error, try again",
    "550": "550 5.1.1 No such mailbox",
    "554": "554 5.7.1 Refused",
}


class Mail(msgspec.Struct, frozen=True):
    """One mail as it came. `to` are the envelope's receivers, `headers` all headers in their order."""

    number: int
    at: str
    sender: str
    to: list[str]
    subject: str
    message_id: str
    text: str
    html: str
    headers: list[tuple[str, str]]
    raw: str


class Mailbox:
    """`sent` is what has arrived. `fails` makes the next attempts fail."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.sent: list[Mail] = []
        self._failing: list[list[Any]] = []  # [how, times left]
        self._lock = threading.Lock()
        self._controller: _Controller | None = None
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd would log every address

    # Controls

    def up(self) -> None:
        """Start listening (again, on the same port)."""
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=self.port, data_size_limit=LARGEST, enable_SMTPUTF8=True
        )
        self._controller.start()
        self.port = self._controller.port

    def down(self) -> None:
        """Stop listening: connections are refused."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def fails(self, times: int = 1, how: str = "451") -> None:
        """Let the next `times` mails fail.

        `how`: "421" at MAIL, "550" or "450" at RCPT, "451" or "554" after DATA; "cut" drops the line instead of the
        mail's last answer and keeps nothing; "lost" keeps the mail and drops the line, so that the sender cannot know.
        """
        if how not in ("cut", "lost", *_ANSWERS):
            raise ValueError("no such failure")
        with self._lock:
            self._failing.append([how, times])

    def clear(self) -> None:
        with self._lock:
            self.sent.clear()
            self._failing.clear()

    # What aiosmtpd calls

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._fault("421"):
            return _ANSWERS["421"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if how := self._fault("450", "550"):
            return _ANSWERS[how]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        how = self._fault("451", "554", "cut", "lost")
        if how in _ANSWERS:
            return _ANSWERS[how]
        if how != "cut":
            self._keep(envelope)
        if how:
            raise asyncio.CancelledError  # aiosmtpd closes the line at once, without another byte
        return "250 2.0.0 Ok"

    def _fault(self, *here: str) -> str:
        with self._lock:
            if not self._failing or self._failing[0][0] not in here:
                return ""
            first = self._failing[0]
            first[1] -= 1
            if first[1] <= 0:
                self._failing.pop(0)
            return str(first[0])

    def _keep(self, envelope: Envelope) -> None:
        raw = envelope.original_content or b""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        with self._lock:
            mail = Mail(
                number=len(self.sent) + 1,
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                sender=envelope.mail_from or "",
                to=list(envelope.rcpt_tos),
                subject=str(message.get("Subject", "")),
                message_id=str(message.get("Message-ID", "")),
                text=_part(message, "plain"),
                html=_part(message, "html"),
                headers=[(name, str(value)) for name, value in message.items()],
                raw=raw.decode("utf-8", errors="replace"),
            )
            self.sent.append(mail)

    # The pages

    def routes(self) -> list[Route]:
        return [
            ("GET", r"/mailbox/?", self._list),
            ("GET", r"/mailbox/(\d{1,9})", self._one),
            ("GET", r"/mailbox\.json", self._json),
        ]

    def _all(self) -> list[Mail]:
        with self._lock:
            return list(self.sent)

    def _json(self, request: Request) -> Answer:
        """All mails, or with `?after=` those with greater numbers, or with `?last=` so many of the newest."""
        after, last = (request.query.get(name, "") for name in ("after", "last"))
        mails = self._all()
        if after.isdecimal():
            mails = mails[int(after) :]  # they are numbered from 1
        elif last.isdecimal():
            mails = mails[len(mails) - min(len(mails), int(last)) :]
        return json_answer(200, msgspec.to_builtins(mails))

    def _list(self, _: Request) -> Answer:
        rows = "".join(
            f'<tr><td><a href="/mailbox/{mail.number}">{escape(mail.subject) or "(no subject)"}</a></td>'
            f"<td>{escape(', '.join(mail.to))}</td><td>{escape(mail.at[11:19])}</td></tr>"
            for mail in reversed(self._all())
        )
        head = "<thead><tr><th>Subject</th><th>To</th><th>Arrived</th></tr></thead>"
        table = f"<table>{head}<tbody>{rows}</tbody></table>"
        empty = "<p>No mail has arrived yet. Reload this page after you have bought something.</p>"
        note = "<p>Every mail that the shop has sent since the sandbox started. They are in memory only.</p>"
        return html_answer(200, pages.page("Mailbox", "<h1>Mailbox</h1>" + note + (table if rows else empty)))

    def _one(self, _: Request, number: str) -> Answer:
        mail = next((one for one in self._all() if one.number == int(number)), None)
        back = '<p><a href="/mailbox/">All mail</a></p>'
        if mail is None:
            return html_answer(404, pages.page("Mailbox", f"<h1>There is no such mail</h1>{back}"))
        told = {"From": mail.sender, "To": ", ".join(mail.to), "Arrived": mail.at, "Message-ID": mail.message_id}
        rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in told.items())
        body = f"{back}<h1>{escape(mail.subject) or '(no subject)'}</h1><dl>{rows}</dl>"
        body += f"<h2>Text</h2><pre>{_linked(mail.text)}</pre>"
        if mail.html:
            sealed = f'<iframe sandbox title="HTML part of the mail" srcdoc="{escape(mail.html)}"></iframe>'
            body += f"<h2>HTML</h2>{sealed}"
        return html_answer(200, pages.page(mail.subject or "Mailbox", body))


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """Learn the port the system gave us for port 0, before aiosmtpd connects to try it."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd has no annotation here


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    try:
        return str(part.get_content()) if part is not None else ""
    except (LookupError, UnicodeError):  # an invented charset: show the mail without this part
        return ""


def _linked(text: str) -> str:
    """Text as HTML with its addresses clickable."""
    done, at = [], 0
    for match in _LINK.finditer(text):
        url = escape(match[0].rstrip(".,;)"))
        rest = match[0][len(match[0].rstrip(".,;)")) :]
        done += [escape(text[at : match.start()]), f'<a href="{url}">{url}</a>', escape(rest)]
        at = match.end()
    return "".join(done) + escape(text[at:])
