"""Turn an executed notebook into an outcome and points for each cell that carries points."""

from dataclasses import asdict, dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task

from autograder.submission import carries_points, grade_id, printable

TIMEOUT, DEAD = "CellTimeoutError", "DeadKernelError"  # error names of our own
NO_RESPONSE = "No response."  # nbgrader's words


@dataclass(frozen=True)
class Row:
    """What one student got for one cell; points are None where no mark was given."""

    student: str
    assignment: str
    notebook: str
    cell: str
    points: float | None
    max_points: float
    outcome: str  # passed, failed, timeout, error, missing, manual or grader_fault
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The row as the JSON file holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Where:
    """Whose notebook is being marked."""

    student: str
    assignment: str
    notebook: str


def score(where: Where, master: NotebookNode, executed: NotebookNode) -> list[Row]:
    """Mark each cell of the source that carries points."""
    cells = {n: cell for cell in executed.cells if (n := grade_id(cell))}
    return [_row(where, source, *_mark(cells.get(name))) for name, source in _graded(master)]


def same_for_all(where: Where, master: NotebookNode, outcome: str, message: str) -> list[Row]:
    """Rows of a notebook that could not be marked cell by cell."""
    points = None if outcome == "grader_fault" else 0.0
    return [_row(where, source, outcome, points, message) for _, source in _graded(master)]


def _graded(master: NotebookNode) -> list[tuple[str, NotebookNode]]:
    return [(grade_id(cell) or "", cell) for cell in master.cells if carries_points(cell)]


def _row(
    where: Where, source: NotebookNode, outcome: str, points: float | None, message: str
) -> Row:
    name, most = grade_id(source) or "", float(source.metadata.nbgrader.points)
    return Row(
        where.student, where.assignment, where.notebook, name, points, most, outcome, message
    )


def _mark(cell: NotebookNode | None) -> tuple[str, float | None, str]:
    """Outcome, points and message of one cell of an executed notebook."""
    if cell is None:
        return "missing", 0.0, "the cell is not in the submission"
    if is_task(cell):
        return "manual", None, ""
    by_hand = cell.cell_type != "code" or cell.metadata.nbgrader.get("solution")
    error = None if by_hand else last_error(cell)
    if error is not None:
        return _outcome_of(error), 0.0, _public(cell, error)
    if not by_hand and cell.source.strip() and not cell.get("execution_count"):
        return "error", 0.0, "the cell did not run"
    try:
        points, most = determine_grade(_without_warnings(cell))
    except Exception:  # the last value of the test came from the student: more than its points
        return "error", 0.0, "the test's last value is no mark between 0 and its points"
    if points is None:
        return "manual", None, ""
    if by_hand:  # nbgrader: an answer left as it was released
        return "missing", 0.0, NO_RESPONSE
    if points < most:
        return "failed", points, f"{points:g} of {most:g} points"
    return "passed", points, ""


def unanswered(executed: NotebookNode) -> set[str]:
    """Names of the solution cells that are as they were released."""
    return {
        cell.metadata.nbgrader.grade_id
        for cell in executed.cells
        if is_solution(cell) and cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
    }


def last_error(cell: NotebookNode) -> NotebookNode | None:
    """The error output that ended a cell; a time limit counts before what it interrupted."""
    errors = [out for out in cell.outputs if out.output_type == "error"]
    limits = [out for out in errors if out.ename in (TIMEOUT, DEAD)]
    return (limits or errors or [None])[-1]


def message_of(error: NotebookNode) -> str:
    """One printable line: the assert message, or `Name: text` of another exception."""
    text = printable(str(error.evalue))
    if error.ename != "AssertionError" or not text:
        text = f"{error.ename}: {text}" if text else str(error.ename)
    return printable(text)


def _public(cell: NotebookNode, error: NotebookNode) -> str:
    """What may be said to the student about an error: the checker decides, which saw the test."""
    said = cell.metadata.get("autograder", {}).get("message")
    return printable(said) if isinstance(said, str) else message_of(error)


def _outcome_of(error: NotebookNode) -> str:
    if error.ename == TIMEOUT:
        return "timeout"
    return "failed" if error.ename == "AssertionError" else "error"


def _without_warnings(cell: NotebookNode) -> NotebookNode:
    """The cell as nbgrader would see it had nothing been written to stderr."""
    if cell.cell_type != "code" or not is_grade(cell):
        return cell
    copy = NotebookNode(cell)
    copy.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    return copy
