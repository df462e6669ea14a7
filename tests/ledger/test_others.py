"""Somebody else's implementation of these formats (tlog-scales, from PyPI) reads and checks a log that we wrote."""

import subprocess
import sys
from pathlib import Path

import pytest
from tlog_scales import tiles as their_tiles
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint, ConsistencyProof, InclusionProof

from tests.ledger.logs import KEY, Log, entries, log_of
from troth.pledge.ledger.proof import Proof, prove

SIZE = 70_000


@pytest.fixture(scope="module")
def log() -> Log:
    return log_of(SIZE)


@pytest.fixture(scope="module")
def folder(log, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    log.export(folder)
    return folder


def theirs(folder: Path) -> tuple[TilesReader, Checkpoint]:
    reader = TilesReader(LocalBackend(folder))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(str(KEY.verify_key)))
    return reader, checkpoint


def their_cli(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tlog_scales.cli", *arguments]
    return subprocess.run(command, capture_output=True)


def test_they_verify_checkpoint_root_and_inclusion(folder):
    reader, checkpoint = theirs(folder)
    assert reader.calculate_root_hash() == checkpoint.root_hash
    for index in (0, 1, 255, 256, 65_535, 65_536, SIZE - 1):
        leaf = reader.get_entry(index)
        assert leaf == entries(1, index)[0]
        reader.get_inclusion_proof(index, SIZE).check(their_tiles.leaf_hash(leaf), checkpoint.root_hash)


def test_they_accept_the_proofs_that_we_make(log, folder):
    _, checkpoint = theirs(folder)
    for index in (0, 300, SIZE - 1):
        ours = InclusionProof(index, SIZE, log.tree.inclusion(index, SIZE))
        ours.check(their_tiles.leaf_hash(entries(1, index)[0]), checkpoint.root_hash)
    for old in (1, 256, 4321, 65_536, SIZE):
        ours = ConsistencyProof(old, SIZE, log.tree.consistency(old, SIZE))
        ours.check(log.tree.root(old), checkpoint.root_hash)
        assert ours.node_hashes == theirs(folder)[0].get_consistency_proof(old, SIZE).node_hashes


def test_their_command_line_makes_the_proof_that_we_make(log, folder):
    note = (folder / "checkpoint").read_text()
    done = their_cli("gen-proof", str(folder), "4321")
    assert done.stdout.decode() == str(prove(log.tree, 4321, note, KEY.verify_key))
    assert Proof.read(done.stdout.decode()).checkpoint == note
    assert their_cli("get-leaf", "-c", str(folder), "4321").stdout == b'{"n":4321}'


def test_they_refuse_a_flipped_byte(tmp_path):
    log_of(600).export(tmp_path)
    for name, at in {"tile/0/001": 40, "tile/1/000.p/2": 4, "tile/entries/001": 4 * 11 + 6}.items():
        intact = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(intact[:at] + bytes([intact[at] ^ 1]) + intact[at + 1 :])
        found = their_cli("get-leaf", "-c", str(tmp_path), "260")
        assert found.returncode != 0, name
        assert b"InclusionProofInvalid" in found.stderr, name
        (tmp_path / name).write_bytes(intact)
    assert their_cli("get-leaf", "-c", str(tmp_path), "260").returncode == 0
