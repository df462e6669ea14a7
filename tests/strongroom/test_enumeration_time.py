"""Nor is it told by how long an answer takes: known and unknown mailboxes in turns, against a shop of processes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from statistics import median

import httpx
import pytest

from tests.campaign import FULL, draws, rounds
from tests.processes import running
from tests.processes.running import Serving, until
from tests.processes.test_serve import blanks
from tests.strongroom.test_enumeration import ASKED
from troth.pledge.policy.visitor import Visitor

pytestmark = [pytest.mark.processes, pytest.mark.soak]
ROUNDS = 3
PAIRS = rounds(4, 400)  # known and unknown, in each round; of them the AUC's own scatter is 0.02
NEWCOMERS = rounds(4, 100)  # who register cost the stock of blanks
PEOPLE = rounds(4, 80)  # known mailboxes, and as many unknown ones: both are asked for equally often
ALIKE_MS, ALIKE_AUC = 1.0, (0.45, 0.55)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Serving]:
    folder = running.folder(tmp_path_factory.mktemp("time") / "home")
    text = (folder / "troth.toml").read_text().replace("blanks = 30", f"blanks = {min(500, 30 + 7 * NEWCOMERS)}")
    (folder / "troth.toml").write_text(text)
    serving = Serving(folder, **database)
    yield serving
    serving.stop()


def mailbox() -> str:
    return f"{secrets.token_hex(8)}@b.example"


class Form:
    """One form, filled in again and again by one browser."""

    def __init__(self, shop: Serving, path: str) -> None:
        self.url, self._visitor = shop.url + path, Visitor(shop.url)
        page = self._visitor.get(path)
        form = self._visitor._choose(page, ASKED[path] | {"email": ""}, "")
        self._given = {field.name: field.value for field in form.fields if field.name} | ASKED[path]

    def send(self, email: str) -> tuple[float, int]:
        """Milliseconds until the answer, and its status."""
        headers = {"Origin": self._visitor.base, "Sec-Fetch-Site": "same-origin"}
        client: httpx.Client = self._visitor._http
        began = time.perf_counter()
        answer = client.post(self.url, data=self._given | {"email": email}, headers=headers)
        taken = (time.perf_counter() - began) * 1000
        if "troth_cap" in client.cookies:  # registered: the next one is another visitor
            for name in ("troth_cap", "troth_session"):
                client.cookies.delete(name)
            self._given["csrfmiddlewaretoken"] = self._token()
        return taken, answer.status_code

    def _token(self) -> str:
        page = self._visitor.get(self.url)
        return next(field.value for form in page.forms for field in form.fields if field.name == "csrfmiddlewaretoken")

    def close(self) -> None:
        self._visitor.close()


@pytest.fixture(scope="module")
def known(shop: Serving) -> list[str]:
    """Mailboxes of people who registered."""
    until(lambda: blanks(shop) >= min(200, 2 * PEOPLE + 8 * NEWCOMERS), 60)
    form, found = Form(shop, "/register"), [mailbox() for _ in range(PEOPLE)]
    assert {form.send(email)[1] for email in found} == {200}
    form.close()
    return found


def auc(known: list[float], unknown: list[float]) -> float:
    """The chance that one of the known took longer than one of the unknown: 0.5 tells nothing."""
    longer = sum((one > other) + (one == other) / 2 for one in known for other in unknown)
    return longer / (len(known) * len(unknown))


def alike(known: list[float], unknown: list[float]) -> bool:
    least, most = ALIKE_AUC
    return abs(median(known) - median(unknown)) < ALIKE_MS or least <= auc(known, unknown) <= most


def test_the_time_is_alike(shop: Serving, known: list[str], record_property) -> None:
    told = [line for path in ASKED for line in compared(shop, known, path)]
    record_property("table", "\n".join(line for line, _ in told))
    assert not FULL or [line for line, is_alike in told if not is_alike] == []


def compared(shop: Serving, known: list[str], path: str) -> Iterator[tuple[str, bool]]:
    """Of each round with this form: what came of it, and whether it tells nothing."""
    form, draw, fresh = Form(shop, path), draws(f"time {path}"), path == "/register"
    unknown = [mailbox() for _ in known]
    for number in range(ROUNDS):
        taken: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(NEWCOMERS if fresh else PAIRS):
            for is_known in draw.sample([True, False], 2):
                stranger = mailbox() if fresh else unknown[turn % PEOPLE]
                ms, status = form.send(known[turn % PEOPLE] if is_known else stranger)
                assert status in ((400, 429) if path == "/sign-in" else (200,)), (path, status)
                taken[is_known].append(ms)
        difference, chance = median(taken[True]) - median(taken[False]), auc(taken[True], taken[False])
        line = f"{path} round {number + 1}: {difference:+.2f} ms, AUC {chance:.3f}"
        yield line, alike(taken[True], taken[False])
    form.close()


def test_a_difference_would_be_seen() -> None:
    quick, slow = [float(n % 7) for n in range(80)], [n % 7 + 3.0 for n in range(80)]
    assert alike(quick, quick)
    assert not alike(slow, quick)
    assert not alike(quick, slow)
