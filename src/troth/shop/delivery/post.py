"""The mail relay. Its errors carry addresses, so none of them leaves this file: only a code does."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from email.message import EmailMessage
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit

from troth.config import Mail


class Undelivered(Exception):
    """The relay did not take the letter. `final`: it never will (a 5xx answer to this recipient or letter)."""

    def __init__(self, code: str, final: bool = False) -> None:
        super().__init__(code)
        self.code, self.final = code, final


def send(mail: Mail, letter: EmailMessage) -> None:
    """Hand one letter to the relay. Returns once it said that it has it; Undelivered otherwise."""
    trouble = _try(urlsplit(mail.url), mail.timeout, letter)
    if trouble is not None:
        raise trouble  # outside every except block: no chained exception shows an address


def _try(relay: SplitResult, timeout: int, letter: EmailMessage) -> Undelivered | None:
    try:
        with _connect(relay, timeout) as smtp:
            smtp.send_message(letter)
    except smtplib.SMTPRecipientsRefused as refused:
        code = next(iter(refused.recipients.values()), (0, b""))[0]
        return Undelivered(f"smtp-{code}", final=500 <= code < 600)
    except smtplib.SMTPResponseException as answer:
        final = 500 <= answer.smtp_code < 600 and not isinstance(
            answer, smtplib.SMTPConnectError | smtplib.SMTPHeloError
        )
        return Undelivered(
            f"smtp-{answer.smtp_code}", final=final and not isinstance(answer, smtplib.SMTPAuthenticationError)
        )
    except (smtplib.SMTPException, ssl.SSLError):
        return Undelivered("smtp")
    except OSError:
        return Undelivered("unreachable")
    except ValueError:  # a header that cannot be sent: line breaks, an address that is none
        return Undelivered("unsendable", final=True)
    return None


@cache
def _trust() -> ssl.SSLContext:
    """Whom we believe to be the relay: read once a process, as reading all roots costs more than a letter."""
    return ssl.create_default_context()


@contextlib.contextmanager
def _connect(relay: SplitResult, timeout: int):  # type: ignore[no-untyped-def]
    host = relay.hostname or ""
    if relay.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, relay.port or 465, timeout=timeout, context=_trust())
    else:
        smtp = smtplib.SMTP(host, relay.port or (587 if relay.scheme == "smtp+starttls" else 25), timeout=timeout)
    try:
        if relay.scheme == "smtp+starttls":
            smtp.starttls(context=_trust())
        if relay.username:
            smtp.login(unquote(relay.username), unquote(relay.password or ""))
        yield smtp
    finally:
        # The relay has answered by now: what happens while saying goodbye changes nothing.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()
