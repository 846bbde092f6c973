"""An appeal: one submission again, beside what it got, and nothing is written."""

from collections.abc import Callable
from pathlib import Path

import nbformat
from tiny_course import TEXT, Done, hand_in, solved

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]


def files(root: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}


def test_the_same_points_again(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    done = autograder("replay", "tiny", "ada", "--course-dir", root)
    assert done.returncode == 2 and "no submission of tiny by ada" in done.stderr
    draws = "import random\ndef double(x):\n    return 2 * x + (random.random() > 2)"
    hand_in(root, "ada", solved(root, {"tiny-double": draws, "tiny-half": "half = None"}))
    done = autograder("replay", "tiny", "ada", "--course-dir", root)
    assert done.returncode == 2 and "never graded" in done.stderr
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    before = files(root)
    out = tmp_path / "appeal"
    done = autograder("replay", "tiny", "ada", "--course-dir", root, "--output", out)
    assert done.returncode == 0 and files(root) == before
    assert "tiny tiny-double-tests: 3 of 3, passed" in done.stdout
    assert "tiny tiny-half-tests: 0 of 2, error: TypeError" in done.stdout
    assert "packages: as when it was graded" in done.stdout
    assert "the same in every cell" in done.stdout
    nb = nbformat.read(out / "ada-tiny.ipynb", 4)
    assert any("HIDDEN_MARKER_2" in cell.source for cell in nb.cells)


def test_what_has_changed_since_is_said(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root, {"tiny-half": "def half(x):\n    return x // 2"}))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    (root / "solutions/tiny/tiny.py").write_text(TEXT.replace("half(4) == 2", "half(5) == 2.5"))
    assert autograder("release", "tiny", "--course-dir", root).returncode == 0
    done = autograder("replay", "tiny", "ada", "--course-dir", root)
    assert done.returncode == 1 and "not all as when it was graded" in done.stdout
    assert "tiny-half-tests: 0 of 2, failed: half of 4 is 2 (was 2)" in done.stdout
    assert "points: not the same" in done.stdout
