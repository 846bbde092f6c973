"""Text source -> instructor's notebook."""

from pathlib import Path

import nbformat
import pytest
from tiny_course import TEXT, cell

from autograder import source


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tiny" / "tiny.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_notebook_is_valid_and_bare(tmp_path: Path) -> None:
    nb = source.read(written(tmp_path, TEXT))
    nbformat.validate(nb)
    assert (nb.nbformat, nb.nbformat_minor) == (4, 5)
    assert nb.metadata.kernelspec.name == "python3"
    assert "jupytext" not in source.write(nb).decode()
    assert all(c.outputs == [] and c.execution_count is None for c in nb.cells if "outputs" in c)
    assert "python -m autograder release tiny" in nb.metadata.generated


def test_ids_follow_grade_ids_and_contents(tmp_path: Path) -> None:
    first = source.read(written(tmp_path, TEXT))
    assert "tiny-double" in [c.id for c in first.cells]
    # a new cell in front leaves the ids of all others alone, and equal cells get ids of their own
    again = source.read(written(tmp_path, "# %%\nx = 1\n\n# %%\nx = 1\n\n" + TEXT))
    assert [c.id for c in again.cells[2:]] == [c.id for c in first.cells]
    assert len({c.id for c in again.cells}) == len(again.cells)
    assert source.write(again) == source.write(source.read(written(tmp_path, again_text())))


def again_text() -> str:
    return "# %%\nx = 1\n\n# %%\nx = 1\n\n" + TEXT


GRADED = cell("t", "assert True", points=1, grade=True, locked=True)

MISTAKES = {
    "duplicate": (GRADED + "\n" + GRADED, 4, "'t' is already used on line 1"),
    "no points": (
        "# a title\n\n" + cell("t", "assert True", grade=True, locked=True),
        3,
        "graded cell 't' has no \"points\"",
    ),
    "task without points": (cell("t", "# Do", task=True, markdown=True), 1, 'no "points"'),
    "no end": (
        cell("s", "x = 1\n### BEGIN SOLUTION\ny = 2", solution=True),
        3,
        "BEGIN SOLUTION without END SOLUTION",
    ),
    "no begin": (
        GRADED + "\n" + cell("u", "a = 1\n### END HIDDEN TESTS", points=1, grade=True),
        6,
        "END HIDDEN TESTS without BEGIN",
    ),
    "nested": (
        cell("s", "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", solution=True),
        3,
        "inside the one of line 2",
    ),
    "solution in a plain cell": (
        GRADED + "\n# %%\n### BEGIN SOLUTION\n### END SOLUTION\n",
        5,
        'SOLUTION belongs in a cell with "solution": true',
    ),
    "hidden tests in a plain cell": (
        cell("s", "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS", solution=True),
        2,
        'HIDDEN TESTS belongs in a cell with "grade": true',
    ),
    # left there, nbgrader would take an untouched answer for a written one
    "rubric beside the solution": (
        cell(
            "s",
            "# ### BEGIN SOLUTION\n# ### END SOLUTION\n"
            "# ### BEGIN MARK SCHEME\n# ### END MARK SCHEME",
            points=1,
            grade=True,
            solution=True,
            markdown=True,
        ),
        4,
        "MARK SCHEME belongs in",
    ),
    "broken metadata": ('# %% nbgrader={"grade_id": "t", grade}\npass\n', 1, "JSON"),
    "old schema": ('# %% nbgrader={"grade_id": "t", "grade": true, "points": 1}\n', 1, "schema"),
    "nothing to grade": ("# %%\nx = 1\n", 1, "nothing could be graded"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_name_file_and_line(tmp_path: Path, name: str) -> None:
    text, line, message = MISTAKES[name]
    path = written(tmp_path, text)
    with pytest.raises(source.SourceError) as caught:
        source.read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
