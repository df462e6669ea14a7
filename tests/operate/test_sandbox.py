"""`troth sandbox` beside an own shop: settings for it while both run, none afterwards, and never beside a live one."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import folder, free_port, plain_environment, troth, until
from troth import config

pytestmark = pytest.mark.processes
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"  # of the age specification's examples


def test_the_shop_is_told_where_they_are_for_as_long_as_they_run(tmp_path: Path) -> None:
    home, ports = folder(tmp_path / "shop"), [str(free_port()), str(free_port())]
    line = [sys.executable, "-P", "-m", "troth", "--home", str(home), "sandbox"]
    ports = ["--port", ports[0], "--smtp-port", ports[1]]
    running = subprocess.Popen([*line, *ports], env=plain_environment(), stdout=subprocess.PIPE, text=True)
    told = home / "run" / "sandbox.env"
    try:
        until(told.exists, 60)
        assert stat.S_IMODE(told.stat().st_mode) & 0o007 == 0
        environ = dict(one.split("=", 1) for one in told.read_text().splitlines())
        settings = config.load(home, environ=environ)
        assert settings.paypal.base_url == f"http://127.0.0.1:{ports[1]}/paypal"
        assert settings.mail.url == f"smtp://127.0.0.1:{ports[3]}"
        assert (home / settings.paypal.ca_file).read_text().startswith("-----BEGIN CERTIFICATE")
        second = troth("--home", str(home), "sandbox", *ports)
        assert second.returncode == 1 and "choose others with --port" in second.stderr
        assert told.exists()
    finally:
        running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=60)[0]
    assert running.returncode == 0 and f"http://127.0.0.1:{ports[1]}/mailbox/" in said
    assert not told.exists()


def test_a_live_shop_has_none(tmp_path: Path) -> None:
    home = folder(tmp_path / "shop")
    live = {"TROTH_SHOP_MODE": "live", "TROTH_WEB_PUBLIC_URL": "https://shop.acme.net", "TROTH_TAX_SCHEME": "origin"}
    live["TROTH_FRAUD_LIMITS"] = "on"
    for words in (["sandbox", "--port", "0", "--smtp-port", "0"], ["serve", "--sandbox"]):
        refused = troth("--home", str(home), *words, **live)
        assert refused.returncode == 1 and "the sandbox" in refused.stderr, refused.stderr
        assert not (home / "run" / "sandbox.env").exists()


def test_init_takes_where_backups_go_and_whose_packages_these_are(tmp_path: Path) -> None:
    made = troth("init", str(tmp_path / "shop"), "--yes", "--recipient", RECIPIENT, "--vendor", "acme")
    assert made.returncode == 0, made.stderr
    settings = config.load(tmp_path / "shop", environ={})
    assert (settings.backup.recipients, settings.composer.vendor) == ([RECIPIENT], "acme")
    told = troth("--home", str(tmp_path / "shop"), "units", "--to", str(tmp_path / "etc"))
    assert told.returncode == 0, told.stderr
    units = {path.stem: path.read_text() for path in (tmp_path / "etc/systemd/system").glob("*.service")}
    for role, kind in (("keeper", "keyring"), ("worker", "main")):
        (written,) = [line for line in units[f"troth-{role}"].splitlines() if line.startswith("ReadWritePaths=")]
        assert f"{tmp_path}/shop.backups/{kind}" in written.split("=", 1)[1].split()
    assert f"{tmp_path}/shop.backups/keyring" in units["troth-worker"].split("InaccessiblePaths=")[1].split()
    refused = troth("init", str(tmp_path / "other"), "--yes", "--recipient", "somebody")
    assert refused.returncode == 2 and "must be age recipients" in refused.stderr
    assert not (tmp_path / "other").exists()
