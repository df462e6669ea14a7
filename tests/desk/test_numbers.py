"""The numbers of the policy at the desk: what a change would do is said, and nothing is written."""

from __future__ import annotations

import msgspec
import pytest
from django.conf import settings

from tests.desk.people import Office
from tests.storefront.page import Page
from troth import config
from troth.pledge.policy.models import Version
from troth.shop.clauses import numbers, versions


def test_every_number_has_a_meaning_and_its_value() -> None:
    assert numbers.MEANINGS.keys() == {field.name for field in msgspec.structs.fields(config.Policy)}
    assert {one.name: one.value for one in numbers.every()} == msgspec.structs.asdict(settings.TROTH.policy)


def test_what_a_change_would_do_is_what_it_does(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    versions.look()
    before = versions.text()
    page = office.owner.page("/desk/policy?name=answer_days&value=5").text
    for words in ("answer_days: 3 → 5", "answer days: 3 5", "answer_days = 5", "P19", "not before"):
        assert words in page, words
    assert versions.text() == before and Version.objects.count() == 1
    would = numbers.would("answer_days", "5")
    changed = msgspec.structs.replace(settings.TROTH.policy, answer_days=5)
    monkeypatch.setattr(settings, "TROTH", msgspec.structs.replace(settings.TROTH, policy=changed))
    versions.look()
    newest = Version.objects.order_by("made_at").last()
    assert newest is not None and Version.objects.count() == 2
    assert versions.difference(versions.before(newest), newest) == would.changes


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("name=answer_days&value=0", "less than it must be"),
        ("name=answer_days&value=-3", "whole number"),
        ("name=answer_days&value=%D9%A3", "whole number"),
        ("name=answer_days&value=1e3", "whole number"),
        ("name=marketing_basis&value=spam", "one of its words"),
        ("name=smtp_password&value=1", "one of the numbers"),
    ],
)
def test_what_could_not_stand_there_is_refused(office: Office, asked: str, why: str) -> None:
    answer = office.owner.get(f"/desk/policy?{asked}")
    assert answer.status_code == 400 and why in Page(answer.content.decode()).text


def test_the_line_is_one_that_the_settings_take(office: Office) -> None:
    would = numbers.would("marketing_basis", "consent")
    path = settings.TROTH.home / "troth.toml"
    kept = path.read_text("utf-8") if path.exists() else None
    try:
        path.write_text(f'[shop]\nmode = "test"\n[policy]\n{would.line}\n', "utf-8")
        assert config.load(settings.TROTH.home, {}).policy.marketing_basis == "consent"
    finally:
        if kept is None:
            path.unlink()
        else:
            path.write_text(kept, "utf-8")
