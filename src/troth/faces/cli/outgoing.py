"""Which connections may leave each process: the guard is put up as it starts. No Django: the keeper uses it too."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from troth.config import Config
from troth.pledge import egress


def guard(config: Config, role: str) -> None:
    """Put up the guard of the web process or of a worker, and note that it stands. Needs Django set up."""
    from troth.shop import recipients

    egress.guard(role, recipients.allowed(config, role), noted(config), loopback=not config.live)
    noted(config).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (noted(config).parent / f"egress-{role}").write_text(json.dumps({"stands": egress.stands()}))


def keys_kept_at(config: Config) -> set[egress.Address]:
    """All that the keeper may connect to: where the root key lies, if that is another machine."""
    url = urlsplit(config.keys.url)
    return {(url.hostname, url.port or (443 if url.scheme == "https" else 80))} if url.hostname else set()


def noted(config: Config) -> Path:
    """Where refused connections are noted, one JSON object a line."""
    return config.home / "run" / "egress-refused"
