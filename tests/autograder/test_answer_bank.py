"""The answer bank: its format, the submissions made of it, and a bank that must be found wrong."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from tiny_course import Done

from autograder import bank, course
from autograder.course import UsageError

GOOD = """# Answers to tiny-double; each cell stands in.
# %% right: twice
def double(x):
    return x + x


# %% wrong: only the example
# why: works for the visible example alone
def double(x):
    return 4


# %% wrong: takes its neighbour along
# loses: tiny-double-tests, tiny-half-tests
# why: names are shared
def double(x):
    return 4 if x == 2 else check_close.__dict__.update(half=1)
"""
BAD = """# Answers to tiny-double
# %% right: is wrong
def double(x):
    return 4
# %% wrong: is right
def double(x):
    return 2 * x
# %% wrong: noticed at home
def double(x):
    return 5
"""


def folder(tmp_path: Path, text: str) -> Path:
    answers = tmp_path / "answers"
    answers.mkdir(exist_ok=True)
    (answers / "double.py").write_text(text)
    return answers


def test_reads_answers(tmp_path: Path) -> None:
    twice, example, neighbour = bank.load(folder(tmp_path, GOOD))
    assert (twice.task, twice.name, twice.right, twice.loses) == ("tiny-double", "twice", True, ())
    assert twice.source == "def double(x):\n    return x + x"
    assert example.loses == ("tiny-double-tests",)
    assert example.why == "works for the visible example alone"
    assert example.source == "def double(x):\n    return 4"
    assert neighbour.loses == ("tiny-double-tests", "tiny-half-tests")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "double.py:1: expected `# Answers to TASK`"),
        ("# Answers to t\n\n# %% rihgt: x\n", "double.py:3: expected `# %% right: NAME`"),
        ("# Answers to t\n# %% right: x\n\n# %% right: x\n", "double.py:4: two answers"),
        ("# Answers to t\n# %% right: x\n# loses: y\n", "double.py:2: a right answer loses"),
        ("# Answers to t\n", "no answers in"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        bank.load(folder(tmp_path, text))


def test_submission_holds_the_given_and_the_reference_answers(
    tmp_path: Path, make_course: Callable[..., Path], autograder: Callable[..., Done]
) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    released = nbformat.read(root / "exercises/tiny/tiny.ipynb", 4)
    before = nbformat.writes(released)
    reference = nbformat.read(root / "solutions/tiny/tiny.ipynb", 4)
    answer = bank.load(folder(tmp_path, GOOD))[1]
    nb = bank.submission(released, reference, {answer.task: answer})
    text = {cell.id: cell.source for cell in nb.cells}
    assert text["tiny-double"] == answer.source
    assert text["tiny-half"] == "def half(x):\n    return x / 2"
    assert "HIDDEN" not in nbformat.writes(nb)
    assert nbformat.writes(released) == before


def test_kill_matrix(
    tmp_path: Path, make_course: Callable[..., Path], autograder: Callable[..., Done]
) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    text = GOOD.partition("# %% wrong: takes its")[0]
    good = autograder(
        "bank", "tiny", "--course-dir", root, "--answers", folder(tmp_path, text), "--full"
    )
    assert good.returncode == 0, good.stdout + good.stderr
    assert "2 answers, 0 not as they must be" in good.stdout
    bad = autograder("bank", "tiny", "--course-dir", root, "--answers", folder(tmp_path, BAD))
    assert bad.returncode == 1
    for line in (
        "loses tiny-double-tests, and should not: double must work for 3 too",
        "does not lose tiny-double-tests",
        "fails the visible tests of tiny-double-tests",
        "3 answers, 3 not as they must be",
    ):
        assert line in bad.stdout
    unknown = autograder(
        "bank", "tiny", "--course-dir", root, "--answers", tmp_path / "answers", "--task", "no"
    )
    assert unknown.returncode == 2


def test_tests_of_a_task_stand_behind_it(
    make_course: Callable[..., Path], autograder: Callable[..., Done]
) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    (path,) = course.load(root).notebooks("tiny")
    reference = nbformat.read(path, 4)
    assert bank.tests_of(reference, "tiny-double") == ["tiny-double-tests"]
    assert bank.tests_of(reference, "tiny-half") == ["tiny-half-tests"]
