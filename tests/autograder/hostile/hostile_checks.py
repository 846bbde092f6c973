"""What must be true of every attack; each module with a table of attacks imports these tests."""

import json
import os
import re
import sqlite3

import pytest
from attack import Attack, wrong_marks
from hostile_course import HONEST, PS
from nbgrader.api import Gradebook
from proving_ground import Ground

# of what a terminal or a log may be given: no control character but the ends of lines
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SHOWN_PROGRESS = re.compile(r"\r|\x1b\[[0-9;?]*[A-Za-z]")


def test_attack_fails(attack: Attack, ground: Ground) -> None:
    """It does not get what it wants, and costs its author what it should."""
    if ground.rung > attack.last_rung:
        pytest.skip(f"rung {ground.rung} does not promise to hold this")
    evidence = ground.evidence(attack)
    assert evidence.outcomes, ground.run.stderr.decode()[-2000:]
    assert not attack.won(evidence), (evidence.outcomes, evidence.printed[-1000:])
    assert not wrong_marks(attack, evidence), (evidence.told, evidence.printed[-1000:])


def test_attack_works_without_its_protection(attack: Attack, ground: Ground) -> None:
    """The same code, told successful by the same predicate, where what it aims at is missing."""
    if attack.as_root and os.geteuid() != 0:
        pytest.skip("only root can do this, protected or not")
    evidence = ground.unprotected(attack)
    assert attack.won(evidence), (evidence.points, evidence.printed[-1000:], evidence.felt)


def test_the_others_and_the_run_are_unharmed(ground: Ground) -> None:
    run = ground.run
    assert run.code == 0, run.stderr.decode()[-2000:]
    students = {attack.name for attack in ground.attacks} | set(HONEST)
    assert {row["student"] for row in run.rows} == students
    assert not [row for row in run.rows if row["outcome"] == "grader_fault"]
    for student in HONEST:
        rows = [row for row in run.rows if row["student"] == student]
        bad = [r for r in rows if (r["points"], r["outcome"]) != (r["max_points"], "passed")]
        assert [row["cell"] for row in bad] == ["why"]  # waits for a person
    assert run.left == []


def test_the_gradebook_holds_the_marks(ground: Ground) -> None:
    path = ground.course.root / "gradebook.db"
    with sqlite3.connect(path) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        tables = {name for (name,) in db.execute("select name from sqlite_master")}
    assert not any("loot" in table for table in tables)
    given = {(r["student"], r["notebook"], r["cell"]): r["points"] for r in ground.run.rows}
    held = {}
    with Gradebook(f"sqlite:///{path}") as book:
        for submission in book.assignment_submissions(PS):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    assert grade.manual_score is None and not grade.extra_credit
                    held[submission.student.id, notebook.name, grade.name] = grade.auto_score
    assert held == given


def test_nothing_hostile_is_shown(ground: Ground) -> None:
    """No control character, no markup and no secret reaches a terminal, the report or the JSON."""
    run = ground.run
    report = (ground.course.root / "reports" / f"{PS}.html").read_text()
    for text in (run.stdout.decode(), run.stderr.decode(), report):
        assert not CONTROL.findall(SHOWN_PROGRESS.sub("", text) if text != report else text)
        assert "<script>alert" not in text
    for row in run.rows:
        shown = [str(value) for key, value in row.items() if key != "student"]  # a folder's name
        assert not CONTROL.findall("".join(shown))
    everything = report + json.dumps(run.rows) + (run.stdout + run.stderr).decode()
    for secret in vars(ground.course.secret).values():
        assert str(secret) not in everything


def test_the_outside_feels_nothing(ground: Ground) -> None:
    canary = ground.canary
    assert canary.got == []
    assert canary.heard == ""
    assert sorted(path.name for path in canary.folder.iterdir()) == ["s", "secret.txt"]
    assert (canary.folder / "secret.txt").read_text() == ground.course.secret.file
    assert not list(ground.course.root.rglob("loot-*"))
