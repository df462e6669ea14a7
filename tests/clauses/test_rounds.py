"""One round plays and reads once for all clauses; the next round sees nothing of what this one saw."""

import msgspec
import pytest

from tests.house import House
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.policy import columns, needles
from troth.pledge.policy.clause import State, broken, judge, unknown
from troth.pledge.policy.models import Verdict
from troth.pledge.policy.visitor import Stuck
from troth.shop.accounts.models import Session
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import BY_ID, CLAUSES, duty, marker, p6_billing, p11_ip_against_fraud, p16_at_rest
from troth.shop.orders.models import Order


class Counted:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
        self.times, self._real = 0, getattr(module, name)
        monkeypatch.setattr(module, name, self)

    def __call__(self, *given: object, **words: object) -> object:
        self.times += 1
        return self._real(*given, **words)


def test_what_three_clauses_search_for_is_read_once_and_never_kept(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, searches = Counted(monkeypatch, columns, "read"), Counted(monkeypatch, needles, "search")
    checks = (p6_billing.nowhere_in_clear, p11_ip_against_fraud.an_address_stands_nowhere_in_clear,
              p16_at_rest.the_marker_customer_stands_nowhere)  # fmt: skip
    with house.as_worker():
        probe = house.probe()
        assert {one.state for check in checks for one in check(probe)} == {State.HOLDS}
        assert (reads.times, searches.times, Order.objects.count()) == (1, 1, 3)
        left = probe.marker()
        Session.objects.create(session_key="noted", session_data=f"{left.stem} bill", expire_date=clock.now())
        assert {one.state for one in p16_at_rest.the_marker_customer_stands_nowhere(probe)} == {State.HOLDS}
        later = house.probe()
        later._play = lambda probe: left  # the same customer, so that the next round can see what was noted of them
        later.seek(left.stem)
        assert State.BROKEN in {one.state for one in p16_at_rest.the_marker_customer_stands_nowhere(later)}
    assert (reads.times, searches.times) == (2, 2)


def test_who_is_stuck_is_stuck_for_the_round_alone(house: House, edition: Edition) -> None:
    played = 0

    def stuck(probe: object) -> None:
        nonlocal played
        played += 1
        raise Stuck("/checkout has no choice of providers")

    probe = house.probe()
    probe._play = stuck
    with house.as_worker():
        states = [judge(BY_ID[one], probe).state for one in ("P4", "P8", "P19")]
    assert (states, played) == ([State.UNKNOWN] * 3, 1)


def test_one_errand_judges_every_clause_with_one_marker_customer(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Here:
        def __init__(self, config: object) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(duty, "Served", Here)
    monkeypatch.setattr(duty, "Probe", lambda *_: house.probe())
    plays = Counted(monkeypatch, marker, "play")
    broke, puzzled = p16_at_rest.keys_lie_apart, p11_ip_against_fraud.it_ends_on_its_day
    _finds(monkeypatch, "P16", broke.__name__, broken("the root key lies in the shop's folder"))
    _finds(monkeypatch, "P11", puzzled.__name__, unknown("nobody knows"))
    duty.all_at_once()
    _works(house)
    assert dict(Verdict.objects.values_list("clause", "state")).keys() == {clause.id for clause in CLAUSES}
    assert plays.times == 1
    duty.ensure()
    _works(house)  # what was found wrong is looked at again, all else stands: nobody is played
    newest = {row.clause: row.state for row in Verdict.objects.order_by("pk")}
    assert (newest["P16"], newest["P11"], newest["P1"]) == ("broken", "unknown", "holds")
    assert plays.times == 1
    alone = set(Due.objects.filter(kind="check", every=0).values_list("subject", flat=True))
    assert "P11" in alone and "P16" not in alone  # what is unknown is looked at soon, by itself


def _finds(monkeypatch: pytest.MonkeyPatch, clause_id: str, name: str, found: object) -> None:
    clause = BY_ID[clause_id]
    checks = tuple(
        msgspec.structs.replace(one, run=lambda probe: iter([found])) if one.run.__name__ == name else one
        for one in clause.checks
    )
    changed = msgspec.structs.replace(clause, checks=checks)
    monkeypatch.setitem(BY_ID, clause_id, changed)
    monkeypatch.setattr(duty, "CLAUSES", tuple(BY_ID[one.id] for one in CLAUSES))


def _works(house: House) -> None:
    """The worker does what is due of checks, and nothing else."""
    Due.objects.exclude(kind="check").delete()
    with house.as_worker():
        while (claimed := due.claim()) is not None:
            due.work_off(claimed, {"check": duty.check, "deliver": lambda *_: None})
