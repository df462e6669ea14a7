"""In which country an address is, and whether it stands in the owner's list of anonymisers. Asked of nobody outside.

The shipped table is that of the regional internet registries, as the pinned version of `iptocc` has it: the country to
which a block was given, which for some five in a hundred is not where it is used. An owner who has a better one names
a file, `[fraud] countries`, with lines `network,country` (CIDR, ISO 3166-1 alpha-2); lines that begin with # are notes.
What is not known is no sign.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# (version, prefix length) -> the networks of that length, by number -> country, or "" in a list
Table = dict[tuple[int, int], dict[int, str]]


def country(address: str) -> str:
    """Two letters, or "" where that is not known or not to be asked."""
    own = settings.TROTH.fraud.countries
    if own == "off":
        return ""
    if own:
        return look_up(_table(own), address) or ""
    from iptocc import country_code  # 2 MB, loaded with the first order

    found = country_code(address)
    return found if isinstance(found, str) and len(found) == 2 else ""


def source() -> str:
    """What told the country, with its version, for who looks at the order."""
    own = settings.TROTH.fraud.countries
    return own if own else f"iptocc {version('iptocc')}"


def hidden(address: str) -> bool:
    """Whether the owner's list has it."""
    own = settings.TROTH.fraud.anonymisers
    return bool(own) and look_up(_table(own), address) is not None


def read(text: str) -> Table:
    """A table from lines `network[,country]`. ValueError names the first line that is none, by its number."""
    table: Table = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        where, _comma, what = words.partition(",")
        try:
            network = ipaddress.ip_network(where.strip(), strict=False)
        except ValueError:
            raise ValueError(f"line {number} has no network; write it as 192.0.2.0/24 or 2001:db8::/32") from None
        shift = network.max_prefixlen - network.prefixlen
        of_length = table.setdefault((network.version, network.prefixlen), {})
        of_length[int(network.network_address) >> shift] = what.strip().upper()[:2]
    return table


def look_up(table: Table, address: str) -> str | None:
    """What the narrowest network that holds the address says; None where none does."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    number = int(parsed)
    for length in range(parsed.max_prefixlen, -1, -1):
        of_length = table.get((parsed.version, length))
        if of_length and (found := of_length.get(number >> (parsed.max_prefixlen - length))) is not None:
            return found
    return None


def _table(name: str) -> Table:
    path = Path(settings.TROTH.home) / name
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Table:
    return read(path.read_text("utf-8"))
