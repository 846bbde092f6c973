"""Run ruff and mypy over all Python, code cells of chapters and problem sets included.

    python -m tools.lint

A chapter is Markdown with code cells. Its cells are written to _build/lint on the lines where they
stand in the chapter, so that what ruff and mypy say carries the chapter's line numbers. The gate
fails if a chapter or a problem set yields no code: a header that jupytext reads as plain Markdown
must not pass. Last, everything generated is compared with its source.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "lint"
CELL = re.compile(r"^```\{code-cell\}.*?\n(?P<body>.*?)^```[ \t]*$", re.M | re.S)
OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)", re.M | re.S)
MAGIC = re.compile(r"^(\s*)[%!].*$", re.M)
# cells import where they need it, show a value by naming it, and redefine what they improve
CELL_RULES = ["--ignore", "E402,F811,B018,I001,W291,W293,W391", "--no-cache"]
CELL_TYPES = ["--allow-untyped-defs", "--disable-error-code=no-redef", "--allow-redefinition"]


def chapter_code(text: str) -> tuple[str, int]:
    """Return (Python with every cell on its own lines of the chapter, number of code cells)."""
    lines = [""] * (text.count("\n") + 1)
    count = 0
    for match in CELL.finditer(text):
        body = match["body"]
        options = OPTIONS.match(body)
        start = match.start("body") + (options.end() if options else 0)
        code = MAGIC.sub(r"\1pass", text[start : match.end("body")])
        first = text.count("\n", 0, start)
        for offset, line in enumerate(code.splitlines()):
            lines[first + offset] = line.rstrip()
        count += 1
    return "\n".join(lines).rstrip() + "\n", count


def extract(problems: list[str]) -> list[Path]:
    """Write the cells of all chapters under _build/lint; add to problems what yields no code."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    written = []
    for chapter in sorted((ROOT / "book").glob("[0-9][0-9]_*.md")):
        text = chapter.read_text(encoding="utf-8")
        code, count = chapter_code(text)
        cells = jupytext.reads(text, fmt="md:myst").cells
        known = sum(cell.cell_type == "code" for cell in cells)
        name = chapter.relative_to(ROOT)
        if not count or count != known:
            problems.append(
                f"{name}: the gate saw {count} code cells, jupytext {known}: see its header"
            )
        path = OUT / f"{chapter.stem.split('_', 1)[1]}_page.py"
        path.write_text(code, encoding="utf-8")
        written.append(path)
    for source in sorted((ROOT / "solutions").glob("*/*.py")):
        cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
        if not any(cell.cell_type == "code" and cell.source.strip() for cell in cells):
            problems.append(
                f"{source.relative_to(ROOT)}: no code cell found: check its `# %%` lines"
            )
    if not written:
        problems.append("no chapter found under book/: the gate saw no code")
    return written


def run(name: str, *command: str) -> str | None:
    """Run a check; return its name if it failed."""
    code = subprocess.call([sys.executable, "-m", *command], cwd=ROOT)
    return None if code == 0 else name


def main() -> int:
    """Run every check, so that one run shows all there is to mend; return the exit status."""
    problems: list[str] = []
    pages = [str(path.relative_to(ROOT)) for path in extract(problems)]
    sources = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "solutions").glob("*/*.py"))]
    failed = [
        run("ruff", "ruff", "check", "--quiet", "."),
        run("formatting (ruff format mends it)", "ruff", "format", "--quiet", "--check", "."),
        run("ruff on pages", "ruff", "check", "--quiet", *CELL_RULES, "--no-force-exclude", *pages),
        run("mypy", "mypy", "--no-error-summary"),
        run("generated modules", "tools.export", "--check"),
        run("generated notebooks", "autograder", "release", "--check"),
        run("made parts of pages", "tools.kit", "--check"),
    ]
    for path in pages + sources:
        # one notebook at a time: each is a program of its own
        failed.append(run(f"mypy on {path}", "mypy", "--no-error-summary", *CELL_TYPES, path))
    problems += [f"failed: {name}" for name in failed if name]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(
            f"    ruff and mypy: clean, {len(pages)} chapters and {len(sources)} problem sets seen"
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
