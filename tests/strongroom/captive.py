"""The web process in an attacker's hands: the real shop, with somebody inside it who reads and tries everything.

`python -m tests.strongroom.captive` in web's place, under web's restrictions, with its door, key and database. It
notes what passes by (run/stolen.json: capabilities, and what was typed) and what it could open (run/read.json:
person -> texts). What was stolen before is tried again when it is started again.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from troth import config
from troth.faces.cli import process, separation, web

PAUSE = 0.1  # seconds between two attempts at everything


class Thief:
    """What it has, and what it gets by it."""

    def __init__(self, folder: Path) -> None:
        self._stolen, self._read = folder / "stolen.json", folder / "read.json"
        self.kept: dict[str, list[str]] = (
            json.loads(self._stolen.read_text()) if self._stolen.exists() else {"capabilities": [], "typed": []}
        )
        self.read: dict[str, list[str]] = {}

    def see(self, name: str, *texts: str) -> None:
        fresh = [text for text in texts if text and text not in self.kept[name]]
        if fresh:
            self.kept[name] += fresh
            _write(self._stolen, self.kept)

    def try_everything(self) -> None:
        """Every sealed row of everybody, with every capability seen, with what lies in tables and files, and bare."""
        from troth.pledge.keeper.policy import PURPOSES
        from troth.pledge.vault.door import KeeperAway, KeeperRefused, door

        guesses = [*self.kept["capabilities"], *_lying_about()]
        for ref, records in _by_person().items():
            ways = [("account", guess) for guess in guesses] + [(purpose, "") for purpose in PURPOSES]
            for purpose, capability in ways:
                # One's own opens beside one's contact alone, and what opens for nobody here spoils a list.
                for several in (records, *([one] for one in records), *map(list, itertools.combinations(records, 2))):
                    try:
                        got = door().open(several, purpose=purpose, job="own-data", capability=capability)
                    except (KeeperRefused, KeeperAway):
                        continue
                    self.read[ref] = sorted({*self.read.get(ref, []), *map(_text, got)})
        _write(self._read, self.read)


def _text(value: Any) -> str:
    return "|".join(str(getattr(value, name)) for name in value.__struct_fields__)


def _by_person() -> dict[str, list[Any]]:
    from troth.pledge.policy.probe import sealed_columns

    found: dict[str, list[Any]] = {}
    for model, field in sealed_columns():
        for row in model._default_manager.filter(**{f"{field.name}__isnull": False}):
            found.setdefault(row.person_id, []).append(getattr(row, field.name))
    return found


def _lying_about() -> Iterator[str]:
    """Whatever in the database or the shop's folder has the length of a capability, and what sessions hold."""
    from django.conf import settings

    from troth.faces.storefront.sessions import SessionStore
    from troth.pledge.keeper.capabilities import LENGTH
    from troth.pledge.policy.probe import values
    from troth.shop.accounts.models import Session

    for session in Session.objects.all():
        yield from (str(value) for value in SessionStore().decode(session.session_data).values())
    yield from (value for _, value in values() if len(value) == LENGTH)
    yield (settings.TROTH.home / "web.key").read_text().strip()


def _write(path: Path, what: object) -> None:
    draft = path.with_suffix(f".{threading.get_ident()}")
    draft.write_text(json.dumps(what))
    draft.rename(path)


def application() -> Callable[..., Any]:
    """The shop's own application, with the thief beside it."""
    shop, thief = web.application(), Thief(config.load().home / "run")
    threading.Thread(target=_keep_trying, args=(thief,), daemon=True).start()

    def captured(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        thief.see("typed", *(value for _, value in parse_qsl(body.decode())))
        thief.see("capabilities", *_capabilities(environ.get("HTTP_COOKIE", "")))

        def begun(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            for name, value in headers:
                if name.lower() == "set-cookie":
                    thief.see("capabilities", *_capabilities(value))
            return start_response(status, headers, *more)

        return shop(environ, begun)

    return captured


def _capabilities(cookies: str) -> list[str]:
    return [morsel.value for name, morsel in SimpleCookie(cookies).items() if name.endswith("troth_cap")]


def _keep_trying(thief: Thief) -> None:
    while True:
        thief.try_everything()
        time.sleep(PAUSE)


def main() -> None:
    settings = config.load()
    separation.shut_out(settings, "web")
    process.hide_memory()
    os.environ["TROTH_WEB_PARENT"] = str(os.getpid())
    web.server(f"{__name__}:application", settings.web.host, settings.web.port, 1).serve()


if __name__ == "__main__":
    # Granian imports the application by its name, which must not be __main__.
    from tests.strongroom import captive

    captive.main()
