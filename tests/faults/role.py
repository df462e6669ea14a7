"""One life of one role: `python -m tests.faults.role web|worker|keeper`, in the place of `troth web` and so on.

It takes the next fault of its role (`faults/<role>` in the shop's folder, one a line), says so in `faults/told`, and
becomes the shop's own command. For the worker leases are short, so that a row whose worker died is taken up in seconds
instead of a minute and a half, and every opening that the keeper answers is written to `run/openings`.
"""

import fcntl
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

LEASE = timedelta(seconds=float(os.environ.get("TROTH_TEST_LEASE", "6")))


def take(home: Path, role: str) -> str:
    """The next fault of this role, removed from its queue; "" where there is none."""
    with (home / "faults" / role).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        first, _, rest = file.read().partition("\n")
        file.seek(0)
        file.truncate()
        file.write(rest)
    return first


def say(home: Path, line: str) -> None:
    """One more line in `faults/told`."""
    with (home / "faults" / "told").open("a") as file:
        file.write(f"{line}\n")


def shorten_leases_and_count_openings(home: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.faces.settings"
    import django

    django.setup()
    from troth.pledge.due import loop
    from troth.pledge.vault.door import Door

    loop.LEASE = LEASE
    told = os.open(home / "run" / "openings", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    ask = Door.open

    def noted(door: Door, sealed: Any, **more: Any) -> Any:
        values = ask(door, sealed, **more)
        os.write(told, "".join(f"{value.record.place.ref}\n" for value in sealed).encode())
        return values

    Door.open = noted  # type: ignore[method-assign]


def main() -> None:
    role, home = sys.argv[1], Path(os.environ["TROTH_HOME"])
    fault = take(home, role)
    say(home, f"start {role} {os.getpid()} {time.time():.3f} {fault}")
    if fault:
        os.environ["TROTH_FAULT"] = fault
    if role == "worker":
        shorten_leases_and_count_openings(home)
    from troth.faces.cli.main import main as troth

    troth()


if __name__ == "__main__":
    main()
