"""Who guesses passwords waits longer and longer; the owner does not wait for them, and nobody learns who is known."""

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pledge.test_keeper import ask, blank, code
from tests.storefront.conftest import Browser, browser
from troth.pledge.keeper import messages
from troth.pledge.keeper.credentials import FREE, LONGEST_WAIT
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.policy import PER_MINUTE

__all__ = ["browser"]
MAILBOX, PASSWORD = "alice@heronsgate.example", "heron and lantern"


class Clock:
    """The keeper's, as far ahead as a test wants it."""

    def __init__(self, keeper: Keeper) -> None:
        self.began, self.ahead = keeper.room.clock(), 0
        keeper.room.clock = lambda: self.began + timedelta(seconds=self.ahead)

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.ahead)


@pytest.fixture
def clock(keeper: Keeper) -> Clock:
    return Clock(keeper)


@pytest.fixture
def alice(keeper: Keeper, clock: Clock) -> messages.Session:
    fresh, _ = blank(keeper)
    return ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, MAILBOX, PASSWORD))


def guess(keeper: Keeper, mailbox: str = MAILBOX, password: str = "a guess", device: str = "") -> messages.Answer:
    return ask(keeper, "web", messages.SignIn(mailbox, password, device))


def test_delays_double_and_end(keeper: Keeper, alice, clock: Clock) -> None:
    waits = []
    for _ in range(2 * FREE + 20):
        answer = guess(keeper)
        if answer.code == "later":
            waits.append(answer.after)
            clock.ahead += answer.after
    assert waits[:4] == [2, 4, 8, 16]
    assert max(waits) == LONGEST_WAIT
    clock.ahead += 2 * 86400
    ask(keeper, "worker", messages.Redeem(ref=alice.ref, kind="confirm"))  # forgets what is over
    assert keeper.db.value("SELECT count(*) FROM failure") == 0


def test_known_and_unknown_mailboxes_wait_alike(keeper: Keeper, alice) -> None:
    told = [[guess(keeper, mailbox) for _ in range(FREE + 3)] for mailbox in (MAILBOX, "nobody@heronsgate.example")]
    assert told[0] == told[1]
    assert told[0][-1] == messages.Refusal("later", 2)


def test_while_it_waits_even_the_right_password_is_not_compared(keeper: Keeper, alice, clock: Clock) -> None:
    for _ in range(FREE + 1):
        guess(keeper)
    assert guess(keeper, password=PASSWORD).code == "later"
    clock.ahead += 2
    assert code(guess(keeper, password=PASSWORD)) == "Session"
    assert code(guess(keeper)) == "credentials"  # forgiven: it begins anew


def test_the_owner_signs_in_from_a_known_browser_while_others_guess(keeper: Keeper, alice) -> None:
    for _ in range(FREE + 5):
        guess(keeper)
    session = guess(keeper, password=PASSWORD, device=alice.device)
    assert code(session) == "Session"
    assert code(guess(keeper, password=PASSWORD)) == "later"  # a strange browser waits on


def test_a_known_browser_that_guesses_is_delayed_by_itself(keeper: Keeper, alice) -> None:
    for _ in range(FREE + 1):
        guess(keeper, device=alice.device)
    assert guess(keeper, device=alice.device).code == "later"
    assert code(guess(keeper, password=PASSWORD)) == "Session"


def test_a_browser_is_known_for_its_own_person_only_and_cannot_be_forged(keeper: Keeper, alice) -> None:
    other, _ = blank(keeper)
    mallory = ask(keeper, "web", messages.Enrol(other.ref, other.secret, "m@evil.example", "mallory guesses"))
    for _ in range(FREE + 1):
        guess(keeper)
    forged = "A" + alice.device[1:] if alice.device[0] != "A" else "B" + alice.device[1:]
    for device in (mallory.device, alice.capability, forged, "", "x" * 3000):
        assert guess(keeper, password=PASSWORD, device=device).code == "later", device[:20]


