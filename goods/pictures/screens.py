"""Drawn screens: what each module looks like at work. Names and numbers in them are invented."""

from __future__ import annotations

from pictures.admin import LEFT, RIGHT, admin_page, button, field, grid, tabs, window
from pictures.covers import clock, note, shelf
from pictures.ink import (
    CLAY,
    GREEN,
    HONEY,
    INK,
    MONO,
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

ORDER_TABS = ["Information", "Invoices", "Shipments", "Staff Notes (3)"]


def order_notes() -> str:
    x = 430
    parts = [tabs(ORDER_TABS, 3), text(x, 228, "New note", 20, weight=600)]
    parts.append(rect(x, 244, RIGHT - x, 84, SHEET, 3, "#b9b3a5") + text(x + 16, 278, "Asked for the blue ribbon.", 20))
    parts.append(button(x, 344, "Save Note", 140))
    notes = [
        ("Nov 19, 9:12 AM", "Ines", "Call before delivery, the bell is broken.", "Unpin", True),
        ("Nov 20, 2:40 PM", "Tom", "Gift: leave the price out of the parcel.", "Pin", False),
        ("Nov 19, 9:05 AM", "Ines", "Second parcel next week.", "Pin", False),
    ]
    for i, (when, who, words, pin, pinned) in enumerate(notes):
        y = 418 + i * 108
        parts.append(rect(x, y, RIGHT - x, 94, HONEY if pinned else PAPER, 6))
        parts.append(text(x + 20, y + 36, f"{when}   {who}", 17, SOFT) + text(x + 20, y + 68, words, 20))
        parts.append(button(RIGHT - 208, y + 25, pin, 88) + button(RIGHT - 112, y + 25, "Delete", 88))
    return picture("Order Notes: staff notes", admin_page("Order #000000318", 0, "\n".join(parts)))


def order_pinned() -> str:
    x = 430
    parts = [tabs(ORDER_TABS, 0), text(x, 228, "Order & Account Information", 22, INK, SERIF)]
    for i, (label, value) in enumerate((("Order Date", "Nov 19, 8:57 AM"), ("Order Status", "Processing"))):
        parts.append(text(x, 272 + i * 38, label, 19, SOFT) + text(x + 190, 272 + i * 38, value, 19))
    parts.append(text(x, 372, "Pinned notes", 22, INK, SERIF))
    parts.append(rect(x, 388, RIGHT - x, 92, HONEY, 6) + rect(x, 388, 6, 92, CLAY))
    parts.append(text(x + 26, 424, "Ines", 18, SOFT, weight=600))
    parts.append(text(x + 26, 456, "Call before delivery, the bell is broken.", 21))
    parts.append(text(x, 534, "Items Ordered", 22, INK, SERIF))
    parts.append(rect(x, 552, RIGHT - x, 42, GREEN, 4) + text(x + 20, 580, "Product", 18, SHEET, weight=600))
    parts.append(
        text(RIGHT - 180, 580, "Qty", 18, SHEET, weight=600)
        + text(RIGHT - 20, 580, "Row Total", 18, SHEET, anchor="end")
    )
    for i, (name, qty, total) in enumerate(
        (("Teapot, stoneware, 1.2 l", "1", "48.00"), ("Cups, set of four", "2", "72.00"))
    ):
        y = 630 + i * 44
        parts.append(
            text(x + 20, y, name, 19) + text(RIGHT - 180, y, qty, 19) + text(RIGHT - 20, y, total, 19, anchor="end")
        )
        parts.append(line(x, y + 14, RIGHT, y + 14))
    return picture("Order Notes: pinned", admin_page("Order #000000318", 0, "\n".join(parts)))


def stock_letter() -> str:
    rows = [
        ("TEA-GREEN-100", "Sencha, 100 g", "0"),
        ("POT-STONE-12", "Teapot, stoneware, 1.2 l", "1"),
        ("CUP-BLUE", "Cup, blue glaze", "2"),
        ("FILTER-S", "Paper filters, small", "3"),
        ("TIN-250", "Tea tin, 250 g", "4"),
    ]
    parts = [text(100, 160, "5 products run low", 36, INK, SERIF)]
    parts.append(text(100, 200, "From: General Contact    Today, 6:30", 19, SOFT) + line(100, 226, 1100, 226))
    parts.append(text(100, 274, "These products are below the quantity you set, the emptiest first.", 22))
    parts.append(
        rect(100, 306, 1000, 52, SAGE)
        + text(124, 340, "SKU", 20, weight=600)
        + text(430, 340, "Product", 20, weight=600)
    )
    parts.append(text(1076, 340, "Quantity", 20, anchor="end", weight=600))
    for i, (sku, name, quantity) in enumerate(rows):
        y = 358 + i * 62
        parts.append(text(124, y + 40, sku, 20, INK, MONO) + text(430, y + 40, name, 21))
        parts.append(text(1076, y + 40, quantity, 21, CLAY if quantity == "0" else INK, anchor="end", weight=600))
        parts.append(line(100, y + 62, 1100, y + 62))
    return picture("Stock Sentinel: the letter", window("\n".join(parts)))


def settings(title: str, section: str, *fields: str) -> str:
    head = text(LEFT, 204, section, 22, GREEN, SERIF) + line(LEFT, 222, RIGHT, 222)
    return picture(
        title, admin_page("Configuration", 3, "\n".join([head, *fields, button(950, 126, "Save Config", 160, True)]))
    )


def stock_settings() -> str:
    return settings(
        "Stock Sentinel: settings",
        "Fernhill / Stock Sentinel",
        field(246, "Send the digest", ["Yes"]),
        field(312, "Recipients", ["orders@shop.example", "ines@shop.example"], "One e-mail address on each line."),
        field(440, "Sender", ["General Contact"]),
        field(506, "Use each product's own number", ["No"]),
        field(572, "Low means fewer than", ["5"]),
        field(638, "When", ["30 6 * * *"], "As in crontab, in the shop's time zone."),
    )


def cron_command() -> str:
    words = [
        ("$ bin/magento fernhill:cron:status --minutes=15", SHEET),
        ("Cron is silent.", "#f0a58a"),
        ("Last finished job: 2056 seconds ago.", SAGE),
        (" pending  41", SAGE),
        (" running  0", SAGE),
        (" success  118", SAGE),
        ("  missed  0", SAGE),
        ("   error  1", SAGE),
        ("$ echo $?", SHEET),
        ("2", HONEY),
        ("$", SHEET),
    ]
    lines = [text(92, 168 + i * 50, line_, 27, colour, MONO) for i, (line_, colour) in enumerate(words)]
    return picture("Cron Watch: the command", window("\n".join(lines), "#1f2d27"))


def facts_command() -> str:
    words = [
        ("$ bin/magento fernhill:facts", SHEET),
        ("magento  Community 2.4.7-p3", SAGE),
        ("php      8.3.14", SAGE),
        ("mode     production", SAGE),
        ("modules  Fernhill_CronWatch", SAGE),
        ("modules  Fernhill_OrderNotes", SAGE),
        ("modules  Fernhill_ShopFacts", SAGE),
        ("$", SHEET),
    ]
    lines = [text(92, 168 + i * 50, line_, 27, colour, MONO) for i, (line_, colour) in enumerate(words)]
    return picture("Shop Facts: the command", window("\n".join(lines), "#1f2d27"))


def cron_message() -> str:
    warning = "Cron has not finished a job for 34 minutes. Mails, indexes and price rules wait."
    parts = [
        rect(141, 101, 1014, 64, "#f6d5c6"),
        circle(176, 133, 13, CLAY),
        text(176, 141, "!", 21, SHEET, weight=700, anchor="middle"),
    ]
    parts.append(text(206, 140, warning, 20, INK) + text(LEFT, 222, "Dashboard", 34, INK, SERIF))
    chart = path("M200 600 L 320 560 L 440 574 L 560 500 L 680 520 L 800 452 L 920 470 L 1060 410", "none", GREEN, 6)
    parts.append(rect(LEFT, 256, RIGHT - LEFT, 400, PAPER, 8) + chart)
    parts += [line(200, 620, 1080, 620, SAND, 3), text(206, 300, "Orders, last seven days", 20, SOFT)]
    parts += [
        text(LEFT + i * 240, 714, words, 20, SOFT) for i, words in enumerate(("Revenue", "Tax", "Shipping", "Quantity"))
    ]
    return picture("Cron Watch: the message", admin_page("", 4, "\n".join(parts)))


def redirect_rewrites() -> str:
    rows = [
        ["sencha-100g.html", "tea/green.html", "301", "Kept by Redirect Keeper:\nproduct TEA-GREEN-100"],
        ["tea/sencha-100g.html", "tea/green.html", "301", "Kept by Redirect Keeper:\nproduct TEA-GREEN-100"],
        ["tea/green/sencha-100g.html", "tea/green.html", "301", "Kept by Redirect Keeper:\nproduct TEA-GREEN-100"],
        ["sencha.html", "tea/green.html", "301", "Kept by Redirect Keeper:\nproduct TEA-GREEN-100"],
    ]
    columns: list[tuple[float, str]] = [
        (LEFT + 18, "Request Path"),
        (520, "Target Path"),
        (706, "Type"),
        (780, "Description"),
    ]
    parts = [
        button(LEFT, 186, "Filters", 110),
        text(RIGHT, 216, "4 records found", 19, SOFT, anchor="end"),
        grid(252, columns, rows, 76),
    ]
    way = path("M250 676 C 360 632 440 632 520 676", "none", CLAY, 5) + path(
        "M506 660 L 522 678 L 498 684", "none", CLAY, 5
    )
    parts.append(
        text(LEFT + 18, 714, "sencha-100g.html", 19, SOFT, MONO)
        + way
        + text(534, 714, "tea/green.html", 19, GREEN, MONO)
    )
    return picture("Redirect Keeper: kept redirects", admin_page("URL Rewrites", 2, "\n".join(parts)))


def dispatch_product() -> str:
    pot = path("M190 520 Q 170 380 300 370 Q 430 380 410 520 Q 400 580 300 584 Q 200 580 190 520 Z", MOSS)
    pot += path("M410 470 Q 480 450 476 390 L 500 384", "none", MOSS, 24) + path(
        "M196 440 Q 110 430 120 500 Q 130 560 200 540", "none", MOSS, 16
    )
    pot += rect(250, 352, 100, 20, GREEN, 10) + circle(300, 340, 14, GREEN)
    parts = [rect(84, 140, 470, 560, PAPER, 10), group(pot, 14, -20)]
    x = 610
    parts += [
        text(x, 196, "Teapot, stoneware, 1.2 l", 36, INK, SERIF),
        text(x, 250, "48.00 EUR", 28, GREEN, weight=600),
    ]
    parts += [
        bars(x, 290, [430, 450, 300], 32),
        text(x, 440, "Qty", 20, SOFT),
        rect(x + 50, 412, 70, 44, SHEET, 3, "#b9b3a5"),
    ]
    parts += [text(x + 85, 441, "1", 20, anchor="middle"), button(x + 140, 412, "Add to Cart", 190, True)]
    parts += [rect(x, 500, 480, 68, SAGE, 4), rect(x, 500, 6, 68, GREEN)]
    parts.append(text(x + 28, 542, "Order before 14:00 and it leaves today.", 21))
    parts.append(bars(x, 612, [460, 410, 440], 30))
    return picture("Dispatch Clock: on the product page", window("\n".join(parts)))


def dispatch_settings() -> str:
    return settings(
        "Dispatch Clock: settings",
        "Fernhill / Dispatch Clock",
        field(246, "Show it on the product page", ["Yes"]),
        field(314, "Show it in the cart too", ["Yes"]),
        field(382, "Last hour for today", ["14:00"], "As 14:00, in the shop's time zone."),
        field(480, "Parcels leave on", ["Monday to Friday"]),
        field(548, "Closed on", ["12-25", "12-26", "2026-12-24"], "2026-12-24 for one year, 12-25 for every year."),
    )


def set_inside() -> str:
    cards = [
        ("Order Notes", ["What colleagues must know,", "on the order, for staff only."], note(0.5)),
        ("Stock Sentinel", ["What must be ordered,", "by e-mail in the morning."], shelf(0.56)),
        ("Cron Watch", ["Whether the machinery runs,", "for monitors and for people."], clock(9.5, 30, 120)),
    ]
    parts = [text(600, 118, "Back Office Set", 44, INK, SERIF, anchor="middle")]
    for i, (name, words, drawing) in enumerate(cards):
        x = 56 + i * 370
        parts.append(rect(x, 172, 348, 520, SHEET, 16, SAND) + rect(x + 1, 173, 346, 318, SAGE, 15))
        parts.append(group(drawing, x + 174, 334) + text(x + 174, 556, name, 32, INK, SERIF, anchor="middle"))
        parts += [text(x + 174, 606 + k * 32, row, 21, SOFT, anchor="middle") for k, row in enumerate(words)]
    return picture("Back Office Set: what is in it", *parts)


def care_plan() -> str:
    steps = [
        ("Week 1", "On your test copy", "Installed, tried, reported."),
        ("When you say so", "In your shop", "With a way back prepared."),
        ("The day after", "An hour together", "Settings and questions."),
        ("Three months", "Care", "New releases and answers."),
    ]
    parts = [
        text(600, 130, "Three months of care", 44, INK, SERIF, anchor="middle"),
        line(180, 300, 1020, 300, GREEN, 6),
    ]
    for i, (when, what, how) in enumerate(steps):
        x = 180 + i * 280
        parts.append(circle(x, 300, 34, SHEET, GREEN, 6))
        tick = path(f"M{x - 14} 300 L {x - 3} 312 L {x + 16} 288", "none", GREEN, 7)
        parts.append(tick if i < 3 else fern(x + 2, 322, 0.42))
        parts.append(text(x, 236, when, 20, CLAY, anchor="middle", weight=600))
        parts.append(rect(x - 128, 372, 256, 170, SHEET, 12, SAND))
        parts.append(text(x, 434, what, 26, INK, SERIF, anchor="middle") + text(x, 484, how, 17, SOFT, anchor="middle"))
    parts.append(
        text(
            600, 640, "You close our account again at the end. We keep no copy of your shop.", 24, SOFT, anchor="middle"
        )
    )
    return picture("Installation and Care: the plan", *parts)


SCREENS = {
    "order-notes-notes": order_notes,
    "order-notes-pinned": order_pinned,
    "stock-sentinel-letter": stock_letter,
    "stock-sentinel-settings": stock_settings,
    "cron-watch-command": cron_command,
    "cron-watch-message": cron_message,
    "shop-facts-command": facts_command,
    "redirect-keeper-rewrites": redirect_rewrites,
    "dispatch-clock-product": dispatch_product,
    "dispatch-clock-settings": dispatch_settings,
    "back-office-set-inside": set_inside,
    "installation-and-care-plan": care_plan,
}
