"""Plain hashes of what was typed are found, however they are spelled or shortened; keyed ones are nobody's."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from troth.pledge.policy import digests, needles

TYPED = "Ada.Finch@mail.example"
SIEVE = needles.Sieve((), digests.patterns([TYPED, "SW1A 1AA"], "ada"))


def found(text: bytes) -> set[str]:
    return {spelling for spelling, _at, needle in SIEVE.hits(b"{" + text + b"}", 0) if needle == "ada"}


@pytest.mark.parametrize("algorithm", digests.ALGORITHMS)
@pytest.mark.parametrize("form", [TYPED, TYPED.lower(), TYPED.upper(), "sw1a1aa", "SW1A 1AA"])
def test_a_hash_is_found_as_it_is_and_shortened(algorithm: str, form: str) -> None:
    digest = hashlib.new(algorithm, form.encode()).digest()
    assert found(digest.hex().encode()) == {algorithm}
    assert found(digest.hex()[: digests.HEX].upper().encode()) == {algorithm}
    assert found(base64.b64encode(digest)) == {algorithm}
    assert found(base64.urlsafe_b64encode(digest)[: digests.BASE64]) == {algorithm}


def test_what_has_a_key_or_is_another_text_is_not() -> None:
    keyed = hmac.digest(b"key", TYPED.encode(), "sha256")
    other = hashlib.sha256(b"bob@mail.example").digest()
    assert found(keyed.hex().encode() + base64.b64encode(keyed) + other.hex().encode()) == set()
