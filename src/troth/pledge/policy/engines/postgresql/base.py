"""Django's PostgreSQL, with the guard before every write."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from troth.pledge.policy.engines import guard


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(guard)
