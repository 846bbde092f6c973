"""Write marks into nbgrader's database, through nbgrader's own classes.

One process writes: the coordinator. What a person entered by hand (manual scores, comments, extra
credit) is never touched.
"""

import contextlib
import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from nbgrader.utils import parse_utc

from autograder.course import Course, UsageError
from autograder.scoring import NO_RESPONSE, Row


class Book:
    """The gradebook of a course, open for one problem set."""

    def __init__(self, course: Course, ps: str) -> None:
        self.course = course
        self.ps = ps
        self.db = Gradebook(course.directory.db_url, course.directory.course_id)
        # one writer: what a commit wrote need not be read again for each student
        self.db.db().expire_on_commit = False
        self.late = AssignLatePenalties(config=course.config)
        self.late.init_plugin()

    def __enter__(self) -> "Book":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.db.close()

    def save_source(self, masters: Mapping[str, NotebookNode]) -> None:
        """Record the problem set's notebooks and cells, as `nbgrader generate_assignment` does."""
        self.db.update_or_create_assignment(self.ps)
        old = {notebook.name for notebook in self.db.find_assignment(self.ps).notebooks}
        if old - set(masters) and self.db.find_assignment(self.ps).submissions:
            raise UsageError(
                f"{self.ps}: the gradebook holds marks for a notebook that the source no longer "
                f"has ({', '.join(sorted(old - set(masters)))}); put it back, or start a new "
                "gradebook.db"
            )
        for name in old - set(masters):
            self.db.remove_notebook(name, self.ps)
        self.db.db.commit()
        for name, master in masters.items():
            where = {"assignment": self.ps, "student": ".", "notebook": name}
            url = self.course.directory.db_url
            try:
                SaveCells(config=self.course.config).preprocess(
                    copy.deepcopy(master), {"nbgrader": where | {"db_url": url}}
                )
            except RuntimeError as error:  # cells came or went under marks that exist
                raise UsageError(f"{self.ps}/{name}: {error}; start a new gradebook.db") from error
        self.db.db.expire_all()  # SaveCells wrote through a connection of its own

    def known_students(self) -> set[str]:
        """Students who have a submission of this problem set in the gradebook."""
        try:
            submissions = self.db.assignment_submissions(self.ps)
        except MissingEntry:
            return set()
        return {submission.student.id for submission in submissions}

    def record(
        self,
        student: str,
        timestamp: datetime | None,
        rows: Sequence[Row],
        unanswered: Collection[tuple[str, str]],
    ) -> int:
        """Write one submission's marks in one go; return by how many seconds it was late."""
        with self._one_transaction():
            late_s = self._record(student, timestamp, rows, unanswered)
        self.db.db.commit()
        return late_s

    @contextlib.contextmanager
    def _one_transaction(self) -> Iterator[None]:
        """Keep nbgrader's methods from committing part by part, each with a wait for the disk."""
        session = self.db.db
        session.commit = lambda: None
        try:
            yield
        except BaseException:
            session.rollback()
            raise
        finally:
            del session.commit

    def _record(
        self,
        student: str,
        timestamp: datetime | None,
        rows: Sequence[Row],
        unanswered: Collection[tuple[str, str]],
    ) -> int:
        self.db.update_or_create_student(student)
        self.db.db.flush()
        # not as an argument: nbgrader's method would read the time as text
        with self.db.db.no_autoflush:  # nbgrader's method builds what is not in the session yet
            submission = self.db.update_or_create_submission(self.ps, student)
        self.db.db.flush()
        if timestamp is not None:
            submission.timestamp = timestamp
        marks = {(row.notebook, row.cell): row for row in rows}
        for notebook in submission.notebooks:
            _write_marks(notebook, marks, unanswered)
        self.db.db.flush()
        late_s = int(submission.total_seconds_late)
        self._penalise(submission, late_s)
        return late_s

    def _penalise(self, submission: SubmittedAssignment, late_s: int) -> None:
        """What nbgrader's AssignLatePenalties does, within our transaction."""
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = None
            if late_s > 0:
                self.db.db.refresh(notebook)  # its score is summed by the database
                penalty = self.late.plugin_inst.late_submission_penalty(
                    submission.student.id, notebook.score, late_s
                )
                if penalty is not None:
                    penalty = self.late._check_late_penalty(notebook, penalty)
                    notebook.late_submission_penalty = penalty


def _write_marks(
    notebook: SubmittedNotebook,
    marks: Mapping[tuple[str, str], Row],
    unanswered: Collection[tuple[str, str]],
) -> None:
    for grade in notebook.grades:
        row = marks[notebook.name, grade.name]
        grade.auto_score = row.points
        # nbgrader: a mark given by hand is to be looked at again when the automatic one is new
        grade.needs_manual_grade = grade.manual_score is not None or row.points is None
    for comment in notebook.comments:
        empty = (notebook.name, comment.name) in unanswered
        comment.auto_comment = NO_RESPONSE if empty else None


def read_timestamp(text: str) -> datetime | None:
    """The time in a timestamp.txt, in UTC, or None where there is none that can be read."""
    try:
        return parse_utc(text.strip()) if text.strip() else None
    except (ValueError, OverflowError):
        return None
