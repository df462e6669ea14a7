"""Finding the ways out of a program: modules that can reach other machines, write files or give browsers cookies.

A module that imports a library for the first, or does one of the others, can tell or keep something; it is declared by
name with the promise that it serves (shop/ways_out.py). The sources are read, not run: a plug-in is judged before any
of its code acts. It finds what a colleague does in the open; for what hides there is the guard of each process
(pledge/egress.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

REACHING = (
    "aiohttp", "aiosmtplib", "asyncio", "boto3", "django.core.mail", "dns", "ftplib", "http.client", "httpx", "hvac",
    "imaplib", "logging.handlers", "nntplib", "paramiko", "poplib", "requests", "sentry_sdk", "smtplib", "socket",
    "socketserver", "subprocess", "syslog", "telnetlib", "twilio", "urllib.request", "urllib3", "webbrowser",
    "websockets", "xmlrpc",
)  # fmt: skip
_ONE = "|".join(re.escape(name) for name in REACHING)
_PARENTS = {name.rpartition(".")[0]: name.rpartition(".")[2] for name in REACHING if "." in name}
_IMPORT = re.compile(
    rf"^[ \t]*(?:import[ \t]+(?:[\w., \t]*,[ \t]*)?(?P<whole>{_ONE})\b"
    rf"|from[ \t]+(?P<of>{_ONE})\b(?:\.\w+)*[ \t]+import)",
    re.MULTILINE,
)
_FROM = re.compile(r"^[ \t]*from[ \t]+(?P<parent>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n]*)", re.MULTILINE)
_BY_NAME = re.compile(rf"(?:import_module|__import__)\(\s*[\"'](?P<name>{_ONE})\b")

# What is done without a library of its own: how a sentence speaks of it, what a source holds that does it (found fast),
# and the pattern that tells it from what only looks like it.
_DONE = (
    (
        "writes files",
        (".write_text(", ".write_bytes(", "os.open(", "os.fdopen(", "tempfile.", "shutil.", "FileHandler("),
        "",
    ),
    ("writes files", ("default_storage",), ""),
    ("writes files", ("open(",), r"open\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*[\"'](?:[wax][bt]?|[rwa]b?\+b?)[\"']"),
    ("prints", ("sys.stdout", "sys.stderr", "pprint"), ""),
    ("prints", ("print(",), r"(?<![\w.])print\("),
    ("gives browsers cookies", (".set_cookie(", ".set_signed_cookie("), ""),
    ("sees from where somebody comes", ("REMOTE_ADDR", "FORWARDED_FOR"), ""),
    ("sees from where somebody comes", ("callers",), r"api\.callers\s+import|api\s+import[^\n]*\bcallers\b"),
    (
        "places somebody by their address",
        ("places", "geoip", "maxminddb", "iptocc"),
        r"fraud import[^\n]*\bplaces\b|fraud\.places\b|(?:import|from)\s+(?:geoip\w*|maxminddb|iptocc)",
    ),
    ("gives browsers cookies", (".cookies[",), r"\.cookies\[[^\]]*\]\s*=(?!=)"),
)


_KINDS = {
    "uses": "reach", "writes": "write", "prints": "print", "gives": "give", "sees": "see", "places": "place"
}  # fmt: skip


def reaching(package: str) -> Iterator[tuple[str, str]]:
    """(module, how) for each module of a package that has a way out. Nothing for a package without sources."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(place).rglob("*.py")):
            parts = path.relative_to(place).with_suffix("").parts
            module = ".".join((package, *(part for part in parts if part != "__init__")))
            yield from ((module, how) for how in _ways(path.read_text("utf-8", "replace")))
    if spec and spec.origin and not spec.submodule_search_locations:
        yield from ((package, how) for how in _ways(Path(spec.origin).read_text("utf-8")))


def undeclared(packages: Iterable[str], declared: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each module of these packages that has a way out which nobody declared.

    `declared`: module -> which ways it has, of "reach", "write", "print", "give" (cookies), "see" and "place" (IP
    addresses). A name that ends in a
    dot stands for all that begin so.
    """
    for module, how in dict.fromkeys(found for package in packages for found in reaching(package)):
        kind = _KINDS[how.split()[0]]
        if not any(kind in kinds.split() for name, kinds in declared.items() if _is_meant(name, module)):
            yield f"{module} {how} and so could tell or keep something: say in shop/ways_out.py for which promise."


def _is_meant(name: str, module: str) -> bool:
    return module == name or (name.endswith(".") and module.startswith(name))


def _ways(source: str) -> list[str]:
    used = [f"uses {library}" for library in sorted(_libraries(source))]
    done = (
        how
        for how, signs, sure in _DONE
        if any(sign in source for sign in signs) and (not sure or re.search(sure, source))
    )
    return [*used, *dict.fromkeys(done)]


def _libraries(source: str) -> set[str]:
    found = {match["whole"] or match["of"] for match in _IMPORT.finditer(source)}
    found |= {match["name"] for match in _BY_NAME.finditer(source)}
    for match in _FROM.finditer(source):
        child = _PARENTS.get(match["parent"])
        if child and re.search(rf"\b{child}\b", match["names"]):
            found.add(f"{match['parent']}.{child}")
    return found
