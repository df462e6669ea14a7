"""How the processes are kept from the keeper's files, as each role tried it when it started."""

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


def may_ask(path: Path) -> bool:
    """Whether this process may even look at a path's mode; where it may not, others keep it from us."""
    return os.access(path.parent, os.X_OK)


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
