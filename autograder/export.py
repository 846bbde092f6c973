"""Grades as a table that another program reads: nbgrader's own CSV, Canvas, Moodle.

Scores are nbgrader's: automatic and manual marks and extra credit, less the penalty for being
late, never below 0. Whoever is in the gradebook has a row.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, MissingEntry, Student, SubmittedAssignment
from sqlalchemy.orm import selectinload

from autograder.course import Course, UsageError

NBGRADER = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip
CANVAS_WHO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
CANVAS_POINTS = "Points Possible"  # begins the row under the header, after some blanks
# columns of a Canvas gradebook or a Moodle worksheet that may hold our student's id, best first
KEYS = {
    "canvas": ("SIS Login ID", "SIS User ID", "ID"),
    "moodle": ("ID number", "Username", "Email address", "Identifier"),
}


@dataclass(frozen=True)
class Grade:
    """What one student got for a problem set; scores are None where nothing was handed in."""

    student: str
    last_name: str
    first_name: str
    email: str
    timestamp: str = ""
    raw: float | None = None
    penalty: float | None = None
    score: float | None = None
    waits: bool = False  # for marks by a person


@dataclass(frozen=True)
class Table:
    """The grades of a problem set."""

    ps: str
    duedate: str
    max_score: float
    grades: list[Grade]


@dataclass(frozen=True)
class Exported:
    """A table as text, and whom it leaves out."""

    text: str
    not_in_roster: list[str]  # graded students whom the roster does not know
    not_graded: list[str]  # rows of the roster without a grade here


def read(course: Course, ps: str) -> Table:
    """Read the grades of a problem set from the gradebook; UsageError if it has none."""
    url = course.directory.db_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise UsageError(
            f"no gradebook at {url.removeprefix('sqlite:///')}; run `grade {ps}` first"
        )
    with Gradebook(url, course.directory.course_id) as book:
        try:
            assignment = book.find_assignment(ps)
        except MissingEntry:
            raise UsageError(f"the gradebook knows no {ps}; run `grade {ps}` first") from None
        found = (
            book.db.query(SubmittedAssignment)
            .join(Assignment)
            .filter(Assignment.name == ps)
            .options(selectinload(SubmittedAssignment.notebooks))
        )
        submissions = {submission.student_id: submission for submission in found}
        grades = [_grade(student, submissions.get(student.id)) for student in book.students]
        return Table(ps, _text(assignment.duedate), float(assignment.max_score), grades)


def _grade(who: Student, submission: SubmittedAssignment | None) -> Grade:
    known = Grade(_text(who.id), _text(who.last_name), _text(who.first_name), _text(who.email))
    if submission is None:
        return known
    raw, penalty = float(submission.score), float(submission.late_submission_penalty or 0)
    return replace(
        known,
        timestamp=_text(submission.timestamp),
        raw=raw,
        penalty=penalty,
        score=max(0.0, raw - penalty),
        waits=bool(submission.needs_manual_grade),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def nbgrader(table: Table) -> str:
    """Return the columns of `nbgrader export`; who handed in nothing has 0 points, as there."""
    rows = [
        (
            table.ps, table.duedate, g.timestamp, g.student, g.last_name, g.first_name, g.email,
            g.raw or 0.0, g.penalty or 0.0, g.score or 0.0, table.max_score,
        )
        for g in table.grades
    ]  # fmt: skip
    return _csv([NBGRADER, *rows])


def canvas(table: Table, roster: Path | None = None, zero: bool = False) -> Exported:
    """Return what Canvas imports into its gradebook.

    roster: a gradebook exported from Canvas, whose names, ids and sections are kept and whose
    column of this problem set is filled; without one, our student ids stand as SIS Login IDs.
    """
    if roster is None:
        rows = [(_name(g), "", "", g.student, "", _score(g, zero)) for g in table.grades]
        points = (f"    {CANVAS_POINTS}", "", "", "", "", f"{table.max_score:g}")
        return Exported(_csv([(*CANVAS_WHO, table.ps), points, *rows]), [], [])
    header, lines = _read_roster(roster, CANVAS_WHO[:1], "a gradebook exported from Canvas")
    column = next(
        (name for name in header if name == table.ps or name.startswith(f"{table.ps} (")), table.ps
    )
    who = [name for name in CANVAS_WHO if name in header]
    kept = []
    for line in lines:
        if line["Student"].strip() == CANVAS_POINTS:
            kept.append([*(line[name] for name in who), f"{table.max_score:g}"])
    people = [line for line in lines if line["Student"].strip() != CANVAS_POINTS]
    filled, unknown, missing = _fill(table, people, KEYS["canvas"], zero)
    kept += [[*(line[name] for name in who), score] for line, score in filled]
    return Exported(_csv([(*who, column), *kept]), unknown, missing)


def moodle(table: Table, roster: Path | None = None, zero: bool = False) -> Exported:
    """Return what Moodle imports: its grade import, or with a roster its grading worksheet.

    roster: the worksheet of an assignment ("download grading worksheet"), whose column Grade is
    filled, or any CSV with a column named like the problem set.
    """
    if roster is None:
        rows = [(g.student, g.email, _score(g, zero)) for g in table.grades]
        return Exported(_csv([("ID number", "Email address", table.ps), *rows]), [], [])
    header, lines = _read_roster(roster, (), "a grading worksheet from Moodle")
    column = next((name for name in (table.ps, "Grade") if name in header), None)
    if column is None:
        raise UsageError(f"{roster}: no column Grade or {table.ps}; it has {', '.join(header)}")
    filled, unknown, missing = _fill(table, lines, KEYS["moodle"], zero)
    out = []
    for line, score in filled:
        line[column] = score or line[column]
        out.append([line[name] for name in header])
    return Exported(_csv([header, *out]), unknown, missing)


def _fill(
    table: Table, lines: Sequence[dict[str, str]], keys: Iterable[str], zero: bool
) -> tuple[list[tuple[dict[str, str], str]], list[str], list[str]]:
    """Find each line's grade; also return who is in no line, and which lines have no grade."""
    by_id = {g.student.casefold(): g for g in table.grades}
    by_mail = {g.email.casefold(): g for g in table.grades if g.email}
    filled, missing, seen = [], [], set()
    columns = [key for key in keys if lines and key in lines[0]]
    if lines and not columns:
        raise UsageError(f"the roster has none of the columns {', '.join(keys)} to know people by")
    for line in lines:
        names = [line[key].strip().casefold() for key in columns]
        found = next((by_id[name] for name in names if name in by_id), None)
        found = found or next((by_mail[name] for name in names if name in by_mail), None)
        if found is not None:
            seen.add(found.student)
        if found is None or found.score is None:
            missing.append(next((line[key] for key in columns if line[key]), "?"))
        filled.append((line, _score(found, zero) if found else "0" if zero else ""))
    unknown = [g.student for g in table.grades if g.score is not None and g.student not in seen]
    return filled, unknown, missing


def _read_roster(
    path: Path, needed: Sequence[str], what: str
) -> tuple[list[str], list[dict[str, str]]]:
    """Read a CSV with a header; each line as a dict with all columns."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # both programs may write a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    rows = list(csv.reader(io.StringIO(text)))
    header = rows[0] if rows else []
    if not header or any(name not in header for name in needed):
        raise UsageError(f"{path} is not {what}: its first line must name {', '.join(needed)}")
    width = len(header)
    return header, [
        dict(zip(header, [*row, *[""] * (width - len(row))], strict=False))
        for row in rows[1:]
        if any(row)
    ]


def _name(grade: Grade) -> str:
    return ", ".join(part for part in (grade.last_name, grade.first_name) if part) or grade.student


def _score(grade: Grade, zero: bool) -> str:
    if grade.score is None:
        return "0" if zero else ""  # a blank changes nothing in Canvas and Moodle
    return f"{grade.score:.10g}"


def _csv(rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def write(path: Path, text: str) -> None:
    """Write the table, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
