"""A shop of real processes with all that it says caught in files, and the look-alikes in this process's memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.processes import running
from tests.processes.running import until
from tests.shape.tree import ROOT
from troth.sandbox import Sandbox

PLANTS = Path(__file__).parent / "plants"


class Watched(running.Serving):
    """`troth serve` beside a sandbox, with something to sell. Everything lies in `folder`."""

    def __init__(self, folder: Path, sandbox: Sandbox, **environ: str) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.home, self.log = running.folder(folder / "home"), folder / "said.log"
        toml = (self.home / "troth.toml").read_text()
        self.url = next(line.split('"')[1] for line in toml.splitlines() if "public_" in line)
        sandbox.paypal.merchant.webhook_url = f"{self.url}/hooks/paypal"
        self.environ = self._environment(environ)
        self._prepare()
        with self.log.open("wb") as log:
            line = [sys.executable, "-P", "-m", "troth", "--home", str(self.home), "serve"]
            self.process = subprocess.Popen(line, env=self.environ, stdout=log, stderr=log, start_new_session=True)
        until(lambda: "is open at" in self.log.read_text() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log.read_text()
        until(lambda: self.blanks() >= 4, 60)

    def blanks(self) -> int:
        """How many newcomers the shop is prepared for."""
        lines = httpx.get(f"{self.url}/metrics", trust_env=False, timeout=20).text.splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("troth_blanks "))

    def _environment(self, environ: dict[str, str]) -> dict[str, str]:
        told = self.sandbox.start()
        sections = {
            "PAYPAL": told.paypal,
            "SKRILL": told.skrill,
            "MAIL": {**told.mail, "sender": "shop@fernhill.example"},
        }
        settings = {
            f"TROTH_{name}_{key}".upper(): value for name, keys in sections.items() for key, value in keys.items()
        }
        ours = running.plain_environment(TROTH_HOME=str(self.home), **settings, **environ)
        return ours | {"PYTHONPATH": os.pathsep.join([ours["PYTHONPATH"], str(PLANTS)])}

    def _prepare(self) -> None:
        """Tables and goods, by the shop's own commands."""
        (self.home / "data").mkdir(mode=0o700, exist_ok=True)
        for line in (["-P", "-m", "troth", "migrate"], ["-m", "tests.faults.goods"]):
            subprocess.run([sys.executable, *line], env=self.environ, cwd=ROOT, check=True, timeout=120)
