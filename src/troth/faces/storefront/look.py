"""The look of this shop, from [shop]: its logo, its accent colour, the words at the foot of each page.

All of it is read once a process.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings
from markupsafe import Markup

from troth.faces.storefront import drawing
from troth.faces.storefront.drawing import LOGOS, Drawing
from troth.shop.texts.markdown import html
from troth.tones import ACCENT, tones


@cache
def logos() -> dict[str, Drawing]:
    """By key: "logo", and "logo_dark" for dark pages, as far as there are any."""
    found = {key: drawing.of(settings.TROTH, key) for key in LOGOS}
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
