"""Receipts: all that a stranger needs to check, offline, that one entry stands in the ledger.

The proof is text in the form of the draft C2SP tlog-proof (v1, without extra data): index, inclusion path, signed
checkpoint. A receipt adds the leaf and, for an entry about a person, the event and its salt, which only they are given:
the leaf's "c" is SHA-256(salt || event) in base64.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from troth.pledge.ledger import checkpoint, notes
from troth.pledge.ledger.paths import NotProven
from troth.pledge.ledger.tree import HASH, Tree

_TEXT = re.compile(r"c2sp\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,18})\n((?:\S{44}\n){0,63})\n(.*)", re.DOTALL)
LARGEST = 256 << 10  # a file of a receipt
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LEAF, PROOF, KEY, EVENT, SALT = "leaf.json", "receipt.tlog-proof", "vkey", "event.json", "salt.bin"


@dataclass(frozen=True)
class Proof:
    """Entry `index` stands in the log of `checkpoint`, a signed note kept word for word. Nothing is checked yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        hashes = "".join(f"{notes.encode(each)}\n" for each in self.path)
        return f"c2sp.org/tlog-proof@v1\nindex {self.index}\n{hashes}\n{self.checkpoint}"

    @classmethod
    def read(cls, text: str) -> Proof:
        """NotProven for text that is not exactly of that form."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise NotProven("this is no tlog-proof: it needs its first line, an index, hashes and a checkpoint")
        path = tuple(notes.decode(line) for line in found[2].split())
        if any(len(each) != HASH for each in path):
            raise NotProven("a proof consists of hashes of 32 bytes")
        return cls(int(found[1]), path, found[3])


def prove(tree: Tree, index: int, signed: str, *keys: notes.VerifyKey) -> Proof:
    """The proof of an entry under a signed checkpoint, the newest or an earlier one. ValueError if it came later."""
    return Proof(index, tuple(tree.inclusion(index, checkpoint.read(signed, *keys).size)), signed)


@dataclass(frozen=True)
class Receipt:
    """One entry with its proof and the key it is checked with. Event and salt: of entries about a person, else None."""

    leaf: bytes
    proof: str
    key: str
    event: bytes | None = None
    salt: bytes | None = None

    def files(self) -> dict[str, bytes]:
        """By name, as they lie in the archive."""
        files = {LEAF: self.leaf, PROOF: self.proof.encode(), KEY: f"{self.key}\n".encode()}
        if self.event is not None and self.salt is not None:
            files |= {EVENT: self.event, SALT: self.salt}
        return files

    def archive(self) -> bytes:
        """A zip of the files; the same receipt gives the same bytes."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files().items():
                archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        return packed.getvalue()

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> Receipt:
        """From its files. NotProven if one lacks, is one too many, or is no text where text is due."""
        about = {EVENT, SALT} & files.keys()
        if files.keys() - about != {LEAF, PROOF, KEY} or len(about) == 1:
            raise NotProven(f"a receipt has {LEAF}, {PROOF} and {KEY}; about a person also {EVENT} and {SALT}")
        try:
            proof, key = files[PROOF].decode(), files[KEY].decode("ascii").removesuffix("\n")
        except UnicodeDecodeError:
            raise NotProven("proof and key of a receipt are text") from None
        return cls(files[LEAF], proof, key, files.get(EVENT), files.get(SALT))

    @classmethod
    def unpack(cls, packed: bytes) -> Receipt:
        """From its archive. NotProven if it is none, or a file in it is larger than any of ours."""
        try:
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                held = archive.infolist()
                if len(held) > 5 or any(each.file_size > LARGEST or each.compress_type not in PACKED for each in held):
                    raise NotProven("this archive holds more than a receipt")
                return cls.read({each.filename: archive.read(each) for each in held})
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error):
            raise NotProven("this is no receipt: the archive cannot be read") from None
