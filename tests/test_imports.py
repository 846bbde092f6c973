"""Who may import whom: what keeps the answer key, the teaching and the grader apart."""

import ast
import re
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"autograder", "coursekit", "seqmodels", "tools", "tests"}
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]_*.md"))
SOURCES = sorted((ROOT / "solutions").glob("*/*.py"))
EXERCISES = sorted((ROOT / "exercises").glob("*/*.ipynb"))


def imported(code: str) -> set[str]:
    """Return the dotted names that some Python imports; notebook magics are skipped."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(re.sub(r"^\s*[%!].*$", "", code, flags=re.M))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tops(code: str) -> set[str]:
    return {name.split(".")[0] for name in imported(code)}


def cells(path: Path) -> str:
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
    else:
        notebook = jupytext.reads(path.read_text(), fmt="md:myst" if path.suffix == ".md" else "py")
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code, f"no code seen in {path.name}"
    return "\n".join(code)


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_import_what_is_taught_and_coursekit(path: Path) -> None:
    names = imported(cells(path))
    assert {name.split(".")[0] for name in names} & OURS <= {"seqmodels", "coursekit"}
    number = {c.stem.split("_", 1)[1]: c.stem[:2] for c in CHAPTERS}
    for name in names:
        if name.startswith("seqmodels.") and name.split(".")[1] in number:
            assert number[name.split(".")[1]] <= path.stem[:2], (
                f"{path.name} imports a later chapter"
            )


def test_taught_code_stands_alone() -> None:
    for path in modules("book/seqmodels"):
        assert tops(path.read_text()) & OURS <= {"seqmodels"}, path


def test_coursekit_teaches_nothing_and_grades_nothing() -> None:
    for path in modules("book/coursekit"):
        # the command line around chapter 12's model is a user of what is taught
        taught = {"seqmodels"} if path.parent.name == "text_rnn" else set()
        assert tops(path.read_text()) & OURS <= {"coursekit"} | taught, path


@pytest.mark.parametrize("path", SOURCES + EXERCISES, ids=lambda p: p.name)
def test_problem_sets_need_no_more_than_numpy_torch_and_matplotlib(path: Path) -> None:
    allowed = {"numpy", "torch", "matplotlib"} | set(sys.stdlib_module_names)
    assert tops(cells(path)) <= allowed


def test_the_autograder_imports_no_torch_and_nothing_taught() -> None:
    for path in modules("autograder"):
        assert not tops(path.read_text()) & (OURS - {"autograder"} | {"torch"}), path


def test_something_was_looked_at() -> None:
    assert CHAPTERS and SOURCES and EXERCISES
