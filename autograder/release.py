"""Make the students' notebooks from the instructor's, as `nbgrader generate_assignment` does.

The bytes are the same: the same preprocessors run in the same order, but in one process and
without a database, which takes a fraction of a second where the command takes several.
`nbgrader_config.py` gives the command the one preprocessor that is ours.
"""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader import preprocessors as pp
from nbgrader.converters import GenerateAssignment
from traitlets import Dict
from traitlets.config import Config

from autograder import source, split
from autograder.course import Course, UsageError


class ClearSolutionsNamingTask(pp.ClearSolutions):
    """ClearSolutions whose stub names the task: {task} becomes the grade_id of the cell."""

    code_stub = Dict(
        {"python": '# YOUR CODE HERE\nraise NotImplementedError("{task}")'},
        help="What replaces a solution, by language; {task} is the grade_id of the cell.",
    ).tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear one cell, with its own name in the stub."""
        stubs = self.code_stub
        task = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        try:
            self.code_stub = {lang: stub.replace("{task}", task) for lang, stub in stubs.items()}
            return super().preprocess_cell(cell, resources, cell_index)
        finally:
            self.code_stub = stubs


# nbgrader's order, with our stubs. It is theirs for a reason: solutions go before checksums are
# taken; the gradebook (SaveCells) must see the hidden tests, so they go after it; then the
# checksums of what is left are taken again.
PREPROCESSORS = [
    ClearSolutionsNamingTask if stage is pp.ClearSolutions else stage
    for stage in GenerateAssignment().preprocessors
]


@dataclass(frozen=True)
class Released:
    """The two faces of one source notebook."""

    master: NotebookNode  # solutions cleared, hidden tests in: what grading puts cells right from
    text: str  # the students' notebook, as it is written
    notebook: NotebookNode  # the same, read again


def convert(course: Course, notebook: Path) -> Released:
    """Run the release chain over one instructor's notebook."""
    config = Config(course.config)
    config.Exporter.default_preprocessors = []
    exporter = NotebookExporter(config=config)
    masters: list[NotebookNode] = []

    def capture(nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        masters.append(nbformat.from_dict(json.loads(json.dumps(nb))))
        return nb, resources

    for stage in GenerateAssignment(config=config).preprocessors:
        exporter.register_preprocessor(capture if stage is pp.SaveCells else stage)
    name = {"assignment": notebook.parent.name, "student": ".", "notebook": notebook.stem}
    resources = {"unique_key": notebook.stem, "nbgrader": name}
    try:
        with contextlib.chdir(course.root):  # a header or footer is named from there
            text, _ = exporter.from_filename(str(notebook), resources=resources)
    except Exception as error:  # each stage raises its own
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise UsageError(f"{notebook}: cannot be released: {reason}") from error
    text = text if text.endswith("\n") else text + "\n"
    return Released(masters[0], text, nbformat.reads(text, 4))


def sources_from_text(course: Course, ps: str) -> dict[Path, bytes]:
    """Instructor's notebooks that the text sources of a problem set stand for."""
    made = {}
    for path in sorted(course.source(ps).glob("*.py")):
        if source.is_text_source(path):
            made[path.with_suffix(".ipynb")] = source.write(source.read(path))
    return made


def shipped_files(course: Course, ps: str) -> dict[Path, Path]:
    """Files beside the source that students get: path inside the folder -> file.

    Never a text source, whatever `CourseDirectory.ignore` says: it holds answers and hidden tests.
    """
    return {
        name: path
        for name, path in course.extra_files(course.source(ps)).items()
        if path.suffix != ".py" or not source.is_text_source(path)
    }


def released_files(course: Course, ps: str) -> dict[Path, bytes]:
    """Every file of the release of a problem set, from the instructor's notebooks on disk."""
    release = course.release(ps)
    files = {release / p: f.read_bytes() for p, f in shipped_files(course, ps).items()}
    for notebook in course.notebooks(ps):
        _require_split(course, ps, notebook)
        files[release / notebook.name] = convert(course, notebook).text.encode()
    return files


def _require_split(course: Course, ps: str, notebook: Path) -> None:
    """Refuse a set whose tests cannot be kept apart from the code that they test."""
    beside = [str(path) for path in shipped_files(course, ps)]
    if found := split.problems(nbformat.read(notebook, 4), beside):
        lines = [f"{notebook}: {line}" for line in found]
        raise UsageError("\n".join(lines))


def stale_sources(course: Course, ps: str) -> list[Path]:
    """Instructor's notebooks that differ from what their text source makes."""
    return [
        path for path, content in sources_from_text(course, ps).items() if _differs(path, content)
    ]


def require_fresh(course: Course, ps: str) -> None:
    """Refuse to work with notebooks that are not what their text source makes, or with none."""
    if stale := stale_sources(course, ps):
        raise UsageError(
            f"{stale[0]} is not what its text source makes; run `python -m autograder release {ps}`"
        )
    if not course.notebooks(ps):
        known = ", ".join(course.problem_sets()) or "none"
        raise UsageError(
            f"no notebook of a problem set {ps!r} in {course.source(ps)}; there are: {known}"
        )


def check(course: Course, ps: str) -> list[str]:
    """Say what is out of date, one line each; nothing is written."""
    command = f"run `python -m autograder release {ps}`"
    stale = stale_sources(course, ps)
    if stale:  # the release cannot be judged before its source is right
        return [f"{path} is not what its text source makes; {command}" for path in stale]
    made = released_files(course, ps)
    lines = [
        f"{p} is out of date; {command}" for p, content in made.items() if _differs(p, content)
    ]
    return lines + [f"{p} is not part of the release; {command}" for p in _strays(course, ps, made)]


@dataclass(frozen=True)
class Written:
    """What making a release did."""

    changed: list[Path]
    left_alone: list[Path]  # somebody works in these


def write(course: Course, ps: str, force: bool = False) -> Written:
    """Make both notebooks of each text source, and the release.

    A released notebook that was run is somebody's work and is left alone without `force`.
    """
    if not course.source(ps).is_dir():
        known = ", ".join(course.problem_sets()) or "none"
        raise UsageError(f"no problem set {ps!r} at {course.source(ps)}; there are: {known}")
    changed = _write_files(sources_from_text(course, ps))
    if not course.notebooks(ps):
        raise UsageError(
            f"{course.source(ps)} holds no notebook and no text source with nbgrader cells"
        )
    made = released_files(course, ps)
    strays = _strays(course, ps, made)
    taken = [p for p in [*made, *strays] if p.suffix == ".ipynb" and _was_run(p) and not force]
    for path in set(strays) - set(taken):
        path.unlink()
    changed += _write_files({p: content for p, content in made.items() if p not in taken})
    return Written(changed + [p for p in strays if p not in taken], taken)


def _strays(course: Course, ps: str, made: dict[Path, bytes]) -> list[Path]:
    release = course.release(ps)
    if not release.is_dir():
        return []
    kept = {".ipynb_checkpoints"}  # JupyterLab's, not ours to judge
    files = [p for p in release.rglob("*") if p.is_file() and not kept & set(p.parts)]
    return sorted(p for p in files if p not in made)


def _write_files(files: dict[Path, bytes]) -> list[Path]:
    changed = [path for path, content in files.items() if _differs(path, content)]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
    return changed


def _differs(path: Path, content: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != content


def _was_run(path: Path) -> bool:
    """Tell whether somebody ran a notebook; a file that is no notebook counts as not run."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        return any(cell.get("execution_count") or cell.get("outputs") for cell in cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
