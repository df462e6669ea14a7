"""Django's sessions in the database, for keys of their own shape alone.

A cookie may hold anything, a quoted NUL too, which PostgreSQL does not take as text: what cannot be one of our keys is
looked up nowhere and counts as no session.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends import db

KEY = re.compile(r"[a-z0-9]{32}")  # as SessionBase.get_new_session_key makes them


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None
