"""Instructor's notebooks -> the students' notebooks, and nothing of the answers with them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_course import MARKERS, ROOT, TEXT, Done, cell, hand_in, solved, stock

from autograder import course, release, source

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]
SETS = sorted(p.parent.name for p in (ROOT / "solutions").glob("*/*.py"))


def read_all(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_release_is_the_same_on_every_run(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    first = autograder("release", "--course-dir", root)
    assert first.returncode == 0, first.stderr
    files = read_all(root)
    assert autograder("release", "--course-dir", root).returncode == 0
    assert read_all(root) == files
    shutil.rmtree(root / "exercises")
    (root / "solutions/tiny/tiny.ipynb").unlink()
    assert autograder("release", "tiny", "--course-dir", root).returncode == 0
    assert read_all(root) == files


def test_stub_names_its_task(make_course: MakeCourse) -> None:
    here = course.load(make_course())
    release.write(here, "tiny")
    cells = json.loads((here.release("tiny") / "tiny.ipynb").read_bytes())["cells"]
    text = {c["id"]: "".join(c["source"]) for c in cells}
    assert text["tiny-double"] == (
        'def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError("tiny-double")'
    )
    assert text["tiny-why"] == "YOUR ANSWER HERE"
    assert "BEGIN" not in "".join(text.values())
    for code in (c for c in cells if c["cell_type"] == "code"):
        compile("".join(code["source"]), "stub", "exec")


def test_a_text_source_is_never_shipped(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course(config="c.CourseDirectory.ignore = ['__pycache__']")
    (root / "solutions/tiny/helper.py").write_text("THREE = 3\n")
    (root / "exercises/tiny").mkdir(parents=True)
    (root / "exercises/tiny/tiny.py").write_text(TEXT)  # as it was shipped before
    assert autograder("release", "--course-dir", root).returncode == 0
    assert sorted(read_all(root / "exercises")) == ["tiny/helper.py", "tiny/tiny.ipynb"]
    nosy = "import os\nassert False, sorted(os.listdir())"
    hand_in(root, "eve", solved(root, {"tiny-half": nosy}))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    seen = (root / "autograded/eve/tiny/tiny.ipynb").read_text()
    assert "AssertionError: ['helper.py'" in seen and "tiny.py" not in seen
    assert not (root / "autograded/eve/tiny/tiny.py").exists()


def test_check_names_the_command_that_renews(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    text = root / "solutions/tiny/tiny.py"
    released = root / "exercises/tiny/tiny.ipynb"

    def check() -> str:
        before = read_all(root)
        done = autograder("release", "--check", "--course-dir", root)
        assert read_all(root) == before
        assert done.returncode == (1 if done.stderr else 0)
        assert not done.stderr or "run `python -m autograder release tiny`" in done.stderr
        return done.stderr

    assert "is not what its text source makes" in check()
    assert autograder("release", "--course-dir", root).returncode == 0
    assert check() == ""
    released.write_bytes(released.read_bytes().replace(b"tiny set", b"small set"))
    assert "tiny.ipynb is out of date" in check()
    assert autograder("release", "--course-dir", root).returncode == 0
    (root / "exercises/tiny/tiny.py").write_text("leaked")
    assert "not part of the release" in check()
    assert autograder("release", "--course-dir", root).returncode == 0
    text.write_text(text.read_text().replace("2 * x", "x + x"))
    assert "is not what its text source makes" in check()


def test_somebodys_work_is_not_overwritten(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    path = root / "exercises/tiny/tiny.ipynb"
    nb = json.loads(path.read_bytes())
    next(c for c in nb["cells"] if c["cell_type"] == "code")["execution_count"] = 1
    path.write_text(json.dumps(nb))
    done = autograder("release", "--course-dir", root)
    assert done.returncode == 0
    assert "tiny.ipynb was run, so somebody works in it: left alone" in done.stderr
    assert json.loads(path.read_bytes()) == nb
    assert autograder("release", "--course-dir", root, "--force").returncode == 0
    assert json.loads(path.read_bytes()) != nb


def test_a_mistake_in_a_source_is_one_line(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course(cell("t", "assert 1", grade=True, locked=True))
    done = autograder("release", "--course-dir", root)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "tiny.py:1: graded cell 't' has no \"points\"" in done.stderr
    unknown = autograder("release", "nothere", "--course-dir", root)
    assert unknown.returncode == 2
    assert "there are: tiny" in unknown.stderr


def stock_release(root: Path, ps: str, home: Path) -> None:
    """The stock command, on an empty release folder and a fresh database."""
    shutil.rmtree(root / "exercises", ignore_errors=True)
    (root / "gradebook.db").unlink(missing_ok=True)
    stock(root, home, "generate_assignment", ps, "--force")


@pytest.mark.parametrize("ps", ["tiny", *SETS])
def test_stock_command_makes_the_same_bytes_and_leaks_nothing(
    ps: str, make_course: MakeCourse, tmp_path: Path
) -> None:
    root = make_course()
    if ps != "tiny":
        shutil.copytree(ROOT / "solutions" / ps, root / "solutions" / ps)
    (root / "solutions" / ps / "data.csv").write_text("1,2\n")
    here = course.load(root)
    release.write(here, ps)
    ours = read_all(here.release(ps))
    assert {f"{ps}.ipynb", "data.csv"} <= set(ours)
    stock_release(root, ps, tmp_path)
    assert read_all(root / "exercises" / ps) == ours
    assert_nothing_leaks(root / "exercises", here, ps)


def secrets(here: course.Course, ps: str) -> set[str]:
    """Every line of an answer, hidden test or rubric that no public cell holds as well."""
    lines: set[str] = set()
    for path in here.source(ps).glob("*.py"):
        nb, regions, public = source.read(path), set(), set()
        for cell_ in nb.cells:
            for line in cell_.source.split("\n"):
                mark = source.REGION_MARK.search(line)
                if mark:
                    (regions.add if mark[1] == "BEGIN" else regions.remove)(mark[2])
                if mark or regions:
                    lines.add(line.strip())
                else:
                    public.add(line.strip())
        lines -= public
    return {line for line in lines if len(line) > 3}


def assert_nothing_leaks(folder: Path, here: course.Course, ps: str) -> None:
    hidden = secrets(here, ps)
    assert hidden, "the test saw no answer to look for"
    sources = {p.name for p in here.source(ps).glob("*.py")}
    for path in folder.rglob("*"):
        assert path.name not in sources and path.suffix != ".py", path
        if not path.is_file():
            continue
        text = path.read_bytes().decode(errors="replace")
        texts = [text]
        if path.suffix == ".ipynb":
            texts += ["".join(c["source"]) for c in json.loads(text)["cells"]]
        lines = {line.strip() for t in texts for line in t.split("\n")}
        assert not hidden & lines, (path, hidden & lines)
        assert not [m for m in MARKERS if m in text], path
        assert "BEGIN SOLUTION" not in text and "HIDDEN TESTS" not in text, path


@pytest.mark.parametrize("ps", SETS)
def test_committed_release_leaks_nothing(ps: str) -> None:
    assert_nothing_leaks(ROOT / "exercises" / ps, course.load(ROOT), ps)


def test_the_leak_test_can_fail(make_course: MakeCourse) -> None:
    here = course.load(make_course())
    release.write(here, "tiny")
    leaks = {
        "answer.ipynb": (here.source("tiny") / "tiny.ipynb").read_bytes(),
        "tiny.py": b"",
        "notes.txt": b"    return 2 * x  # ANSWER_MARKER_1\n",
    }
    for name, content in leaks.items():
        path = here.release("tiny") / name
        path.write_bytes(content)
        with pytest.raises(AssertionError):
            assert_nothing_leaks(here.release("tiny"), here, "tiny")
        path.unlink()
    assert_nothing_leaks(here.release("tiny"), here, "tiny")
