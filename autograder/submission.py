"""Read one untrusted notebook and put right what students may not change.

This does what nbgrader's ClearOutput, DeduplicateIds, OverwriteKernelspec and OverwriteCells do,
without a database and without trusting any metadata of the submission: cells are made anew from
their text, and everything that bears on marks comes from the source.
"""

import copy
import json
import re
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_task

from autograder.release import Released

MAX_BYTES = 50_000_000
MAX_DEPTH = 100  # of nested lists and mappings; an honest notebook has about ten
MAX_LINE = 300
# terminal sequences and control characters
UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# cell metadata that changes how a cell is run or marked; a student's own is dropped
CONTROL_KEYS = ("nbgrader", "autograder", "tags", "deletable", "editable", "execution")


class Unreadable(Exception):
    """A submission that is not a notebook; the message says why."""


def read(path: Path) -> NotebookNode:
    """Read a submitted notebook of any nbformat that can be brought to version 4."""
    if path.is_symlink():
        raise Unreadable("is a symbolic link; hand in the file itself")
    if not path.is_file():
        raise Unreadable("is not a file")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise Unreadable(f"is {size / 1e6:.0f} MB large; the limit is {MAX_BYTES / 1e6:.0f} MB")
    if size == 0:
        raise Unreadable("is empty")
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise Unreadable("is nested too deeply for a notebook") from error
    except ValueError as error:
        raise Unreadable(f"is not JSON (cut off?): {error}") from error
    if _depth(content) > MAX_DEPTH:
        raise Unreadable("is nested too deeply for a notebook")
    # half of a surrogate pair is valid JSON, but no text that could be written down again
    text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
    try:
        with warnings.catch_warnings(action="ignore"):
            raw = nbformat.reads(text, as_version=4)
        return nbformat.v4.new_notebook(cells=[_bare(cell) for cell in raw.cells])
    except Exception as error:  # nbformat raises all kinds of things over hostile JSON
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise Unreadable(f"is not a notebook: {printable(reason)}") from error


def printable(text: str) -> str:
    """One line of bounded length without control characters, of text a student may choose."""
    line = " ".join(UNPRINTABLE.sub("", text).split())
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…"


def _depth(content: object) -> int:
    """How deeply lists and mappings are nested, without recursion."""
    level, depth = [content], 0
    while level:
        inner = [v.values() if isinstance(v, dict) else v for v in level
                 if isinstance(v, (dict, list))]  # fmt: skip
        level = [value for values in inner for value in values]
        depth += bool(inner)
        if depth > MAX_DEPTH:
            break
    return depth


def put_right(nb: NotebookNode, released: Released) -> tuple[NotebookNode, list[str]]:
    """Return the notebook to run, and a line for each thing that was put right.

    Of a cell that occurs twice the last one counts. Locked cells get the source's text, hidden
    tests included. A missing locked cell without points is put back behind its predecessor; a
    missing cell with points stays missing and is worth 0.
    """
    master = {n: cell for cell in released.master.cells if (n := grade_id(cell))}
    given = {n: cell.source for cell in released.notebook.cells if (n := grade_id(cell))}
    last = {n: i for i, cell in enumerate(nb.cells) if (n := grade_id(cell)) in master}
    cells: list[NotebookNode] = []
    notes: list[str] = []
    for i, cell in enumerate(nb.cells):
        name = grade_id(cell)
        if name not in master:
            if name:
                notes.append(f"{name}: no such cell in the source; run as an ordinary cell")
            cells.append(_without_control(cell))
        elif last[name] != i:
            notes.append(f"{name}: occurs more than once; the last one counts")
            cells.append(_without_control(cell))
        else:
            cells.append(_restored(cell, master[name], given[name], notes))
    _put_back(cells, released.master.cells, notes)
    _make_ids_unique(cells)
    metadata = copy.deepcopy(released.master.metadata)
    metadata.pop("generated", None)
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata), notes


def grade_id(cell: NotebookNode) -> str | None:
    """The name of a cell in nbgrader's metadata, or None; hostile metadata has no name."""
    meta = cell.metadata.get("nbgrader")
    name = meta.get("grade_id") if isinstance(meta, dict) else None
    return name if isinstance(name, str) else None


def carries_points(cell: NotebookNode) -> bool:
    """Tell whether a cell of the source is worth points: a test, a written answer or a task."""
    return bool(is_grade(cell) or is_task(cell))


def _bare(cell: NotebookNode) -> NotebookNode:
    """A new cell with the text, metadata and attachments of a submitted one, and nothing else."""
    if not isinstance(cell.source, str) or not isinstance(cell.metadata, dict):
        raise TypeError("a cell's source must be text and its metadata a mapping")
    return _new(cell.cell_type, cell.source, cell.metadata, cell)


def _new(kind: str, text: str, metadata: NotebookNode, old: NotebookNode) -> NotebookNode:
    make = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }[kind]
    cell = make(text, metadata=copy.deepcopy(metadata))
    if kind != "code" and isinstance(old.get("attachments"), dict):
        cell.attachments = copy.deepcopy(old.attachments)
    if isinstance(old.get("id"), str) and CELL_ID.fullmatch(old.id):
        cell.id = old.id
    return cell


def _without_control(cell: NotebookNode) -> NotebookNode:
    metadata = {k: v for k, v in cell.metadata.items() if k not in CONTROL_KEYS}
    return _new(cell.cell_type, cell.source, nbformat.from_dict(metadata), cell)


def _restored(
    cell: NotebookNode, source: NotebookNode, given: str, notes: list[str]
) -> NotebookNode:
    name, text = grade_id(cell), cell.source
    if cell.cell_type != source.cell_type:
        notes.append(f"{name}: was made a {cell.cell_type} cell; is {source.cell_type} again")
    if is_locked(source):
        if text != given:
            notes.append(f"{name}: locked cell was edited; the source's text is used")
        text = source.source
    metadata = {k: v for k, v in cell.metadata.items() if k not in CONTROL_KEYS}
    return _new(source.cell_type, text, nbformat.from_dict(metadata | source.metadata), old=cell)


def _put_back(cells: list[NotebookNode], master: list[NotebookNode], notes: list[str]) -> None:
    here = {n: i for i, cell in enumerate(cells) if (n := grade_id(cell))}
    after = -1  # where the nearest earlier cell of the source stands now
    for source in master:
        name = grade_id(source)
        if name is None:
            continue
        if name in here:
            after = here[name]
        elif carries_points(source) or not is_locked(source):
            notes.append(f"{name}: missing")
        else:
            notes.append(f"{name}: locked cell was missing; put back from the source")
            after += 1
            cells.insert(after, copy.deepcopy(source))
            here = {n: i for i, cell in enumerate(cells) if (n := grade_id(cell))}


def _make_ids_unique(cells: list[NotebookNode]) -> None:
    seen: set[str] = set()
    for cell in cells:
        while cell.id in seen:
            cell.id = f"{cell.id[:60]}-2"
        seen.add(cell.id)
