"""`troth demo break P7` and `mend`: plant the smallest change that breaks a promise, and watch it being found out.

`run/mutant` in the shop's folder names the clause; web and worker of a shop in test mode honour it, a live one never.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx

from troth import config

PATIENCE = 180  # seconds; pages are checked within 5, a promise that needs a purchase to be tried takes longer


def plant(home: Path, clause: str) -> int:
    """Break `clause` and print what the check says. 0: found out; 1: not within PATIENCE."""
    url = _address(home)
    before = _promise(url, clause)
    if before is None:
        raise click.ClickException(f"There is no promise {clause}; {url} lists them.")
    began = datetime.now(UTC)
    flag(home).write_text(clause)
    after, seconds = _watch(url, clause, began, lambda state: state == "broken")
    if after is None:
        click.echo(f"{clause} was broken, and the check did not find it out within {PATIENCE:.0f} s.", err=True)
        return 1
    click.echo(f"{clause} is broken, found out after {seconds:.1f} s:")
    for finding in after["findings"]:
        if finding not in before["findings"]:
            click.echo(f"  {finding}")
    click.echo(f"See {url.removesuffix('.json')}#{clause}; `troth demo mend` mends it.")
    return 0


def take_out(home: Path) -> int:
    """Mend what was broken. 0: the promise is kept again; 1: not seen within PATIENCE."""
    url = _address(home)
    try:
        clause = flag(home).read_text("ascii").strip()
    except FileNotFoundError:
        click.echo("Nothing is broken.")
        return 0
    began = datetime.now(UTC)
    flag(home).unlink()
    after, seconds = _watch(url, clause, began, lambda state: state in ("holds", "gap"))
    if after is None:
        click.echo(f"{clause} was mended, and the check did not see it within {PATIENCE:.0f} s.", err=True)
        return 1
    kept = "holds again" if after["state"] == "holds" else "is back at its declared gap"
    click.echo(f"{clause} {kept}, seen after {seconds:.1f} s.")
    return 0


def flag(home: Path) -> Path:
    return home / "run" / "mutant"


def _address(home: Path) -> str:
    """Where the running demo tells its promises. ClickException outside test mode."""
    settings = config.load(home.absolute(), environ={})
    if settings.live:
        raise click.ClickException("This shop is live: nothing is ever broken in it on purpose.")
    return f"{settings.web.public_url}/privacy.json"


def _promise(url: str, clause: str) -> dict[str, Any] | None:
    try:
        answer = httpx.get(url, timeout=5, trust_env=False)
        promises: list[dict[str, Any]] = answer.raise_for_status().json()["promises"]
    except (httpx.HTTPError, ValueError):
        raise click.ClickException(f"{url} does not answer; is `troth demo` running?") from None
    return next((promise for promise in promises if promise["id"] == clause), None)


def _watch(
    url: str, clause: str, began: datetime, wanted: Callable[[str], bool]
) -> tuple[dict[str, Any] | None, float]:
    """The promise once a check made after `began` finds it as wanted, and the seconds that took."""
    while (seconds := (datetime.now(UTC) - began).total_seconds()) < PATIENCE:
        promise = _promise(url, clause)
        if promise and wanted(promise["state"]) and _checked_after(promise, began):
            return promise, seconds
        time.sleep(0.1)
    return None, seconds


def _checked_after(promise: dict[str, Any], moment: datetime) -> bool:
    return bool(promise["checked_at"]) and datetime.fromisoformat(promise["checked_at"]) > moment
