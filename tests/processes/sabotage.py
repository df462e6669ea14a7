"""The demo with one thing broken after another: `python -m tests.processes.sabotage FOLDER PORT`.

Prints one line of JSON: what was broken -> [exit code, what `demo --once` said on its standard error].
"""

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tests.processes import running
from troth.faces.cli.demo import buyer, mutants, once
from troth.faces.cli.demo.stage import Stage


def press(stage: Stage, button: str, **arguments: object) -> None:
    httpx.post(f"{stage.control}{button}", json=arguments).raise_for_status()


@contextlib.contextmanager
def mailbox_down(stage: Stage) -> Iterator[None]:
    press(stage, "mail/down")
    yield
    press(stage, "mail/up")


@contextlib.contextmanager
def provider_silent(stage: Stage) -> Iterator[None]:
    press(stage, "drop", provider="paypal", on=True)
    yield
    press(stage, "drop", provider="paypal", on=False)


@contextlib.contextmanager
def street_in_clear(stage: Stage) -> Iterator[None]:
    with planted(stage, "P6"):
        yield


@contextlib.contextmanager
def foreign_font(stage: Stage) -> Iterator[None]:
    with planted(stage, "P7"):
        yield


@contextlib.contextmanager
def message_forged(stage: Stage) -> Iterator[None]:
    event = {"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": "1"}}
    headers = dict.fromkeys(("paypal-transmission-id", "paypal-transmission-sig"), "x")
    httpx.post(f"{stage.shop}/hooks/paypal", json=event, headers=headers)
    yield


@contextlib.contextmanager
def planted(stage: Stage, clause: str) -> Iterator[None]:
    assert mutants.plant(stage.home, clause) == 0
    yield
    assert mutants.take_out(stage.home) == 0


SABOTAGES: dict[str, Callable[[Stage], contextlib.AbstractContextManager[None]]] = {
    "font": foreign_font,
    "mailbox": mailbox_down,
    "silent": provider_silent,
    "clear": street_in_clear,
    "forged": message_forged,  # last: what was counted stays
}


def main(folder: str, port: str) -> None:
    came = {}
    with Stage(Path(folder), int(port)) as stage:
        running.until(lambda: '"state": "unknown"' not in httpx.get(f"{stage.shop}/privacy.json", timeout=60).text, 90)
        for name, sabotage in SABOTAGES.items():
            buyer.PATIENCE = 6.0 if name in ("mailbox", "silent") else 60.0  # some wait in vain
            said = io.StringIO()
            with contextlib.redirect_stdout(io.StringIO()), sabotage(stage), contextlib.redirect_stderr(said):
                code = once.through(stage)
            came[name] = [code, said.getvalue()]
    print(json.dumps(came))


if __name__ == "__main__":
    main(*sys.argv[1:])
