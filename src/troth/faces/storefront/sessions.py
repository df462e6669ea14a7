"""Django's sessions in the database, for keys of their own shape alone.

A cookie may hold anything, a quoted NUL too, which PostgreSQL does not take as text: what cannot be one of our keys is
looked up nowhere and counts as no session.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from troth.pledge.prepared import Prepared, moment

KEY = re.compile(r"[a-z0-9]{32}")  # as SessionBase.get_new_session_key makes them


_found: Prepared[Session] = Prepared(
    lambda key, now: Session.objects.filter(pk=key, expire_date__gt=moment(now)), gaps=2
)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        """Each page of somebody who is signed in asks for it."""
        found = _found.first(self.session_key, timezone.now()) if self.session_key else None
        if found is None:
            self._session_key = None
        return found

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None
