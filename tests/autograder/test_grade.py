"""Grading with real processes: what each kind of submission gets, and does to the others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from tiny_course import ROOT, TEXT, Done, cell, clean_env, hand_in, rows_of, solved, stock

from autograder import course, grade, run, sandbox, watch
from autograder.progress import Progress

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]
TESTS = ("tiny-double-tests", "tiny-half-tests")


def outcome(rows: list[dict], student: str, name: str) -> tuple[str, float | None]:
    row = next(r for r in rows if r["student"] == student and r["cell"] == name)
    return row["outcome"], row["points"]


def test_a_class_of_all_kinds(make_course: MakeCourse, autograder: Command) -> None:
    """One run over many submissions: what one does must not reach another."""
    root = make_course(config="c.Execute.timeout = 3")
    assert autograder("release", "--course-dir", root).returncode == 0
    double = "def double(x):\n    "
    hand_in(root, "right", solved(root))
    hand_in(root, "untouched", solved(root, {}))
    hand_in(root, "hidden", solved(root, {"tiny-double": double + "return 4"}))
    warns = "print('careful', file=sys.stderr); warnings.warn('old'); return 2 * x"
    hand_in(root, "warns", solved(root, {"tiny-double": f"import sys, warnings\n{double}{warns}"}))
    hand_in(root, "raises", solved(root, {"tiny-double": "raise ValueError('in my cell')"}))
    hand_in(root, "loops", solved(root, {"tiny-double": double + "\n    while True: pass"}))
    stubborn = "while True:\n        try:\n            while True: pass\n"
    stubborn += "        except BaseException: pass"
    hand_in(root, "stubborn", solved(root, {"tiny-double": double + stubborn}))
    hand_in(root, "exits", solved(root, {"tiny-double": "import os\nos._exit(0)"}))
    hand_in(root, "quits", solved(root, {"tiny-double": "exit()"}))
    hand_in(root, "bytes", solved(root))
    Path(os.fsdecode(bytes(root / "submitted/bytes/tiny") + b"/a\xff.txt")).write_text(
        "packed elsewhere"
    )
    hand_in(root, "surrogate", solved(root, {"tiny-double": "print('\\ud800'); '\ud800'"}))
    hand_in(root, "asks", solved(root, {"tiny-double": double + "return input()"}))

    nb = solved(root)
    nb.cells = [c for c in nb.cells if c.id not in ("tiny-double-tests", "tiny-helper")]
    hand_in(root, "deleted", nb)
    nb = solved(root)
    twice = next(c for c in solved(root, {"tiny-double": double + "return 5"}).cells
                 if c.id == "tiny-double")  # fmt: skip
    nb.cells.append(nbformat.from_dict({**twice, "id": "again"}))
    again = nbformat.from_dict(next(c for c in nb.cells if c.id == "tiny-double-tests"))
    nb.cells.append(nbformat.from_dict({**again, "id": "again2"}))
    hand_in(root, "duplicated", nb)
    nb = solved(root, {"tiny-double": double + "return 5"})
    for c in nb.cells:
        if c.id in ("tiny-helper", *TESTS):
            c.source, c.cell_type = "pass", "code"
            c.metadata.nbgrader.points = 100
            c.metadata.tags = ["skip-execution"]
    hand_in(root, "edited", nb)
    nb = solved(root, {"tiny-double": double + "return 5"})
    for c in nb.cells:
        c.metadata.nbgrader = "no mapping" if c.id == "tiny-half" else c.metadata.get("nbgrader")
        c.metadata.tags = ["skip-execution"]
    hand_in(root, "forged", nb)

    broken = {
        "malformed": b"this is no notebook",
        "truncated": nbformat.writes(solved(root)).encode()[:300],
        "empty": b"",
        "latin": '{"cells": "\xe9"}'.encode("latin-1"),
        "nulls": b"\0" * 50,
        "a-list": b"[1, 2]",
        "no-cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        "wrong-cell": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [7]}',
        "format-99": b'{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        "deep-enough": b'{"cells": ' + b"[" * 500 + b"]" * 500 + b"}",
        "deep": b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    }
    for student, content in broken.items():
        hand_in(root, student, content)
    (root / "submitted/absent/tiny").mkdir(parents=True)
    link = root / "submitted/linked/tiny/tiny.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(root / "solutions/tiny/tiny.ipynb")

    done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "m.json", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    rows = json.loads((root / "m.json").read_text())
    full, none = [("passed", 3.0), ("passed", 2.0)], [("error", 0.0), ("error", 0.0)]
    expected = {
        "right": full,
        "untouched": none,
        "hidden": [("failed", 0.0), ("passed", 2.0)],
        "warns": full,
        "raises": [("error", 0.0), ("passed", 2.0)],
        "loops": [("timeout", 0.0), ("passed", 2.0)],
        "stubborn": [("timeout", 0.0), ("passed", 2.0)],
        "exits": [("error", 0.0), ("passed", 2.0)],
        "quits": [("error", 0.0), ("passed", 2.0)],
        "bytes": full,
        "surrogate": [("error", 0.0), ("passed", 2.0)],
        "asks": [("error", 0.0), ("passed", 2.0)],
        "deleted": [("missing", 0.0), ("passed", 2.0)],
        "duplicated": [("failed", 0.0), ("passed", 2.0)],
        "edited": [("failed", 0.0), ("passed", 2.0)],
        "forged": [("failed", 0.0), ("passed", 2.0)],
        "absent": [("missing", 0.0), ("missing", 0.0)],
        "linked": none,
    } | dict.fromkeys(broken, none)
    got = {student: [outcome(rows, student, name) for name in TESTS] for student in expected}
    assert got == expected
    assert len(rows) == 3 * len(expected)  # a row for each cell that carries points
    assert outcome(rows, "right", "tiny-why") == ("manual", None)
    assert outcome(rows, "untouched", "tiny-why") == ("missing", 0.0)
    message = {r["student"]: r["message"] for r in rows if r["cell"] == "tiny-double-tests"}
    assert message["hidden"] == "double must work for 3 too"
    assert message["untouched"] == "NotImplementedError: tiny-double"
    for student in [*broken, "absent", "linked"]:
        assert f"autograder: {student}: tiny.ipynb " in done.stderr
    assert all(line.startswith(("autograder: ", "tiny: ")) for line in done.stderr.splitlines())
    assert set(rows[0]) == {"student", "assignment", "notebook", "cell", "points", "max_points",
                            "outcome", "message"}  # fmt: skip
    report = (root / "reports/tiny.html").read_text()
    protection = sandbox.best().label()
    assert protection in report and f"protection: {protection}" in done.stdout
    assert str(root / "reports/tiny.html") in done.stdout
    assert all(student in report for student in expected)


def test_unchanged_work_is_not_done_again(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root))
    hand_in(root, "bob", solved(root, {}))

    def grade(*args: object) -> tuple[int, str]:
        done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "m.json", *args)
        return done.returncode, done.stdout.splitlines()[0].partition("submissions, ")[2]

    assert grade() == (0, "2 graded now, 0 unchanged")
    first = (root / "m.json").read_text()
    assert grade() == (0, "0 graded now, 2 unchanged")
    assert (root / "m.json").read_text() == first
    assert grade("--student", "ada", "--force") == (0, "1 graded now, 0 unchanged")
    assert {r["student"] for r in json.loads((root / "m.json").read_text())} == {"ada"}
    hand_in(root, "bob", solved(root))
    assert grade() == (0, "1 graded now, 1 unchanged")
    assert outcome(json.loads((root / "m.json").read_text()), "bob", TESTS[0]) == ("passed", 3.0)
    (root / "gradebook.db").unlink()  # marks that are nowhere are given again
    assert grade() == (0, "2 graded now, 0 unchanged")
    # a mended test is another source
    text = root / "solutions/tiny/tiny.py"
    text.write_text(text.read_text().replace("half(4) == 2", "half(6) == 3"))
    assert autograder("release", "--course-dir", root).returncode == 0
    assert grade() == (0, "2 graded now, 0 unchanged")


def test_manual_marks_survive_regrading(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root))
    url = f"sqlite:///{root}/gradebook.db"
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    with Gradebook(url) as book:
        grade = book.find_grade("tiny-why", "tiny", "tiny", "ada")
        assert grade.needs_manual_grade
        grade.manual_score, grade.needs_manual_grade = 4, False
        book.find_comment("tiny-why", "tiny", "tiny", "ada").manual_comment = "Good."
        book.db.commit()
    assert autograder("grade", "tiny", "--course-dir", root, "--force").returncode == 0
    with Gradebook(url) as book:
        grade = book.find_grade("tiny-why", "tiny", "tiny", "ada")
        assert (grade.manual_score, grade.auto_score, grade.score) == (4, None, 4)
        assert grade.needs_manual_grade  # nbgrader: to be looked at again
        assert book.find_comment("tiny-why", "tiny", "tiny", "ada").comment == "Good."
        assert book.find_submission("tiny", "ada").score == 9


def test_a_wrong_reference_answer_refuses_the_run(
    make_course: MakeCourse, autograder: Command
) -> None:
    root = make_course(TEXT.replace("return x / 2", "return x / 3"))
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root))
    done = autograder("grade", "tiny", "--course-dir", root)
    assert done.returncode == 2
    assert "reference answer, tiny-half-tests: failed: half of 4 is 2" in done.stderr
    assert "nobody was graded" in done.stderr
    assert not (root / "autograded").exists()


def test_wrong_usage(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    here = ("--course-dir", root)
    refused = {
        "is not what its text source makes; run `python -m autograder release tiny`": (
            "grade",
            "tiny",
            *here,
        ),  # fmt: skip
        "no course folder at": ("grade", "tiny", "--course-dir", root / "nowhere"),
        "a number of 1 or more, not '0'": ("grade", "tiny", "--jobs", "0", *here),
        "--json: no folder": ("grade", "tiny", "--json", root / "no" / "m.json", *here),
        "nothing of tiny is graded": ("report", "tiny", *here),
        "no notebook of a problem set 'other'": ("grade", "other", *here),
        "invalid choice": ("mark", "tiny"),
    }

    def check() -> None:
        for message, command in refused.items():
            done = autograder(*command)
            assert done.returncode == 2, command
            assert message in done.stderr

    (root / "solutions/tiny/tiny.ipynb").write_bytes(b"{}")
    check()
    autograder("release", *here)
    refused = {"nobody handed in tiny": ("grade", "tiny", *here)}
    check()
    hand_in(root, "ada", solved(root))
    refused = {"no submission of tiny by bob": ("grade", "tiny", "--student", "bob", *here)}
    check()


def test_two_notebooks_of_a_course_made_elsewhere(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    """nbgrader's default folders, no text source, no configuration, a data file beside."""
    made = make_course()
    autograder("release", "--course-dir", made)
    root = tmp_path / "elsewhere"
    other = cell(
        "o", "### BEGIN SOLUTION\ntext = open('d.txt').read()\n### END SOLUTION", solution=True
    )
    other += "\n" + cell("o-tests", "assert text == 'data'", points=1, grade=True, locked=True)
    (made / "solutions/tiny/other.py").write_text(other)
    assert autograder("release", "--course-dir", made).returncode == 0
    (root / "source/tiny").mkdir(parents=True)
    for path in (made / "solutions/tiny").glob("*.ipynb"):
        (root / "source/tiny" / path.name).write_bytes(path.read_bytes())
    (root / "source/tiny/d.txt").write_text("data")
    hand_in(root, "both", solved(made))
    hand_in(root, "both", solved(made, notebook="other"), notebook="other")
    hand_in(root, "one", solved(made))
    hand_in(root, "changed-data", solved(made, notebook="other"), notebook="other")
    (root / "submitted/changed-data/tiny/d.txt").write_text("mine")
    done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "m.json")
    assert done.returncode == 0, done.stderr
    rows = json.loads((root / "m.json").read_text())
    assert outcome(rows, "both", "o-tests") == outcome(rows, "changed-data", "o-tests")
    assert outcome(rows, "both", "o-tests") == ("passed", 1.0)
    assert outcome(rows, "one", "o-tests") == ("missing", 0.0)
    assert outcome(rows, "one", TESTS[0]) == ("passed", 3.0)
    assert "one: other.ipynb was not handed in" in done.stderr
    assert (root / "autograded/both/tiny/d.txt").read_text() == "data"


