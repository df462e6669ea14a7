"""What `troth doctor` asks the DNS about the domain that letters come from, with the records to paste.

SPF is RFC 7208, DKIM RFC 6376, DMARC RFC 7489. Without them large mailbox providers put letters into spam, or refuse
them, and then nobody gets what they bought.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from troth.config import Config, is_loopback
from troth.faces.cli.examinations import Seen

if TYPE_CHECKING:
    from dns.resolver import Resolver

TIMEOUT = 5.0  # seconds for all servers together
UNREAL = ("example", "test", "invalid", "localhost")  # RFC 2606: nobody's
SELECTORS = ("troth", "default", "mail", "dkim", "s1", "selector1", "google", "k1")  # where relays usually put a key


def domain(config: Config, resolver: Resolver | None = None) -> Iterator[Seen]:
    """SPF, DKIM and DMARC of the sender's domain; "not asked" where no name server answers."""
    import dns.exception
    import dns.resolver

    _, address = parseaddr(config.mail.sender or config.shop.contact_email)
    name = address.rpartition("@")[2].lower()
    if not name or name.rpartition(".")[2] in UNREAL:
        yield Seen("not asked", "SPF, DKIM and DMARC: letters have no sender at a real domain yet.")
        return
    asked = resolver or dns.resolver.Resolver()
    asked.lifetime = TIMEOUT
    try:
        found = [*_spf(asked, name, config), *_dmarc(asked, name), *_dkim(asked, name)]
    except (dns.exception.Timeout, dns.resolver.NoNameservers):
        yield Seen("not asked", "SPF, DKIM and DMARC: no name server answers.")
        return
    yield from found


def _spf(asked: Resolver, name: str, config: Config) -> Iterator[Seen]:
    records = [text for text in _texts(asked, name) if text.lower().split(" ")[0] == "v=spf1"]
    relay = urlsplit(config.mail.url).hostname or ""
    through = "mx" if is_loopback(relay) else f"a:{relay}"
    paste = f'{name}. TXT "v=spf1 mx {through} -all"'.replace("mx mx", "mx")
    if not records:
        mend = f"Publish: {paste} (or with the include that who runs your relay names)."
        yield Seen("wrong", f"{name} does not say who may send its mail (SPF).", mend)
    elif len(records) > 1:
        yield Seen("wrong", f"{name} has {len(records)} SPF records, which counts as none.", "Make one of them.")
    elif records[0].rstrip().endswith("+all"):
        yield Seen("wrong", f"{name} lets everybody send its mail (SPF ends with +all).", "End it with -all.")
    else:
        yield Seen("ok", f"{name} says who may send its mail (SPF).")


def _dmarc(asked: Resolver, name: str) -> Iterator[Seen]:
    """Of the name itself, else of the domain above it."""
    above = name.partition(".")[2]
    for where in (name, above) if "." in above else (name,):
        records = [text for text in _texts(asked, f"_dmarc.{where}") if text.startswith("v=DMARC1")]
        if len(records) == 1:
            yield Seen("ok", f"{where} says what becomes of forged mail (DMARC).")
            return
    paste = f'_dmarc.{name}. TXT "v=DMARC1; p=quarantine"'
    yield Seen("wrong", f"{name} does not say what becomes of mail forged in its name (DMARC).", f"Publish: {paste}")


def _dkim(asked: Resolver, name: str) -> Iterator[Seen]:
    """A key under one of the usual selectors; which one a relay signs by stands only in its letters."""
    for selector in SELECTORS:
        if any("p=" in text for text in _texts(asked, f"{selector}._domainkey.{name}")):
            yield Seen("ok", f"{name} has a key for signed letters (DKIM), {selector}.")
            return
    mend = (
        "Have your relay sign letters, and publish the record it shows: "
        f'SELECTOR._domainkey.{name}. TXT "v=DKIM1; k=rsa; p=…". `troth doctor --letter` shows whether letters are.'
    )
    yield Seen("wrong", f"{name} has no key for signed letters (DKIM) under a usual name.", mend)


def _texts(asked: Resolver, name: str) -> list[str]:
    import dns.resolver

    try:
        answer = asked.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
