"""Every language that the shop offers has its texts, compiled from the catalogue that stands beside them."""

from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings

WRITTEN_IN = "en"


def told(catalogue: Catalog) -> dict[object, object]:
    """What a catalogue says: the translated messages, without drafts."""
    return {(m.context, m.id): m.string for m in catalogue if m.id and m.string and not m.fuzzy}


def wanting(locale: Path, languages: set[str]) -> list[str]:
    """One line for each language without a catalogue, and for each catalogue not compiled as it stands."""
    sources = {code: locale / code / "LC_MESSAGES/django.po" for code in sorted(languages)}
    lines = [f"{code}: no catalogue" for code, source in sources.items() if not source.is_file()]
    for source in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        with source.open("rb") as po:
            says = told(read_po(po))
        if not compiled.is_file():
            lines.append(f"{source.parent.parent.name}: not compiled")
        else:
            with compiled.open("rb") as mo:
                lines += [f"{source.parent.parent.name}: compiled from another text"] * (told(read_mo(mo)) != says)
    return lines


def test_every_language_on_offer_has_its_texts():
    offered = {code for code, _ in settings.LANGUAGES} - {WRITTEN_IN}
    assert wanting(Path(settings.LOCALE_PATHS[0]), offered) == []


def test_a_missing_or_stale_catalogue_is_found(tmp_path):
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    assert wanting(tmp_path, {"de", "fr"}) == ["de: no catalogue", "fr: no catalogue"]
    catalogue = Catalog(locale="de")
    catalogue.add("Basket", "Warenkorb")
    with (folder / "django.po").open("wb") as po:
        write_po(po, catalogue)
    assert wanting(tmp_path, {"de"}) == ["de: not compiled"]
    with (folder / "django.mo").open("wb") as mo:
        write_mo(mo, catalogue)
    assert wanting(tmp_path, {"de"}) == []
    with (folder / "django.po").open("ab") as po:
        po.write(b'\nmsgid "Price"\nmsgstr "Preis"\n')
    assert wanting(tmp_path, {"de"}) == ["de: compiled from another text"]
