"""The files of an export: what somebody sent with their questions, as it was."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from troth.pledge.vault.blobs import BadBlob
from troth.pledge.vault.classes import Enclosure
from troth.shop.support import files
from troth.shop.support.models import Attachment

FOLDER = "files"


def opened(data: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file whose key was opened for data.json. One that was altered is said to be."""
    tables = [table for table in data["tables"] if table["table"] == "support.Attachment"]
    for row in (row for table in tables for row in table["rows"]):
        told = row["enclosure"]
        attachment = Attachment.objects.filter(pk=row["id"]).first()
        if attachment is None or "key" not in told:
            continue
        enclosure = Enclosure(told["name"], told["kind"], base64.b64decode(told["key"]))
        name = f"{FOLDER}/{attachment.id}/{enclosure.name}"
        try:
            content = b"".join(files.contents(attachment, enclosure))
        except BadBlob:
            name, content = f"{name}.altered.txt", b"This file was altered where it lies, and cannot be shown.\n"
        yield name, content
