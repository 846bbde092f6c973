"""The page that a student gets back: what each task got, why, and the answer that was handed in.

A page is made of four things, and a hidden test is in none of them: the notebook as it was
released, the submission, the marks, and of each failed test the message that the checker lets out.
What ran while marking is not looked at, so nothing that it printed can tell of a test.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from nbformat import NotebookNode
from nbgrader.utils import is_locked

from autograder import export, marks, outputs, release, submission
from autograder.course import Course, UsageError
from autograder.export import Grade
from autograder.journal import Entry, Journal
from autograder.marks import Key, Mark
from autograder.scoring import Row
from autograder.submission import grade_id

TEMPLATE = Path(__file__).with_name("feedback.html")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SAYS = {  # what an outcome means to a student, where the test itself says nothing
    "passed": "Every test of this task held.",
    "failed": "A test did not hold.",
    "timeout": "The cell ran longer than its limit.",
    "error": "Your code, or a test that called it, ended with an error.",
    "missing": "There is no answer.",
    "manual": "A person will read this.",
    "marked": "Marked by a person.",
    "grader_fault": "The grader itself failed here; this is not your fault. There is no mark yet.",
}
# of a submission, beside its pages: `nbgrader release_feedback` finds the student's place by them
TICKETS = ("timestamp.txt", "submission_secret.txt")
MAX_TICKET = 10_000  # bytes
BARE_ERROR = re.compile(r"\w+(?:Error|Exception)")  # a hidden test's, without words of its author


@dataclass(frozen=True)
class Output:
    """What a cell showed: text, or an image as a data address."""

    text: str = ""
    image: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of the submission."""

    source: str
    outputs: list[Output] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """One cell that carries points, with the answer that it judged."""

    cell: str
    title: str
    points: float | None
    max_points: float
    outcome: str
    says: str
    message: str
    comment: str
    answer: list[Cell]


def write(course: Course, ps: str, students: Sequence[str] = ()) -> Iterator[list[Path]]:
    """Write the pages of a class, or of some of it; yields the paths of each student's.

    Raises UsageError if nothing is graded, or not all of them.
    """
    entries = {who: e for who, e in Journal(course, ps).entries.items() if who}
    if unknown := sorted(set(students) - set(entries)):
        raise UsageError(f"not graded: {', '.join(unknown)}; run `grade {ps}` first")
    if not entries:
        raise UsageError(f"nothing of {ps} is graded in {course.root}; run `grade {ps}` first")
    given = marks.read(course, ps)
    table = {grade.student: grade for grade in export.read(course, ps).grades}
    released = {p.stem: release.convert(course, p).notebook for p in course.notebooks(ps)}
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    for student in sorted(set(students) or set(entries)):
        yield _write_one(
            course, ps, entries[student], table.get(student), given, released, template
        )


