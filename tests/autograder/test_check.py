"""What a student sees at home: the visible tests in plain words, nothing of the hidden ones."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from tiny_course import MARKERS, Done, solved

from autograder import check, sandbox

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]


@pytest.fixture
def write(make_course: MakeCourse, autograder: Command, tmp_path: Path) -> Callable[..., Path]:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0

    def make(answers: dict[str, str] | None) -> Path:
        path = tmp_path / "my own folder" / "tiny.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(solved(root, answers), path)
        return path

    return make


def test_all_holds(write: Callable[..., Path], autograder: Command) -> None:
    path = write(None)
    before = path.read_bytes()
    done = autograder("check", path)
    assert done.returncode == 0 and path.read_bytes() == before
    assert "holds    tiny-double-tests" in done.stdout and "2 of 2 tests hold" in done.stdout
    assert "by hand  tiny-why" in done.stdout and "hidden ones may ask more" in done.stdout
    assert not any(marker in done.stdout + done.stderr for marker in MARKERS[1:])


def test_what_does_not_hold_is_said_in_the_words_of_the_test(
    write: Callable[..., Path], autograder: Command
) -> None:
    done = autograder("check", write({"tiny-half": "def half(x):\n    return x"}))
    assert done.returncode == 1 and "1 of 2 tests hold" in done.stdout
    assert "not yet  tiny-half-tests: half of 4 is 2" in done.stdout


def test_an_untouched_notebook_and_a_changed_locked_cell(
    write: Callable[..., Path], autograder: Command
) -> None:
    path = write({})
    nb = nbformat.read(path, 4)
    next(c for c in nb.cells if c.id == "tiny-half-tests").source = "pass"
    nbformat.write(nb, path)
    done = autograder("check", path)
    assert done.returncode == 1 and "not yet  tiny-double-tests" in done.stdout
    assert "the locked cell tiny-half-tests is not as it came" in done.stderr


def test_hostile_cells_stay_in_the_sandbox(write: Callable[..., Path], tmp_path: Path) -> None:
    if sandbox.best().rung >= 3:
        pytest.skip("no sandbox here")
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    steal = f"open({str(secret)!r}).read()\ndef double(x):\n    return 2 * x"
    looked = {one.cell: one for one in check.check(write({"tiny-double": steal}))}
    assert not looked["tiny-double-tests"].holds and looked["tiny-half-tests"].holds


@pytest.mark.parametrize("content", [b"", b"{}", b'{"cells": [], "nbformat": 4}'])
def test_what_is_no_problem_set_is_refused(
    autograder: Command, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    done = autograder("check", path)
    assert done.returncode == 2 and str(path) in done.stderr
    done = autograder("check", tmp_path / "nowhere.ipynb")
    assert done.returncode == 2 and "nowhere.ipynb" in done.stderr


def test_without_fork_a_kernel_runs_it(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.fork")
    looked = {one.cell: one for one in check.check(write({"tiny-half": "half = None"}))}
    assert looked["tiny-double-tests"].holds and not looked["tiny-half-tests"].holds
    assert "TypeError" in looked["tiny-half-tests"].message
