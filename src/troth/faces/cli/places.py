"""Where the keeper's keys may lie and its copies go, as the settings say it, in the keeper's own words."""

from __future__ import annotations

from pathlib import Path

from troth.config import Config
from troth.pledge.kms import Where


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


def _in(home: Path, name: str) -> Path:
    return home / name
