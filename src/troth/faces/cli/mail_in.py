"""`troth mail-in`: takes one mail from standard input, as mail servers hand it to a program.

Nothing is read here: the mail is sealed to the worker and due. The exit codes are those of sysexits.h, which Postfix,
Exim and Dovecot's sieve (vnd.dovecot.pipe) understand: 75 has the mail server try again, 65 has it refuse the mail.
"""

from __future__ import annotations

import os
import sys

import click

REFUSE, AGAIN = 65, 75


@click.command("mail-in")
def mail_in() -> None:
    """Take one mail from standard input: a question, or an answer to our letter."""
    import django
    from django.db import DatabaseError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    from troth.shop.journeys import hear_mail
    from troth.shop.support.mail import Unreadable

    raw = sys.stdin.buffer.read(hear_mail.largest() + 1)
    code = 0
    try:
        hear_mail.take_in(raw)
    except Unreadable:
        code = REFUSE
    except (DatabaseError, OSError):
        code = AGAIN
    if code:
        click.echo("The mail is too large." if code == REFUSE else "Not now; try again later.", err=True)
        sys.exit(code)
