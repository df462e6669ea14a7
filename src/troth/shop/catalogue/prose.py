"""A product's description as somebody types it: paragraphs, # headings, - lists, and commands between ```.

`blocks` reads it into what the shop's page shows; `typed` writes the same again. Nothing else is markup: a line that
would be taken for some begins with a backslash.
"""

from __future__ import annotations

from typing import Any

Block = dict[str, Any]  # {"heading": …} | {"text": …} | {"list": [ … ]} | {"code": [ … ]}
FENCE = "```"
MARKS = ("# ", "- ", FENCE, "\\")


def blocks(text: str) -> list[Block]:
    """What is said, block by block. Any text is some description: nothing is refused."""
    found: list[Block] = []
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for raw in lines:
        line = raw.strip()
        if line.startswith(FENCE):
            code = [_plain(one) for one in iter(lambda: next(lines, FENCE).rstrip(), FENCE)]
            found += [{"code": code}] if code else []
        elif line.startswith("# "):
            found.append({"heading": line[2:].strip()})
        elif line.startswith("- "):
            _add(found, "list", line[2:].strip())
        elif line:
            _add(found, "text", " ".join(_plain(line).split()))
        else:
            found.append({})
    return [_joined(one) for one in found if one]


def typed(said: list[Block]) -> str:
    """The text that `blocks` reads as this, for who changes it."""
    return "\n\n".join(_typed(one) for one in said)


def _typed(one: Block) -> str:
    if "heading" in one:
        return f"# {one['heading']}"
    if "list" in one:
        return "\n".join(f"- {item}" for item in one["list"])
    if "code" in one:
        return "\n".join([FENCE, *(_guarded(line, MARKS[2:]) for line in one["code"]), FENCE])
    return _guarded(one["text"], MARKS)


def _add(found: list[Block], kind: str, line: str) -> None:
    """To the block before, if it is of this kind and no empty line stands between."""
    if found and kind in found[-1]:
        found[-1][kind].append(line)
    else:
        found.append({kind: [line]})


def _joined(one: Block) -> Block:
    return {"text": " ".join(one["text"])} if "text" in one else one


def _guarded(line: str, marks: tuple[str, ...]) -> str:
    return f"\\{line}" if line.startswith(marks) else line


def _plain(line: str) -> str:
    return line.removeprefix("\\")
