"""The pool over one zygote: its failures are the grader's, and its size changes no mark."""

import dataclasses
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from tiny_course import Done, hand_in, rows_of, solved

from autograder import course, forks, grade, release, run, watch
from autograder.plan import Plan
from autograder.progress import Progress

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]


@pytest.fixture
def root(make_course: MakeCourse, autograder: Command) -> Path:
    """A released tiny course."""
    folder = make_course()
    assert autograder("release", "--course-dir", folder).returncode == 0
    return folder


def job(root: Path, source: str = "### as released") -> run.Job:
    here = course.load(root)
    released = release.convert(here, here.notebooks("tiny")[0])
    nb = nbformat.from_dict(solved(root))
    nb.cells.append(nbformat.v4.new_code_cell(source))
    return run.Job("ada", "tiny", nb, Plan.of(released.master, {}, 5.0), {})


def test_marks_do_not_depend_on_the_number_of_jobs(root: Path, autograder: Command) -> None:
    noise = "import numpy as np\nimport random\ndef double(x):\n    return x + np.random.rand() * x"
    for n, answer in enumerate([noise, noise, "def double(x):\n    return 2 * x", noise]):
        hand_in(root, f"s{n}", solved(root, {"tiny-double": answer}))
    found = []
    for jobs in (1, 3):
        path = root / f"{jobs}.json"
        command = ("grade", "tiny", "--course-dir", root, "--force", "--jobs", jobs)
        assert autograder(*command, "--json", path).returncode == 0
        found.append([rows_of(path, f"s{n}") for n in range(4)])
    assert found[0] == found[1]
    texts = [(root / f"autograded/s{n}/tiny/tiny.ipynb").read_text() for n in (0, 1)]
    assert texts[0] == texts[1]  # random numbers are the same for everybody


def test_a_zygote_that_was_killed_is_started_again(root: Path) -> None:
    with run.Pool(1, root) as pool:
        (first,) = pool.execute([job(root)])
        assert first.notebook is not None
        assert pool.zygote.process is not None
        for pid in watch.tree(pool.zygote.process.pid):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        (second,) = pool.execute([job(root)])
    assert second.fault == "" and second.notebook is not None


def test_a_zygote_that_cannot_start_is_a_fault_and_no_mark(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(root, "ada", solved(root))
    done = grade.grade_class(course.load(root), "tiny", Progress("tiny"))
    assert [row.points for row in done.entries[0].rows] == [3.0, 2.0, None]
    monkeypatch.setattr(forks.sys, "executable", "/bin/false")
    hand_in(root, "bob", solved(root))
    done = grade.grade_class(course.load(root), "tiny", Progress("tiny"))
    (bob,) = [entry for entry in done.entries if entry.student == "bob"]
    assert {(row.outcome, row.points) for row in bob.rows} == {("grader_fault", None)}
    assert "the process that jobs are forked from" in bob.rows[0].message


def test_nothing_is_left_after_a_run(root: Path) -> None:
    leaves = "import subprocess\np = subprocess.Popen(['sleep', '300'], start_new_session=True)"
    before = set(watch.tree(os.getpid()))
    with run.Pool(1, root) as pool:
        scratch = pool.zygote.scratch
        (ran,) = pool.execute([job(root, leaves)])
        assert ran.notebook is not None and not ran.notebook.cells[-1].outputs
        alive = watch.tree(os.getpid())
        names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in alive]
        assert "sleep" not in names
    assert set(watch.tree(os.getpid())) == before
    assert not scratch.exists()


def test_a_notebook_has_a_budget(root: Path) -> None:
    """Many cells that each take their time must not hold up a class; cells before are not lost."""
    asked = job(root, "pass")
    slow = [nbformat.v4.new_code_cell("while True: pass") for _ in range(4)]
    asked.notebook.cells += [*slow, nbformat.v4.new_code_cell("print('late')")]
    plan = dataclasses.replace(asked.plan, timeout_s=0.5, budget_s=1.2)
    with run.Pool(1, root) as pool:
        (ran,) = pool.execute([dataclasses.replace(asked, plan=plan)])
    assert ran.notebook is not None
    texts = ["".join(out.get("evalue", "") for out in cell.get("outputs", []))
             for cell in ran.notebook.cells]  # fmt: skip
    assert texts[-6:-4] == ["", "not done after 0.5 s of computing"]
    assert texts[-1] == "the notebook had used up its 1 s before this cell"
