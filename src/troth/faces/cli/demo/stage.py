"""A whole shop to try: sandbox, sample goods, keeper, worker and web, in one folder, on this machine alone.

The folder (`build/demo`) holds everything that the demo writes: `shop/` and `shop.key/` as `troth init` makes them,
`goods/` as goods/build.py does, `log/`. A second start keeps the data and only tells the shop the sandbox's new
addresses. Mails and the providers' books are in the sandbox's memory and end with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Self

import click

import troth
from troth import config
from troth.faces.cli import init, process
from troth.faces.cli.serve import answers, environment, prepare

GOODS = Path(troth.__file__).resolve().parents[2] / "goods" / "build.py"
PATIENCE = 30.0  # seconds for each part to come up
STOP_WITHIN = 15.0
SHOP = {
    "mode": "test",
    "name": "Fernhill Extensions",
    "tagline": "Small, finished modules for Magento 2",
    "legal_name": "Fernhill Extensions Ltd (a demo)",
    "address": "1 Fern Hill, 00000 Nowhere",
    "contact_email": "hello@fernhill.example",
    "country": "DE",
    "currency": "EUR",
}


COUPON = "FERN20"
COMPOSER = {"vendor": "fernhill"}

TAX = {"scheme": "destination", "prices": "gross", "vat_number": "DE000000000"}


class Stage:
    """`with Stage(folder, port) as stage:` runs the demo; leaving it stops all that was started.

    Raises click.ClickException with one sentence where a part does not come up. `shop_section` is [shop].
    """

    shop_section: dict[str, str] = SHOP

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder.absolute(), port
        self.home, self.goods, self.log = (self.folder / name for name in ("shop", "goods", "log"))
        self.shop, self.mailbox, self.control = f"http://127.0.0.1:{port}", "", ""
        self._running: list[subprocess.Popen[bytes]] = []
        self._held: IO[str] | None = None
        ours = {name: value for name, value in environment().items() if not name.startswith("TROTH_")}
        self.environ = {**ours, "TROTH_HOME": str(self.home)}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        for folder in (self.folder, self.log, self.folder / "sandbox"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._alone()
        sandbox = self._sandbox()
        self.mailbox, self.control = sandbox["mailbox"], sandbox["control"]
        settings = self._settings(sandbox)
        prepare(settings)
        shutil.copytree(GOODS.parent / "texts", self.home / "texts", dirs_exist_ok=True)
        self._make_goods()
        self._run(self.command("migrate"), "migrate")
        self._run(self.command("stock", str(self.goods)), "stock")
        self._run(self.command("coupons", "add", COUPON, "--percent", "20"), "coupons")
        shop = self._begin(self.command("serve"), "shop")
        self._until(lambda: answers(settings), shop, "The shop")

    def _make_goods(self) -> None:
        """Built anew: the sources may have changed."""
        shutil.rmtree(self.goods, ignore_errors=True)
        self._run([sys.executable, str(GOODS), str(self.goods)], "goods")

    def stop(self) -> None:
        """Stop the shop, then the sandbox."""
        for running in reversed(self._running):
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
        self._running.clear()
        if self._held is not None:
            self._held.close()

    def wait(self) -> None:
        """Until the shop ends by itself, which it should not: ClickException."""
        self._running[-1].wait()
        raise click.ClickException(f"The shop ended; {self.log / 'shop.log'} says why.")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "troth", *words]

    def _alone(self) -> None:
        """One demo in a folder."""
        self._held = (self.folder / "running").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(f"A demo is running in {self.folder} already; stop it or give --dir.") from None

    def _sandbox(self) -> dict[str, Any]:
        told = self.folder / "sandbox" / "addresses.json"
        told.unlink(missing_ok=True)
        line = ["-m", "troth.sandbox", "--mode", "test", "--port-file", str(told)]
        hook = ["--webhook-url", f"{self.shop}/hooks/paypal"]
        running = self._begin([sys.executable, "-P", *line, *hook], "sandbox", TMPDIR=str(told.parent))
        self._until(told.exists, running, "The sandbox")
        addresses: dict[str, Any] = json.loads(told.read_text())
        return addresses

    def _settings(self, sandbox: dict[str, Any]) -> config.Config:
        """The shop's settings, with this start's addresses of the sandbox. A new folder where there is none."""
        web = {"host": "127.0.0.1", "port": self.port, "public_url": self.shop}
        sections: dict[str, dict[str, Any]] = {
            "shop": self.shop_section,
            "tax": TAX,
            "web": web,
            "keeper": {"blanks": 50},
            "composer": COMPOSER,
        }
        given: dict[str, dict[str, Any]] = {name: sandbox[name] for name in ("mail", "paypal", "skrill")}
        text = _toml(sections | given)
        path = self.home / "troth.toml"
        if not path.exists():
            return init.make(self.home, text)
        path.write_text(text)
        return config.load(self.home, environ={})

    def _run(self, line: Sequence[str], name: str) -> None:
        """A step of the preparation, to its end."""
        with (self.log / f"{name}.log").open("wb") as log:
            done = subprocess.run(line, env=self.environ, stdout=log, stderr=log, check=False)  # noqa: S603
        if done.returncode != 0:
            raise click.ClickException(f"The step {name!r} failed; {self.log / f'{name}.log'} says why.")

    def _begin(self, line: Sequence[str], name: str, **environ: str) -> subprocess.Popen[bytes]:
        us = os.getpid()
        with (self.log / f"{name}.log").open("ab") as log:
            running = subprocess.Popen(  # noqa: S603 - our own commands
                line,
                env=self.environ | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: _bound(us),
            )
        self._running.append(running)
        return running

    def _until(self, ready: Callable[[], bool], running: subprocess.Popen[bytes], who: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if running.poll() is not None or time.monotonic() > deadline:
                raise click.ClickException(f"{who} did not start; the files in {self.log} say why.")
            time.sleep(0.03)


def free_port(wanted: int | None, usual: int = 8000) -> int:
    """`wanted`, or the usual one if it is free, or any free one. ClickException where `wanted` is taken."""
    for port in (wanted,) if wanted else (usual, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise click.ClickException(f"Port {wanted} is taken; give another one with --port.")


def _bound(parent: int) -> None:
    process.die_with(parent)


def _toml(sections: dict[str, dict[str, Any]]) -> str:
    """Settings as TOML; its strings and whole numbers are written as JSON's."""
    lines = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()), ""]
    return "\n".join(lines)
