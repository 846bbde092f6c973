"""Which chapter needs which: by its section "What you need", and by what its code imports."""

from __future__ import annotations

import re
from pathlib import Path

CELL = re.compile(r"^```\{code-cell\}.*?^```", re.M | re.S)
IMPORT = re.compile(r"^from seqmodels\.(\w+) import|^import seqmodels\.(\w+)", re.M)
IMPORTS = re.compile(r"^from seqmodels import ([\w, ]+)$", re.M)
NAMED = re.compile(r"\{doc\}`(\d\d_\w+)`")


def chapters(book: Path) -> list[str]:
    """The chapters that exist, in order."""
    return [path.stem for path in sorted(book.glob("[0-9][0-9]_*.md"))]


def needed(text: str) -> set[str]:
    """The chapters that a chapter names in its section "What you need"."""
    section = re.search(r"^## What you need\n(.*?)^(?:```|## )", text, re.M | re.S)
    return set(NAMED.findall(section[1])) if section else set()


def imported(text: str) -> set[str]:
    """The modules of seqmodels that a chapter's cells import."""
    code = "\n".join(CELL.findall(text))
    names = {name for pair in IMPORT.findall(code) for name in pair if name}
    for group in IMPORTS.findall(code):
        names |= {name.strip() for name in group.split(",")}
    return names


def numbers(names: set[str]) -> str:
    """Chapters as links by their numbers."""
    return ", ".join(f"{{doc}}`{int(name[:2])} <{name}>`" for name in sorted(names)) or "-"


def table(book: Path) -> str:
    """Return the table of dependencies."""
    names = chapters(book)
    texts = {name: (book / f"{name}.md").read_text() for name in names}
    module = {name.split("_", 1)[1]: name for name in names}
    lines = ["| chapter | needs | is needed by | its code imports from |", "|---|---|---|---|"]
    for name in names:
        uses = {module[m] for m in imported(texts[name]) if m in module} - {name}
        users = {other for other in names if name in needed(texts[other])}
        row = [numbers(needed(texts[name])), numbers(users), numbers(uses)]
        lines.append(f"| {int(name[:2])} {{doc}}`{name}` | " + " | ".join(row) + " |")
    return "\n".join(lines)
