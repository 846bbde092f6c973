"""Read one untrusted notebook and put right what students may not change.

This does what nbgrader's ClearOutput, DeduplicateIds, OverwriteKernelspec and OverwriteCells do,
without a database and without trusting any metadata of the submission: cells are made anew from
their text, and everything that bears on marks comes from the source.
"""

import copy
import json
import math
import re
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_task

from autograder.outputs import clean_markdown
from autograder.release import Released

MAX_BYTES = 50_000_000
MAX_DEPTH = 100  # of nested lists and mappings; an honest notebook has about ten
MAX_ITEMS = 2_000_000  # each takes memory: 50 MB of `[],[],[]` would be gigabytes
MAX_CELLS = 5_000
MAX_SOURCE = 5_000_000  # characters of all cells; pictures in text are attachments
MAX_LINE = 300
# terminal sequences and control characters
UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# cell metadata that changes how a cell is run or marked; a student's own is dropped
CONTROL_KEYS = ("nbgrader", "autograder", "tags", "deletable", "editable", "execution",
                "format", "raw_mimetype")  # fmt: skip


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
    raw = path.read_bytes()
    if sum(map(raw.count, (b"[", b"{", b","))) > MAX_ITEMS:
        raise Unreadable("holds too many values for a notebook")
    try:
        # not-a-number is no JSON, and no browser would open a notebook that holds it
        content = json.loads(
            raw.decode("utf-8-sig"), parse_constant=lambda _: None, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise Unreadable("is nested too deeply for a notebook") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON (cut off?): {error}") from error
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise Unreadable("is not a notebook: holds a number that is too long") from error
    if _depth(content) > MAX_DEPTH:
        raise Unreadable("is nested too deeply for a notebook")
    try:
        cells = [_bare(cell) for cell in _cells(content)]
        # half of a surrogate pair is valid JSON, but no text that could be written down again
        text = json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace")
    except Exception as error:  # nbformat raises all kinds of things over hostile JSON
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise Unreadable(f"is not a notebook: {printable(reason)}") from error
    if sum(len(cell.source) for cell in cells) > MAX_SOURCE:
        raise Unreadable(f"has cells of more than {MAX_SOURCE / 1e6:.0f} million characters")
    return _notebook([nbformat.from_dict(cell) for cell in json.loads(text)])


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _cells(content: object) -> list[NotebookNode]:
    """The cells of a notebook of any nbformat, brought to version 4."""
    if not isinstance(content, dict):
        raise TypeError("the file must hold a mapping")
    if content.get("nbformat") != 4:
        with warnings.catch_warnings(action="ignore"):
            content = dict(nbformat.reads(json.dumps(content), as_version=4))
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise TypeError("it has no list of cells")
    if len(cells) > MAX_CELLS:
        raise ValueError(f"it has {len(cells)} cells; the limit is {MAX_CELLS}")
    return cells


def printable(text: str) -> str:
    """One line of bounded length without control characters, of text a student may choose."""
    line = " ".join(UNPRINTABLE.sub("", text[: 10 * MAX_LINE]).split())
    # half a surrogate pair cannot be written, and a mark of direction turns the line round
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
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
    as_released = {cell.source for cell in released.notebook.cells}
    last = {n: i for i, cell in enumerate(nb.cells) if (n := grade_id(cell)) in master}
    cells: list[NotebookNode] = []
    notes: list[str] = []
    for i, cell in enumerate(nb.cells):
        name = grade_id(cell)
        if name not in master:
            if name:
                known = printable(name)
                notes.append(f"{known}: no such cell in the source; run as an ordinary cell")
            cells.append(_without_control(cell))
        elif last[name] != i:
            notes.append(f"{name}: occurs more than once; the last one counts")
            cells.append(_without_control(cell))
        else:
            cells.append(_restored(cell, master[name], given[name], notes))
    _put_back(cells, released.master.cells, notes)
    _make_ids_unique(cells)
    for cell in cells:
        if cell.cell_type != "code" and cell.source not in as_released and not is_locked(cell):
            cell.source = clean_markdown(cell.source)  # somebody will read it in a browser
    metadata = copy.deepcopy(released.master.metadata)
    metadata.pop("generated", None)
    return _notebook(cells, metadata), notes


def grade_id(cell: NotebookNode) -> str | None:
    """The name of a cell in nbgrader's metadata, or None; hostile metadata has no name."""
    meta = cell.metadata.get("nbgrader")
    name = meta.get("grade_id") if isinstance(meta, dict) else None
    return name if isinstance(name, str) else None


def carries_points(cell: NotebookNode) -> bool:
    """Tell whether a cell of the source is worth points: a test, a written answer or a task."""
    return bool(is_grade(cell) or is_task(cell))


def _notebook(cells: list[NotebookNode], metadata: NotebookNode | None = None) -> NotebookNode:
    # nbformat's own functions check each cell against the schema: 40 ms for what is valid as made
    return NotebookNode(
        nbformat=4, nbformat_minor=5, metadata=metadata or NotebookNode(), cells=cells
    )


def _bare(cell: object) -> NotebookNode:
    """A new cell with the text, metadata and attachments of a submitted one, and nothing else."""
    if not isinstance(cell, dict):
        raise TypeError("a cell must be a mapping")
    kind, text, metadata = cell.get("cell_type"), _joined(cell.get("source")), cell.get("metadata")
    if kind not in ("code", "markdown", "raw"):
        raise TypeError("a cell must be of type code, markdown or raw")
    if text is None or not isinstance(metadata, dict):
        raise TypeError("a cell's source must be text and its metadata a mapping")
    return _new(kind, text, nbformat.from_dict(metadata), cell)


def _joined(text: object) -> str | None:
    """Text that may be given as a list of its lines."""
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else None


def _new(kind: str, text: str, metadata: NotebookNode, old: Mapping[str, Any]) -> NotebookNode:
    cell = NotebookNode(cell_type=kind, source=text, metadata=copy.deepcopy(metadata))
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    elif attachments := _attachments(old.get("attachments")):
        cell.attachments = attachments
    name = old.get("id")
    valid = isinstance(name, str) and CELL_ID.fullmatch(name)
    cell.id = name if valid else uuid.uuid4().hex[:8]
    return cell


def _attachments(given: object) -> NotebookNode:
    """The pictures in a text cell: name -> type -> data."""
    kept = NotebookNode()
    for name, bundle in given.items() if isinstance(given, dict) else ():
        data = {
            mime: text
            for mime, value in (bundle.items() if isinstance(bundle, dict) else ())
            if (text := _joined(value)) is not None
        }
        if data:
            kept[name] = NotebookNode(data)
    return kept


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
            notes.append(
                f"{name}: locked cell of an earlier release; today's text is used"
                if _as_it_came(cell)
                else f"{name}: locked cell was edited; the source's text is used"
            )
        text = source.source
    metadata = {k: v for k, v in cell.metadata.items() if k not in CONTROL_KEYS}
    return _new(source.cell_type, text, nbformat.from_dict(metadata | source.metadata), old=cell)


def _as_it_came(cell: NotebookNode) -> bool:
    """Whether a cell fits the checksum it was released with, as far as its author left that."""
    try:
        return bool(cell.metadata["nbgrader"]["checksum"] == compute_checksum(cell))
    except Exception:  # hostile metadata
        return False


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
    for number, cell in enumerate(cells):
        if cell.id in seen:
            cell.id = f"{cell.id[:40]}-{number}-{uuid.uuid4().hex[:8]}"
        seen.add(cell.id)
