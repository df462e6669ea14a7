"""Large values in pieces: what comes out is what went in, whole and in order, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.pledge.vault.blobs import PIECE, BadBlob, Sealer, new_key, opened

SIZES = st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7])


def sealed(key: bytes, name: str, content: bytes, step: int) -> list[bytes]:
    sealer = Sealer(key, name)
    pieces = [piece for at in range(0, len(content), step) for piece in sealer.feed(content[at : at + step])]
    return [*pieces, sealer.end()]


@given(size=SIZES, step=st.sampled_from([1000, PIECE, 3 * PIECE]))
def test_it_comes_back_however_it_arrived(size: int, step: int) -> None:
    key, content = new_key(), bytes(n % 251 for n in range(size))
    assert b"".join(opened(key, "att", sealed(key, "att", content, step))) == content


@pytest.mark.parametrize("harm", ["flip", "swap", "cut", "repeat", "other name", "other key", "none", "more"])
def test_whatever_is_done_to_the_pieces_shows(harm: str) -> None:
    key = new_key()
    pieces = sealed(key, "att", bytes(3 * PIECE), PIECE)
    name = "att"
    match harm:
        case "flip":
            pieces[1] = pieces[1][:9] + bytes([pieces[1][9] ^ 1]) + pieces[1][10:]
        case "swap":
            pieces[0], pieces[1] = pieces[1], pieces[0]
        case "cut":
            del pieces[-1]
        case "repeat":
            pieces.insert(1, pieces[0])
        case "other name":
            name = "tta"
        case "other key":
            key = new_key()
        case "none":
            pieces = []
        case "more":
            pieces += sealed(key, "att", b"more", PIECE)
    with pytest.raises(BadBlob):
        list(opened(key, name, pieces))
