"""What is under git tells nothing of the machines it was written on, and pins everything it installs."""

import re

from tests.shape.tree import ROOT, tracked

# Written so that neither pattern finds itself.
MACHINE_PATHS = re.compile(rb"(?<![\w.$}-])/(?:work|root|Users|home/[a-z]+)/[\w.]")
REGISTRIES = re.compile(rb"pypi[.]org|python[h]osted|npmjs[.]org|/[o]pt/pypi")
PIN = re.compile(r"^[A-Za-z0-9._\[\],-]+==[^\s;]+(?: ; [^\\]+)? \\$")
PACKAGES_TO_RUN = 45


def findings(pattern: re.Pattern[bytes], data: bytes) -> list[int]:
    return [number for number, line in enumerate(data.splitlines(), 1) if pattern.search(line)]


def tracked_findings(pattern: re.Pattern[bytes]) -> dict[str, list[int]]:
    found = {str(path): findings(pattern, (ROOT / path).read_bytes()) for path in tracked()}
    return {name: numbers for name, numbers in found.items() if numbers}


def pins(name: str) -> dict[str, str]:
    """Package to version, from a file in which every line is a pin or one of its hashes."""
    found = {}
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if not line.startswith("    --hash=sha256:"):
            assert PIN.match(line), f"{name}: not a pin with a hash: {line}"
            package, version = line.split(" ")[0].split("==")
            found[package] = version
    return found


def test_no_machine_paths():
    assert tracked_findings(MACHINE_PATHS) == {}


def test_no_registry_hosts():
    assert tracked_findings(REGISTRIES) == {}


def test_the_patterns_find_what_they_look_for():
    planted = b"x = 1\npath = '/" + b"root/shop'\nhttps://pypi." + b"org/simple\n"
    assert findings(MACHINE_PATHS, planted) == [2]
    assert findings(REGISTRIES, planted) == [3]
    assert findings(MACHINE_PATHS, b"$HOME/shop /srv/shop see src/home/page.py") == []


def test_every_package_is_pinned_with_hashes():
    run, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert len(run) <= PACKAGES_TO_RUN
    assert run.items() <= dev.items(), "tests run with what shops run with: make lock"
