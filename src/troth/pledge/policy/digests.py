"""Plain hashes of what somebody typed, as careless code keeps them: "it is only a hash".

A name, a postcode or a mailbox can be guessed, and whoever guesses it makes the same hash: without a key it names its
person as the text does (Article 29 Working Party, Opinion 05/2014, section 4). Looked for by their first bytes, so that
a shortened one is found as well. What is hashed with a salt or a key looks like any other random bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator

from troth.pledge.policy.spellings import Pattern

ALGORITHMS = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")
HEX, BASE64 = 16, 10  # characters of a digest that are compared: some 60 bits


def patterns(values: Iterable[str], needle: str) -> list[Pattern]:
    """What the common hashes of these values look like in hex and base64. `needle`: what a hit counts for."""
    found: dict[bytes, Pattern] = {}
    for text in dict.fromkeys(form for value in values for form in _forms(value)):
        for algorithm in ALGORITHMS:
            digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()
            spelt = base64.b64encode(digest)[:BASE64]
            for exact in (spelt, spelt.translate(_URL)):
                found[exact] = Pattern(needle, algorithm, exact.lower(), exact)
            written = digest.hex()[:HEX].encode()
            found[written] = Pattern(needle, algorithm, written)
    return list(found.values())


_URL = bytes.maketrans(b"+/", b"-_")


def _forms(value: str) -> Iterator[str]:
    """As typed, and as code makes it before it compares: in one case, without blanks."""
    for text in (value.strip(), "".join(value.split())):
        yield from (text, text.lower(), text.upper())
