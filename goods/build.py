"""Builds the sample goods: one archive for each release, the pictures, the catalogue, and their checksums.

    python goods/build.py OUT_DIR

writes OUT_DIR/catalogue.toml, OUT_DIR/files/*.zip, OUT_DIR/pictures/*.svg and OUT_DIR/SHA256SUMS (the format of
sha256sum; check it with `sha256sum -c`). The same sources give the same bytes on every machine: names are sorted, times
come from the release date, permissions are fixed, and nothing is compressed, since zlib and its successors differ.

Needs nothing but Python 3.11. Ends with 1 and one sentence if the catalogue and the sources disagree.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
import zipfile
from datetime import date
from pathlib import Path

from pictures import PICTURES

GOODS = Path(__file__).resolve().parent
LICENCE = GOODS.parent / "LICENSE"
PLAIN_FILE = 0o100644 << 16  # a regular file, rw-r--r--, where zip keeps Unix permissions
UNIX = 3


class Disagreement(Exception):
    """The catalogue names something that the sources do not have, or the other way round."""


def release_files(module: Path, version: str) -> dict[str, bytes]:
    """The files of one release: those of the first version, overlaid by each later one up to `version`."""
    versions = sorted((p.name for p in module.iterdir()), key=lambda v: [int(n) for n in v.split(".")])
    if version not in versions:
        raise Disagreement(f"There are no sources of {module.name} {version}.")
    files = {"LICENSE": LICENCE.read_bytes()}
    for layer in versions[: versions.index(version) + 1]:
        root = module / layer
        files |= {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    return files


def write_archive(target: Path, files: dict[str, bytes], day: date) -> None:
    """A zip with composer.json at its top, as Composer's artifact repositories and app/code both want it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
            entry.create_system = UNIX
            entry.external_attr = PLAIN_FILE
            archive.writestr(entry, files[name])


def build_archives(products: list[dict], out: Path) -> None:
    """Every release the catalogue names, and no sources left over."""
    modules = {p["slug"]: p for p in products if p["kind"] == "module"}
    sources = {p.name: p for p in (GOODS / "modules").iterdir()}
    if modules.keys() != sources.keys():
        raise Disagreement(f"Only in the catalogue or only in modules/: {sorted(modules.keys() ^ sources.keys())}.")
    for slug, module in modules.items():
        versions = {release["version"] for release in module["release"]}
        if left := {p.name for p in sources[slug].iterdir()} - versions:
            raise Disagreement(f"The catalogue does not have {slug} {sorted(left)}.")
        for release in module["release"]:
            files = release_files(sources[slug], release["version"])
            write_archive(out / release["file"], files, release["date"])


def build_pictures(products: list[dict], out: Path) -> None:
    """Every picture the catalogue names, and none that it does not."""
    named = {picture["file"] for product in products for picture in product["picture"]}
    drawn = {f"pictures/{name}.svg": draw for name, draw in PICTURES.items()}
    if named != drawn.keys():
        raise Disagreement(f"Only in the catalogue or only drawn: {sorted(named ^ drawn.keys())}.")
    for name, draw in drawn.items():
        (out / name).write_text(draw(), encoding="utf-8", newline="\n")


def write_checksums(out: Path) -> None:
    lines = []
    for path in sorted(out.rglob("*"), key=lambda p: p.relative_to(out).as_posix()):
        if path.is_file() and path.name != "SHA256SUMS":
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n")
    (out / "SHA256SUMS").write_text("".join(lines), encoding="ascii", newline="\n")


def build(out: Path) -> None:
    """Build everything into `out`, which must be new or empty: a checksum must not cover a stranger's file."""
    if out.exists() and any(out.iterdir()):
        raise Disagreement(f"{out} is not empty.")
    (out / "files").mkdir(parents=True)
    (out / "pictures").mkdir()
    catalogue = (GOODS / "catalogue.toml").read_bytes()
    products = tomllib.loads(catalogue.decode())["product"]
    build_archives(products, out)
    build_pictures(products, out)
    (out / "catalogue.toml").write_bytes(catalogue)
    write_checksums(out)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("Usage: python goods/build.py OUT_DIR\n")
        return 2
    try:
        build(Path(arguments[0]))
    except Disagreement as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
