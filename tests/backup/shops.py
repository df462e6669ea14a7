"""Shops that make backups: real processes, an owner with an age identity, and folders for what is sealed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyrage

from tests.marker.customer import Customer
from tests.marker.shop import Watched
from tests.processes.running import until
from troth.sandbox import Sandbox


class Owner:
    """Somebody with an age identity, as age-keygen writes it."""

    def __init__(self, folder: Path) -> None:
        made = pyrage.x25519.Identity.generate()
        self.recipient, self.file = str(made.to_public()), folder / "owner.txt"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(f"# created: 2026-11-22T13:15:00Z\n# public key: {self.recipient}\n{made}\n")


class Buyer(Customer):
    """Somebody who buys the field guide as a guest, for themselves."""

    def buys(self) -> str:
        """The order's reference, once its letter has come."""
        self.browser.submit("/p/field-guide", {}, form="basket")
        bill = {
            "name": self.name, "email": self.email, "billing_name": self.name, "street": f"{self.mark} Street 1",
            "city": f"{self.mark} City", "billing_postcode": "10115", "country": "DE", "provider": "paypal",
        }  # fmt: skip
        ref = self.pays(self.browser.send(self.browser.get("/checkout"), bill, form="checkout"), "approve")
        self.link("/download/")
        return ref


class Kept(Watched):
    """A shop whose owner keeps backups. `troth` runs a command of the shop; `copies` are the files of a kind."""

    def __init__(self, folder: Path, sandbox: Sandbox, **environ: str) -> None:
        self.owner = Owner(folder)
        folders = {
            "TROTH_BACKUP_MAIN_FOLDER": str(folder / "copies" / "main"),
            "TROTH_BACKUP_KEYRING_FOLDER": str(folder / "copies" / "keyring"),
        }
        told = {"TROTH_BACKUP_RECIPIENTS": self.owner.recipient, "TROTH_BACKUP_EVERY": "0", **folders, **environ}
        super().__init__(folder, sandbox, **told)

    def troth(self, *line: str, home: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "troth", "--home", str(home or self.home), *line]
        environ = {**self.environ, **more}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)

    def begins(self, *line: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "troth", "--home", str(self.home), *line]
        return subprocess.Popen(command, env=self.environ, stdout=subprocess.DEVNULL, text=True)

    def asks(self, script: str, home: Path | None = None, **more: str) -> Any:
        """What a script prints as JSON that has the shop's Django set up."""
        begin = "import django, json; django.setup()\n"
        environ = {**self.environ, "DJANGO_SETTINGS_MODULE": "troth.faces.settings", **more}
        environ["TROTH_HOME"] = str(home or self.home)
        command = [sys.executable, "-P", "-c", begin + script]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def copies(self, kind: str) -> list[Path]:
        return sorted((self.folder / "copies" / kind).glob(f"{kind}-*.age"))

    def backs_up(self) -> tuple[Path, Path]:
        """`troth backup`; the newest copies of both kinds."""
        done = self.troth("backup")
        assert done.returncode == 0, done.stdout + done.stderr + self.log.read_text()
        return self.copies("main")[-1], self.copies("keyring")[-1]

    def again_at(self, home: Path, **more: str) -> subprocess.Popen[bytes]:
        """Serve what was brought back to another folder, on the port of the first, which must be stopped."""
        log = (self.folder / "again.log").open("wb")
        line = [sys.executable, "-P", "-m", "troth", "--home", str(home), "serve"]
        environ = {**self.environ, "TROTH_HOME": str(home), **more}
        with log:
            serving = subprocess.Popen(line, env=environ, stdout=log, stderr=log, start_new_session=True)
        said = self.folder / "again.log"
        until(lambda: "is open at" in said.read_text() or serving.poll() is not None, 60)
        assert serving.poll() is None, said.read_text()
        return serving
