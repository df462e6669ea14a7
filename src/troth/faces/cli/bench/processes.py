"""What processes cost, as Linux counts it (proc(5)). CPU time is that of all their threads, user and system."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds


def tree(pid: int) -> list[int]:
    """A process and all that it started, with theirs."""
    found = [pid]
    for one in found:
        for told in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in told.read_text().split()]
    return found


def roles(supervisor: int) -> dict[str, list[int]]:
    """supervisor, keeper, worker, web: their processes."""
    found = {"supervisor": [supervisor]}
    for told in Path(f"/proc/{supervisor}/task").glob("*/children"):
        for child in told.read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            found[words[-2]] = tree(int(child))
    return found


def cpu_ms(pids: Iterable[int]) -> float:
    """CPU time used so far, in milliseconds, in steps of a clock tick (10 ms)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total * TICK


class Memory(NamedTuple):
    mib: float
    measure: str  # "PSS": shared pages are divided by those who share them; "RSS": counted for each


def memory(pids: Iterable[int]) -> Memory:
    """PSS where we may read it (the shop hides its processes' memory from other users' eyes, root's excepted)."""
    listed = list(pids)
    try:
        return Memory(sum(_kib(pid, "smaps_rollup", "Pss:") for pid in listed) / 1024, "PSS")
    except PermissionError:
        return Memory(sum(_kib(pid, "status", "VmRSS:") for pid in listed) / 1024, "RSS")


def resident(pid: int) -> float:
    """MiB of memory that a process holds, shared pages counted in full."""
    return _kib(pid, "status", "VmRSS:") / 1024


def _kib(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(f"/proc/{pid}/{file} has no line {name}")


class Spent(NamedTuple):
    """CPU milliseconds by role, and the seconds that passed meanwhile."""

    by_role: dict[str, float]
    seconds: float

    @property
    def total(self) -> float:
        return sum(self.by_role.values())

    def without(self, idle: Spent) -> Spent:
        """What was spent beyond what they spend while nothing happens."""
        share = self.seconds / idle.seconds
        return Spent({role: ms - idle.by_role[role] * share for role, ms in self.by_role.items()}, self.seconds)


def spent(listed: dict[str, list[int]], act: Callable[[], object]) -> Spent:
    """What `act` makes these processes spend."""
    before, began = {role: cpu_ms(pids) for role, pids in listed.items()}, time.monotonic()
    act()
    seconds = time.monotonic() - began
    return Spent({role: cpu_ms(pids) - before[role] for role, pids in listed.items()}, seconds)


def machine() -> str:
    """Processors, their make, and how busy they were in the last minute: load tells how far to trust the numbers."""
    makes = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    make = makes[0].partition(":")[2].strip() if makes else "unknown make"
    return f"{os.cpu_count()} x {make}, load {os.getloadavg()[0]:.1f}"
