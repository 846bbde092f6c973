"""Marks are those of `nbgrader autograde`, cell by cell, but for three differences and no more."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_course import TEXT, Done, cell, hand_in, rows_of, solved, stock

from tools import bench_course
from tools.bench_grader import Marks, differences, json_marks, marks

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]

# right by either route, wrong, raising, never begun
CLEAN = [0, 3, 7, 12]


def graded_by_both(
    root: Path, ps: str, autograder: Command, home: Path, students: list[str]
) -> tuple[Marks, Marks]:
    """Marks by stock nbgrader and by us, of the same submissions."""
    done = autograder("grade", ps, "--course-dir", root, "--json", root / "marks.json")
    assert done.returncode == 0, done.stderr
    ours = marks(root, ps)
    assert differences(ours, ours, json_marks(root)) == []
    (root / "gradebook.db").unlink()
    shutil.rmtree(root / "autograded")
    stock(root, home, "generate_assignment", ps, "--force")
    for student in students:  # "*" is everybody
        stock(root, home, "autograde", ps, "--force", "--student", student)
    return marks(root, ps), ours


def test_clean_submissions_get_the_same_marks(tmp_path: Path, autograder: Command) -> None:
    root = tmp_path / "course"
    root.mkdir()
    bench_course.write(root, CLEAN)
    students = [f"student-{number:04d}" for number in CLEAN]
    theirs, ours = graded_by_both(root, "load", autograder, tmp_path, ["*"])
    assert len(theirs) == len(CLEAN) * 7
    assert differences(theirs, ours, {}) == []
    points = {student: [mark[0] for key, mark in ours.items() if key[0] == student]
              for student in students}  # fmt: skip
    assert sum(p or 0 for p in points["student-0000"]) == 18  # all that needs no person
    assert sum(p or 0 for p in points["student-0007"]) == 0
    assert all(0 < sum(p or 0 for p in points[s]) < 18 for s in ("student-0003", "student-0012"))


def test_the_three_differences(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    """A warning costs nothing, deleted cells are dealt with, and a crash costs one cell."""
    more = cell("tiny-last-tests", "assert half(6) == 3", points=1, grade=True, locked=True)
    root = make_course(TEXT + "\n" + more)
    assert autograder("release", "--course-dir", root).returncode == 0
    warns = "import sys\ndef double(x):\n    print('careful', file=sys.stderr)\n    return 2 * x"
    hand_in(root, "warns", solved(root, {"tiny-double": warns}))
    nb = solved(root)
    nb.cells = [c for c in nb.cells if c.id not in ("tiny-helper", "tiny-last-tests")]
    hand_in(root, "deletes", nb)
    hand_in(root, "same", solved(root))
    hand_in(root, "crashes", solved(root, {"tiny-half": "import os\nos._exit(0)"}))
    with pytest.raises(subprocess.CalledProcessError):  # nbgrader gives it no marks at all
        graded_by_both(root, "tiny", autograder, tmp_path, ["crashes"])
    rows = rows_of(root / "marks.json", "crashes")
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "tiny-double-tests": "passed",
        "tiny-half-tests": "error",
        "tiny-last-tests": "error",
        "tiny-why": "manual",
    }
    (root / "submitted/crashes").rename(tmp_path / "crashes")
    (root / "gradebook.db").unlink()
    theirs, ours = graded_by_both(root, "tiny", autograder, tmp_path, ["*"])
    differ: dict[str, dict[str, tuple[object, object]]] = {key[0]: {} for key in theirs}
    for key in theirs.keys() | ours.keys():
        if theirs.get(key) != ours.get(key):
            differ[key[0]][key[2]] = (theirs.get(key, (None,))[0], ours.get(key, (None,))[0])
    assert differ == {
        "same": {},
        "warns": {"tiny-double-tests": (0.0, 3.0)},
        # its helper is put back, and a deleted test is worth 0
        "deletes": {"tiny-double-tests": (0.0, 3.0), "tiny-last-tests": (None, 0.0)},
    }
