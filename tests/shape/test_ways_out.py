"""What nobody declared stops the start: a table, a letter, a module that reaches outside; in an app put in as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from troth.pledge.rights import ways
from troth.pledge.rights.ways import _libraries
from troth.shop import holdings, ways_out
from troth.shop.clauses import BY_ID

HERE = Path(__file__).parents[2]
START = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "troth.faces.settings"
from troth.faces import settings
settings.INSTALLED_APPS.append("tests.shape.plugin")
import django; django.setup()
from troth.config import ConfigError
from troth.shop.holdings import refuse_undeclared
try: refuse_undeclared()
except ConfigError as no: print(*no.lines, sep="\\n"); sys.exit(3)
"""


def test_everything_of_ours_is_declared() -> None:
    assert list(ways_out.undeclared()) == []
    holdings.refuse_undeclared()


def test_each_way_out_names_a_promise() -> None:
    named = {
        *(promise for promise, _ in ways_out.MODULES.values()),
        *ways_out.LETTERS.values(),
        *ways_out.FILES.values(),
    }
    assert all(clause[0] == "P" and 1 <= int(clause[1:]) <= 20 for clause in named)
    assert BY_ID


def test_each_module_is_declared_for_what_it_does_and_for_no_more() -> None:
    """Who may reach the relay may not print whom it refuses."""
    found = {one for package in (*ways_out.HOUSE, "troth.faces.desk") for one in ways.reaching(package)}
    needed = set()
    for module, how in found:
        for name, (_, kinds) in ways_out.MODULES.items():
            kind = ways._KINDS[how.split()[0]]
            if ways._is_meant(name, module) and kind in kinds.split():
                needed.add((name, kind))
                break
    declared = {(name, kind) for name, (_, kinds) in ways_out.MODULES.items() for kind in kinds.split()}
    assert declared - needed == set()


def test_an_app_that_somebody_puts_in_is_held_to_the_same_lists() -> None:
    done = subprocess.run([sys.executable, "-c", START], cwd=HERE, capture_output=True, text=True, env=_environ())
    assert done.returncode == 3, done.stderr
    told = done.stdout.splitlines()
    assert any(line.startswith("plugin.Birthday is not declared") for line in told)
    assert any(line.startswith("tests.shape.plugin.newsletter uses django.core.mail") for line in told)
    assert any("birthday" in line and "letter" in line for line in told)


def _environ() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": f"{HERE / 'src'}{os.pathsep}{HERE}"}


@pytest.mark.parametrize(
    ("source", "library"),
    [
        ("import requests", "requests"),
        ("import json, smtplib", "smtplib"),
        ("    from http.client import HTTPConnection", "http.client"),
        ("from django.core import validators, mail", "django.core.mail"),
        ("from urllib import (\n    parse,\n    request,\n)", "urllib.request"),
        ("client = importlib.import_module('httpx')", "httpx"),
    ],
)
def test_a_library_is_seen_however_it_is_imported(source: str, library: str) -> None:
    assert library in _libraries(source)


@pytest.mark.parametrize(
    "source", ["from urllib.parse import urlsplit", "import sockets", "# import requests later", "x"]
)
def test_what_reaches_nowhere_is_left_alone(source: str) -> None:
    assert _libraries(source) == set()


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ('with (home / "errors.txt").open("a") as file:', "writes files"),
        ("open(path, mode='wb')", "writes files"),
        ('path.open("x", encoding="utf-8")', "writes files"),
        ("note.write_text(body)", "writes files"),
        ("tempfile.mkstemp()", "writes files"),
        ("    print(order)", "prints"),
        ("sys.stderr.write(text)", "prints"),
        ("response.set_cookie('src', came)", "gives browsers cookies"),
        ("response.cookies['src'] = came", "gives browsers cookies"),
        ("said = request.META['REMOTE_ADDR']", "sees from where somebody comes"),
        ("from troth.faces.api.callers import came_from", "sees from where somebody comes"),
        ("from troth.shop.fraud import keyed, places", "places somebody by their address"),
        ("    import geoip2.database", "places somebody by their address"),
    ],
)
def test_files_words_and_cookies_are_ways_out_too(source: str, how: str) -> None:
    assert how in ways._ways(source)


@pytest.mark.parametrize(
    "source",
    [
        'path.open("rb")',
        "door().open([row.contact], purpose='deliver')",
        "blueprint(x)",
        "places = 3",
        "request.cookies['a'] == b",
    ],
)
def test_reading_is_no_way_out(source: str) -> None:
    assert ways._ways(source) == []


def test_a_package_without_a_declaration_is_told_by_module() -> None:
    told = list(ways.undeclared(["troth.shop.delivery"], {}))
    assert told and told[0].startswith("troth.shop.delivery.post uses smtplib")
    assert list(ways.undeclared(["troth.shop.delivery"], {"troth.shop.delivery.": "write"})) == told
