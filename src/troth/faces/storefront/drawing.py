"""A shop's logo: an SVG from which all that runs or fetches is taken out, or a PNG or WebP as it is.

Drawings come from programs that put much into them. What is drawn stays: shapes, text, gradients, their own styles;
what stays is named here, all else is left out. Besides, the logo is shown by <img>, where browsers run nothing, and is
served under a policy that forbids everything.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from troth.config import Config, ConfigError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
LOGOS = ("logo", "logo_dark")  # the keys of [shop]
LARGEST = 200_000  # bytes
ELEMENTS = frozenset(["svg", "g", "defs", "symbol", "use", "title", "desc", "style", "filter", "clipPath", "mask"])
ELEMENTS |= {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "marker", "pattern"}
ELEMENTS |= {"linearGradient", "radialGradient", "stop", "feGaussianBlur", "feOffset", "feBlend", "feColorMatrix"}
ELEMENTS |= {"feMerge", "feMergeNode", "feFlood", "feComposite"}
# In an attribute or a style: an address that is none inside of the drawing, or a way to name one.
_REACHES_OUT = re.compile(r"url\(\s*['\"]?\s*(?!#)|@import|expression|javascript:|\\", re.IGNORECASE)


class Drawing(msgspec.Struct, frozen=True):
    """A logo as it is served. `wide`: it is a word mark, at least twice as wide as high, and holds the shop's name."""

    suffix: str
    content: bytes
    width: int
    height: int

    @property
    def wide(self) -> bool:
        return self.width >= 2 * self.height


def read(path: Path) -> Drawing:
    """The logo in a file. ValueError, with what to do, where it is none."""
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        raise ValueError("names a file that cannot be read; put it into the shop's folder") from None
    if not content:
        raise ValueError(f"is empty or larger than {LARGEST // 1000} kB; save it smaller")
    match path.suffix.lower():
        case ".svg":
            return _svg(content)
        case ".png" if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
            return Drawing(".png", content, *struct.unpack(">II", content[16:24]))
        case ".webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return Drawing(".webp", content, *_webp(content))
    raise ValueError("must be an SVG, PNG or WebP picture, and be named so")


def unusable(config: Config) -> Iterator[str]:
    """One sentence for each file of the look that cannot be used."""
    for key in LOGOS:
        try:
            of(config, key)
        except ValueError as error:
            yield f"{config.home / 'troth.toml'}: [shop] {key} {error}."
    if config.shop.logo_dark and not config.shop.logo:
        yield f"{config.home / 'troth.toml'}: [shop] logo_dark needs logo besides."


def refuse_unusable(config: Config) -> None:
    """ConfigError where the look cannot be shown."""
    if wrong := list(unusable(config)):
        raise ConfigError(wrong)


def of(config: Config, key: str) -> Drawing | None:
    """The logo that [shop] names under this key, if it does. ValueError, with what to do, where it is none."""
    name = getattr(config.shop, key)
    if not name:
        return None
    path = (config.home / name).resolve()
    if not path.is_relative_to(config.home.resolve()):
        raise ValueError("must lie in the shop's folder, so that backups have it")
    return read(path)


def _svg(content: bytes) -> Drawing:
    try:
        root = fromstring(content, forbid_dtd=False)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        raise ValueError("is no drawing that can be read; save it as plain SVG") from None
    if root.tag != f"{{{SVG}}}svg":
        raise ValueError("is no SVG drawing; save it as plain SVG")
    width, height = _extent(root)
    clean = _cleaned(root)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return Drawing(".svg", ElementTree.tostring(clean, encoding="utf-8"), width, height)


def _cleaned(element: ElementTree.Element) -> ElementTree.Element:
    """A copy with those elements and attributes alone that draw."""
    made = ElementTree.Element(element.tag, {name: value for name, value in element.items() if _draws(name, value)})
    made.text, made.tail = element.text, element.tail
    if made.tag == f"{{{SVG}}}style" and _REACHES_OUT.search(made.text or ""):
        made.text = ""
    for child in element:
        if isinstance(child.tag, str) and child.tag.removeprefix(f"{{{SVG}}}") in ELEMENTS:
            made.append(_cleaned(child))
    return made


def _draws(name: str, value: str) -> bool:
    if name in ("href", f"{{{XLINK}}}href"):
        return value.startswith("#")
    return "{" not in name and not name.lower().startswith("on") and not _REACHES_OUT.search(value)


def _extent(root: ElementTree.Element) -> tuple[int, int]:
    """Width and height, by the box that is drawn in, or as they are given."""
    box = re.findall(r"-?[\d.]+", root.get("viewBox", ""))
    given = [re.match(r"[\d.]+(?=(px)?$)", root.get(name, "").strip()) for name in ("width", "height")]
    found = [float(part) for part in box[2:4]] if len(box) == 4 else [float(one[0]) for one in given if one]
    if len(found) != 2 or min(found) <= 0:
        raise ValueError("says nowhere how wide and high it is; give the drawing a viewBox")
    scale = 64 / found[1]  # pixels have no meaning in a drawing: 64 high, so that a thin one keeps its shape
    return max(1, round(found[0] * scale)), 64


def _webp(content: bytes) -> tuple[int, int]:
    """Width and height (RFC 9649): of the extended, the lossless or the simple kind."""
    kind = content[12:16]
    if kind == b"VP8X" and len(content) >= 30:
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L" and len(content) >= 25:
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(content) >= 30:
        return struct.unpack("<H", content[26:28])[0] & 0x3FFF, struct.unpack("<H", content[28:30])[0] & 0x3FFF
    raise ValueError("is no WebP picture that can be read; save it anew")
