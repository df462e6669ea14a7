"""One spelling of a mailbox, wherever an address comes in: by a form, a letter, the desk."""

from __future__ import annotations

from email.errors import MessageError
from email.message import EmailMessage

import idna

LONGEST = 254  # RFC 5321, 4.5.3.1.3, as erratum 1690 counts it
LONGEST_LOCAL = 64  # the same, 4.5.3.1.1


def spelled(address: str) -> str:
    """The domain in small ASCII letters, as every relay takes it (A-labels, RFC 5890, mapped by UTS 46): somebody who
    writes bücher.example once and xn--bcher-kva.example once is one person, and their objection holds for both. The
    local part stays as it is: what it means is its own server's business. ValueError where the domain cannot be one.

    >>> spelled("Ada.Finch@Bücher.example")
    'Ada.Finch@xn--bcher-kva.example'
    """
    local, _at, domain = address.rpartition("@")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True, transitional=False).decode("ascii")  # IDNAError is a ValueError
    found = f"{local}@{domain.lower()}"
    if not local or "." not in domain or domain.endswith("]") or len(found) > LONGEST or len(local) > LONGEST_LOCAL:
        raise ValueError("no mailbox on the internet")
    if not _written(found):
        raise ValueError("no mailbox that a letter can be addressed to")
    return found


def _written(address: str) -> bool:
    """Whether the header of a letter says this very mailbox. Of local parts in quotes some are read as others, and what
    looks like an encoded word (RFC 2047) is none that could be written to."""
    letter = EmailMessage()
    try:
        letter["To"] = address
        return [one.addr_spec for one in letter["To"].addresses] == [address] and not letter["To"].defects
    except (MessageError, ValueError):
        return False
