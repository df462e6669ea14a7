"""`troth init` makes a folder that works and is closed to others, and never overwrites anything."""

import stat
from pathlib import Path

import pytest

from tests.processes.running import troth
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
    ],
)
def test_an_answer_that_cannot_be_used_makes_nothing(tmp_path: Path, option: str, value: str, told: str) -> None:
    refused = troth("init", str(tmp_path / "shop"), "--yes", option, value)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


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
