"""What an archive says about itself to Composer: the composer.json at its top, or in its only top folder.

Read once, when a release is put on the shelf; the repository (journeys/install.py) passes it on. Names of keys are
those of getcomposer.org, "The composer.json schema". Scripts, repositories and settings work in root packages only and
are left behind.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import msgspec

MOST_BYTES = 256 * 1024  # of composer.json
PASSED_ON = (
    "name", "description", "type", "keywords", "homepage", "license", "authors", "support", "funding", "require",
    "conflict", "replace", "provide", "suggest", "autoload", "include-path", "target-dir", "bin", "extra", "abandoned",
)  # fmt: skip
# The versions that Composer's VersionParser takes without rewriting; one that it does not take would break the whole
# repository for everybody.
VERSION = re.compile(
    r"v?\d{1,5}(\.\d{1,9}){0,3}(-?(stable|beta|b|rc|alpha|a|patch|pl|p)([.-]?\d{1,9})*)?", re.IGNORECASE
)


class Described(msgspec.Struct, frozen=True):
    """`manifest`: what Composer is told, {} for an archive that is none of its own; `sha1`: as its lock files want."""

    manifest: dict[str, Any]
    sha1: str


def describe(path: Path) -> Described:
    """Read an archive. ValueError, in words that follow its name, where its composer.json cannot be used."""
    with path.open("rb") as file:
        sha1 = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    return Described(_manifest(path), sha1)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            entry = _entry(archive)
            if entry is None:
                return {}
            if entry.file_size > MOST_BYTES:
                raise ValueError(f"has a composer.json of more than {MOST_BYTES // 1024} KiB")
            said = json.loads(archive.read(entry))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        return {}
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise ValueError("has a composer.json that is not valid JSON") from None
    if not isinstance(said, dict):
        raise ValueError("has a composer.json that is not an object")
    return {key: said[key] for key in PASSED_ON if key in said} | (
        {"version": said["version"]} if "version" in said else {}
    )


def _entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo | None:
    """composer.json as Composer itself finds it: at the top, else in the one folder that holds everything."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    if "composer.json" in entries:
        return entries["composer.json"]
    tops = {name.partition("/")[0] for name in entries}
    return entries.get(f"{tops.pop()}/composer.json") if len(tops) == 1 else None


def wrong(described: Described, package: str, version: str) -> str:
    """Why an archive cannot be a version of this Composer package, in words that follow its name; "" if it can."""
    manifest = described.manifest
    if not manifest:
        return f"has no composer.json, which a version of {package} needs"
    if manifest.get("name") != package:
        return f"says in its composer.json that it is another package than {package}"
    if manifest.get("version", version) != version:
        return f"says in its composer.json that it is another version than {version}"
    return "" if VERSION.fullmatch(version) else f"has the version {version}, which Composer does not take"
