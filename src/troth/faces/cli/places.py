"""Where the keeper's keys may lie and its copies go, as the settings say it, in the keeper's own words."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from troth.config import Config
from troth.pledge.keeper.copy import Order
from troth.pledge.kms import RootKey, Where
from troth.pledge.kms.chosen import Chosen

log = logging.getLogger("troth.keeper")


def places(config: Config) -> dict[str, Where]:
    """Kind -> where a root key of that kind lies. OpenBao's stands there once its address does, to be moved to."""
    found = {"file": Where("file", config.root_key)}
    told = config.keys
    if told.url:
        found["openbao"] = Where(
            "openbao",
            url=told.url,
            token_file=str(_in(config.home, told.token_file)),
            ca_file=str(_in(config.home, told.ca_file)) if told.ca_file else "",
            namespace=told.namespace,
            mount=told.mount,
            name=told.name,
        )
    return found


def copies(config: Config) -> dict[str, object] | None:
    """What the process is told that makes copies of the keyring; None where the settings want none."""
    told = config.backup
    if not told.recipients:
        return None
    return {
        "folder": str(config.keyring_copies),
        "recipients": told.recipients,
        "epoch_days": told.epoch_days,
        "keep_days": told.keep_days,
        "keep": told.keep,
    }


def beside_copies(config: Config) -> Path | None:
    """Where the journal of erasures is written besides: in the folder for copies, which is made if it is not there."""
    if copies(config) is None:
        return None
    try:
        config.keyring_copies.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        log.warning("the folder for copies of the keyring cannot be made; no backup is made meanwhile")
    return config.keyring_copies / config.journal.name


def order(config: Config) -> Callable[[RootKey], Order] | None:
    """What the process that makes copies is told for each of them, by the root key in force; None: none are wanted."""
    told = copies(config)
    if told is None:
        return None
    always = {**told, "places": places(config), "parent": os.getpid(), "keyring": str(config.keyring)}
    always |= {"journal": str(config.journal)}

    def of(root: RootKey) -> Order:
        assert isinstance(root, Chosen)
        return lambda name: {**always, "name": name, "kind": root.kind, "now": int(time.time())}

    return of


def _in(home: Path, name: str) -> Path:
    return home / name
