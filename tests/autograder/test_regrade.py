"""Grading again: what would be done, who gains and who loses, and the gradebook as it was."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from nbgrader.api import Gradebook
from tiny_course import TEXT, Done, hand_in, solved

from autograder import gradebook

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]


def files(root: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}


def test_dry_run_says_what_would_be_done_and_does_nothing(
    make_course: MakeCourse, autograder: Command
) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root))
    hand_in(root, "bad", b"no notebook")
    before = files(root)
    done = autograder("grade", "tiny", "--course-dir", root, "--dry-run")
    assert done.returncode == 0 and "2 would be graded: ada, bad" in done.stdout
    assert files(root) == before
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    hand_in(root, "late", solved(root))
    before = files(root)
    done = autograder("grade", "tiny", "--course-dir", root, "--dry-run")
    assert "1 would be graded: late" in done.stdout and "2 unchanged" in done.stdout
    assert files(root) == before
    # under another protection marks may differ, so that all of it would be done
    done = autograder("grade", "tiny", "--course-dir", root, "--dry-run", "--rung", 3)
    assert "0 unchanged" in done.stdout
    done = autograder("grade", "tiny", "--course-dir", root, "--dry-run", "--student", "nobody")
    assert done.returncode == 2 and "no submission of tiny by nobody" in done.stderr


def test_a_mended_test_says_who_gains_and_who_loses(
    make_course: MakeCourse, autograder: Command
) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "same", solved(root))
    hand_in(root, "gains", solved(root, {"tiny-half": "def half(x):\n    return x // 2"}))
    hand_in(root, "loses", solved(root, {"tiny-double": "def double(x):\n    return abs(2 * x)"}))
    (root / "solutions/tiny/tiny.py").write_text(TEXT.replace("half(4) == 2", "half(5) == 2.5"))
    assert autograder("release", "tiny", "--course-dir", root).returncode == 0
    done = autograder("grade", "tiny", "--course-dir", root)
    assert done.returncode == 0 and "other points" not in done.stdout
    mended = TEXT.replace("HIDDEN_MARKER_2 == 6", "HIDDEN_MARKER_2 == 6 and double(-1) == -2")
    (root / "solutions/tiny/tiny.py").write_text(mended)
    assert autograder("release", "tiny", "--course-dir", root).returncode == 0
    done = autograder("grade", "tiny", "--course-dir", root)
    assert done.returncode == 0
    assert "2 of 3 have other points than before:" in done.stdout
    assert "  gains: +2 points (tiny-half-tests +2)" in done.stdout
    assert "  loses: -3 points (tiny-double-tests -3)" in done.stdout
    assert "same:" not in done.stdout
    done = autograder("grade", "tiny", "--course-dir", root)
    assert "3 unchanged" in done.stdout and "other points" not in done.stdout


def scores(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        return sorted(db.execute("SELECT auto_score, manual_score FROM grade").fetchall(), key=str)


def test_the_gradebook_is_copied_before_the_first_write(
    make_course: MakeCourse, autograder: Command
) -> None:
    root = make_course()
    backups = root / ".autograder" / "backups"
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    assert not list(backups.glob("*"))  # there was nothing to lose
    was = scores(root / "gradebook.db")
    hand_in(root, "ada", solved(root, {"tiny-double": "double = None"}))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    (copy,) = backups.iterdir()
    assert scores(copy) == was != scores(root / "gradebook.db")
    for _ in range(11):
        assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    assert len(list(backups.iterdir())) == 10
    (root / "gradebook.db").write_bytes(b"this is no database, though long enough to be one" * 40)
    done = autograder("grade", "tiny", "--course-dir", root)
    last = max(backups.iterdir())
    assert done.returncode == 2 and "cannot be read as a gradebook" in done.stderr
    assert f"put back {last}" in done.stderr


def test_a_due_date_that_moves_needs_no_force(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course(config="c.LateSubmissionPlugin.penalty_method = 'zero'")
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root))
    (root / "submitted/ada/tiny/timestamp.txt").write_text("2030-01-02 10:00:00 UTC")

    def marks(duedate: str | None) -> tuple[float, str]:
        with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
            book.update_or_create_assignment("tiny", duedate=duedate)
        done = autograder("grade", "tiny", "--course-dir", root)
        assert done.returncode == 0
        assert "0 graded now" in done.stdout or duedate is None
        with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
            penalty = book.find_submission("tiny", "ada").late_submission_penalty
        return float(penalty or 0), (root / "reports/tiny.html").read_text()

    penalty, page = marks(None)
    assert penalty == 0 and "1 d 0 h late" not in page
    penalty, page = marks("2030-01-01 10:00:00 UTC")
    assert penalty == 5 and "1 d 0 h late" in page  # all that a machine gave
    penalty, page = marks("2030-01-03 10:00:00 UTC")
    assert penalty == 0 and "1 d 0 h late" not in page


def test_a_new_gradebook_has_the_version_that_nbgrader_gives_it(tmp_path: Path) -> None:
    begin = str(Path(sys.executable).parent)
    code = "from nbgrader.api import get_alembic_version as v; print(v())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PATH": begin + os.pathsep + os.environ["PATH"]},
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[-1] == gradebook.database_version()
