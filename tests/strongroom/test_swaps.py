"""Nothing that is sealed opens anywhere but where it was put: every pair of rows, columns, tables and people tried."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec
import pytest
from django.db import connection

from tests.attacks.keeping import Kept
from tests.house import House
from tests.strongroom.conftest import capabilities, everything_sealed, through
from troth.pledge.keeper.messages import Place
from troth.pledge.keeper.policy import BY_DOOR, OPENS
from troth.pledge.vault.door import Door, KeeperRefused
from troth.pledge.vault.fields import Sealed


class Reader:
    """Whatever web and worker may open, in every way in which they may."""

    def __init__(self, running: Kept) -> None:
        self._worker, self._web, self._own = through(running, "worker"), through(running, "web"), capabilities(running)

    def answers(self, sealed: Sealed) -> set[str]:
        """What came of each way: the code of a refusal, or "opened"."""
        return {self._answer(*way, sealed) for way in self._ways(sealed)}

    def _ways(self, sealed: Sealed) -> Iterator[tuple[Door, str, str, list[Sealed]]]:
        purposes = [purpose for klass, purpose in OPENS if klass == sealed.place.klass]
        for purpose in purposes:
            if purpose in BY_DOOR["worker"]:
                yield self._worker, purpose, "", []
            if purpose == "account":
                for capability, contact in self._own.values():
                    yield self._web, purpose, capability, [contact]

    def _answer(self, door: Door, purpose: str, capability: str, beside: list[Sealed], sealed: Sealed) -> str:
        if beside and beside[0].place == sealed.place:
            beside = []
        try:
            door.open([*beside, sealed], purpose=purpose, job="look", capability=capability)
        except KeeperRefused as refused:
            return refused.code
        except msgspec.MsgspecError:
            return "opened"  # what came is of another class
        return "opened"


@pytest.fixture
def reader(town: House, running: Kept) -> Reader:
    return Reader(running)


def put(sealed: Sealed, ciphertext: bytes) -> None:
    place = sealed.place
    (key,) = [c for c in ("id", "person_id") if c in columns(place.table)][:1]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {place.table} SET {place.column} = %s WHERE {key} = %s", [ciphertext, place.row])
        assert cursor.rowcount == 1


def columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def at(place: Place) -> Sealed:
    """What stands there now, read from the database."""
    return next(sealed for sealed in everything_sealed() if sealed.place == place)


def test_the_shop_has_something_of_everything(town: House, reader: Reader) -> None:
    """What follows tries pairs of these: several of one person, one column, one table, and of each class."""
    sealed = everything_sealed()
    assert len({one.place.table for one in sealed}) == 3
    assert len({one.place.ref for one in sealed}) >= 4
    assert len(sealed) >= 9
    readable = [one for one in sealed if "opened" in reader.answers(one)]
    assert len(readable) >= len(sealed) - 1  # all but the bill of the forgotten, which is kept for tax alone


def test_every_pair_swapped_in_the_database_is_refused(town: House, reader: Reader) -> None:
    sealed = everything_sealed()
    for one, other in itertools.combinations(sealed, 2):
        put(one, other.ciphertext)
        put(other, one.ciphertext)
        for place in (one.place, other.place):
            assert reader.answers(at(place)) <= {"seal", "gone", "capability"}, (one.place, other.place)
        put(one, one.ciphertext)
        put(other, other.ciphertext)
    assert sum("opened" in reader.answers(one) for one in everything_sealed()) >= len(sealed) - 1


def test_no_value_opens_for_any_mixture_of_places(town: House, reader: Reader) -> None:
    """Each value, said to lie wherever table, column, row, person and class of two others can be put together."""
    sealed, tried = everything_sealed(), 0
    places = [one.place for one in sealed]
    for one in sealed:
        for place in {mixed for other in places for mixed in _mixtures(one.place, other)} - {one.place}:
            tried += 1
            moved = Sealed(one.ciphertext, place, one.personal)
            assert reader.answers(moved) <= {"seal", "gone", "capability"}, (one.place, place)
    assert tried > 500


def _mixtures(one: Place, other: Place) -> Iterator[Place]:
    fields = ("table", "column", "row", "ref", "klass")
    for chosen in itertools.product((one, other), repeat=len(fields)):
        yield Place(*(getattr(place, name) for name, place in zip(fields, chosen, strict=True)), one.schema)
    yield msgspec.structs.replace(one, schema=one.schema + 1)
