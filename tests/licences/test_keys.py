"""Keys: readable, hard to guess, found in every spelling, and given away by no table."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.shop.licences import keys, secret

OURS = st.builds(keys.new_key)


@given(OURS)
def test_a_key_is_known_in_every_spelling(key: str) -> None:
    spellings = {key.lower(), key.replace("-", ""), f"  {key}\n", key.replace("0", "O").replace("1", "l")}
    assert {secret.look_up(one) for one in spellings} == {secret.look_up(key)}


@given(OURS, st.integers(0, 27), st.sampled_from(keys.SYMBOLS))
def test_a_wrong_symbol_is_no_key_of_ours(key: str, place: int, symbol: str) -> None:
    plain = key.replace("-", "")
    wrong = plain[:place] + symbol + plain[place + 1 :]
    assert keys._is_ours(wrong) == (wrong == plain)


def test_most_swaps_of_neighbours_are_found() -> None:
    swaps = found = 0
    for _ in range(500):
        plain = keys.new_key().replace("-", "")
        for place in range(27):
            if plain[place] != plain[place + 1]:
                swaps += 1
                found += not keys._is_ours(plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :])
    assert found / swaps > 0.99


def test_keys_have_the_bits_they_claim() -> None:
    drawn = [keys.new_key().replace("-", "") for _ in range(2000)]
    assert len(set(drawn)) == 2000
    for place in range(27):
        assert len({key[place] for key in drawn}) == 32
    assert 27 * 5 >= 130


@given(st.text(min_size=1, max_size=60))
def test_a_key_from_elsewhere_stands_as_it_was_given(text: str) -> None:
    plain = text.strip()
    assert keys.canonical(text) == plain or keys._is_ours(keys.canonical(text))


def test_what_is_hidden_is_shown_in_its_own_place_alone() -> None:
    key = keys.new_key()
    found_by = secret.look_up(key)
    hidden = secret.hide(key, found_by)
    assert key.encode() not in hidden
    assert secret.show(hidden, found_by) == key
    with pytest.raises(secret.ConfigError, match="is not the one"):
        secret.show(hidden, secret.look_up(keys.new_key()))
    with pytest.raises(secret.ConfigError, match="is not the one"):
        secret.show(secrets.token_bytes(60), found_by)


def test_a_short_key_from_elsewhere_is_not_found_by_hashing_guesses() -> None:
    import hashlib

    assert secret.look_up("1234") not in {hashlib.sha256(b"1234").hexdigest(), hashlib.sha1(b"1234").hexdigest()}
