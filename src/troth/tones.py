"""One accent colour, and the tones that follow from it: for light pages and dark ones, all of them to be read.

Contrast is that of WCAG 2.2 (1.4.3: text needs 4.5 to 1). Tones are found in OKLCH (Björn Ottosson, 2020), where one
hue looks like one hue, light or dark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

HEX = re.compile(r"#[0-9a-fA-F]{6}")
LEAST = 4.5
ACCENT = "#1f5c46"  # ours; its tones stand in troth.css
Rgb = tuple[float, float, float]

# The grounds of troth.css that text in the accent stands on, or that stand under text beside it.
LIGHT = {"paper": "#faf8f3", "card": "#fffefb", "wait-soft": "#faeed9", "bad-soft": "#fae8e5"}
DARK = {"paper": "#131917", "card": "#1a221f", "wait-soft": "#33281a", "bad-soft": "#3a2222"}
_LIGHT_WORDS = ("#1d2925", "#56635d")  # ink and muted, on the soft tone
_DARK_WORDS = ("#e8ece6", "#a7b3ac")


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=16)
def tones(accent: str) -> dict[str, dict[str, str]]:
    """The variables of troth.css that follow from it, for "light" and "dark". ValueError tells what to do instead."""
    if not HEX.fullmatch(accent):
        raise ValueError('must be a colour such as "#1f5c46": # and six hexadecimal digits.')
    accent = accent.lower()
    light = _light(accent)
    worst = min(contrast(accent, ground) for ground in (*LIGHT.values(), light["accent-soft"], light["on-accent"]))
    if worst < LEAST:
        raise ValueError(
            f"cannot be read on a light page: its contrast is {math.floor(worst * 10) / 10} to 1, and text needs "
            f"{LEAST}; take a darker tone, such as {_readable(accent)}."
        )
    return {"light": light, "dark": _dark(accent)}


def _light(accent: str) -> dict[str, str]:
    lightness, chroma, hue = _oklch(accent)
    soft = _first(
        (0.945 + step / 400 for step in range(20)), lambda at: _hex(at, min(chroma, 0.022), hue), *_LIGHT_WORDS
    )
    return {
        "accent": accent,
        "accent-strong": _hex(max(lightness - 0.09, 0.0), chroma, hue),
        "on-accent": LIGHT["card"],
        "accent-soft": soft,
    }


def _dark(accent: str) -> dict[str, str]:
    """The same hue, lifted until it can be read on every dark ground."""
    _lightness, chroma, hue = _oklch(accent)
    soft = _hex(0.29, min(chroma, 0.032), hue)
    grounds = (*DARK.values(), soft)
    vivid = _first((0.78 + step / 100 for step in range(22)), lambda at: _hex(at, min(chroma, 0.1), hue), *grounds)
    return {
        "accent": vivid,
        "accent-strong": _hex(min(_oklch(vivid)[0] + 0.08, 1.0), min(chroma, 0.07), hue),
        "on-accent": _hex(0.2, min(chroma, 0.03), hue),
        "accent-soft": soft,
    }


def _readable(accent: str) -> str:
    """The lightest tone of this hue that is allowed."""
    lightness, chroma, hue = _oklch(accent)
    for step in range(100):
        darker = _hex(max(lightness - step / 100, 0.0), chroma, hue)
        grounds = (*LIGHT.values(), _light(darker)["accent-soft"])
        if min(contrast(darker, ground) for ground in grounds) >= LEAST:
            return darker
    return "#000000"


def _first(lightnesses: Iterable[float], tone: Callable[[float], str], *grounds: str) -> str:
    """The first tone with contrast enough to all grounds; the last one where none has it."""
    made = "#000000"
    for lightness in lightnesses:
        made = tone(lightness)
        if min(contrast(made, ground) for ground in grounds) >= LEAST:
            break
    return made


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> Rgb:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _opened(red), _opened(green), _opened(blue)


def _opened(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else math.pow((part + 0.055) / 1.055, 2.4)


def _closed(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * math.pow(part, 1 / 2.4) - 0.055


def _oklch(colour: str) -> tuple[float, float, float]:
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The colour, with less chroma where a screen cannot show as much."""
    for step in range(20, -1, -1):
        parts = _rgb(lightness, chroma * step / 20, hue)
        if all(-0.001 <= part <= 1.001 for part in parts) or step == 0:
            shown = (round(255 * _closed(min(max(part, 0.0), 1.0))) for part in parts)
            return "#" + "".join(f"{part:02x}" for part in shown)
    return "#000000"  # not reached: without chroma every lightness can be shown


def _rgb(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
