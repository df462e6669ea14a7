"""`python -m troth.sandbox --mode test --port-file FILE`: the sandbox as a process, until SIGTERM or SIGINT.

FILE gets the addresses as JSON (the fields of `Addresses`), readable by its owner only, once everything listens.
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

import msgspec

from troth.sandbox import PayPalMerchant, Sandbox


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m troth.sandbox", description="PayPal and Skrill look-alikes")
    parser.add_argument("--mode", required=True, help='the shop\'s mode; only "test" is served')
    parser.add_argument("--port-file", type=Path, required=True, help="where to write the addresses, as JSON")
    parser.add_argument("--port", type=int, default=0, help="HTTP port (0: any free one)")
    parser.add_argument("--smtp-port", type=int, default=0, help="mail port (0: any free one)")
    parser.add_argument("--webhook-url", default="", help="where the shop takes PayPal's webhooks")
    options = parser.parse_args(argv)
    try:
        merchant = PayPalMerchant(webhook_url=options.webhook_url)
        sandbox = Sandbox(options.mode, port=options.port, smtp_port=options.smtp_port, paypal=merchant)
    except ValueError as wrong:
        parser.error(str(wrong))
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        _write(options.port_file, msgspec.json.encode(sandbox.start()))
        ended.wait()
    finally:
        sandbox.stop()
        options.port_file.unlink(missing_ok=True)
    return 0


def _write(path: Path, content: bytes) -> None:
    """All or nothing: whoever waits for the file never reads half of it."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
