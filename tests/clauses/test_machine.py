"""What P18 sees of a machine is what is there: files, ports, the file of known holes, and what people confirmed."""

import json
import os
import socket
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from django.conf import settings

from tests.processes import running
from troth.pledge import clock
from troth.pledge.policy import kept_by_people
from troth.pledge.policy.clause import State
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import machine, p18_safe_servers


def probe(home: Path) -> Probe:
    return Probe(msgspec.structs.replace(settings.TROTH, home=home), clock.now(), site=None)  # type: ignore[arg-type]


def state(check: object, home: Path) -> set[State]:
    return {finding.state for finding in check(probe(home))}  # type: ignore[operator]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return running.folder(tmp_path / "home")


@pytest.mark.parametrize("name", ["web.key", "troth.toml"])
def test_a_secret_that_others_may_read_is_named(home: Path, name: str) -> None:
    config = probe(home).config
    assert list(machine.open_to_others(config)) == []
    (home / name).chmod(0o604)
    assert list(machine.open_to_others(config)) == [home / name]


def test_in_an_open_folder_every_open_file_is_named(home: Path) -> None:
    (home / "data" / "export.csv").write_text("")
    (home / "data" / "export.csv").chmod(0o644)
    home.chmod(0o755)
    assert set(machine.open_to_others(probe(home).config)) == {home, home / "data" / "export.csv"}


@pytest.mark.parametrize(
    ("family", "here", "everywhere"), [(socket.AF_INET, "127.0.0.1", ""), (socket.AF_INET6, "::1", "::")]
)
def test_only_ports_that_others_reach_are_seen_and_ours_are_known(family: int, here: str, everywhere: str) -> None:
    with socket.create_server((here, 0), family=family) as inside:
        with socket.create_server((everywhere, 0), family=family) as outside:
            seen = {port.number: port.ours for port in machine.open_ports()}
            assert seen[outside.getsockname()[1]] is True
            assert inside.getsockname()[1] not in seen
        assert outside.fileno() == -1
    assert all(not port.ours for port in machine.open_ports())


def audit(home: Path, vulns: list[dict[str, str]], days: float = 0) -> None:
    """A file as pip-audit writes it."""
    path = home / "advisories.json"
    path.write_text(json.dumps({"dependencies": [{"name": "django", "version": "5.2.1", "vulns": vulns}], "fixes": []}))
    then = clock.now().timestamp() - days * 86400
    os.utime(path, (then, then))


def test_known_holes_are_told_and_an_old_answer_is_unknown(home: Path) -> None:
    check = p18_safe_servers.no_known_hole
    assert state(check, home) == {State.GAP}
    audit(home, [])
    assert state(check, home) == {State.HOLDS}
    audit(home, [], days=30)
    assert state(check, home) == {State.UNKNOWN}
    audit(home, [{"id": "PYSEC-2026-1"}])
    assert "django 5.2.1: PYSEC-2026-1" in " ".join(finding.sentence for finding in check(probe(home)))
    assert state(check, home) == {State.BROKEN}
    (home / "advisories.json").write_text("[]")
    assert state(check, home) == {State.GAP}


@pytest.mark.django_db
def test_what_people_confirm_lasts_a_year(home: Path) -> None:
    check = p18_safe_servers.people_confirmed_their_part
    assert state(check, home) == {State.GAP}
    kept_by_people.confirm("P18", p18_safe_servers.BY_PEOPLE)
    assert state(check, home) == {State.HOLDS}
    later = Probe(settings.TROTH, clock.now() + timedelta(days=367), site=None)  # type: ignore[arg-type]
    assert {finding.state for finding in check(later)} == {State.GAP}


def test_an_undeclared_port_is_told_and_nothing_to_the_contrary(home: Path) -> None:
    with socket.create_server(("", 0)) as outside:
        findings = list(p18_safe_servers.only_declared_ports_are_open(probe(home)))
        assert f"port {outside.getsockname()[1]} is open" in " ".join(finding.sentence for finding in findings)
        assert State.HOLDS not in {finding.state for finding in findings}


@pytest.mark.parametrize(("free", "said"), [(1 << 20, State.BROKEN), (500 << 20, State.GAP), (1 << 40, State.HOLDS)])
def test_the_disk_has_one_state(home: Path, monkeypatch: pytest.MonkeyPatch, free: int, said: State) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    assert state(p18_safe_servers.the_disk_has_room, home) == {said}
