"""Every right answer gets full marks, every wrong one loses what it must, in the real grader."""

import json
import os
from pathlib import Path

import pytest

from autograder import bank, course
from autograder.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
BANKS = sorted(p.name for p in Path(__file__).parent.iterdir() if any(p.glob("*.py")))


@pytest.mark.parametrize("ps", BANKS)
def test_every_answer_does_what_it_must(ps: str) -> None:
    answers = bank.load(ROOT / "tests" / "answers" / ps)
    jobs = os.cpu_count() or 1
    verdicts = bank.check(course.load(ROOT), ps, answers, jobs, Progress(ps))
    assert len(verdicts) == len(answers)
    assert not any(v.problems for v in verdicts), "\n" + bank.matrix(verdicts)


@pytest.mark.parametrize("ps", BANKS)
def test_the_bank_is_large_enough(ps: str) -> None:
    answers = bank.load(ROOT / "tests" / "answers" / ps)
    cells = [
        cell
        for path in (ROOT / "solutions" / ps).glob("*.ipynb")
        for cell in json.loads(path.read_bytes())["cells"]
        if cell["cell_type"] == "code"
    ]
    meta = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    tasks = {m["grade_id"] for m in meta if m.get("solution") and not m.get("grade")}
    graded = {m["grade_id"] for m in meta if m.get("grade") and not m.get("solution")}
    assert tasks and {answer.task for answer in answers} == tasks
    for task in tasks:
        assert sum(a.right for a in answers if a.task == task) >= 2, task
    for cell in graded:
        assert sum(cell in answer.loses for answer in answers) >= 3, cell
    assert all(answer.why for answer in answers if not answer.right)
