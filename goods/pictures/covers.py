"""The covers: the name in large letters at the left, one quiet drawing at the right."""

from __future__ import annotations

from math import cos, pi, sin

from pictures.ink import (
    CLAY,
    GREEN,
    HONEY,
    INK,
    MOSS,
    PAPER,
    SAGE,
    SAND,
    SERIF,
    SHEET,
    SOFT,
    bars,
    circle,
    fern,
    group,
    line,
    path,
    picture,
    rect,
    text,
)

CENTRE_X, CENTRE_Y = 832, 400


def cover(name: str, words: list[str], drawing: str) -> str:
    """`words` is the name broken into lines of at most twelve letters or so."""
    top = 400 - (len(words) - 1) * 43 + 24
    lines = [text(72, top + i * 86, word, 74, INK, SERIF) for i, word in enumerate(words)]
    sign = [fern(90, 734, 0.62), text(120, 724, "Fernhill Extensions", 26, SOFT, SERIF)]
    return picture(name, circle(CENTRE_X, CENTRE_Y, 316, SAGE), drawing, *lines, *sign)


def note(size: float = 1) -> str:
    """A sheet with a note pinned to it, about 400 by 480, around the origin."""
    sheet = rect(-170, -230, 340, 460, SHEET, 14, SAND)
    head = rect(-130, -186, 150, 20, GREEN, 10)
    rows = bars(-130, -130, [250, 220, 240, 0, 250, 190, 230, 120], 38)
    slip = rect(-80, -80, 190, 170, HONEY, 6) + bars(-54, -40, [130, 110, 138, 70], 30, CLAY, 8)
    pin = circle(15, -80, 14, CLAY)
    return group("\n".join([sheet, head, rows, group(slip + pin, 110, 60, 7)]), 0, 0, 0, size)


def shelf(size: float = 1) -> str:
    """Three boards of boxes, the lowest almost empty and lit by a lamp."""
    parts = [rect(-220, -220, 14, 470, GREEN, 4), rect(206, -220, 14, 470, GREEN, 4)]
    for y, boxes in ((-100, [-190, -90, 10, 110]), (60, [-190, -90, 10]), (220, [-190])):
        parts.append(rect(-220, y, 440, 14, GREEN, 4))
        for i, x in enumerate(boxes):
            height = (86, 70, 96, 62)[i]
            parts.append(rect(x, y - height, 82, height, (SAND, MOSS, SHEET, SAND)[i], 4))
            parts.append(line(x + 41, y - height + 6, x + 41, y - height + 24, CLAY, 5))
    light = path("M100 98 L -70 218 L 200 218 Z", HONEY)
    lamp = path("M60 102 Q 100 62 140 102 Z", CLAY) + line(100, 74, 100, 82, CLAY, 6)
    parts[2:2] = [light, lamp]
    return group("\n".join(parts), 0, 0, 0, size)


def clock(hour: float, minute: float, radius: float = 220) -> str:
    """A clock face around the origin; hands from the centre."""
    marks = []
    for i in range(12):
        a = i * pi / 6
        inner = radius * (0.80 if i % 3 else 0.74)
        marks.append(line(sin(a) * inner, -cos(a) * inner, sin(a) * radius * 0.88, -cos(a) * radius * 0.88, INK, 6))
    hands = []
    for turn, length, width in ((hour / 12, 0.48, 14), (minute / 60, 0.68, 9)):
        a = turn * 2 * pi
        hands.append(line(0, 0, sin(a) * radius * length, -cos(a) * radius * length, GREEN, width))
    face = circle(0, 0, radius, SHEET, GREEN, 12)
    return "\n".join([face, *marks, *hands, circle(0, 0, 12, GREEN)])


def pulse() -> str:
    """A clock with a heartbeat below that goes flat."""
    beat = "M-290 250 H -210 L -180 190 L -140 306 L -104 216 L -84 250 H -10 L 16 206 L 46 286 L 68 250 H 110"
    return (
        clock(9.5, 30, 200)
        + path(beat, "none", PAPER, 26)
        + path(beat, "none", CLAY, 10)
        + line(110, 250, 290, 250, SOFT, 10)
    )


