"""Every clause holds in a healthy shop, and each of its mutants turns that clause red."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from tests.house import House
from troth.faces.cli import outgoing
from troth.pledge import clock, egress
from troth.pledge.policy.clause import WORST_LAST, Check, Clause, Mutant, State, Verdict, judge
from troth.pledge.policy.running import check, standing
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import BY_ID, CLAUSES, published, versions

MUTANTS = [(clause.id, mutant) for clause in CLAUSES for mutant in clause.mutants]


@pytest.fixture(autouse=True)
def started(db: None) -> Iterator[None]:
    """What web and worker do and note about themselves when they start."""
    folder = settings.TROTH.home / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    for role in ("web", "worker"):
        outgoing.guard(settings.TROTH, role)
    (folder / "separation.json").write_text(json.dumps({"web": "none", "worker": "none"}))
    shut_in = {"memory": True, "no new privileges": True}
    (folder / "shut_in.json").write_text(json.dumps({"web": shut_in, "worker": shut_in}))
    versions.look()
    yield
    egress.rest()
    (folder / "egress-refused").unlink(missing_ok=True)


def judged(house: House, clause_id: str) -> Verdict:
    with house.as_worker():
        return judge(BY_ID[clause_id], house.probe())


@pytest.mark.parametrize("clause_id", [clause.id for clause in CLAUSES])
def test_a_healthy_shop_holds_what_it_promises(house: House, edition: Edition, clause_id: str) -> None:
    verdict = judged(house, clause_id)
    wrong = [finding.sentence for finding in verdict.findings if finding.state not in (State.HOLDS, State.GAP)]
    assert wrong == []
    assert verdict.state in (State.HOLDS, State.GAP)


@pytest.mark.parametrize(("clause_id", "mutant"), MUTANTS, ids=[f"{one}: {mutant.name}" for one, mutant in MUTANTS])
def test_each_mutant_is_caught_by_its_own_clause(
    house: House, edition: Edition, clause_id: str, mutant: Mutant, record_property: Callable[[str, object], None]
) -> None:
    record_property("mutant", [clause_id, mutant.name, ""])
    with mutant.planted():
        verdict = judged(house, clause_id)
    checks = [check for check in BY_ID[clause_id].checks if mutant.becomes == State.BROKEN or check.run in mutant.turns]
    caught = [check for check in checks if _worst(verdict, check) == mutant.becomes]
    assert caught, verdict.findings
    if mutant.becomes == State.BROKEN:
        assert verdict.state == State.BROKEN
    for run in mutant.turns:
        assert run in [check.run for check in caught], (run.__name__, verdict.findings)
    record_property("mutant", [clause_id, mutant.name, "; ".join(check.name for check in caught)])


def _worst(verdict: Verdict, check: Check) -> State:
    found = [finding.state for finding in verdict.findings if finding.check == check.name]
    return max(found, key=WORST_LAST.index)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_every_clause_has_words_enforcement_and_a_mutant_for_each_check(clause: Clause) -> None:
    assert str(clause.words).strip()
    assert clause.enforced
    assert clause.checks
    assert len({check.name for check in clause.checks}) == len(clause.checks)
    assert clause.mutants[0].in_demo, "`troth demo break` plants the first"
    turned = {run for mutant in clause.mutants for run in mutant.turns}
    bare = [check.name for check in clause.checks if check.run not in turned]
    assert not bare, "no mutant turns these checks: give each a Mutant(..., turns=(its function,))"


def test_no_verdict_is_unknown_and_an_old_one_is_too(house: House, edition: Edition) -> None:
    known = {row.id: row.state for row in published.page()}
    assert set(known.values()) == {"unknown"}
    clause = BY_ID["P4"]
    with house.as_worker():
        check(clause, house.probe())
    assert standing(CLAUSES, clock.now())[clause.id].state == State.HOLDS
    assert standing(CLAUSES, clock.now() + timedelta(days=2))[clause.id].state == State.UNKNOWN
    assert standing(CLAUSES, clock.now() - timedelta(days=1))[clause.id].state == State.UNKNOWN
