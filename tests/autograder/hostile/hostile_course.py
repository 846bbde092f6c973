"""A course to attack: a NumPy notebook, a torch notebook, and honest answers to both.

Every secret is new for each course, so that an attack cannot know it and a test cannot meet it by
chance.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tiny_course import cell

from autograder import cli

PS = "hostile"
HONEST = ("aa-honest", "zz-honest")  # the first and the last one to be graded

GOOD = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(a):\n    return sum(a) / len(a)",
    "apply": "def apply(f, xs):\n    return [f(x) for x in xs]",
    "step": (
        "def step(w, rate):\n"
        "    w = w.clone().requires_grad_()\n"
        "    optimiser = torch.optim.SGD([w], lr=rate)\n"
        "    (w ** 2).sum().backward()\n"
        "    optimiser.step()\n"
        "    return w.detach()"
    ),
}
POINTS = {"double-tests": 3.0, "mean-tests": 2.0, "apply-tests": 1.0, "step-tests": 4.0}
NOTEBOOK_OF = {name: "net" if name.startswith("step") else "num" for name in [*GOOD, *POINTS]}


@dataclass(frozen=True)
class Secrets:
    """What no student may ever learn."""

    test: str = field(default_factory=lambda: secrets.token_hex(12))  # a comment in a hidden test
    value: str = field(default_factory=lambda: secrets.token_hex(12))  # computed in a hidden test
    input: int = field(default_factory=lambda: 10**11 + secrets.randbelow(10**11))
    file: str = field(default_factory=lambda: secrets.token_hex(12))  # in a file outside
    other: str = field(default_factory=lambda: secrets.token_hex(12))  # in another submission
    environment: str = field(default_factory=lambda: secrets.token_hex(12))
    memory: str = field(default_factory=lambda: secrets.token_hex(12))  # in another process


def solution(name: str) -> str:
    """The solution cell of a task in the source."""
    return cell(name, f"### BEGIN SOLUTION\n{GOOD[name]}\n### END SOLUTION", solution=True)


def tests(name: str, visible: str, hidden: str) -> str:
    """The test cell of a task in the source."""
    body = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS".lstrip()
    points = int(POINTS[f"{name}-tests"])
    return cell(f"{name}-tests", body, points=points, grade=True, locked=True)


def texts(secret: Secrets) -> dict[str, str]:
    """The text sources of both notebooks."""
    half = len(secret.value) // 2
    num = [
        "# %% [markdown]\n# # A set to attack\n",
        cell(
            "helper",
            "import numpy as np\n\n\ndef check_close(a, b):\n"
            '    assert np.allclose(a, b, rtol=1e-9, atol=0), "the numbers differ"',
            locked=True,
        ),
        "# %%\nimport math\n",
        solution("double"),
        tests(
            "double",
            "check_close(double(2), 4)",
            f"# HIDDEN_NOTE={secret.test}\n"
            "expected = np.array([2.5, 7.5])\n"
            "check_close(double(np.array([1.25, 3.75])), expected)\n"
            f"assert double({secret.input}) == {2 * secret.input}, 'large numbers too'",
        ),
        solution("mean"),
        tests(
            "mean",
            'assert math.isclose(mean([1, 2, 6]), 3), "the mean of 1, 2, 6 is 3"',
            "import statistics\n"
            "values = [0.5, 1.5, 4.0]\n"
            'assert abs(mean(values) - statistics.mean(values)) < 1e-9, "a mean"\n'
            'assert all([math.isclose(mean([k, k + 2]), k + 1) for k in range(3)]), "means"',
        ),
        solution("apply"),
        tests(
            "apply",
            "assert apply(len, ['a', 'bb']) == [1, 2]",
            f"secret_table = {{1: 'one', 2: 'two', 3: {secret.value[:half]!r}"
            f" + {secret.value[half:]!r}}}\n\n\n"
            "def lookup(key):\n    return secret_table[key]\n\n\n"
            'assert apply(lookup, [1, 2]) == ["one", "two"], "one result for each"',
        ),
        cell(
            "why",
            "### BEGIN SOLUTION\nBecause.\n### END SOLUTION",
            points=5,
            grade=True,
            solution=True,
            markdown=True,
        ),
        "# %%\n'a cell of my own'\n",
    ]
    net = [
        "# %%\nimport torch\n",
        solution("step"),
        tests(
            "step",
            "assert step(torch.ones(3), 0.1).shape == (3,)",
            "w = torch.arange(4.0)\n"
            'assert torch.allclose(step(w, 0.25), 0.5 * w, rtol=1e-6, atol=0.0), "half of w"',
        ),
    ]
    return {"num": "\n".join(num), "net": "\n".join(net)}


class HostileCourse:
    """A course folder, and who handed in what."""

    def __init__(self, root: Path, config: str = "", notebooks: tuple[str, ...] = ()) -> None:
        self.root = root
        self.secret = Secrets()
        source = root / "source" / PS
        source.mkdir(parents=True)
        for name, text in texts(self.secret).items():
            if not notebooks or name in notebooks:
                (source / f"{name}.py").write_text(text)
        # nbgrader's own list would hand the text sources, with their answers, to everybody
        (root / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            'c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", '
            f'"num.py", "net.py"]\n{config}\n'
        )
        assert cli.main(["release", "--course-dir", str(root)]) == 0
        self.notebooks = sorted(path.stem for path in source.glob("*.ipynb"))
        for student in HONEST:
            self.hand_in(student, {})
        (self.folder(HONEST[-1]) / "notes.txt").write_text(self.secret.other)

    def folder(self, student: str) -> Path:
        """Where a student's files lie."""
        return self.root / "submitted" / student / PS

    def source(self, notebook: str) -> NotebookNode:
        """The instructor's notebook."""
        return nbformat.read(self.root / "source" / PS / f"{notebook}.ipynb", 4)

    def answered(self, notebook: str, cells: Mapping[str, str]) -> NotebookNode:
        """The released notebook with honest answers, but for the cells given.

        A name that no cell has stands for the student's own cell at the end.
        """
        nb = nbformat.read(self.root / "release" / PS / f"{notebook}.ipynb", 4)
        return fill(nb, cells)

    def hand_in(self, student: str, cells: Mapping[str, str]) -> None:
        """Hand in all notebooks, honest but for the cells given."""
        self.folder(student).mkdir(parents=True)
        for notebook in self.notebooks:
            path = self.folder(student) / f"{notebook}.ipynb"
            path.write_text(json.dumps(self.answered(notebook, cells)))


def fill(nb: NotebookNode, cells: Mapping[str, str]) -> NotebookNode:
    """Put answers into a notebook."""
    for c in nb.cells:
        name = c.metadata.get("nbgrader", {}).get("grade_id", "")
        if name in GOOD:
            c.source = cells.get(name, GOOD[name])
        elif name == "why":
            c.source = cells.get(name, "Because.")
    if "own" in cells and nb.cells[-1].source.startswith("'a cell of my own'"):
        nb.cells[-1].source = cells["own"]
    return nb
