"""Grade an answer bank: right answers must get full marks, wrong ones lose what they should.

A bank holds one file for each graded code task; each cell of it stands in for the student's
solution cell. See `load` for the format.
"""

import re
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder import grade, release, source
from autograder.course import CONFIG_NAME, Course, UsageError
from autograder.course import load as load_course
from autograder.progress import Progress
from autograder.sandbox import Protection
from autograder.source import REGION_MARK
from autograder.submission import carries_points, grade_id

ANSWER_START = re.compile(r"# %% (right|wrong): (.+)$")
VISIBLE = "-visible"  # added to a test cell's name for the copy of it without hidden tests
MARK_SCHEME = re.compile(r"[^\n]*### BEGIN MARK SCHEME.*?### END MARK SCHEME[^\n]*", re.S)


@dataclass(frozen=True)
class Answer:
    """One answer to a task, and what must become of it."""

    task: str
    name: str
    right: bool
    loses: tuple[str, ...]  # cells that do not get full marks; none for a right answer
    why: str
    source: str


@dataclass(frozen=True)
class Verdict:
    """What became of one answer."""

    answer: Answer
    lost: tuple[str, ...]  # cells below full marks
    visible: tuple[str, ...]  # cells whose visible tests failed
    messages: Mapping[str, str]  # of every cell that was tried

    @property
    def problems(self) -> list[str]:
        """What is not as it must be, one line each."""
        expected = set(self.answer.loses)
        lines = [
            f"loses {cell}, and should not: {self.messages[cell]}"
            for cell in self.lost
            if cell not in expected
        ]
        lines += [f"does not lose {cell}" for cell in self.answer.loses if cell not in self.lost]
        lines += [f"fails the visible tests of {cell}" for cell in self.visible]
        return lines


def load(folder: Path) -> list[Answer]:
    """Read a bank.

    The first line of a file is `# Answers to TASK; ...`. A cell starts with `# %% right: NAME` or
    `# %% wrong: NAME`. Comment lines right below may say `# loses: CELL, CELL` (a wrong answer
    without it loses the task's own `-tests` cell) and `# why: ...`; the rest is the answer.
    """
    answers = [a for path in sorted(folder.glob("*.py")) for a in _read(path)]
    if not answers:
        raise UsageError(f"no answers in {folder}; expected files with `# %% right: NAME` cells")
    return answers


def _read(path: Path) -> list[Answer]:
    text = path.read_text()
    head = re.match(r"# Answers to ([\w-]+)", text)
    if not head:
        raise UsageError(f"{path}:1: expected `# Answers to TASK` on the first line")
    task = head[1]
    answers: list[Answer] = []
    names: set[str] = set()
    cells = re.split(r"^(?=# %%)", text, flags=re.MULTILINE)
    line = 1
    for cell in cells:
        first, *rest = cell.split("\n")
        at, line = line, line + cell.count("\n")
        if not cell.startswith("# %%"):
            continue  # what the file says about itself
        start = ANSWER_START.match(first)
        if not start:
            raise UsageError(f"{path}:{at}: expected `# %% right: NAME` or `# %% wrong: NAME`")
        right, name = start[1] == "right", start[2].strip()
        if name in names:
            raise UsageError(f"{path}:{at}: two answers are called {name!r}")
        names.add(name)
        said = {"loses": "" if right else f"{task}-tests", "why": ""}
        while rest and (entry := re.match(r"# (loses|why): (.+)$", rest[0])):
            said[entry[1]] = entry[2]
            rest = rest[1:]
        loses = tuple(c.strip() for c in said["loses"].split(",") if c.strip())
        if right and loses:
            raise UsageError(f"{path}:{at}: a right answer loses nothing")
        answers.append(Answer(task, name, right, loses, said["why"], "\n".join(rest).strip()))
    return answers


def submission(
    released: NotebookNode, reference: NotebookNode, answers: Mapping[str, Answer]
) -> NotebookNode:
    """The released notebook with the reference answers filled in, except the given ones."""
    solved = {n: c.source for c in reference.cells if (n := grade_id(c))}
    nb = nbformat.from_dict(released)
    for cell in nb.cells:
        name = grade_id(cell)
        if name is None or not cell.metadata.nbgrader.get("solution"):
            continue
        if name in answers:
            cell.source = answers[name].source
        else:
            # the rubric is for those who mark
            lines = MARK_SCHEME.sub("", solved[name]).rstrip("\n").split("\n")
            cell.source = "\n".join(text for text in lines if not REGION_MARK.search(text))
    return nb


