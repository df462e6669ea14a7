"""How the processes are kept from the keeper's files, as each role tried it when it started."""

from __future__ import annotations

import json
import os
from pathlib import Path

from troth.config import Config


def found(config: Config) -> dict[str, str]:
    """Role -> "landlock", "user" or "none". Raises FileNotFoundError where nothing has started: nobody knows."""
    with (config.home / "run" / "separation.json").open() as file:
        return dict(json.load(file))


def may_ask(path: Path) -> bool:
    """Whether this process may even look at a path's mode; where it may not, others keep it from us."""
    return os.access(path.parent, os.X_OK)
