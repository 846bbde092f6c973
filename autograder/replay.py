"""Run one submission again, exactly as it was graded, for an appeal: nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import run
from autograder.course import Course, UsageError
from autograder.grade import Grader, Work
from autograder.journal import REFERENCE
from autograder.progress import Progress
from autograder.sandbox import Protection
from autograder.scoring import Row


@dataclass(frozen=True)
class Replayed:
    """What a submission gets now, beside what the journal says that it got."""

    work: Work
    was: dict[tuple[str, str], Row]
    same_work: bool  # the submission, the source, the grader and the packages are as they were

    def lines(self) -> list[str]:
        """One line a cell: points then and now, the outcome, and the message."""
        found = []
        for row in self.work.rows:
            old = self.was.get((row.notebook, row.cell))
            now = "by hand" if row.points is None else f"{row.points:g} of {row.max_points:g}"
            text = f"{row.notebook} {row.cell}: {now}, {row.outcome}"
            text += f": {row.message}" if row.message else ""
            if old is not None and old.points != row.points:
                text += f" (was {'by hand' if old.points is None else f'{old.points:g}'})"
            found.append(text)
        return found

    @property
    def differs(self) -> bool:
        """Whether a cell gets other points than it got."""
        now = {(row.notebook, row.cell): row.points for row in self.work.rows}
        return any(key in now and now[key] != row.points for key, row in self.was.items())


def replay(
    course: Course, ps: str, student: str, protection: Protection, progress: Progress
) -> Replayed:
    """Run a submission again and return its rows; UsageError if it was never graded."""
    grader = Grader(course, ps, protection)
    if student not in course.students(ps):
        known = ", ".join(course.students(ps)) or "none"
        raise UsageError(f"no submission of {ps} by {student}; there are: {known}")
    entry = grader.journal.entries.get(student)
    if entry is None or REFERENCE not in grader.journal.entries:
        raise UsageError(f"{student}'s {ps} was never graded here; run `grade {ps}` first")
    if not grader.knows_reference:
        progress.say("the source, the grader or a package has changed since this was graded")
    (work,) = grader.plan([student], True, set())
    with progress, run.Pool(1, course.root, protection, grader.preload) as pool:
        progress.begin(1)
        for done in grader.finished([work], pool):
            work = done
    was = {(row.notebook, row.cell): row for row in entry.rows}
    return Replayed(work, was, entry.key == work.key)


def save(done: Replayed, folder: Path) -> Sequence[Path]:
    """Write the executed notebooks, hidden tests and their tracebacks included."""
    from autograder import source

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, nb in done.work.executed.items():
        path = folder / f"{done.work.student}-{name}.ipynb"
        path.write_bytes(source.write(nb))
        paths.append(path)
    return paths
