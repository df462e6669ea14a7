"""What is held is what was declared: an undeclared field stops the start; nothing is declared that there is not."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from troth.config import ConfigError
from troth.pledge.rights.holding import Cut, Delete, Ends, Holding, Keep, undeclared
from troth.pledge.vault.classes import Contact
from troth.pledge.vault.fields import SealedField
from troth.shop import holdings
from troth.shop.holdings import HOLDINGS, PEOPLE


def test_everything_is_declared() -> None:
    assert list(undeclared(HOLDINGS, apps.get_models())) == []
    holdings.refuse_undeclared()


def test_a_new_table_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = tuple(holding for holding in HOLDINGS if holding.table != "orders.Order")
    monkeypatch.setattr(holdings, "HOLDINGS", fewer)
    with pytest.raises(ConfigError, match=r"orders\.Order is not declared: say in shop/holdings\.py"):
        holdings.refuse_undeclared()
    found = checks.run_checks(app_configs=None)
    assert [one.id for one in found if "orders.Order is not declared" in one.msg] == ["troth.E002"]


@isolate_apps("troth.pledge.vault")
def test_a_new_field_is_told_and_so_is_a_false_declaration() -> None:
    class Note(models.Model):
        person = models.ForeignKey("vault.Person", on_delete=models.PROTECT)
        phone = models.CharField(max_length=20)
        mood = SealedField(personal=Contact)

        class Meta:
            app_label = "vault"

    def told(**declared: object) -> str:
        class Bound(Holding):
            @property
            def model(self) -> type[models.Model]:
                return Note

        return "\n".join(undeclared([Bound("vault.Note", "to answer", **declared)], [Note]))

    whole = {"person": "person", "about": "phone", "ours": "id person", "erasing": Delete()}
    assert told(**whole) == ""
    assert "vault.Note.phone is not declared" in told(**whole | {"about": ""})
    assert "vault.Note.fax is declared in shop/holdings.py, and is not there" in told(**whole | {"about": "phone fax"})
    assert "stands there twice" in told(**whole | {"ours": "id person phone"})
    assert "how its rows lead to them" in told(**whole | {"person": ""})
    assert "what erasing does to them" in told(**whole | {"erasing": Keep("why not")})


def test_what_is_cut_can_be_empty_and_what_is_spared_can_be_asked() -> None:
    for holding in PEOPLE:
        if holding.person:
            holding.rows("per_nobody").filter(**holding.where).query.sql_with_params()
        does = [holding.erasing, *([holding.ends.does] if isinstance(holding.ends, Ends) else [])]
        for cut in (one for one in does if isinstance(one, Cut)):
            for name in cut.fields:
                field = holding.model._meta.get_field(name)
                assert field.null or field.get_internal_type() == "CharField"
            for path in cut.spared:
                holding.rows("per_nobody").exclude(**{f"{path}__isnull": False}).query.sql_with_params()


def test_every_sealed_column_ends_with_its_person() -> None:
    for holding in HOLDINGS:
        if holding.sealed():
            assert isinstance(holding.erasing, Delete | Cut), holding.table
        if isinstance(holding.erasing, Cut):
            assert {field.name for field in holding.sealed()} <= set(holding.erasing.fields)