def test_marks_equal_stock_nbgrader(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    task = cell("tiny-task", "# Draw it.", points=4, task=True, locked=True, markdown=True)
    part = cell("tiny-part", "2.0 if double(1) == 2 else 0.5", points=2, grade=True,
                locked=True)  # fmt: skip
    root = make_course(TEXT + "\n" + part + "\n" + task)
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root))
    hand_in(root, "bob", solved(root, {"tiny-double": "def double(x):\n    return 4"}))
    hand_in(root, "eve", solved(root, {}))
    (root / "submitted/eve/tiny/timestamp.txt").write_text("2026-01-02 10:00:00 UTC")
    (root / "submitted/cid/tiny").mkdir(parents=True)
    hand_in(root, "cid", b"", notebook="not-asked-for")

    def marks() -> dict[tuple[str, str], tuple[object, ...]]:
        found: dict[tuple[str, str], tuple[object, ...]] = {}
        with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
            for submission in book.assignment_submissions("tiny"):
                who = submission.student.id
                found[who, ""] = (submission.score, submission.max_score, submission.timestamp)
                for notebook in submission.notebooks:
                    for grade in notebook.grades:
                        found[who, grade.name] = (grade.auto_score, grade.max_score,
                                                  grade.needs_manual_grade)  # fmt: skip
                    for comment in notebook.comments:
                        found[who, f"{comment.name}, comment"] = (comment.comment,)
        return found

    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    ours = marks()
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.check_course() is not None
    stock(root, tmp_path, "export")
    assert "tiny,,,ada" in (root / "grades.csv").read_text().replace("None", "")
    (root / "gradebook.db").unlink()
    stock(root, tmp_path, "generate_assignment", "tiny", "--force")
    # nbgrader leaves a student without any notebook out, and says so with its exit status
    (root / "submitted/cid").rename(root / "cid")
    stock(root, tmp_path, "autograde", "tiny", "--force")
    theirs = marks()
    assert len(theirs) == 3 * 10
    assert {key: value for key, value in ours.items() if key[0] != "cid"} == theirs


