"""kill -9 of web, worker and keeper at every named step between checkout and delivery, and at any moment besides.

People buy meanwhile, by PayPal and Skrill, and reload what breaks. No paid order stays undelivered, none is delivered
unpaid, nothing is stuck or by half; a letter comes twice only where a worker died inside the send, as the same letter.
`make test` takes a dozen kills, `make soak` two hundred; the same TROTH_SEED draws the same faults.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import campaign
from tests.faults import history
from tests.faults.wreck import Wreck, counted, plan, wrecked
from tests.processes.conftest import database
from troth.pledge.fault_points import POINTS

__all__ = ["database"]
KILLS = campaign.rounds(12, 200)
PER_KILL = 9.0  # seconds, on a machine that has other things to do
pytestmark = [pytest.mark.processes, pytest.mark.soak]


def table(wreck: Wreck, copies: int, wrong: list[str]) -> str:
    """Point x outcome, for whoever looks at the run."""
    rows = [f"{point:<18} {times:>4} killed" for point, times in sorted(wreck.deaths().items())]
    outside = [f"{role}, from outside: {how}" for role, how in wreck.outside]
    rows += [f"{what} x {outside.count(what)}" for what in sorted(set(outside))]
    sent = f"{len(wreck.sandbox.mailbox.sent)} mails, {copies} of them second copies; {len(wrong)} things wrong"
    return "\n".join([f"TROTH_SEED={campaign.SEED}, {campaign.commit()}", *rows, counted(wreck.seen), sent])


def test_whoever_dies_every_paid_order_is_delivered_once(
    tmp_path: Path, database: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    with wrecked(tmp_path, campaign.draws("kills"), KILLS, **database) as wreck:
        wreck.rages(max(60.0, KILLS * PER_KILL))
        told = wreck.tells()
        wreck.stop()
        keyring, openings = wreck.home / "keeper" / "keyring.sqlite3", wreck.home / "run" / "openings"
        wrong = [
            *history.of_money(told, wreck.sandbox),
            *history.of_delivery(told, wreck.sandbox),
            *history.of_invoices(told),
            *history.of_rows(told),
            *history.of_people(told, wreck.seen, wreck.sandbox),
            *history.of_ledger(keyring, openings, wreck.sandbox, told),
        ]
        copies = history.copies(told, wreck.sandbox)
    record_property("table", table(wreck, copies, wrong))
    assert wrong == []
    assert sum(wreck.deaths().values()) + sum(how == "kill" for _, how in wreck.outside) >= KILLS
    assert copies >= wreck.deaths()["send.sent"]
    assert wreck.unexplained() == []
    assert not re.search(r'"exception"', wreck.log.read_text()), wreck.log.read_text()


def test_a_campaign_in_full_kills_at_every_step() -> None:
    queues = plan(campaign.draws("plan"), 160)
    met = {(role, re.split("[/:]", line)[0]) for role, lines in queues.items() for line in lines}
    assert met == {(role, point) for point, (roles, _) in POINTS.items() for role in roles}
    assert plan(campaign.draws("plan"), 160) == queues
    assert sum(map(len, plan(campaign.draws("plan"), 9).values())) == 9
