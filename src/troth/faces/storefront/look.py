"""The look of this shop, from [shop]: its logo, its accent colour, the words at the foot of each page.

All of it is read once a process. What cannot be used is one sentence before anything starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from django.conf import settings
from markupsafe import Markup

from troth.config import Config, ConfigError
from troth.faces.storefront import drawing
from troth.faces.storefront.drawing import Drawing
from troth.shop.texts.markdown import html
from troth.tones import ACCENT, tones

LOGOS = ("logo", "logo_dark")


def unusable(config: Config) -> Iterator[str]:
    """One sentence for each file of the look that cannot be used."""
    for key in LOGOS:
        try:
            _drawing(config, key)
        except ValueError as error:
            yield f"{config.home / 'troth.toml'}: [shop] {key} {error}."
    if config.shop.logo_dark and not config.shop.logo:
        yield f"{config.home / 'troth.toml'}: [shop] logo_dark needs logo besides."


def refuse_unusable(config: Config) -> None:
    """ConfigError where the look cannot be shown."""
    if wrong := list(unusable(config)):
        raise ConfigError(wrong)


def _drawing(config: Config, key: str) -> Drawing | None:
    name = getattr(config.shop, key)
    if not name:
        return None
    path = (config.home / name).resolve()
    if not path.is_relative_to(config.home.resolve()):
        raise ValueError("must lie in the shop's folder, so that backups have it")
    return drawing.read(path)


@cache
def logos() -> dict[str, Drawing]:
    """By key: "logo", and "logo_dark" for dark pages, as far as there are any."""
    found = {key: _drawing(settings.TROTH, key) for key in LOGOS}
    return {key: one for key, one in found.items() if one is not None}


def accent() -> str:
    """The colour itself, for letters."""
    return settings.TROTH.shop.accent or ACCENT


def styles() -> str:
    """What stands at the end of the stylesheet: the tones of another accent than ours."""
    if not settings.TROTH.shop.accent:
        return ""
    light, dark = ("".join(f"--{name}:{tone};" for name, tone in named.items()) for named in tones(accent()).values())
    return f"\n:root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def footer() -> Markup:
    """[shop] footer, Markdown."""
    return html(settings.TROTH.shop.footer) if settings.TROTH.shop.footer else Markup("")
