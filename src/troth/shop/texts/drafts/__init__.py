"""What `troth init` puts into a shop's folder: texts of law to complete, with places that say what belongs there.

They are drafts and no advice: the law of the owner's country decides what must stand in them.
"""

from __future__ import annotations

from pathlib import Path

from troth.config import Shop
from troth.law_texts import USUAL, Text, text_of

FOLDER = Path(__file__).parent
_MISSING = {
    "legal_name": "[[Replace me: who sells, with first and last name or the firm's full name]]",
    "address": "[[Replace me: street, postcode, town, country]]",
    "contact_email": "[[Replace me: an e-mail address that is read]]",
}


def draft(name: str, shop: Shop) -> Text:
    """A draft with what the settings know already. KeyError if there is none of this name."""
    if name not in USUAL:
        raise KeyError(name)
    written = (FOLDER / f"{name}.txt").read_text("utf-8")
    for key, place in _MISSING.items():
        written = written.replace(f"<{key}>", getattr(shop, key) or place)
    return text_of(name, written.replace("<name>", shop.name))


def write(folder: Path, shop: Shop) -> list[Path]:
    """Put the drafts that are missing into `folder`/texts; nothing is overwritten. The files that were made."""
    texts = folder / "texts"
    texts.mkdir(mode=0o755, exist_ok=True)
    made = []
    for name in USUAL:
        path = texts / f"{name}.md"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(draft(name, shop).whole)
        except FileExistsError:
            continue
        path.chmod(0o640)  # a folder that is open to others shall hold nothing of ours that they may read
        made.append(path)
    return made
