"""Files of goods, kept under their content: a reader sees the whole file or none, and the same bytes lie there once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec
from django.conf import settings

PIECE = 1 << 20  # bytes in memory at a time, however large the file is


class Kept(msgspec.Struct, frozen=True):
    name: str  # below its root
    size: int
    sha256: str


def lies(file: str) -> Path:
    """Where the file of a version is: with what was brought on the server, or with what came in at the desk."""
    came_in = settings.UPLOADS_ROOT.name + "/"
    if file.startswith(came_in):
        return settings.UPLOADS_ROOT / file.removeprefix(came_in)
    return settings.FILES_ROOT / file


def keep(source: Path, root: Path, name: str = "") -> Kept:
    """Copy a file below `root`, into a folder named by its content; `name` is the shop's own for it.

    What is kept is what was hashed, whatever happens to `source` meanwhile. OSError where that cannot be done; then
    nothing half made is left.
    """
    root.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as original, tempfile.NamedTemporaryFile(dir=root, prefix=".new-", delete=False) as copy:
        draft = Path(copy.name)
        try:
            while piece := original.read(PIECE):
                digest.update(piece)
                size += copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
            kept = f"{digest.hexdigest()[:16]}/{name or source.name}"
            (root / kept).parent.mkdir(exist_ok=True)
            draft.chmod(0o644)
            draft.replace(root / kept)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    return Kept(kept, size, digest.hexdigest())
