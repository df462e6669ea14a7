"""What is known of a promise: how it grows old, who is told, what is shut, what the ledger keeps."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.test import Client

from tests.house import House
from troth.faces.logs import AllowList
from troth.pledge import clock
from troth.pledge.due.models import Due
from troth.pledge.policy import running, shutting
from troth.pledge.policy.clause import Check, Clause, Finding, State, broken, holds
from troth.pledge.policy.models import Verdict
from troth.pledge.policy.probe import Probe
from troth.pledge.vault import published
from troth.pledge.vault.models import LedgerEvent
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import CLAUSES, duty


class Told:
    """A check that finds what it is told to, and counts how often it was asked."""

    def __init__(self, kind: str, shuts: str = "") -> None:
        self.finds, self.runs = holds("all is well"), 0
        self.check = Check(f"a {kind} check", kind, self.run, shuts)

    def run(self, probe: Probe) -> Iterator[Finding]:
        self.runs += 1
        yield self.finds


def clause(*checks: Told) -> Clause:
    return Clause("P7", "t", "w", "", ("e",), tuple(told.check for told in checks), ())


def round_of(house: House, one: Clause, after: timedelta = timedelta(), whole: bool = False) -> str:
    clock.travel(clock._ahead + after)
    with house.as_worker():
        return running.check(one, house.probe(), whole=whole).state


def test_each_kind_of_check_has_its_own_cadence(house: House) -> None:
    quick, slow = Told("runtime"), Told("forensic")
    one = clause(quick, slow)
    for _ in range(3):
        assert round_of(house, one, timedelta(minutes=10)) == "holds"
    assert (quick.runs, slow.runs) == (3, 1)
    round_of(house, one, whole=True)
    assert (quick.runs, slow.runs) == (4, 2)
    slow.finds = broken("something lies in clear")
    assert round_of(house, one, timedelta(hours=12)) == "broken"
    slow.finds = holds("it was taken away")
    assert round_of(house, one, timedelta(minutes=1)) == "holds"  # what is broken is looked at again each time


def test_a_finding_that_stands_grows_old_with_its_own_check(house: House) -> None:
    """The quick check is fresh; the verdict still ends when the slow one's finding is too old."""
    quick, slow = Told("runtime"), Told("forensic")
    round_of(house, clause(quick, slow))
    began = clock.now()
    round_of(house, clause(quick, slow), timedelta(hours=11))
    row = Verdict.objects.order_by("-pk").first()
    assert row and row.expires_at < began + timedelta(hours=27)


def test_two_days_on_with_the_worker_stopped_nothing_is_green(house: House, edition: Edition) -> None:
    (settings.TROTH.home / "run").mkdir(mode=0o700, exist_ok=True)
    with house.as_worker():
        for one in CLAUSES:
            running.check(one, house.probe())
    assert "holds" in {promise["state"] for promise in Client().get("/privacy.json").json()["promises"]}
    clock.travel(timedelta(days=2))
    told = Client().get("/privacy.json").json()["promises"]
    assert {promise["state"] for promise in told} == {"unknown"}
    assert len(told) == len(CLAUSES)


def test_thirty_results_are_kept_and_drawn(house: House) -> None:
    told = Told("runtime")
    for n in range(33):
        told.finds = broken("no") if n == 31 else holds("yes")
        round_of(house, clause(told), timedelta(minutes=10))
    assert Verdict.objects.filter(clause="P7").count() == 30
    page = Client().get("/privacy").content.decode()
    assert page.count('class="plot-holds"') == 29
    assert page.count('class="plot-broken"') == 1


def test_the_owner_hears_of_a_breach_once(house: House) -> None:
    settings.TROTH = settings_with_owner()
    told = Told("runtime")
    told.finds = broken("/basket makes the browser fetch from fonts.example")
    for _ in range(2):
        round_of(house, clause(told), timedelta(minutes=10))
        house.works()
    mails = [mail for mail in house.mails if "owner@fernhill.example" in mail.to]
    assert len(mails) == 1
    assert "fonts.example" in mails[0].text


def settings_with_owner() -> object:
    import msgspec

    shop = msgspec.structs.replace(settings.TROTH.shop, contact_email="owner@fernhill.example")
    return msgspec.structs.replace(settings.TROTH, shop=shop)


def test_verdicts_go_into_the_ledger_when_they_change_and_daily(house: House) -> None:
    told = Told("runtime")
    for _ in range(3):
        round_of(house, clause(told), timedelta(minutes=10))
    told.finds = broken("no")
    round_of(house, clause(told), timedelta(minutes=10))
    states = [event["state"] for event in LedgerEvent.objects.order_by("made_at").values_list("event", flat=True)]
    assert states[0] == "holds" and states[-1] == "broken" and len(states) <= 3  # three where midnight passed meanwhile
    house.works()
    with house.as_worker():
        published.publish()
    entry = running.in_ledger()["P7"]
    page = Client().get("/privacy").content.decode()
    assert f"/privacy/proof/{entry}" in page
    answer = Client().get(f"/privacy/proof/{entry}")
    assert answer.status_code == 200 and answer.content.startswith(b"PK")
    assert Client().get("/privacy/proof/999999").status_code == 404


def test_a_leak_in_the_log_silences_it_until_it_is_mended(house: House) -> None:
    told = Told("runtime", shuts=shutting.LOGS)
    record = logging.LogRecord("troth.x", logging.ERROR, __file__, 1, "said", (), None)
    record.troth_constant = True
    assert json.loads(AllowList().format(record))["event"] == "said"
    told.finds = broken("the log holds an address")
    round_of(house, clause(told))
    assert set(json.loads(AllowList().format(record))) == {"time", "level", "logger"}
    told.finds = holds("mended")
    round_of(house, clause(told))
    assert json.loads(AllowList().format(record))["event"] == "said"


def test_rows_of_an_earlier_release_take_todays_cadence(db: None) -> None:
    """A row for each clause then, one for the round of all of them now."""
    for subject in ("P7", duty.ALL):
        Due.objects.create(kind="check", subject=subject, run_after=clock.now(), every=3600)
    duty.ensure()
    assert list(Due.objects.filter(kind="check").values_list("subject", "every")) == [(duty.ALL, duty.EVERY)]


def test_metrics_count_promises(house: House) -> None:
    told = Client().get("/metrics").content.decode()
    assert f"troth_promises_unknown {len(CLAUSES)}" in told
    assert State.BROKEN and "troth_promises_broken 0" in told
