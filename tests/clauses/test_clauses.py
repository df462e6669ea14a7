"""Every clause holds in a healthy shop, and each of its mutants turns that clause red."""

import json
from datetime import timedelta

import pytest
from django.conf import settings

from tests.house import House
from troth.pledge import clock
from troth.pledge.policy.clause import Mutant, State, judge
from troth.pledge.policy.running import check, standing
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import CLAUSES, published

MUTANTS = [(clause.id, mutant) for clause in CLAUSES for mutant in clause.mutants]


@pytest.fixture(autouse=True)
def started() -> None:
    """What web and worker note about themselves when they start."""
    folder = settings.TROTH.home / "run"
    folder.mkdir(exist_ok=True)
    (folder / "separation.json").write_text(json.dumps({"web": "none", "worker": "none"}))


def judged(house: House, clause_id: str) -> tuple[State, list[str]]:
    clause = next(clause for clause in CLAUSES if clause.id == clause_id)
    with house.as_worker():
        verdict = judge(clause, house.probe())
    return verdict.state, [f"{finding.state}: {finding.sentence}" for finding in verdict.findings]


@pytest.mark.parametrize("clause_id", [clause.id for clause in CLAUSES])
def test_a_healthy_shop_holds_what_it_promises(house: House, edition: Edition, clause_id: str) -> None:
    state, findings = judged(house, clause_id)
    assert state in (State.HOLDS, State.GAP), findings


@pytest.mark.parametrize(("clause_id", "mutant"), MUTANTS, ids=[f"{one}: {mutant.name}" for one, mutant in MUTANTS])
def test_each_mutant_is_caught_by_its_own_clause(
    house: House, edition: Edition, clause_id: str, mutant: Mutant
) -> None:
    with mutant.planted():
        state, findings = judged(house, clause_id)
        assert state == State.BROKEN, findings


def test_every_clause_has_words_enforcement_checks_and_a_mutant() -> None:
    for clause in CLAUSES:
        assert str(clause.words).strip()
        assert clause.enforced
        assert clause.checks
        assert clause.mutants


def test_no_verdict_is_unknown_and_an_old_one_is_too(house: House, edition: Edition) -> None:
    known = {row.id: row.state for row in published.page()}
    assert set(known.values()) == {"unknown"}
    clause = CLAUSES[2]
    with house.as_worker():
        check(clause, house.probe())
    assert standing(CLAUSES, clock.now())[clause.id].state == State.HOLDS
    assert standing(CLAUSES, clock.now() + timedelta(days=2))[clause.id].state == State.UNKNOWN
    assert standing(CLAUSES, clock.now() - timedelta(days=1))[clause.id].state == State.UNKNOWN
