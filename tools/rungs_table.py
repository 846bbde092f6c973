"""Write the table of protection rungs into the instructors' page: `python -m tools.rungs_table`."""

import sys
from pathlib import Path

from autograder.sandbox import table

PAGE = Path(__file__).resolve().parents[1] / "book" / "instructors.md"
BEGIN = "<!-- made by `python -m tools.rungs_table` from autograder/sandbox/table.py -->\n\n"
END = "\n<!-- end of what was made -->\n"


def renewed(page: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{PAGE}: no place for the table: {BEGIN.strip()} ... {END.strip()}")
    return before + BEGIN + table.markdown() + END + after


def main() -> int:
    """Renew the page."""
    PAGE.write_text(renewed(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
