"""The kill matrix: each known answer of the banks, and the cells that a wrong one loses.

It is read from `tests/answers`, whose test grades every answer for real: so the table says what
happens, and nothing has to be graded to make it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from autograder import bank

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~])")


def plain(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", text)


def points(root: Path, ps: str) -> dict[str, float]:
    """Return the points of each graded cell of a problem set, in their order."""
    found: dict[str, float] = {}
    for path in sorted((root / "solutions" / ps).glob("*.ipynb")):
        for cell in json.loads(path.read_bytes())["cells"]:
            meta = cell["metadata"].get("nbgrader", {})
            if meta.get("grade"):
                found[meta["grade_id"]] = meta["points"]
    return found


def matrix(book: Path) -> str:
    """Return a section for each problem set and a fold for each of its tasks."""
    root = book.parent
    out = []
    for number, part in enumerate(yaml.safe_load((book / "course.yml").read_text())["parts"], 1):
        ps = part["problem_set"]["id"]
        folder = root / "tests" / "answers" / ps
        if folder.is_dir():
            out += [f"## Problem set {number}: {part['problem_set']['title']}", ""]
            out += set_matrix(bank.load(folder), points(root, ps))
    return "\n".join(out)


def set_matrix(answers: list[bank.Answer], cells: dict[str, float]) -> list[str]:
    """Return the lines of one set; tasks stand in the order of its cells."""
    order = {cell: i for i, cell in enumerate(cells)}
    tasks = sorted({a.task for a in answers}, key=lambda task: order.get(f"{task}-tests", 999))
    right = sum(answer.right for answer in answers)
    lines = [f"{len(tasks)} tasks, {right} right answers, {len(answers) - right} wrong ones.", ""]
    for task in tasks:
        lines += task_matrix(task, [a for a in answers if a.task == task], cells)
    return lines


def task_matrix(task: str, answers: list[bank.Answer], cells: dict[str, float]) -> list[str]:
    """Return the fold of one task: wrong answers by cell, then the right ones."""
    right = [answer for answer in answers if answer.right]
    wrong = [answer for answer in answers if not answer.right]
    tested = [cell for cell in cells if any(cell in answer.loses for answer in wrong)]
    worth = " + ".join(f"{cells[cell]:g}" for cell in tested)
    title = f"{task}: {worth} points, {len(right)} right, {len(wrong)} wrong"
    lines = [f"::::{{dropdown}} {title}", ""]
    several = len(tested) > 1
    if not several:
        lines += [f"Each of them loses `{tested[0]}`.", ""]
    columns = ["wrong answer", "what is wrong", *(f"loses `{c}`" for c in tested if several)]
    lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for answer in wrong:
        marks = ["yes" if cell in answer.loses else "no" for cell in tested if several]
        lines.append("| " + " | ".join([plain(answer.name), plain(answer.why), *marks]) + " |")
    lines += ["", "Right, with full marks: " + "; ".join(plain(a.name) for a in right) + "."]
    return [*lines, "::::", ""]
