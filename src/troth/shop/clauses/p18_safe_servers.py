"""P18: the computers and servers are kept in a safe and secure environment. Half of that is people's work."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from types import SimpleNamespace

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge.policy import kept_by_people
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, State, broken, gap, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import machine, mutations, separation

ENOUGH, LEAST = 1 << 30, 200 << 20  # bytes free: comfortable; below that nothing is safe
AUDIT_LASTS = 8  # days
CONFIRMED_FOR = timedelta(days=366)


def each_process_has_its_own_user(probe: Probe) -> Iterator[Finding]:
    if os.geteuid() == 0:
        yield (broken if probe.config.live else gap)("the shop runs as root: whoever takes it over has the machine")
    for role, how in sorted(separation.found(probe.config).items()):
        if how == "user":
            yield holds(f"the {role} process runs as another user than the keeper")
        else:
            yield gap(f"one user runs the {role} process and the keeper; `troth units` gives each its own")


def each_process_is_shut_in(probe: Probe) -> Iterator[Finding]:
    """Its memory is hidden from others of the same user, and nothing that it starts gains rights."""
    noted = separation.shut_in(probe.config)
    for role in ("web", "worker"):
        told = noted.get(role)
        if told is None:
            yield unknown(f"the {role} process did not say how it is shut in")
        elif not told:
            yield gap(f"this system cannot hide the memory of the {role} process from others of its user")
        else:
            if not told["memory"]:
                yield broken(f"any process of its user may read the memory of the {role} process")
            if not told["no new privileges"]:
                yield broken(f"what the {role} process starts may gain rights that it has not")
    yield holds("the processes that meet customers hide their memory, and nothing that they start gains rights")


def files_are_closed_to_others(probe: Probe) -> Iterator[Finding]:
    for path in machine.open_to_others(probe.config):
        yield broken(f"every user of this machine may look into {path.name}")
    yield holds("the shop's files are closed to other users of this machine")


def only_declared_ports_are_open(probe: Probe) -> Iterator[Finding]:
    declared = {probe.config.web.port, *probe.config.server.ports}
    undeclared = [port for port in machine.open_ports() if port.number not in declared]
    for port in undeclared:
        sentence = f"port {port.number} is open to other machines and not declared in [server] open_ports"
        yield (broken if port.ours or probe.config.live else gap)(sentence)
    if not undeclared:
        yield holds("no port is open to other machines but those that are declared")


def no_known_hole(probe: Probe) -> Iterator[Finding]:
    found = machine.audit(probe.config.home / "advisories.json")
    if found is None:
        yield gap("nobody looked for known holes yet: run pip-audit (docs/operate/servers.md)")
        return
    for hole in found.holes:
        yield broken(f"a version with a known hole runs here: {hole}")
    if found.days > AUDIT_LASTS:
        yield unknown(f"known holes were looked for {found.days} days ago: run pip-audit again")
    elif not found.holes:
        yield holds(f"pip-audit knew of no hole in what runs here, {found.days} days ago")


def the_clock_is_kept(probe: Probe) -> Iterator[Finding]:
    kept = machine.clock_is_kept()
    yield (
        holds("the clock is kept right (NTP)") if kept else gap("the system does not say that its clock is kept right")
    )


def the_disk_has_room(probe: Probe) -> Iterator[Finding]:
    free = shutil.disk_usage(probe.config.home).free
    if free < LEAST:
        yield broken("the disk is nearly full: soon nothing can be noted, and so nothing opened")
    elif free < ENOUGH:
        yield gap("the disk has less than 1 GiB left")
    else:
        yield holds("the disk has room")


def people_confirmed_their_part(probe: Probe) -> Iterator[Finding]:
    confirmed = kept_by_people.confirmed("P18")
    for item, sentence in BY_PEOPLE.items():
        when = confirmed.get(item)
        if when and probe.now - when < CONFIRMED_FOR:
            yield holds(f"kept by people, confirmed on {when.date()}: {sentence}")
        else:
            yield gap(f"kept by people, not confirmed within a year (`troth confirm P18`): {sentence}")


# What no program can see. The owner confirms each once a year.
BY_PEOPLE = {
    "rooms": "the machine stands where only people we trust can touch it, or with a provider who says so in a contract",
    "disk": "its disks are encrypted",
    "updates": "the system's security updates are put in within a week",
    "root-key": "a copy of the root key lies away from the machine, closed to others",
    "backups": "backups lie away from the machine, and one was restored on trial this year",
    "logins": "only people who work here can log in to the machine, each under their own name",
}


@contextmanager
def _readable_secret() -> Iterator[None]:
    path = settings.TROTH.home / "web.key"
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        path.chmod(0o644)
        try:
            yield
        finally:
            path.chmod(0o600)  # as it was made: web and worker both plant this, and one sees what the other did


@contextmanager
def _opened_folder() -> Iterator[None]:
    """The monitoring's user counts the queue."""
    path = settings.TROTH.home / "data"
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        before = stat.S_IMODE(path.stat().st_mode)
        path.chmod(0o755)
        try:
            yield
        finally:
            path.chmod(before & 0o770)  # see above


