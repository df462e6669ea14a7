"""The shop as three users of the system: who owns which file, and systemd units that run each process shut in.

Formats: systemd.service(5), systemd.exec(5), sysusers.d(5), tmpfiles.d(5). The keeper's user alone reads the keyring
and the root key; web and worker share the rest through one group. systemd takes away what each does not need; that the
keeper's files are refused is tried by web and worker themselves at each start (separation.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from troth.config import Config

DOORS = Path("/run/troth")
KEEPER = "network-online.target troth-keeper.service"
# No memory that is both written and executed would suit, too, but Python's ctypes needs it for callbacks.
SHUT_IN = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM"""


class Users(msgspec.Struct, frozen=True):
    """Names (or numbers) of the three users and of the group that web and worker share."""

    keeper: str = "troth-keeper"
    worker: str = "troth-worker"
    web: str = "troth-web"
    group: str = "troth"


def files(config: Config, users: Users) -> dict[str, str]:
    """Path below /etc -> content."""
    return {
        "sysusers.d/troth.conf": _sysusers(users),
        "tmpfiles.d/troth.conf": _tmpfiles(config, users),
        "troth/handover.conf": _handover(config, users),
        "systemd/system/troth-keeper.service": _keeper(config, users),
        "systemd/system/troth-worker.service": _worker(config, users),
        "systemd/system/troth-web.service": _web(config, users),
        "systemd/system/troth.target": _target(),
    }


def _sysusers(users: Users) -> str:
    lines = [f"g {users.group} -"]
    for user in (users.keeper, users.worker, users.web):
        lines += [f'u {user} - "Troth" - -', f"m {user} {users.group}"]
    return "\n".join(lines) + "\n"


def _tmpfiles(config: Config, users: Users) -> str:
    """Who owns what, seen to at every start of the machine.

    Folders belong to root, so that nobody of the three can put another in its place (systemd-tmpfiles refuses else).
    """
    home, group, data = config.home, users.group, _database(config)
    lines = [f"d {home} 0750 root {group}"]
    lines += [f"d {path} 2770 root {group}" for path in _shared_folders(config)]
    if data:
        # Made here: SQLite itself would make it so that its owner alone can write, journal and all.
        lines += [f"f {data} 0660 {users.worker} {group}", f"z {data} 0660 {users.worker} {group}"]
    lines += [f"z {home / name} 0640 root {group}" for name in ("troth.toml", "web.key", "licence.key", "worker.pub")]
    looks = ("texts", "templates", *filter(None, (config.shop.logo, config.shop.logo_dark)))
    lines += [f"Z {home / name} ~0750 root {group}" for name in looks]
    lines += [f"z {home / 'worker.key'} 0400 {users.worker} {users.worker}"]  # the web process can make no proof
    for public in (home / "keeper.pub", home / "ledger.pub"):
        lines += [f"f {public} 0640 {users.keeper} {group}", f"z {public} 0640 {users.keeper} {group}"]
    lines += [f"z {home / 'catalogue.stamp'} 0660 {users.worker} {group}"]
    lines += [f"d {own} 0700 {users.keeper} {users.keeper}" for own in _keepers_own(config)]
    lines += [f"d {own} 0700 {users.worker} {users.worker}" for own in _copies_of_main(config)]
    return "\n".join(lines) + "\n"


def _handover(config: Config, users: Users) -> str:
    """For once: what a shop of one user has already written. "~" leaves bits away only: no file becomes executable."""
    lines = [f"Z {path} ~2770 {users.worker} {users.group}" for path in _shared_folders(config)]
    lines += [f"Z {own} ~0700 {users.keeper} {users.keeper}" for own in _keepers_own(config)]
    lines += [f"Z {own} ~0700 {users.worker} {users.worker}" for own in _copies_of_main(config)]
    return "\n".join(lines) + "\n"


