"""`troth doctor --letter`: a letter to the owner, on the way that customers' letters take, and whether it arrived."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

import click

from troth.config import Config
from troth.faces.cli.examinations import Seen


def letter(config: Config) -> Iterator[Seen]:
    """Send it, and ask for the code in it. Only who reads the mailbox can say it, so only they can confirm."""
    from troth.shop.delivery.post import Undelivered, send

    if not config.shop.contact_email:
        yield Seen("wrong", "There is nobody to write to.", "Set [shop] contact_email in troth.toml.")
        return
    code = f"{secrets.randbelow(10**6):06}"
    try:
        send(config.mail, _written(config, code))
    except Undelivered as no:
        mend = "Mend [mail] in troth.toml, or ask who runs the relay."
        yield Seen("wrong", f"The relay did not take the letter ({no.code}).", mend)
        return
    typed = click.prompt("A letter went to [shop] contact_email. The code in it (Enter: none came)", default="")
    if secrets.compare_digest(typed.strip().encode(), code.encode()):
        yield Seen("ok", "A letter was sent and arrived.")
        return
    mend = "Look into the spam folder and at the relay's log; then at SPF, DKIM and DMARC above."
    yield Seen("wrong", "A letter was sent, and nobody confirmed that it arrived.", mend)


def _written(config: Config, code: str) -> EmailMessage:
    one = EmailMessage()
    one["From"] = config.mail.sender or config.shop.contact_email
    one["To"] = config.shop.contact_email
    one["Subject"] = f"{code}: {config.shop.name} can write"
    domain = parseaddr(one["From"])[1].rpartition("@")[2]
    one["Date"], one["Message-ID"] = formatdate(), make_msgid(domain=domain)
    one.set_content(
        f"The code is {code}. Type it where `troth doctor` asks for it.\n\n"
        "If this letter lay in the spam folder, so will your customers'. Its headers (Authentication-Results) say\n"
        "whether SPF, DKIM and DMARC passed.\n"
    )
    return one