@contextmanager
def _open_port() -> Iterator[None]:
    with mutations.replaced(settings, "TROTH", settings.TROTH), socket.create_server(("", 0)):
        yield


def _full_disk() -> AbstractContextManager[None]:
    full = SimpleNamespace(**{**vars(shutil), "disk_usage": lambda path: SimpleNamespace(free=1 << 20)})
    return mutations.replaced(_here(), "shutil", full)


def _rooted() -> AbstractContextManager[None]:
    hole = machine.Audit(0, ["django 1.2: CVE-2011-0696"])
    return mutations.replaced(machine, "audit", lambda path: hole)


def _here() -> object:
    import sys

    return sys.modules[__name__]


CLAUSE = Clause(
    id="P18",
    title=_("Safe servers"),
    words=_("The machines that keep what you told us are kept in a safe and secure environment."),
    stricter=_("Half of this is people's work. What no program can see is listed as kept by people, with its date."),
    enforced=(
        _("Each process runs as its own user, shut in by the system; the keeper's files are its own."),
        _("Users, permissions, open ports, versions, clock and disk are looked at every hour."),
    ),
    checks=(
        Check("each process has its own user", "runtime", each_process_has_its_own_user),
        Check("each process is shut in", "runtime", each_process_is_shut_in),
        Check("files are closed to other users", "static", files_are_closed_to_others),
        Check("only declared ports are open", "runtime", only_declared_ports_are_open),
        Check("no version with a known hole", "static", no_known_hole),
        Check("the clock is kept right", "runtime", the_clock_is_kept),
        Check("the disk has room", "runtime", the_disk_has_room),
        Check("people confirmed their part", "static", people_confirmed_their_part),
    ),
    mutants=(
        Mutant("a secret that every user may read", _readable_secret, turns=(files_are_closed_to_others,)),
        Mutant("the data folder is opened to all users", _opened_folder, turns=(files_are_closed_to_others,)),
        Mutant("a port open to other machines", _open_port, turns=(only_declared_ports_are_open,)),
        Mutant("a full disk", _full_disk, turns=(the_disk_has_room,)),
        Mutant("a version with a known hole", _rooted, turns=(no_known_hole,)),
        Mutant(
            "a profiler may look into the worker", separation.left_open, in_demo=False, turns=(each_process_is_shut_in,)
        ),
        Mutant(
            "nobody noted which user runs what",
            separation.forgotten,
            in_demo=False,
            turns=(each_process_has_its_own_user,),
            becomes=State.UNKNOWN,
        ),
        Mutant(
            "nothing keeps the clock",
            lambda: mutations.replaced(machine, "clock_is_kept", lambda: False),
            turns=(the_clock_is_kept,),
            becomes=State.GAP,
        ),
        Mutant(
            "what people confirmed is long ago",
            lambda: mutations.replaced(kept_by_people, "confirmed", lambda clause: {}),
            turns=(people_confirmed_their_part,),
            becomes=State.GAP,
        ),
    ),
    by_people=_("The rooms, the disks, the updates, the copies of key and data, and who may log in."),
)
