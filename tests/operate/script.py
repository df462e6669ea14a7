"""docs/operate/install.md as a script: its blocks, with the folders, ports and users of a test in place of its own."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.shape.tree import ROOT

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(name: str, heading: str = "") -> list[str]:
    """The blocks to be pasted, in order; below one heading, or above "Open for the world" where none is named."""
    text = (ROOT / "docs/operate" / name).read_text("utf-8")
    part = text.split(f"## {heading}\n", 1)[1] if heading else text.split("## Open for the world", 1)[0]
    return BLOCK.findall(part)


def told(text: str, instead: Mapping[str, str]) -> str:
    """The text with each of its own names replaced; every one must stand there."""
    for name, ours in instead.items():
        assert name in text, f"the page does not name {name} any more"
        text = text.replace(name, ours)
    return text


class Shell:
    """Runs blocks one after the other, as one shell would: what one exports or defines, the next has."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder, self.environ, self._before = folder, dict(environ), ""

    def run(self, block: str, *, code: int = 0) -> str:
        """What a block says. Each line must end well, as by hand."""
        kept = [line for line in block.splitlines() if re.match(r"(export |\w+\(\) \{)", line)]
        line = ["sh", "-euc", f"{self._before}\n{block}"]
        done = subprocess.run(
            line, cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=180,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, f"{block}\n{done.stdout}{done.stderr}"
        self._before = "\n".join([self._before, *kept])
        return done.stdout
