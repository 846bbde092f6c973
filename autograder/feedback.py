"""Keep hidden tests hidden on the pages that students get back.

`nbgrader generate_feedback` writes every cell of the autograded notebook into its page, tests and
tracebacks included. `nbgrader_config.py` has it run this stage as well, so its pages show of a
hidden test what the checker let through, and nothing that was printed once hidden tests had begun:
a student's function can write down what it was called with and print it later.
"""

from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from autograder.split import hidden_ranges

STAND_IN = "# hidden tests ran here"
WITHHELD = "Not shown: hidden tests had run before this cell."


class HideTests(NbGraderPreprocessor):
    """Take hidden tests, and whatever may tell of them, out of an autograded notebook."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook as its author may see it."""
        begun = False
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            test = is_grade(cell) and not is_solution(cell)
            ranges = hidden_ranges(cell.source) if test else []
            begun = begun or bool(ranges)
            if begun:
                cell.outputs = _shown(cell) if test else _withheld(cell)
            cell.source = _without(cell.source, ranges)
        return nb, resources


def _shown(cell: NotebookNode) -> list[NotebookNode]:
    """The outcome of a test cell: of an error what the checker allowed, else its type."""
    errors = [out for out in cell.outputs if out.output_type == "error"]
    if not errors:
        return []
    public = cell.metadata.get("autograder", {}).get("message") or errors[-1].ename
    return [nbformat.v4.new_output("error", ename="", evalue="", traceback=[str(public)])]


def _withheld(cell: NotebookNode) -> list[NotebookNode]:
    if not cell.outputs:
        return []
    return [nbformat.v4.new_output("stream", name="stdout", text=WITHHELD)]


def _without(source: str, ranges: list[list[int]]) -> str:
    lines = source.split("\n")
    for first, last in reversed(ranges):
        lines[first - 1 : last] = [STAND_IN]
    return "\n".join(lines)


# before the stage that makes the style sheet of the page; after the one that reads the marks
PREPROCESSORS = [
    stage
    for known in GenerateFeedback().preprocessors
    for stage in ([known, HideTests] if known is GetGrades else [known])
]
