"""The supervisor with the probe in web's place: `python -m tests.processes.stage`, in the folder TROTH_HOME.

A person's name is sealed first, and opened once through the worker's door: what the probe tries in vain can be done.
"""

import sys
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.processes import probe
from troth import config
from troth.faces.cli.serve import environment, prepare
from troth.faces.cli.supervisor import Supervisor
from troth.pledge.keeper import messages
from troth.pledge.vault.sealing import read_key_set, seal


def plant(supervisor: Supervisor, home: Path) -> None:
    """A sealed name, and the proof that the worker's door opens it."""
    door = supervisor._doorways.roles["worker"]
    blank = probe.ask(door, messages.Blank(1)).blanks[0]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex((home / "keeper.pub").read_text().strip()))
    keys = read_key_set(key, blank.key_set, blank.ref)
    place = messages.Place("order", "contact", "row-1", blank.ref, "contact", 1)
    record = messages.Record(place, seal(keys, place, b"Alice"))
    opening = messages.Open([record], "deliver", "deliver")
    assert probe.ask(door, opening) == messages.Refusal("behind")  # until the worker said what the shop has seen
    probe.ask(door, messages.Hello())
    opened = probe.ask(door, opening)
    assert isinstance(opened, messages.Opened) and opened.values == [b"Alice"]
    (home / "run" / "record").write_bytes(msgspec.msgpack.encode(record))


def main() -> int:
    settings = config.load()
    prepare(settings)
    asleep = [sys.executable, "-c", "import time; time.sleep(600)", "worker"]
    commands = {"web": [sys.executable, "-m", "tests.processes.probe"], "worker": asleep}
    supervisor = Supervisor(settings.home, environment(), commands)
    report = settings.home / "run" / "probe.json"
    began = supervisor.begin(lambda: plant(supervisor, settings.home), report.exists)
    supervisor.stop()
    return 0 if began else 1


if __name__ == "__main__":
    sys.exit(main())
