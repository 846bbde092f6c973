"""Turn the text source of a problem set into the notebook that instructors open.

The source is a jupytext percent script whose cells carry nbgrader metadata. The same text always
gives the same bytes: cell ids come from the grade_id, else from the content, and nothing that
jupytext remembers about the text is kept.
"""

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, SchemaTooOldError
from nbgrader.nbgraderformat import ValidationError as MetadataError

from autograder.course import UsageError

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
CELL_START = re.compile(r"#\s*%%+(\s|\[|$)")
REGION_MARK = re.compile(rf"\b(BEGIN|END) ({'|'.join(REGIONS)})\b")
# what jupytext notes down to write the same text again; no notebook needs it
JUPYTEXT_KEYS = ("lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker", "title")


class SourceError(UsageError):
    """A mistake in a text source, with the file and line to look at."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.line = line


def read(path: Path) -> NotebookNode:
    """Read a text source and return its notebook, or raise SourceError with file and line."""
    text = path.read_text(encoding="utf-8")
    try:
        raw = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # jupytext passes on whatever its YAML or cell reader met
        raise SourceError(path, 1, f"not a percent-format notebook: {error}") from error
    starts = _cell_lines(text, len(raw.cells))
    _check_metadata(path, raw.cells, starts, text.splitlines())
    _check_regions(path, raw.cells, starts)
    return _clean(raw, made_by=f"python -m autograder release {path.parent.name}")


def write(nb: NotebookNode) -> bytes:
    """Serialise a notebook as nbgrader does: sorted keys, one final newline."""
    return (nbformat.writes(nb, version=4).rstrip("\n") + "\n").encode()


def is_text_source(path: Path) -> bool:
    """Tell a text notebook with nbgrader cells from an ordinary Python file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(CELL_START.match(line) and "nbgrader=" in line for line in text.splitlines())


def _cell_lines(text: str, cells: int) -> list[int]:
    """Line of each cell's `# %%`; text before the first one may be a cell of its own."""
    starts = [n for n, line in enumerate(text.splitlines(), start=1) if CELL_START.match(line)]
    return [1] * (cells - len(starts)) + starts


def _check_metadata(
    path: Path, cells: list[NotebookNode], starts: list[int], lines: list[str]
) -> None:
    seen: dict[str, int] = {}
    for cell, line in zip(cells, starts, strict=False):
        meta = cell.metadata.get("nbgrader")
        if not isinstance(meta, dict):
            if "nbgrader" in lines[line - 1] and CELL_START.match(lines[line - 1]):
                raise SourceError(
                    path, line, 'nbgrader metadata must be nbgrader={"grade_id": ..., ...} in JSON'
                )
            continue
        name = meta.get("grade_id")
        if not name:
            raise SourceError(path, line, "nbgrader cell without a grade_id; give it one")
        if name in seen:
            raise SourceError(
                path,
                line,
                f"grade_id {name!r} is already used on line {seen[name]}; ids are unique",
            )
        seen[name] = line
        if (meta.get("grade") or meta.get("task")) and "points" not in meta:
            raise SourceError(path, line, f'graded cell {name!r} has no "points"; add them')
        try:
            MetadataValidator().validate_cell(cell)
        except (MetadataError, SchemaTooOldError, SchemaTooNewError) as error:
            reason = str(error).splitlines()[0]
            raise SourceError(path, line, f"nbgrader metadata of {name!r}: {reason}") from error
    if not seen:
        raise SourceError(path, 1, "no cell carries nbgrader metadata; nothing could be graded")


def _check_regions(path: Path, cells: list[NotebookNode], starts: list[int]) -> None:
    for cell, start in zip(cells, starts, strict=False):
        meta = cell.metadata.get("nbgrader", {})
        marked = "BEGIN SOLUTION" in cell.source
        open_at: dict[str, int] = {}
        for line, text in enumerate(cell.source.split("\n"), start=start + 1):
            found = REGION_MARK.search(text)
            if not found:
                continue
            edge, region = found.groups()
            if edge == "END":
                if region not in open_at:
                    raise SourceError(path, line, f"END {region} without BEGIN {region} before it")
                del open_at[region]
                continue
            if region in open_at:
                raise SourceError(
                    path,
                    line,
                    f"BEGIN {region} inside the one of line {open_at[region]}; regions do not nest",
                )
            open_at[region] = line
            allowed = {
                "SOLUTION": meta.get("solution"),
                "HIDDEN TESTS": meta.get("grade"),
                # elsewhere an untouched answer would differ from its checksum: written
                "MARK SCHEME": meta.get("task")
                or (
                    meta.get("grade") and meta.get("solution") and (not marked or len(open_at) > 1)
                ),
            }[region]
            if not allowed:
                where = {
                    "SOLUTION": '"solution": true',
                    "HIDDEN TESTS": '"grade": true',
                    "MARK SCHEME": '"task": true, or in the solution of a written answer',
                }[region]
                raise SourceError(path, line, f"{region} belongs in a cell with {where}")
        for region, line in open_at.items():
            raise SourceError(path, line, f"BEGIN {region} without END {region} in the same cell")


def _clean(raw: NotebookNode, made_by: str) -> NotebookNode:
    nb = nbformat.v4.new_notebook(
        metadata={
            "generated": f"made by `{made_by}`; edit the text source, not this file",
            "kernelspec": KERNELSPEC,
            "language_info": {"name": "python"},
        }
    )
    nb.nbformat_minor = 5
    seen: Counter[str] = Counter()
    for cell in raw.cells:
        for key in JUPYTEXT_KEYS:
            cell.metadata.pop(key, None)
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        content = f"{cell.cell_type}\n{cell.source}"
        seen[content] += 1
        digest = hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()
        cell.id = name if 0 < len(name) <= 64 else digest[:12]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        nb.cells.append(cell)
    return nb
