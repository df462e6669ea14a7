"""The shop of a test, without processes: the keeper behind both doors, blanks in stock, the worker on call."""

from collections.abc import Iterator
from contextlib import contextmanager

from troth.pledge.keeper.keeper import Keeper, drive
from troth.pledge.vault import door as doors
from troth.pledge.vault.door import Door
from troth.pledge.vault.models import Person


class House:
    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.web = Door(lambda body: drive(keeper, "web", body))
        self.worker = Door(lambda body: drive(keeper, "worker", body))
        doors.use(self.web)
        self.stock(5)

    def stock(self, count: int) -> None:
        fresh = self.worker.blank(count)
        Person.objects.bulk_create(
            Person(ref=blank.ref, key_set=blank.key_set, enrol_secret=blank.secret) for blank in fresh
        )

    @contextmanager
    def as_worker(self) -> Iterator[Door]:
        doors.use(self.worker)
        try:
            yield self.worker
        finally:
            doors.use(self.web)