def test_ctrl_c_cleans_up_and_keeps_what_is_done(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root))
    hand_in(root, "zoe", solved(root, {"tiny-double": "import time\ntime.sleep(60)"}))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "tiny", "--course-dir", root, "--jobs", "1"],
        cwd=ROOT,
        env=clean_env(tmp_path) | {"TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
        # whoever starts the tests in the background has a shell that lets them ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = root / ".autograder/tiny.jsonl"
    deadline = time.monotonic() + 60
    while '"ada"' not in (journal.read_text() if journal.exists() else ""):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # two zygotes, and at least three processes for zoe's notebook; three more may be started ahead
    while len(family := watch.tree(command.pid)) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=20)
    assert command.returncode == 130
    assert "stopped; 1 of 2 submissions are graded and kept" in said
    assert len(family) >= 6
    deadline = time.monotonic() + 5  # the kernel ends a namespace's processes in its own time
    while (left := [pid for pid in family if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
    assert list(scratch.iterdir()) == []
    assert [p.name for p in (root / "autograded").iterdir()] == ["ada"]
    assert not list(root.rglob("*.partial"))
    hand_in(root, "zoe", solved(root))
    done = autograder("grade", "tiny", "--course-dir", root)
    assert "1 graded now, 1 unchanged" in done.stdout


def test_our_failure_does_not_cost_marks_that_stand(
    make_course: MakeCourse, autograder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_course()
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    real = run.Pool.execute

    def fail(pool: run.Pool, jobs: Sequence[run.Job]) -> Iterator[run.Ran]:
        own = [job for job in jobs if job.student == "ada"]
        yield from real(pool, [job for job in jobs if job not in own])
        yield from (run.Ran(job, None, "the worker was killed") for job in own)

    monkeypatch.setattr(run.Pool, "execute", fail)
    done = grade.grade_class(course.load(root), "tiny", Progress("tiny"), force=True)
    assert {row.outcome for row in done.entries[0].rows} == {"grader_fault"}
    assert (root / "autograded/ada/tiny/tiny.ipynb").is_file()
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.find_submission("tiny", "ada").score == 5
    monkeypatch.undo()
    assert "1 graded now" in autograder("grade", "tiny", "--course-dir", root).stdout


def runs(pid: int) -> bool:
    """Whether a process lives; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_mark_beyond_the_points_waits_for_a_person(
    make_course: MakeCourse, autograder: Command
) -> None:
    """It may be a slip of the test's, so it costs nothing, or the student's own value, so it is no
    fault of the grader's."""
    text = TEXT + "\n" + cell("odd", "x = 1\nx if ok else 7", points=2, grade=True, locked=True)
    root = make_course(text.replace("### BEGIN SOLUTION\ndef half",
                                    "### BEGIN SOLUTION\nok = True\ndef half"))  # fmt: skip
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root, {"tiny-half": "ok = False\ndef half(x): return x / 2"}))
    done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "m.json")
    assert done.returncode == 2  # the reference answer gets 1 of 2
    text = (root / "solutions/tiny/tiny.py").read_text()
    (root / "solutions/tiny/tiny.py").write_text(text.replace("x = 1\nx if", "x = 2\nx if"))
    autograder("release", "--course-dir", root)
    done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "m.json")
    assert done.returncode == 0, done.stderr
    rows = rows_of(root / "m.json", "ada")
    assert (rows["odd"]["outcome"], rows["odd"]["points"]) == ("manual", None)
    assert rows["tiny-half-tests"]["outcome"] == "passed"
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.find_grade("odd", "tiny", "tiny", "ada").needs_manual_grade


