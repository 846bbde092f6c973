"""Make a demonstration class from the answer bank, grade it, and check the marks.

The marks are known before anything is graded: they are the points of the set less those of the
cells that each answer is said to lose. `python -m tools.demo_class` writes `_build/demo`.
"""

import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder import start

start.quickly()

import nbformat  # noqa: E402
from nbformat import NotebookNode  # noqa: E402
from nbgrader.api import Gradebook  # noqa: E402
from nbgrader.utils import is_solution  # noqa: E402

from autograder import bank, cli, release, source  # noqa: E402
from autograder.bank import Answer  # noqa: E402
from autograder.course import Course, UsageError, load  # noqa: E402
from autograder.submission import carries_points, grade_id  # noqa: E402

PS = "ps1_hmm"
DUE = "2026-10-16 18:00:00 UTC"
IN_TIME, LATE = "2026-10-16 15:20:00 UTC", "2026-10-17 21:45:00 UTC"


@dataclass
class Student:
    """One member of the class: what is handed in, and which cells it must lose."""

    name: str
    content: bytes
    loses: set[str] = field(default_factory=set)
    handed_in: str = IN_TIME


def make_class(ps: str, course: Course, answers: Sequence[Answer]) -> list[Student]:
    """Twelve students, named after people who made the field."""
    reference = nbformat.read(course.notebooks(ps)[0], 4)
    released = release.convert(course, course.notebooks(ps)[0]).notebook
    tests = list(test_points(reference))
    wrong: dict[str, list[Answer]] = {}
    right: dict[str, list[Answer]] = {}
    for answer in answers:
        (right if answer.right else wrong).setdefault(answer.task, []).append(answer)
    tasks = list(wrong)

    def nth(pool: Mapping[str, list[Answer]], n: int, chosen: Sequence[str]) -> dict[str, Answer]:
        return {task: pool[task][n % len(pool[task])] for task in chosen}

    def student(name: str, given: dict[str, Answer], handed_in: str = IN_TIME) -> Student:
        nb = bank.submission(released, reference, given)
        loses = {cell for answer in given.values() for cell in answer.loses}
        return Student(name, source.write(nb), loses, handed_in)

    deleted = bank.submission(released, reference, {})
    deleted.cells = [c for c in deleted.cells if grade_id(c) != tests[0]]
    return [
        student("andrei", {}),  # Markov
        student("leonard", nth(right, 0, tasks)),  # Baum
        student("lloyd", nth(right, 1, tasks)),  # Welch
        student("ruslan", nth(wrong, 0, tasks[:1])),  # Stratonovich
        student("andrew", nth(wrong, 1, tasks[1:3])),  # Viterbi
        student("fred", nth(wrong, 2, tasks[::2])),  # Jelinek
        student("jim", nth(wrong, 0, tasks)),  # Baker
        student("lawrence", nth(wrong, 1, tasks)),  # Rabiner
        student("claude", nth(wrong, 2, tasks[-2:]), LATE),  # Shannon
        Student("sepp", source.write(released), set(tests)),  # Hochreiter: handed in as it came
        Student("paul", source.write(released)[:2000], set(tests)),  # Werbos: cut off on its way
        Student("jeffrey", source.write(deleted), {tests[0]}),  # Elman: deleted a test
    ]


def test_points(reference: NotebookNode) -> dict[str, float]:
    """Points of each cell that is marked without a person."""
    return {
        name: cell.metadata.nbgrader.points
        for cell in reference.cells
        if carries_points(cell) and not is_solution(cell) and (name := grade_id(cell))
    }


def write_course(ps: str, home: Course, root: Path, students: Sequence[Student]) -> None:
    """Make the course folder anew where it differs; what is unchanged keeps its marks."""
    folder = root / "solutions" / ps
    _write(root / "nbgrader_config.py", (home.root / "nbgrader_config.py").read_bytes())
    sources = [*home.source(ps).glob("*.py"), *home.notebooks(ps)]
    if [_write(folder / path.name, path.read_bytes()) for path in sources].count(True):
        (root / "gradebook.db").unlink(missing_ok=True)  # it refuses other cells under its marks
    known = {student.name for student in students}
    for old in (root / "submitted").glob("*"):
        if old.name not in known:
            shutil.rmtree(old)
    for student in students:
        to = root / "submitted" / student.name / ps
        _write(to / f"{home.notebooks(ps)[0].stem}.ipynb", student.content)
        _write(to / "timestamp.txt", student.handed_in.encode())


def expected_marks(ps: str, course: Course, students: Sequence[Student]) -> dict[str, float]:
    """Automatic points of each student, from what the bank says its answers lose."""
    points = test_points(nbformat.read(course.notebooks(ps)[0], 4))
    return {s.name: sum(p for cell, p in points.items() if cell not in s.loses) for s in students}


def set_due_date(ps: str, root: Path) -> None:
    """Tell the gradebook when the set was due, as formgrader does, so that late is late."""
    with Gradebook(f"sqlite:///{root.resolve()}/gradebook.db", "") as book:
        book.update_or_create_assignment(ps, duedate=DUE)


def _write(path: Path, content: bytes) -> bool:
    """Write a file that is not as it must be; tells whether it was not."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def main(ps: str = PS, root: Path = Path("_build/demo")) -> int:
    """Make, grade and check the class; 0 when every mark is the expected one."""
    started = time.monotonic()
    home = load(Path(__file__).resolve().parents[1])
    answers = bank.load(home.root / "tests" / "answers" / ps)
    students = make_class(ps, home, answers)
    write_course(ps, home, root, students)
    set_due_date(ps, root)
    marks = root / "marks.json"
    command = ["grade", ps, "--course-dir", str(root), "--json", str(marks)]
    print(f"$ python -m autograder {' '.join(command)}", flush=True)
    if code := cli.main(command):
        return code
    got = dict.fromkeys((student.name for student in students), 0.0)
    for row in json.loads(marks.read_text()):
        got[row["student"]] += row["points"] or 0.0
    expected = expected_marks(ps, home, students)
    for name in sorted(expected):
        verdict = "" if got[name] == expected[name] else f", expected {expected[name]:g}"
        print(f"{name:>10} {got[name]:5g}{verdict}")
    wrong = [name for name in expected if got[name] != expected[name]]
    print(
        f"{len(students)} students, {len(wrong)} with other marks than the answer bank says; "
        f"{time.monotonic() - started:.1f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UsageError as error:
        print(f"demo_class: {error}", file=sys.stderr)
        sys.exit(2)
