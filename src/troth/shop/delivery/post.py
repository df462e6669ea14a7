"""The mail relay. Its errors carry addresses, so none of them leaves this file: only a code does.

A line to the relay carries several letters one after the other. Each is flattened once, signed where the shop has a
key, and sent as those very bytes.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import getaddresses
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit

from troth.config import Mail
from troth.shop.delivery import signature

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)  # RFC 5321, 4.5.2
_BREAKS = re.compile(r"[\r\n\0]")  # Python 3.11 sends them, and with them headers of somebody else's making
# Headers that programs read as they stand, and that no encoded word may be in (RFC 2047, section 5).
FOR_PROGRAMS = frozenset({"list-unsubscribe", "list-unsubscribe-post", "list-id"})


class _Wire(EmailPolicy):
    """Python's policy for SMTP takes a long address in a header that it does not know for words, and encodes it.

    No mail program reads `=?utf-8?q?=3Chttps=3A...` as the address that one click goes to (RFC 8058, section 3.1).
    Such a header stays one line, which may have 998 characters (RFC 5322, section 2.1.1).
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in FOR_PROGRAMS:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_SMTP = _Wire(linesep="\r\n")
_SMTPUTF8 = _SMTP.clone(utf8=True)


class Undelivered(Exception):
    """The relay did not take the letter. `final`: it never will (a 5xx answer to this recipient or letter).

    `unsure`: it may have, as the line broke before it said so. `busy`: it takes none now, whoever it is for.
    """

    def __init__(self, code: str, final: bool = False, *, unsure: bool = False, busy: bool = False) -> None:
        super().__init__(code)
        self.code, self.final, self.unsure, self.busy = code, final, unsure, busy


class NotNow(Exception):
    """The caller's last look, just before the text was handed over, said no."""


def send(mail: Mail, letter: EmailMessage, *, sender: str = "") -> None:
    """Hand one letter to the relay. Returns once it said that it has it; Undelivered otherwise. `sender`: as below."""
    with line(mail) as relay:
        relay.send(letter, sender=sender)


# Who hears which letters go to whom, while a check plays a customer.
_listening: list[Callable[[EmailMessage, str], object]] = []


@contextlib.contextmanager
def heard(listener: Callable[[EmailMessage, str], object]) -> Iterator[None]:
    """Have each letter that is handed over meanwhile, and each mailbox it is for, told to `listener` first."""
    _listening.append(listener)
    try:
        yield
    finally:
        _listening.remove(listener)


@contextlib.contextmanager
def line(mail: Mail) -> Iterator[Line]:
    """A line for several letters: opened with the first, and anew after trouble."""
    relay = Line(mail)
    try:
        yield relay
    finally:
        relay.close()