def signpost() -> str:
    """A path that turns at a signpost before a gap and leads on to a house."""
    hill = path("M-318 50 Q -120 -30 60 40 T 318 30 A 320 320 0 0 1 -318 50 Z", MOSS)
    way = path("M-210 226 C -150 170 -90 140 -20 130 C 70 118 110 80 150 36", "none", SHEET, 34)
    old = path("M-20 130 C 40 150 80 180 106 206", "none", SAND, 30)
    gap = path("M84 228 L 128 184", "none", INK, 8) + path("M84 184 L 128 228", "none", INK, 8)
    house = (
        rect(110, -70, 110, 96, SHEET, 4)
        + path("M96 -66 L 165 -130 L 234 -66 Z", CLAY)
        + rect(148, -24, 34, 50, GREEN, 3)
    )
    post = rect(-88, -120, 16, 236, INK, 6) + path("M-150 -112 H 10 L 40 -82 L 10 -52 H -150 Z", SHEET, GREEN, 7)
    arrow = path("M-112 -82 H -22 M-44 -100 L -20 -82 L -44 -64", "none", GREEN, 9)
    return "\n".join([hill, old, way, gap, house, post, arrow])


def parcel() -> str:
    """A parcel in front of a clock that stands before two."""
    box = rect(-60, 60, 290, 190, CLAY, 8) + rect(-60, 60, 290, 54, "#c97a57", 8) + rect(66, 60, 38, 190, HONEY)
    label = rect(124, 158, 84, 64, SHEET, 4) + bars(134, 174, [60, 44], 20, SOFT, 7)
    return group(clock(13.8, 48, 210), -60, -60) + box + label


def small_card(x: float, turn: float, drawing: str) -> str:
    return group(rect(-118, -160, 236, 320, SHEET, 18, SAND) + drawing, x, 0, turn)


def three_cards() -> str:
    cards = [
        small_card(-204, -6, group(note(0.34), -18, 0)),
        small_card(206, 6, group(clock(9.5, 30, 78))),
        group(small_card(0, 0, shelf(0.4)), 0, -26),
    ]
    return "\n".join(cards)


def toolbox() -> str:
    """An open toolbox with a fern growing from it."""
    plant = fern(6, 40, 2.7) + fern(-70, 50, 1.5, MOSS) + fern(84, 50, 1.6, MOSS)
    wrench = group(
        rect(-11, -150, 22, 170, SOFT, 8) + circle(0, -166, 34, SOFT) + rect(-11, -206, 22, 40, SAGE), -150, 60, -18
    )
    driver = group(rect(-6, -120, 12, 120, SOFT, 3) + rect(-19, -206, 38, 94, CLAY, 12), 160, 60, 16)
    box = (
        rect(-230, 40, 460, 200, GREEN, 14) + rect(-230, 40, 460, 34, "#264b3c", 10) + rect(-44, 110, 88, 34, HONEY, 8)
    )
    return "\n".join([wrench, driver, plant, box])


def checklist() -> str:
    """A sheet with lines, ticked from the top."""
    parts = [rect(-180, -230, 360, 460, SHEET, 14, SAND)]
    for number, width in enumerate((190, 150, 210, 170, 130)):
        y = -160 + number * 80
        parts.append(rect(-136, y - 22, 44, 44, SAGE if number < 3 else PAPER, 8, SAND))
        parts.append(rect(-62, y - 9, width, 18, GREEN if number == 0 else MOSS, 9))
        if number < 3:
            parts.append(line(-126, y, -116, y + 12, CLAY, 6) + line(-116, y + 12, -100, y - 14, CLAY, 6))
    return "\n".join(parts)


def placed(drawing: str) -> str:
    return group(drawing, CENTRE_X, CENTRE_Y)


COVERS = {
    "order-notes-cover": lambda: cover("Order Notes", ["Order", "Notes"], placed(note())),
    "stock-sentinel-cover": lambda: cover("Stock Sentinel", ["Stock", "Sentinel"], placed(shelf())),
    "cron-watch-cover": lambda: cover("Cron Watch", ["Cron", "Watch"], group(pulse(), CENTRE_X, CENTRE_Y - 50)),
    "redirect-keeper-cover": lambda: cover("Redirect Keeper", ["Redirect", "Keeper"], placed(signpost())),
    "dispatch-clock-cover": lambda: cover("Dispatch Clock", ["Dispatch", "Clock"], placed(parcel())),
    "back-office-set-cover": lambda: cover("Back Office Set", ["Back", "Office", "Set"], placed(three_cards())),
    "installation-and-care-cover": lambda: cover(
        "Installation and Care", ["Installation", "and Care"], placed(toolbox())
    ),
    "shop-facts-cover": lambda: cover("Shop Facts", ["Shop", "Facts"], placed(checklist())),
}
