"""`troth init` makes a folder that works and is closed to others, and never overwrites anything."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import plain_environment, troth
from troth import config

pytestmark = pytest.mark.processes


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_can_be_used_at_once(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "shop"
    name = 'Fern "hill" \\ Söhne'
    made = troth("init", str(home), "--yes", "--name", name, "--url", "http://127.0.0.1:8123", "--currency", "USD")
    assert made.returncode == 0, made.stderr
    settings = config.load(home, environ={})
    assert (settings.shop.mode, settings.shop.name, settings.shop.currency) == ("test", name, "USD")
    assert (settings.web.public_url, settings.web.port) == ("http://127.0.0.1:8123", 8123)
    assert mode(home) == mode(home / "keeper") == mode(settings.root_key.parent) == 0o700
    assert mode(home / "web.key") == mode(home / "troth.toml") == mode(settings.root_key) == 0o600
    assert settings.root_key.stat().st_size == 32
    assert home not in settings.root_key.parents
    assert str(settings.root_key) in made.stdout and "Copy it now" in made.stdout


def test_two_shops_have_different_secrets(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert troth("init", str(tmp_path / name), "--yes").returncode == 0
    for secret in ("web.key", "key/root.key"):
        one, two = (Path(f"{tmp_path / name}{'.' if '/' in secret else '/'}{secret}") for name in ("one", "two"))
        assert one.read_bytes() != two.read_bytes()


@pytest.mark.parametrize("there", ["shop/troth.toml", "shop/web.key", "shop.key/root.key"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, there: str) -> None:
    kept = tmp_path / there
    kept.parent.mkdir()
    kept.write_text("ours")
    again = troth("init", str(tmp_path / "shop"), "--yes")
    assert again.returncode == 1
    assert str(kept) in again.stderr
    assert kept.read_text() == "ours"


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--url", "http://shop.example.org", "use https"),
        ("--mail", "smtp://mail.example.org", "use smtp+starttls"),
        ("--name", "two\nlines", "one line of plain text"),
        ("--country", "Germany", "two capital letters, such as DE"),
        ("--currency", "eur", "three capital letters, such as EUR"),
        ("--email", "hello at acme", "an e-mail address"),
    ],
)
def test_an_answer_that_cannot_be_used_makes_nothing(tmp_path: Path, option: str, value: str, told: str) -> None:
    refused = troth("init", str(tmp_path / "shop"), "--yes", option, value)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_is_asked_for_again_and_the_others_are_kept(tmp_path: Path) -> None:
    home, (ours, theirs) = tmp_path / "shop", pty.openpty()
    typed = ["Acme", "", "", "nobody", "owner@acme.example", "Germany", "AT", "", "shop.example", "", ""]
    os.write(ours, "".join(f"{line}\n" for line in typed).encode())
    line = [sys.executable, "-P", "-m", "troth", "init", str(home)]
    with os.fdopen(ours, "wb"), os.fdopen(theirs, "rb") as terminal:
        told = subprocess.run(
            line, stdin=terminal, env=plain_environment(), capture_output=True, text=True, timeout=180
        )
    assert told.returncode == 0, told.stderr
    shop = config.load(home, environ={}).shop
    assert (shop.name, shop.contact_email, shop.country, shop.currency) == ("Acme", "owner@acme.example", "AT", "EUR")
    for why in ("It must be an e-mail address", "It must be two capital letters", "It must be an address that begins"):
        assert why in told.stdout + told.stderr


@pytest.mark.parametrize("command", ["serve", "web", "worker", "keeper"])
def test_wrong_settings_name_file_line_and_key(home: Path, command: str) -> None:
    path = home / "troth.toml"
    lines = path.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("port"))
    lines[number - 1] = 'port = "eighty"'
    path.write_text("\n".join([*lines, "[sails]", "color = 1"]))
    refused = troth("--home", str(home), command)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"troth: {path}, line {number}: [web] port must be a whole number.",
        f"troth: {path}, line {len(lines) + 1}: there is no section [sails]; remove it.",
    ]


def test_a_folder_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    refused = troth("--home", str(tmp_path / "nowhere"), "serve")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1 and "troth init" in refused.stderr
