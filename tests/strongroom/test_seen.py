"""What the main side saw of the keeper, altered there: no reason to open anything until it fits again."""

from __future__ import annotations

import pytest

from tests.attacks.keeping import Kept, Somebody, code
from tests.strongroom.test_flips import altered
from troth.pledge.keeper import messages


@pytest.mark.soak
def test_every_byte_of_the_checkpoint(running: Kept) -> None:
    alice = Somebody(running)
    look = messages.Open([alice.record()], "notice", "look")
    assert code(running.ask("worker", look)) == "Opened"
    note = running.ask("worker", messages.Checkpoint()).note
    whole = note.encode()
    for other in altered(whole, "checkpoint"):
        try:
            shown = other.decode()
        except UnicodeDecodeError:
            continue  # such a text cannot be said through the door
        if not shown:
            continue  # nothing was ever seen
        assert running.ask("worker", messages.Hello(checkpoint=shown)).behind, shown
        assert code(running.ask("worker", look)) == "behind"
    assert not running.ask("worker", messages.Hello(checkpoint=note)).behind
    assert code(running.ask("worker", look)) == "Opened"
