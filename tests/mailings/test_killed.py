"""A mailing by real processes whose workers are killed while it runs, and whose readers object meanwhile.

Nobody gets a copy that began after their objection was answered, nobody two. Nobody is missed but who is counted as
unsure: a worker that dies between the dot that ends a text and its own note cannot know, and does not send it again.
`make test` has 60 readers and 2 deaths, `make soak` 1,000 and 10; the same TROTH_SEED draws the same.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dkim
import pytest

from tests.campaign import draws, rounds
from tests.mailings.killing import Killing, Objectors
from tests.processes import running
from tests.processes.conftest import database
from tests.shape.tree import ROOT
from troth.shop.delivery import signature

__all__ = ["database"]
READERS, OBJECTORS, DEATHS = rounds(60, 1000), rounds(6, 100), rounds(2, 10)
pytestmark = [pytest.mark.processes, pytest.mark.soak]


@contextmanager
def shop(home: Path, environ: dict[str, str]) -> Iterator[str]:
    """A shop with two workers that are started again at once whenever they die; where it is open."""
    (home / "faults").mkdir()
    for name in ("told", "web", "worker", "keeper"):
        (home / "faults" / name).touch()
    log = home.parent / "log"
    with log.open("w") as file:
        line = [sys.executable, "-m", "tests.faults.stage"]
        process = subprocess.Popen(line, env=environ, cwd=ROOT, stderr=file, start_new_session=True)
    try:
        running.until(lambda: "open" in (home / "faults" / "told").read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield str(tomllib.loads((home / "troth.toml").read_text())["web"]["public_url"])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()


def test_who_objects_gets_none_nobody_gets_two_nobody_is_missed(
    tmp_path: Path, database: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    home, draw, key = running.folder(tmp_path / "home"), draws("killed mailing"), signature.make_key()
    relay = Killing(home, draw, READERS - 2 * OBJECTORS, DEATHS)
    relay.up()
    environ = running.plain_environment(
        TROTH_HOME=str(home), TROTH_MAIL_URL=f"smtp://127.0.0.1:{relay.port}", TROTH_MAIL_DKIM_KEY=key,
        TROTH_MAIL_PER_DOMAIN="100000", TROTH_KEEPER_BLANKS="60", TROTH_MAIL_SENDER="hello@fernhill.example",
        TROTH_TEST_LEASE="3.5", **database,
    )  # fmt: skip
    try:
        with shop(home, environ) as url:
            pages, answered, states = runs(url, environ, relay)
    finally:
        relay.down()
    got, begun = Counter(copy.to for copy in relay.copies), {copy.to: copy.begun for copy in relay.copies}
    missed = set(pages) - set(got) - set(answered)
    late = [email for email, when in answered.items() if begun.get(email, 0.0) > when]
    counted = Counter(states.values())
    record_property("table", told(relay, answered, missed, counted))
    assert len(relay.deaths) == DEATHS
    assert len(answered) == OBJECTORS
    assert late == []
    assert set(got.values()) == {1}
    assert {states[email] for email in missed} <= {"unsure"}
    assert counted["unsure"] <= DEATHS
    never_in_the_list = {email for email, state in states.items() if not state}
    assert never_in_the_list <= set(answered)
    assert set(counted) <= {"sent", "unsure", "refused", ""}
    record = signature.record(key, "troth", "fernhill.example")[1].encode()
    for mail in relay.sent[:50]:
        raw = mail.raw.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        assert dkim.verify(raw, dnsfunc=lambda asked, timeout=5: record), mail.to


def runs(url: str, environ: dict[str, str], relay: Killing) -> tuple[dict[str, str], dict[str, float], dict[str, str]]:
    """From the readers' making to the mailing's end: their pages, who objected when, how it ended for each."""
    line = [sys.executable, "-m", "tests.mailings.readers", str(READERS)]
    with subprocess.Popen(line, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        pages: dict[str, str] = json.loads(maker.stdout.readline())
        objectors = Objectors(url, relay, pages, draws("objectors"), OBJECTORS)
        objectors.start()
        try:
            states: dict[str, str] = json.loads(maker.stdout.readline())
        finally:
            objectors.stop.set()
            objectors.join()
    return pages, objectors.answered, states


def told(relay: Killing, answered: dict[str, float], missed: set[str], counted: Counter[str]) -> str:
    under_way = sum(copy.to in answered and copy.arrived > answered[copy.to] for copy in relay.copies)
    deaths = ", ".join(f"{number} {how}" for how, number in sorted(Counter(relay.deaths).items()))
    return (
        f"killed mailing: {READERS} readers, {len(answered)} objected ({under_way} with their copy under way), workers "
        f"killed: {deaths}; {dict(sorted(counted.items()))}, {len(missed)} missed, "
        f"{len(relay.copies) - len({copy.to for copy in relay.copies})} second copies"
    )
