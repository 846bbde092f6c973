"""A student's own look at the visible tests of a notebook, in the sandbox that grading uses."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task

from autograder import run, sandbox, scoring, split, submission
from autograder.course import UsageError
from autograder.plan import Plan
from autograder.submission import Unreadable, grade_id

TIMEOUT_S = 30.0  # of a cell, as in grading
MAX_FILES = 200  # beside the notebook; a folder with more is no problem set
UNPROTECTED = (
    "there is no sandbox on this system: your notebook runs as you, like any program of yours; "
    "check only notebooks that you trust"
)


@dataclass(frozen=True)
class Looked:
    """How one cell that tests went."""

    cell: str
    holds: bool | None  # None: a person reads it
    message: str


def check(path: Path, protection: sandbox.Protection | None = None) -> list[Looked]:
    """Run a notebook and tell how each of its tests went.

    Raises UsageError if the file is no notebook or holds no test. The file is not changed.
    """
    try:
        nb = submission.read(path)
    except (Unreadable, OSError) as error:
        raise UsageError(f"{path} {error}") from None
    if not any(is_grade(cell) for cell in nb.cells):
        raise UsageError(f"{path} holds no tests: is it the notebook of a problem set?")
    return list(_judged(_executed(path, nb, protection or sandbox.best())))


def changed_cells(path: Path) -> list[str]:
    """Names of locked cells that are not as they came; grading puts them back."""
    cells = submission.read(path).cells
    return [
        grade_id(cell) or ""
        for cell in cells
        if is_locked(cell)
        and cell.metadata.nbgrader.get("checksum") not in (None, compute_checksum(cell))
    ]


def _executed(path: Path, nb: NotebookNode, protection: sandbox.Protection) -> NotebookNode:
    if not hasattr(os, "fork"):  # Windows
        return _in_a_kernel(path, nb)
    beside = [p for p in sorted(path.parent.iterdir()) if p.is_file() and p != path]
    files = {Path(p.name): p for p in beside[:MAX_FILES] if p.suffix not in (".ipynb", ".py")}
    plan = Plan.of(nb, split.imports(nb), TIMEOUT_S, bound=split.bound(nb))
    job = run.Job("you", path.stem, nb, plan, files, files, learn=True)
    preload = [line.split()[1] for line in plan.imports.values()]
    with (
        tempfile.TemporaryDirectory(prefix="autograder-check-") as nowhere,
        run.Pool(1, Path(nowhere), protection, preload) as pool,
    ):
        (ran,) = pool.execute([job])
    if ran.notebook is None:
        raise UsageError(f"{path} could not be run: {ran.fault}")
    return ran.notebook


def _in_a_kernel(path: Path, nb: NotebookNode) -> NotebookNode:
    from nbclient import NotebookClient

    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(nb, timeout=None, allow_errors=True, resources=resources).execute()
    return nb


def _judged(nb: NotebookNode) -> Iterator[Looked]:
    for cell in nb.cells:
        name = grade_id(cell) or ""
        if is_task(cell) or (is_grade(cell) and is_solution(cell)):
            yield Looked(name, None, "")
        elif is_grade(cell) and cell.cell_type == "code":
            error = scoring.last_error(cell)
            yield Looked(name, error is None, "" if error is None else scoring.message_of(error))
