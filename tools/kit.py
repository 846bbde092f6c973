"""Renew what the pages of the teaching kit make from the course: `python -m tools.kit`.

The equation sheet takes its formulas from the chapters, the syllabus counts them, the kill matrix
reads the answer banks. Each made part of a page stands between two comments; `--check` changes
nothing and fails, naming the pages, when one is not as it would be made now.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tools import kit_answers, kit_equations, kit_needs, kit_syllabus

BOOK = Path(__file__).resolve().parents[1] / "book"
END = "\n<!-- end of what was made -->\n"

Make = Callable[[Path], str]
PARTS: dict[str, dict[str, Make]] = {  # page, name of the part in its comment, what makes it
    "equations.md": {"sheet": kit_equations.sheet},
    "syllabus.md": {
        "rates": kit_syllabus.rates,
        "weeks": kit_syllabus.weeks,
        "short": kit_syllabus.short,
        "counts": kit_syllabus.counts,
    },
    "instructors.md": {"needs": kit_needs.table},
    "kill_matrix.md": {"answers": kit_answers.matrix},
}


def begin(name: str) -> str:
    """The comment that stands before a made part."""
    return f"<!-- made by `python -m tools.kit`: {name} -->\n\n"


def renewed(page: str, text: str, book: Path = BOOK) -> str:
    """Return the text of a page with its made parts as they are now."""
    for name, make in PARTS[page].items():
        before, _, rest = text.partition(begin(name))
        _, found, after = rest.partition(END)
        if not found:
            raise SystemExit(
                f"{page}: no place for a part: {begin(name).strip()} ... {END.strip()}"
            )
        text = before + begin(name) + make(book).strip("\n") + "\n" + END + after
    return text


def stale(book: Path = BOOK) -> list[str]:
    """The pages that are not as they would be made now."""
    texts = {page: (book / page).read_text() for page in PARTS}
    return [page for page, text in texts.items() if renewed(page, text, book) != text]


def main(argv: list[str]) -> int:
    """Renew the pages, or with --check say which are out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.kit", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when stale")
    check = parser.parse_args(argv).check
    old = stale()
    for page in old:
        if check:
            print(f"book/{page} is out of date: run `python -m tools.kit`", file=sys.stderr)
        else:
            path = BOOK / page
            path.write_text(renewed(page, path.read_text()))
            print(f"renewed book/{page}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