def _shared_folders(config: Config) -> list[Path]:
    data = _database(config)
    names = ("run", "run/tmp", "media", "files", "uploads")
    return [*([data.parent] if data else []), *(config.home / name for name in names)]


def _keepers_own(config: Config) -> list[Path]:
    copies = [config.keyring_copies] if config.backup.recipients else []
    return [config.keyring.parent, config.root_key.parent, *copies]


def _copies_of_main(config: Config) -> list[Path]:
    """Where the worker puts backups, if it makes any."""
    return [config.main_copies] if config.backup.recipients else []


def _keeper(config: Config, users: Users) -> str:
    doors = " ".join(f"--door {role}={DOORS}/{role}.sock:{getattr(users, role)}" for role in ("web", "worker"))
    own = f"""\
RuntimeDirectory={DOORS.name}
RuntimeDirectoryMode=0755
UMask=0077
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
ReadWritePaths={" ".join(map(str, _keepers_own(config)))} {config.home}/keeper.pub
InaccessiblePaths=-{config.home}/data -{config.home}/files -{config.home}/media"""
    what = "the process that can open, and notes it first"
    return _service(what, users.keeper, users, _line(config, f"keeper {doors}"), own, after="network.target")


def _worker(config: Config, users: Users) -> str:
    own = f"""\
ExecStartPre={_line(config, "migrate")}
{_shared(config, "worker", *_copies_of_main(config))}"""
    return _service(
        "settles, delivers, writes, checks", users.worker, users, _line(config, "worker"), own, after=KEEPER
    )


def _web(config: Config, users: Users) -> str:
    low = "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE"
    own = _shared(config, "web") + (low if config.web.port < 1024 else "")
    after = f"{KEEPER} troth-worker.service"
    return _service("the pages", users.web, users, _line(config, "web"), own, after)


def _shared(config: Config, role: str, *own: Path) -> str:
    written = " ".join(map(str, [*_shared_folders(config), config.home / "catalogue.stamp", *own]))
    return f"""\
EnvironmentFile=-{config.home}/run/sandbox.env
Environment=TROTH_DOOR=unix:{DOORS}/{role}.sock TMPDIR={config.home}/run/tmp
UMask=0007
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
ReadWritePaths={written}
InaccessiblePaths={" ".join(map(str, _keepers_own(config)))}"""


def _service(what: str, user: str, users: Users, line: str, own: str, after: str) -> str:
    capabilities = "" if "CapabilityBoundingSet" in own else "CapabilityBoundingSet=\n"
    return f"""\
[Unit]
Description=Troth: {what}
After={after}
PartOf=troth.target

[Service]
Type=exec
User={user}
Group={user}
SupplementaryGroups={users.group}
Environment=MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576
ExecStart={line}
Restart=always
RestartSec=1
LimitCORE=0
{own}
{capabilities}{SHUT_IN}

[Install]
WantedBy=troth.target
"""


def _target() -> str:
    return """\
[Unit]
Description=Troth: the whole shop
Wants=troth-keeper.service troth-worker.service troth-web.service

[Install]
WantedBy=multi-user.target
"""


def _line(config: Config, verb: str) -> str:
    return f"{sys.executable} -P -m troth --home {config.home} {verb}"


def _database(config: Config) -> Path | None:
    """The file of an SQLite database."""
    parts = urlsplit(config.database.url)
    return config.home / parts.path.removeprefix("/") if parts.scheme == "sqlite" else None


def strays(config: Config) -> Iterator[str]:
    """Why these units would not serve this shop, a sentence each."""
    for path in (config.home, config.root_key):
        if any(character.isspace() or character == "%" for character in str(path)):
            yield f"{path} has a space or % in its name, which units cannot hold; choose another folder."


def write(folder: Path, made: Mapping[str, str]) -> list[Path]:
    """Write them below `folder`. OSError where that cannot be done."""
    paths = []
    for name, content in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        paths.append(path)
    return paths
