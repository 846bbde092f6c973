"""What the gradebook says of each cell now, with the marks and comments that people gave."""

from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from autograder.course import Course

Key = tuple[str, str, str]  # student, notebook, cell


@dataclass(frozen=True)
class Mark:
    """The state of one cell of one submission."""

    points: float | None  # with extra credit; None where nobody has given a mark yet
    by_hand: bool  # a person gave the mark
    waits: bool  # for a person, or to be looked at again
    comment: str


def read(course: Course, ps: str) -> dict[Key, Mark]:
    """Read all marks of a problem set; empty where the gradebook has none."""
    url = course.directory.db_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        return {}
    with Gradebook(url, course.directory.course_id) as book:
        # (a cell, whose submission, which notebook): nbgrader's tables, joined once for a class
        found = (
            book.db.query(Grade, SubmittedAssignment.student_id, Notebook.name, BaseCell.name)
            .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
            .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
            .join(BaseCell, Grade.cell_id == BaseCell.id)
            .filter(Assignment.name == ps)
        )
        said = (
            book.db.query(
                Comment.manual_comment,
                SubmittedAssignment.student_id,
                Notebook.name,
                BaseCell.name,
            )
            .join(SubmittedNotebook, Comment.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
            .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
            .join(BaseCell, Comment.cell_id == BaseCell.id)
            .filter(Assignment.name == ps, Comment.manual_comment.isnot(None))
        )
        comments = {(who, nb, cell): str(text) for text, who, nb, cell in said}
        return {
            (who, nb, cell): _mark(grade, comments.get((who, nb, cell), ""))
            for grade, who, nb, cell in found
        }


def _mark(grade: Grade, comment: str) -> Mark:
    points = grade.auto_score if grade.manual_score is None else grade.manual_score
    if points is not None:
        points = float(points) + float(grade.extra_credit or 0)
    return Mark(points, grade.manual_score is not None, bool(grade.needs_manual_grade), comment)
