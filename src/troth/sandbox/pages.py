"""The sandbox's own pages: plain HTML in one calm style, no script, usable with a keyboard and a screen reader."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

STYLE = """
:root { color-scheme: light dark; --line: #8a8f98; --soft: #8882; --link: #1f5fae; }
@media (prefers-color-scheme: dark) { :root { --link: #8ab8f5; } html { background: #16181c; color: #e8eaee; } }
@media (prefers-color-scheme: light) { html { background: #fff; color: #16181c; } }
a { color: var(--link); } h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2rem; }
body { font: 1.0625rem/1.55 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
.note { border: 2px solid #b35c00; border-radius: .5rem; padding: .6rem .9rem; font-weight: 600; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .3rem 1.2rem; } dt { opacity: .8; } dd { margin: 0; }
dd, td { overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: .7rem; margin-top: 1.5rem; }
button { font: inherit; padding: .6rem 1.3rem; border-radius: .5rem; border: 1px solid var(--line); cursor: pointer; }
button:first-of-type { background: #1f5fae; border-color: #1f5fae; color: #fff; }
:focus-visible { outline: 3px solid #e08a00; outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .4rem .6rem .4rem 0; }
tr { border-bottom: 1px solid var(--soft); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: 1rem; border-radius: .5rem; }
iframe { width: 100%; height: 32rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff; }
"""


def page(title: str, body: str) -> str:
    """A whole page; `title` is text, `body` is HTML already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def pay(
    provider: str,
    shop: str,
    reference: str,
    item: str,
    amount: str,
    token: str,
    buttons: Iterable[tuple[str, str]],
    news: str = "",
) -> str:
    """The page where a buyer would pay: what is asked, by whom, and one button for each way it can end."""
    told = {"Shop": shop, "Order reference": reference, "Item": item, "Amount": amount}
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in told.items() if value)
    pressed = "".join(f'<button name="action" value="{value}">{text}</button>' for value, text in buttons)
    return page(
        f"{provider} sandbox",
        '<p class="note">Sandbox: no real money</p>'
        f"<h1>Pay with {provider}</h1>"
        f"<p>This page stands in for {provider}. Nothing here leaves this machine.</p>"
        + (f'<p role="status">{escape(news)}</p>' if news else "")
        + f"<dl>{rows}</dl>"
        f'<form method="post"><input type="hidden" name="token" value="{escape(token)}">{pressed}</form>',
    )


def gone(provider: str) -> str:
    return page(
        f"{provider} sandbox",
        '<p class="note">Sandbox: no real money</p><h1>This payment is not known here</h1>'
        "<p>It may have expired, or the sandbox was started anew. Go back to the shop and start again.</p>",
    )