def test_what_a_student_can_make_of_a_test(make_course: MakeCourse, autograder: Command) -> None:
    """Names of our own errors, a mark of one's own and control characters change nothing."""
    more = [
        cell("tiny-mark", "def mark():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION",
             solution=True),
        cell("tiny-mark-tests", "### BEGIN HIDDEN TESTS\nassert double(21) == 42\n"
             "### END HIDDEN TESTS\nmark()", points=1, grade=True, locked=True),
    ]  # fmt: skip
    root = make_course("\n".join([TEXT, *more]))
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root, {"tiny-mark": "def mark():\n    return 99"}))
    for name in ("PeerError", "DeadKernelError", "CellTimeoutError"):
        lie = f"class {name}(Exception): pass\ndef double(x):\n    raise {name}(f'SEEN {{x}}')"
        hand_in(root, name, solved(root, {"tiny-double": lie}))
    strange = "zoe\x1b[31m"
    hand_in(root, strange, solved(root))
    (root / "submitted" / strange / "tiny/tiny.ipynb").write_text("{")
    done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "marks.json")
    assert done.returncode == 0, done.stderr
    assert "\x1b[31m" not in done.stderr and "zoe\\x1b[31m" in done.stderr
    rows = json.loads((root / "marks.json").read_text())
    by = {(row["student"], row["cell"]): row for row in rows}
    assert by["ada", "tiny-mark-tests"]["outcome"] == "manual"
    assert by["ada", "tiny-mark-tests"]["points"] is None
    for name in ("PeerError", "DeadKernelError", "CellTimeoutError"):
        row = by[name, "tiny-mark-tests"]
        assert (row["outcome"], row["points"]) == ("error", 0)
        assert row["message"] == "Exception", row  # nothing that the student's code has seen
        assert by[name, "tiny-half-tests"]["outcome"] == "passed"
