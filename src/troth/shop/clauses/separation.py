"""How the processes are kept from the keeper's files and from each other, as each role noted it when it started."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from troth.config import Config
from troth.shop.clauses import mutations


def found(config: Config) -> dict[str, str]:
    """Role -> "landlock", "user" or "none". Raises FileNotFoundError where nothing has started: nobody knows."""
    with (config.home / "run" / "separation.json").open() as file:
        return dict(json.load(file))


def shut_in(config: Config) -> dict[str, dict[str, bool]]:
    """Role -> what the kernel said of it when it was ready; of another system nothing. FileNotFoundError as above."""
    with (config.home / "run" / "shut_in.json").open() as file:
        return dict(json.load(file))


def may_ask(path: Path) -> bool:
    """Whether this process may even look at a path's mode; where it may not, others keep it from us."""
    return os.access(path.parent, os.X_OK)


@contextmanager
def left_open() -> Iterator[None]:
    """Mutant: somebody wanted to look into the worker with a profiler."""
    noted = settings.TROTH.home / "run" / "shut_in.json"
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        before = noted.read_text()
        noted.write_text(json.dumps(json.loads(before) | {"worker": {"memory": False, "no new privileges": True}}))
        try:
            yield
        finally:
            noted.write_text(before)


@contextmanager
def forgotten() -> Iterator[None]:
    """Mutant: what the processes noted when they started is gone."""
    noted = settings.TROTH.home / "run" / "separation.json"
    aside = noted.with_suffix(".aside")
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        noted.rename(aside)
        try:
            yield
        finally:
            aside.rename(noted)
