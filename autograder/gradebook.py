"""Write marks into nbgrader's database, through nbgrader's own classes.

One process writes: the coordinator. What a person entered by hand (manual scores, comments, extra
credit) is never touched.
"""

import contextlib
import copy
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import nbgrader
from alembic.script import ScriptDirectory
from nbformat import NotebookNode
from nbgrader import api
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from nbgrader.utils import parse_utc

from autograder.course import Course, UsageError
from autograder.scoring import NO_RESPONSE, Row

BACKUPS = 10  # copies of the gradebook kept


class Book:
    """The gradebook of a course, open for one problem set."""

    def __init__(self, course: Course, ps: str) -> None:
        self.course = course
        self.ps = ps
        _back_up(course)
        api.get_alembic_version = database_version
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

    def late_s(self, student: str) -> int:
        """Return by how many seconds a graded submission was late by the due date as it is now.

        The penalty follows.
        """
        submission = self.db.find_submission(self.ps, student)
        late_s = int(submission.total_seconds_late)
        self._penalise(submission, late_s)
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


def _back_up(course: Course) -> None:
    """Copy the gradebook as it is before this run writes; the last few copies are kept."""
    url = course.directory.db_url
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.is_file():
        return  # another database has a backup of its own kind
    folder = course.root / ".autograder" / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    partial = folder / f".{path.stem}-{stamp}.partial"
    source, target = sqlite3.connect(path), sqlite3.connect(partial)
    try:
        source.backup(target)  # also right while somebody marks in formgrader
    except sqlite3.DatabaseError as error:
        partial.unlink(missing_ok=True)
        copies = sorted(folder.glob(f"{path.stem}-*.db"))
        remedy = f"put back {copies[-1]}" if copies else "put back a copy of it, or start a new one"
        raise UsageError(f"{path} cannot be read as a gradebook: {error}; {remedy}") from None
    finally:
        source.close()
        target.close()
    partial.rename(folder / f"{path.stem}-{stamp}.db")
    for old in sorted(folder.glob(f"{path.stem}-*.db"))[:-BACKUPS]:
        old.unlink()


def database_version() -> str:
    """Return what nbgrader notes in a new gradebook.

    It starts the program `alembic` to ask for this, which takes two seconds.
    """
    head = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    assert head is not None
    return head


def read_timestamp(text: str) -> datetime | None:
    """The time in a timestamp.txt, in UTC, or None where there is none that can be read."""
    try:
        return parse_utc(text.strip()) if text.strip() else None
    except (ValueError, OverflowError):
        return None