class Line:
    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._smtp: smtplib.SMTP | None = None
        self._handing_over = False

    def send(self, letter: EmailMessage, *, sender: str = "", last_look: Callable[[], bool] | None = None) -> None:
        """Hand over one letter. `sender`: of the envelope, where bounces go, if it is not the one in From.

        `last_look` is asked when the relay has the text and waits for its end, the dot without which it must forget
        the letter (RFC 5321, 4.1.1.10): NotNow if it says no. Undelivered says what the relay did.
        """
        told = [str(value) for name in ("To", "Cc", "Bcc") for value in letter.get_all(name, ())]
        for _name, address in getaddresses(told):
            for listener in tuple(_listening):
                listener(letter, address)
        trouble = self._try(letter, sender, last_look or _always)
        if trouble is not None:
            raise trouble  # outside every except block: no chained exception shows an address

    def close(self) -> None:
        # The relay has answered by now: what happens while saying goodbye changes nothing.
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _try(self, letter: EmailMessage, sender: str, last_look: Callable[[], bool]) -> Exception | None:
        self._handing_over = False
        try:
            author, to, raw, options = flat(letter, self._mail)
            if not self._hand_over(sender or author, to, raw, options, last_look):
                return NotNow()
        except smtplib.SMTPResponseException as answer:
            self.close()
            return _said(answer)
        except smtplib.SMTPNotSupportedError:  # an address in another script, and a relay that takes none
            self.close()
            return Undelivered("smtp-utf8")
        except (smtplib.SMTPException, ssl.SSLError):
            self.close()
            return Undelivered("smtp", unsure=self._handing_over, busy=not self._handing_over)
        except OSError:
            self.close()
            return Undelivered("unreachable", unsure=self._handing_over, busy=not self._handing_over)
        except ValueError:  # a header that cannot be sent: line breaks, an address that is none
            self.close()
            return Undelivered("unsendable", final=True)
        return None

    def _hand_over(self, sender: str, to: str, raw: bytes, options: list[str], last_look: Callable[[], bool]) -> bool:
        """RFC 5321, section 3.3. False where the last look said no: the line is broken off before the dot."""
        smtp = self._open()
        _expect(smtp.mail(sender, options))
        _expect(smtp.rcpt(to), _NotThem)
        code, told = smtp.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPDataError(code, told)
        smtp.send(_LEADING_DOT.sub(b"..", raw) + (b"" if raw.endswith(b"\r\n") else b"\r\n"))
        if not self._looked(last_look):
            return False
        self._handing_over = True
        smtp.send(b".\r\n")
        code, told = smtp.getreply()
        self._handing_over = False
        if code != 250:
            raise smtplib.SMTPDataError(code, told)
        return True

    def _looked(self, last_look: Callable[[], bool]) -> bool:
        """What the last look says. Unless it is yes there is no line any more: QUIT would be a line of the text."""
        yes = False
        try:
            yes = last_look()
        finally:
            if not yes and self._smtp is not None:
                self._smtp.close()
                self._smtp = None
        return yes

    def _open(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connect(urlsplit(self._mail.url), self._mail.timeout)
        return self._smtp


class _NotThem(smtplib.SMTPResponseException):
    """What the relay says about this recipient alone."""


def flat(letter: EmailMessage, mail: Mail) -> tuple[str, str, bytes, list[str]]:
    """Sender, recipient, the bytes as they leave, and what MAIL has to say about them (RFC 6531 for other scripts)."""
    if any(_BREAKS.search(str(value)) for value in letter.values()):
        raise ValueError("a header is one line")
    author, to = _address(letter, "From"), _address(letter, "To")
    international = not (author.addr_spec + to.addr_spec).isascii()
    raw = letter.as_bytes(policy=_SMTPUTF8 if international else _SMTP)
    options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
    return author.addr_spec, to.addr_spec, signature.signed(raw, mail, author.domain), options


def _address(letter: EmailMessage, name: str) -> Address:
    header = letter[name]
    if header is None or len(header.addresses) != 1:
        raise ValueError("a letter has one sender and one recipient")
    address: Address = header.addresses[0]
    return address


def _always() -> bool:
    return True


def _expect(
    answer: tuple[int, bytes], trouble: type[smtplib.SMTPResponseException] = smtplib.SMTPResponseException
) -> None:
    code, told = answer
    if code not in (250, 251):
        raise trouble(code, told)


def _said(answer: smtplib.SMTPResponseException) -> Undelivered:
    """What the relay's code means: 5xx to this letter is for good; about us (greeting, login), or 421, it is not."""
    code = answer.smtp_code
    ours = isinstance(answer, smtplib.SMTPConnectError | smtplib.SMTPHeloError | smtplib.SMTPAuthenticationError)
    own = isinstance(answer, _NotThem | smtplib.SMTPDataError)
    return Undelivered(f"smtp-{code}", final=500 <= code < 600 and not ours, busy=ours or code == 421 or not own)


@cache
def trust() -> ssl.SSLContext:
    """Whom we believe to be the relay: read once a process, as reading all roots costs more than a letter."""
    return ssl.create_default_context()


def _connect(relay: SplitResult, timeout: int) -> smtplib.SMTP:
    host = relay.hostname or ""
    if relay.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, relay.port or 465, timeout=timeout, context=trust())
    else:
        smtp = smtplib.SMTP(host, relay.port or (587 if relay.scheme == "smtp+starttls" else 25), timeout=timeout)
    try:
        _secure(smtp, relay)
        if relay.username:
            smtp.login(unquote(relay.username), unquote(relay.password or ""))
        smtp.ehlo_or_helo_if_needed()
        # The dot goes by itself, and shall not wait until the relay has acknowledged the text (RFC 896).
        _socket(smtp).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _secure(smtp: smtplib.SMTP, relay: SplitResult) -> None:
    """SMTPNotSupportedError where the relay was to speak TLS and offers none: nothing is said to it then."""
    if relay.scheme == "smtp+starttls":
        smtp.starttls(context=trust())


def refuses_without_tls() -> bool:
    """Whether a relay that offers no TLS is refused where TLS was wanted: tried on a line that leads nowhere."""
    line = smtplib.SMTP()
    line.ehlo_resp = b"relay.invalid"  # as if it had greeted us, and named nothing that it can do
    try:
        _secure(line, urlsplit("smtp+starttls://relay.invalid"))
    except smtplib.SMTPNotSupportedError:
        return True
    return False


def _socket(smtp: smtplib.SMTP) -> socket.socket:
    sock = smtp.sock
    assert sock is not None  # it has just answered
    return sock
