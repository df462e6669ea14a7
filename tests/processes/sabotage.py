"""The demo with one thing broken: `python -m tests.processes.sabotage FOLDER PORT WHICH`; it exits as --once does."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.processes import running
from troth.faces.cli.demo import buyer, mutants, once
from troth.faces.cli.demo.stage import Stage


def stop_the_mailbox(stage: Stage) -> None:
    httpx.post(f"{stage.control}mail/down", json={}).raise_for_status()


def forge_a_message(stage: Stage) -> None:
    event = {"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": "1"}}
    headers = dict.fromkeys(("paypal-transmission-id", "paypal-transmission-sig"), "x")
    httpx.post(f"{stage.shop}/hooks/paypal", json=event, headers=headers)


def keep_the_provider_silent(stage: Stage) -> None:
    httpx.post(f"{stage.control}drop", json={"provider": "paypal", "on": True}).raise_for_status()


def write_a_street_in_clear(stage: Stage) -> None:
    _plant(stage, "P6")


def show_a_foreign_font(stage: Stage) -> None:
    _plant(stage, "P7")


def _plant(stage: Stage, clause: str) -> None:
    running.until(lambda: '"state": "unknown"' not in httpx.get(f"{stage.shop}/privacy.json").text, 90)
    mutants.flag(stage.home).write_text(clause)
    time.sleep(1)  # web and worker look at the flag three times a second


SABOTAGES: dict[str, Callable[[Stage], None]] = {
    "mailbox": stop_the_mailbox,
    "forged": forge_a_message,
    "silent": keep_the_provider_silent,
    "in clear": write_a_street_in_clear,
    "promise": show_a_foreign_font,
}


def main(folder: str, port: str, which: str) -> int:
    if which in ("mailbox", "silent"):
        buyer.PATIENCE = 6.0  # it will wait in vain
    with Stage(Path(folder), int(port)) as stage:
        SABOTAGES[which](stage)
        return once.through(stage)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
