"""Finding the ways out of a program: modules that can reach other machines, programs or mailboxes.

A module that imports a library for that can tell somebody something; it is declared by name with the promise that it
serves (shop/ways_out.py). The sources are read, not run: a plug-in is judged before any of its code acts. It finds what
a colleague does in the open; for what hides there is the guard of each process (pledge/egress.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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


def reaching(package: str) -> Iterator[tuple[str, str]]:
    """(module, library) for each module of a package that can reach outside. Nothing for a package without sources."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(place).rglob("*.py")):
            parts = path.relative_to(place).with_suffix("").parts
            module = ".".join((package, *(part for part in parts if part != "__init__")))
            for library in sorted(_libraries(path.read_text("utf-8", "replace"))):
                yield module, library
    if spec and spec.origin and not spec.submodule_search_locations:
        yield from ((package, library) for library in sorted(_libraries(Path(spec.origin).read_text("utf-8"))))


def undeclared(packages: Iterable[str], declared: Iterable[str]) -> Iterator[str]:
    """One sentence for each module of these packages that can reach outside and that nobody declared.

    `declared` are names of modules; one that ends in a dot stands for all that begin so.
    """
    known = tuple(declared)
    for module, library in dict.fromkeys(found for package in packages for found in reaching(package)):
        if not any(module == name or (name.endswith(".") and module.startswith(name)) for name in known):
            yield (
                f"{module} uses {library} and so could tell somebody something: "
                "say in shop/ways_out.py for which promise."
            )


def _libraries(source: str) -> set[str]:
    found = {match["whole"] or match["of"] for match in _IMPORT.finditer(source)}
    found |= {match["name"] for match in _BY_NAME.finditer(source)}
    for match in _FROM.finditer(source):
        child = _PARENTS.get(match["parent"])
        if child and re.search(rf"\b{child}\b", match["names"]):
            found.add(f"{match['parent']}.{child}")
    return found