def test_what_a_browser_keeps_opens_nothing(keeper: Keeper, alice) -> None:
    for question in (
        messages.Change(alice.device, PASSWORD, new_password="another one"),
        messages.History(alice.device),
        messages.Consent("marketing", True, alice.device),
    ):
        assert code(ask(keeper, "web", question)) == "capability"


def test_a_letters_link_always_works_and_ends_the_wait(keeper: Keeper, alice) -> None:
    for _ in range(FREE + 5):
        guess(keeper)
    ticket = ask(keeper, "web", messages.Recover(MAILBOX)).ticket
    letter = ask(keeper, "worker", messages.Redeem(ticket))
    proved = ask(keeper, "web", messages.Prove(ticket, letter.secret, "another password"))
    assert code(proved) == "Proved"
    assert code(guess(keeper, password="another password")) == "Session"


def test_a_stolen_capability_does_not_guess_the_password_for_ever(keeper: Keeper, alice) -> None:
    said = []
    for _ in range(FREE + 2):
        change = messages.Change(alice.capability, "a guess", new_password="mallory's own")
        said.append(code(ask(keeper, "web", change)))
    assert said == ["credentials"] * (FREE + 1) + ["later"]


def test_a_hundred_at_once_are_a_hundred(keeper: Keeper, alice) -> None:
    """Counted when they begin: what is under way when the first fails is counted as well."""
    pending = [
        keeper.work_off([lambda: keeper.begin("web", messages.SignIn(MAILBOX, "a guess"))])[0] for _ in range(100)
    ]
    compared = [one for one in pending if not isinstance(one, messages.Refusal)]
    assert len(compared) == FREE + 1


def test_each_door_has_a_budget_for_a_minute(keeper: Keeper, clock: Clock, monkeypatch) -> None:
    monkeypatch.setitem(PER_MINUTE, "Recover", 3)
    said = [ask(keeper, "web", messages.Recover(f"p{number}@heronsgate.example")) for number in range(4)]
    assert [code(one) for one in said] == ["Ticket"] * 3 + ["budget"]
    assert 0 < said[-1].after <= 60
    clock.ahead += said[-1].after
    assert code(ask(keeper, "web", messages.Recover("again@heronsgate.example"))) == "Ticket"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), max_size=12))
def test_a_budget_is_never_overdrawn(moves: list[tuple[int, int]]) -> None:
    from pathlib import Path

    from django.conf import settings as django_settings

    from troth.pledge.keeper.keyring import connect
    from troth.pledge.kms.file import FileKey

    keeper = Keeper(connect(None), FileKey(Path(django_settings.TROTH.root_key)))
    clock, used = Clock(keeper), {}
    for amount, seconds in moves:
        span = int(clock.now().timestamp()) // 60
        with keeper.batch():
            outcome = keeper.step(lambda amount=amount: spend(keeper, amount))
        if isinstance(outcome, messages.Done):
            used[span] = used.get(span, 0) + amount
        else:
            assert used.get(span, 0) + amount > 10
        assert used.get(span, 0) <= 10
        clock.ahead += seconds
    keeper.db.close()


def spend(keeper: Keeper, amount: int) -> messages.Done:
    keeper.room.spend(b"somebody", amount, 10, 60)
    return messages.Done(0)


@pytest.mark.django_db
def test_the_page_says_how_long_and_the_browser_keeps_a_cookie_for_it_alone(house, browser: Browser) -> None:
    from troth.shop.journeys import register

    register.register("Alice", MAILBOX, PASSWORD, "LS1 4AP")
    for _ in range(FREE + 1):
        browser.send("/sign-in", {"email": MAILBOX, "password": "a wrong guess"}, 400)
    refused = browser.send("/sign-in", {"email": MAILBOX, "password": PASSWORD}, 400)
    assert re.search(r"try again in \d+ seconds", refused.content.decode())
    known = Browser()
    known.send("/register", {"name": "B", "email": "b@b.example", "password": PASSWORD, "postcode": "LS1 4AP"}, 200)
    cookie = known.cookies["troth_device"]
    assert cookie["httponly"]
    assert cookie["path"] == "/sign-in"
    assert cookie["samesite"] == "Lax"
