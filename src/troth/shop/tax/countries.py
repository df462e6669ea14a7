"""Countries as providers name them: PayPal by two letters, Skrill by three (payments B4)."""

from __future__ import annotations

import re

from babel.core import get_global


def alpha2(code: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country told by two or three letters; "" for anything else.

    >>> alpha2("AUT"), alpha2("de"), alpha2("XYZ1")
    ('AT', 'DE', '')
    """
    code = code.strip().upper()
    aliases = get_global("territory_aliases")
    found = [code] if len(code) == 2 else list(aliases.get(code, [])) if len(code) == 3 else []
    right = len(found) == 1 and re.fullmatch(r"[A-Z]{2}", found[0]) and found[0] != "ZZ"  # ZZ: unknown
    return found[0] if right else ""