def check(
    course: Course,
    ps: str,
    answers: Sequence[Answer],
    jobs: int,
    progress: Progress,
    full: bool = False,
    protection: Protection | None = None,
) -> list[Verdict]:
    """Hand in a submission for each answer in a course of its own, grade it, and judge.

    An answer is marked on the tests of its own task and on those it is said to lose; with `full`
    on the tests of all tasks, which takes several times as long.
    """
    release.require_fresh(course, ps)
    sources = {p.stem: nbformat.read(p, 4) for p in course.notebooks(ps)}
    home = {n: stem for stem, nb in sources.items() for c in nb.cells if (n := grade_id(c))}
    for answer in answers:
        for cell in (answer.task, *answer.loses):
            if cell not in home:
                raise UsageError(f"{answer.task}, {answer.name!r}: {ps} has no cell {cell!r}")
    with tempfile.TemporaryDirectory(prefix="autograder-bank-") as folder:
        copy = _copy_course(course, ps, Path(folder), sources)
        released = {p.stem: release.convert(copy, p).notebook for p in copy.notebooks(ps)}
        asked = {f"answer-{i:03d}": answer for i, answer in enumerate(answers)}
        for student, answer in asked.items():
            for stem, reference in sources.items():
                given = {answer.task: answer} if home[answer.task] == stem else {}
                path = copy.submitted(student, ps) / f"{stem}.ipynb"
                path.parent.mkdir(parents=True, exist_ok=True)
                nb = submission(released[stem], reference, given)
                if not full:
                    wanted = {*tests_of(reference, answer.task), *answer.loses}
                    nb.cells = [cell for cell in nb.cells if not _is_other_test(cell, wanted)]
                path.write_bytes(source.write(nb))
        result = grade.grade_class(copy, ps, progress, jobs=jobs, protection=protection)
    return [_judge(asked[entry.student], entry) for entry in result.entries]


def tests_of(reference: NotebookNode, task: str) -> list[str]:
    """The test cells of a task: those between its solution cell and the next one."""
    found, inside = [], False
    for cell in reference.cells:
        if is_solution(cell):
            inside = grade_id(cell) == task
        elif inside and is_grade(cell):
            found.append(grade_id(cell) or "")
    return found


def _is_other_test(cell: NotebookNode, wanted: Collection[str]) -> bool:
    name = (grade_id(cell) or "").removesuffix(VISIBLE)
    return bool(is_grade(cell) and not is_solution(cell) and name not in wanted)


def _copy_course(
    course: Course, ps: str, root: Path, sources: Mapping[str, NotebookNode]
) -> Course:
    """A course folder with this problem set alone, whose visible tests are also cells of their own.

    Those are worth no points: they only tell whether a wrong answer would be noticed at home.
    """
    shutil.copytree(course.source(ps), root / course.directory.source_directory / ps)
    if (course.root / CONFIG_NAME).is_file():
        shutil.copy(course.root / CONFIG_NAME, root)
    copy = load_course(root)
    for path in copy.source(ps).glob("*.py"):
        path.unlink()  # the notebooks below are no longer what the text makes
    for stem, nb in sources.items():
        told = nbformat.from_dict(nb)
        told.cells = [part for cell in nb.cells for part in (*_visible_part(cell), cell)]
        (copy.source(ps) / f"{stem}.ipynb").write_bytes(source.write(told))
    return copy


def _visible_part(cell: NotebookNode) -> list[NotebookNode]:
    """A copy of a test cell without its hidden tests, if it has any."""
    if not carries_points(cell) or "BEGIN HIDDEN TESTS" not in cell.source:
        return []
    lines, hidden = [], False
    for line in cell.source.split("\n"):
        mark = REGION_MARK.search(line)
        if mark:
            hidden = mark[1] == "BEGIN"
        elif not hidden:
            lines.append(line)
    meta = nbformat.from_dict(cell.metadata)
    meta.nbgrader = {**meta.nbgrader, "grade_id": f"{grade_id(cell)}{VISIBLE}", "points": 0}
    return [
        nbformat.v4.new_code_cell("\n".join(lines), metadata=meta, id=f"{cell.id[:50]}-visible")
    ]


def _judge(answer: Answer, entry: grade.Entry) -> Verdict:
    # what was left out of the submission is missing from it
    marked = [row for row in entry.rows if row.outcome not in ("manual", "missing")]
    visible = [r.cell.removesuffix(VISIBLE) for r in marked if r.cell.endswith(VISIBLE)
               and r.outcome != "passed"]  # fmt: skip
    lost = [r.cell for r in marked if r.points is None or r.points < r.max_points]
    messages = {row.cell: row.message for row in marked}
    return Verdict(answer, tuple(lost), tuple(visible), messages)


def matrix(verdicts: Sequence[Verdict]) -> str:
    """The kill matrix as text: a line for each answer, a column for each cell that any loses."""
    cells = sorted({c for v in verdicts for c in (*v.lost, *v.answer.loses)})
    wide = max((len(f"{v.answer.task}: {v.answer.name}") for v in verdicts), default=0)
    lines = [f"{i + 1:>3} {cell}" for i, cell in enumerate(cells)]
    lines.append("x lost, as it must be; . full marks; ! not as it must be; blank: not tried")
    lines.append(" " * (wide + 7) + "".join(f"{i + 1:>3}" for i in range(len(cells))))
    for v in verdicts:
        marks = []
        for cell in cells:
            lost, must = cell in v.lost, cell in v.answer.loses
            plain = "x" if lost else "." if cell in v.messages else " "
            marks.append("  !" if lost != must or cell in v.visible else f"  {plain}")
        kind = "right" if v.answer.right else "wrong"
        name = f"{v.answer.task}: {v.answer.name}"
        lines.append(f"{kind}  {name:<{wide}}{''.join(marks)}")
        lines += [f"       {problem}" for problem in v.problems]
    return "\n".join(lines)
