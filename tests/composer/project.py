"""A Magento-like project of somebody who bought, and Composer in it: no packagist, no cache shared, no questions."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

# What the sample modules need of Magento: the project says that it has it.
MAGENTO = {
    "magento/framework": "103.0.7", "magento/module-backend": "102.0.7", "magento/module-config": "101.2.7",
    "magento/module-cron": "100.4.4", "magento/module-store": "101.1.7", "magento/module-sales": "103.0.7",
    "magento/module-catalog": "104.0.7", "magento/module-inventory-api": "1.2.5", "magento/module-eav": "102.1.7",
    "magento/module-catalog-inventory": "100.4.7", "magento/module-ui": "101.2.7", "magento/module-user": "101.2.7",
    "magento/module-customer": "103.0.7", "magento/module-email": "101.1.7", "magento/module-url-rewrite": "102.0.6",
    "magento/module-cms": "104.0.7", "magento/module-authorization": "100.4.7", "magento/module-shipping": "100.4.7",
}  # fmt: skip


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder, self._home = folder, folder.parent / f"{folder.name}.home"
        folder.mkdir(parents=True)
        said = {
            "name": "alice/shop",
            "repositories": [{"packagist.org": False}],
            "replace": MAGENTO,
            "config": {"lock": True},
        }
        (folder / "composer.json").write_text(json.dumps(said))

    def composer(self, *words: str) -> tuple[int, str]:
        """Run it; its exit code and all that it said, with line breaks as spaces."""
        program = shutil.which("composer")
        if program is None:
            pytest.skip("no composer here")
        environ = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        environ |= self.environ()
        command = [program, *words]
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def environ(self) -> dict[str, str]:
        """What keeps Composer to itself: a home of its own, no questions, wide lines."""
        return {
            "COMPOSER_HOME": str(self._home),
            "COMPOSER_ALLOW_SUPERUSER": "1",
            "COMPOSER_NO_INTERACTION": "1",
            "NO_COLOR": "1",
            "COLUMNS": "400",
        }

    def types(self, letter: str) -> tuple[int, str]:
        """Type what the letter says, line by line; what the last one gave."""
        lines = [line.strip() for line in letter.splitlines() if line.strip().startswith("composer ")]
        assert lines, letter
        for line in lines:
            code, said = self.composer(*shlex.split(line)[1:])
        return code, said

    def logs_in(self, key: str) -> None:
        """Another key in place of the one that stands there."""
        path = self.folder / "auth.json"
        path.write_text(re.sub(r'("password": )"[^"]*"', rf'\1"{key}"', path.read_text()))

    def has(self, package: str) -> str:
        """The version that is installed, "" for none."""
        path = self.folder / "vendor" / package / "composer.json"
        return json.loads(path.read_text())["version"] if path.exists() else ""

    def twin(self, folder: Path) -> Project:
        """The same project on another machine: its files without what was installed, and a fresh cache."""
        twin = Project(folder)
        for name in ("composer.json", "composer.lock", "auth.json"):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, folder / name)
        return twin
