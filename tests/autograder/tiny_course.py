"""A tiny problem set, submissions to it, and ways to run what is under test."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]

MARKERS = ("ANSWER_MARKER_1", "HIDDEN_MARKER_2", "RUBRIC_MARKER_3")


def cell(name: str, body: str, points: int | None = None, **flags: bool) -> str:
    """One percent cell with nbgrader metadata; flags default to false."""
    kind = "[markdown] " if flags.pop("markdown", False) else ""
    meta = {k: flags.get(k, False) for k in ("grade", "locked", "solution", "task")}
    items = [f'"{k}": {str(v).lower()}' for k, v in meta.items()]
    items += [f'"grade_id": "{name}"', '"schema_version": 3']
    if points is not None:
        items.append(f'"points": {points}')
    return f"# %% {kind}nbgrader={{{', '.join(items)}}}\n{body}\n"


TEXT = "\n".join(
    [
        "# %% [markdown]\n# # A tiny set\n",
        cell("tiny-helper", "def check_close(a, b):\n    assert abs(a - b) < 1e-9", locked=True),
        cell(
            "tiny-double",
            "def double(x):\n    ### BEGIN SOLUTION\n"
            "    return 2 * x  # ANSWER_MARKER_1\n    ### END SOLUTION",
            solution=True,
        ),
        cell(
            "tiny-double-tests",
            "check_close(double(2), 4)\n### BEGIN HIDDEN TESTS\nHIDDEN_MARKER_2 = double(3)\n"
            'assert HIDDEN_MARKER_2 == 6, "double must work for 3 too"\n### END HIDDEN TESTS',
            points=3,
            grade=True,
            locked=True,
        ),
        cell(
            "tiny-half",
            "### BEGIN SOLUTION\ndef half(x):\n    return x / 2\n### END SOLUTION",
            solution=True,
        ),
        cell(
            "tiny-half-tests",
            'assert half(4) == 2, "half of 4 is 2"',
            points=2,
            grade=True,
            locked=True,
        ),
        cell(
            "tiny-why",
            "# ### BEGIN SOLUTION\n# Because.\n# ### BEGIN MARK SCHEME\n"
            "# RUBRIC_MARKER_3: one point for a reason\n# ### END MARK SCHEME\n"
            "# ### END SOLUTION",
            points=5,
            grade=True,
            solution=True,
            markdown=True,
        ),
    ]
)


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def solved(
    root: Path, answers: dict[str, str] | None = None, notebook: str = "tiny"
) -> NotebookNode:
    """The released notebook with some cells filled in; None stands for the reference answers."""
    ps = root / "solutions" / "tiny" / f"{notebook}.ipynb"
    nb = nbformat.read(root / "exercises" / "tiny" / f"{notebook}.ipynb", 4)
    reference = {c.id: c.source for c in nbformat.read(ps, 4).cells}
    untouched = answers == {}
    for c in nb.cells:
        if c.metadata.get("nbgrader", {}).get("solution") and not untouched:
            c.source = (answers or {}).get(c.id, reference[c.id])
    return nb


def hand_in(
    root: Path, student: str, content: NotebookNode | bytes, notebook: str = "tiny"
) -> None:
    """Put a notebook where nbgrader collects it."""
    path = root / "submitted" / student / "tiny" / f"{notebook}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def rows_of(path: Path, student: str) -> dict[str, dict[str, Any]]:
    """One student's rows of a JSON file, by cell."""
    return {r["cell"]: r for r in json.loads(path.read_text()) if r["student"] == student}


def stock(root: Path, home: Path, *args: str) -> None:
    """Run stock nbgrader in a course folder."""
    subprocess.run(
        [Path(sys.executable).parent / "nbgrader", *args],
        cwd=root,
        env=clean_env(home),
        check=True,
        capture_output=True,
        timeout=120,
    )


def clean_env(home: Path) -> dict[str, str]:
    """An environment in which no setting of the person who runs the tests counts."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
    return env | {"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