def _write_one(
    course: Course,
    ps: str,
    entry: Entry,
    grade: Grade | None,
    given: Mapping[Key, Mark],
    released: Mapping[str, NotebookNode],
    template: jinja2.Template,
) -> list[Path]:
    paths = []
    for notebook in dict.fromkeys(row.notebook for row in entry.rows):
        rows = [row for row in entry.rows if row.notebook == notebook]
        folder = course.submitted(entry.student, ps)
        answers: dict[str, list[Cell]] = {}
        trouble = "; ".join(entry.unreadable)
        if not trouble and not course.is_linked(folder):  # a link could lead to our answers
            answers = _answers(folder / f"{notebook}.ipynb", released[notebook])
        titles = _titles(released[notebook])
        tasks = [
            _task(row, given.get((row.student, notebook, row.cell)), titles, answers)
            for row in rows
        ]
        path = course.feedback(entry.student, ps) / f"{notebook}.html"
        text = template.render(
            ps=ps,
            notebook=notebook,
            student=submission.printable(entry.student),
            tasks=tasks,
            points=sum(task.points or 0.0 for task in tasks),
            most=sum(task.max_points for task in tasks),
            waiting=sum(task.outcome == "manual" for task in tasks),
            late=entry.late_s > 0,
            penalty=(grade.penalty or 0.0) if grade else 0.0,
            score=grade.score if grade else None,
            several=len({row.notebook for row in entry.rows}) > 1,
            notes=[n.removeprefix(f"{notebook}: ") for n in entry.notes if n.startswith(notebook)],
            trouble=trouble,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8", errors="replace")
        partial.replace(path)
        paths.append(path)
    if paths and not course.is_linked(course.submitted(entry.student, ps)):
        _copy_tickets(course.submitted(entry.student, ps), paths[0].parent)
    return paths


def _copy_tickets(submitted: Path, pages: Path) -> None:
    for name in TICKETS:
        path = submitted / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_TICKET:
            (pages / name).unlink(missing_ok=True)  # nbgrader leaves it read-only
            (pages / name).write_bytes(path.read_bytes())


def _task(
    row: Row, mark: Mark | None, titles: Mapping[str, str], answers: Mapping[str, list[Cell]]
) -> Task:
    points, outcome = row.points, row.outcome
    if mark is not None and mark.points is not None and (mark.by_hand or outcome != "manual"):
        points, outcome = mark.points, "marked" if mark.by_hand else outcome
    message = row.message if outcome not in ("passed", "marked", "manual") else ""
    says = SAYS[outcome]
    if message.startswith("NotImplementedError"):
        says = "The code still raises NotImplementedError, as it came: the task was not answered."
    elif BARE_ERROR.fullmatch(message):
        says += (
            " If all tests hold that you can see, it is one that you cannot see; look at edge "
            "cases that the task names."
        )
    return Task(
        row.cell,
        titles.get(row.cell, row.cell),
        points,
        row.max_points,
        outcome,
        says,
        message,
        mark.comment if mark else "",
        answers.get(row.cell, []),
    )


def _titles(released: NotebookNode) -> dict[str, str]:
    """The heading above each cell that carries points."""
    titles, heading = {}, ""
    for cell in released.cells:
        if cell.cell_type == "markdown" and (found := HEADING.findall(cell.source)):
            heading = found[-1].replace("`", "").replace("*", "")
        if (name := grade_id(cell)) and heading:
            titles[name] = heading
    return titles


def _answers(path: Path, released: NotebookNode) -> dict[str, list[Cell]]:
    """By cell that carries points: what the student wrote since the one before."""
    try:
        nb = submission.read(path)
        shown = _outputs(path)
    except (submission.Unreadable, OSError):  # gone or changed since it was graded
        return {}
    ours = {grade_id(cell) for cell in released.cells if is_locked(cell)}
    graded = {grade_id(cell) for cell in released.cells if submission.carries_points(cell)}
    found: dict[str, list[Cell]] = {}
    kept: list[Cell] = []
    for index, cell in enumerate(nb.cells):
        name = grade_id(cell)
        written = cell.cell_type == "code" or name in graded
        if written and name not in ours and cell.source.strip():
            kept.append(Cell(outputs.clean_text(cell.source), shown.get(index, [])))
        if name and name in graded:
            found.setdefault(name, []).extend(kept)
            kept = []
    return found


def _outputs(path: Path) -> dict[int, list[Output]]:
    """What the cells of a submitted notebook showed on the student's own machine, by position."""
    content = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    cells = content.get("cells") if content.get("nbformat") == 4 else []
    return {
        index: [made for out in outputs.clean(cell.get("outputs")) if (made := _output(out))]
        for index, cell in enumerate(cells)
        if isinstance(cell, dict)
    }


def _output(out: NotebookNode) -> Output | None:
    if out.output_type == "error":
        return Output(COLOUR.sub("", "\n".join(out.traceback) or f"{out.ename}: {out.evalue}"))
    data: dict[str, Any] = out.get("data", {})
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            base64.b64decode(data[mime], validate=True)  # nothing but an image goes into an address
            return Output(image=f"data:{mime};base64,{data[mime]}")
    text = COLOUR.sub("", str(out.get("text") or data.get("text/plain") or ""))
    return Output(text) if text.strip() else None
