"""Kill the grader at random moments and see that nothing is lost: `python -m tools.soak`.

A class is graded once undisturbed. Then, again and again, the same class is graded in a fresh
folder while the coordinator, a zygote or a job is killed with SIGKILL at a random moment; the next
run must finish, and everything in the gradebook, the journal and autograded/ must be as in the
undisturbed run, but for ids and times.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tools import bench_course
from tools.bench_grader import PS, environment

SUBMISSIONS = 6
END_S = 300.0
ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> int:
    """Soak; return 0 if every class came out as undisturbed, 1 if one did not."""
    parser = argparse.ArgumentParser(description="Kill the grader at random and compare marks.")
    parser.add_argument("--kills", type=int, default=50, help="how often (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and the victims")
    args = parser.parse_args(argv)
    rng, told = random.Random(args.seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        fresh = folder / "fresh"
        fresh.mkdir()
        bench_course.write(fresh, range(SUBMISSIONS))
        calm = shutil.copytree(fresh, folder / "calm")
        begin = time.monotonic()
        _finish(calm, folder)
        whole_s = time.monotonic() - begin
        want = everything(calm)
        for number in range(args.kills):
            root = shutil.copytree(fresh, folder / "course")
            victim = disturb(root, folder, rng, rng.uniform(0.2, whole_s))
            told[victim] += 1
            _finish(root, folder)
            if differences := compare(want, everything(root)):
                print(f"\nkill {number}, {victim}, seed {args.seed}:", *differences, sep="\n  ")
                return 1
            shutil.rmtree(root)
            print(f"\r{number + 1} of {args.kills} killed and recovered", end="", flush=True)
    print("\n" + ", ".join(f"{count} {victim}" for victim, count in told.most_common()))
    print(f"soak: {args.kills} kills, every gradebook as in an undisturbed run")
    return 0


def command(root: Path) -> list[str]:
    """The command that grades a course."""
    grade = [sys.executable, "-m", "autograder", "grade", PS, "--course-dir", str(root)]
    return [*grade, "--jobs", "2"]


def disturb(root: Path, home: Path, rng: random.Random, after_s: float) -> str:
    """Grade, kill a process after some seconds, wait for the end; return what was killed."""
    with (home / "log").open("ab") as log:
        run = subprocess.Popen(
            command(root), cwd=ROOT, env=environment(home), stdout=log, stderr=log
        )
    try:
        kind = rng.choice(("coordinator", "zygote", "job"))
        end = time.monotonic() + after_s
        found: list[int] = []
        while not found or time.monotonic() < end:  # a job may have to be waited for
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(0.01)
                return "nothing: it had ended"
            found = _processes(run.pid, kind)
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(found), signal.SIGKILL)
        run.wait(END_S)
    finally:
        run.kill()
        run.wait()
    return kind


def _processes(coordinator: int, kind: str) -> list[int]:
    """Processes of a run of one kind."""
    if kind == "coordinator":
        return [coordinator]
    below = list(descendants(coordinator))
    zygotes = [pid for pid in below if _is_zygote(pid)]
    return zygotes if kind == "zygote" else [pid for pid in below if pid not in zygotes]


def _is_zygote(pid: int) -> bool:
    """Whether a process is one of the two that jobs are forked from: their parent is not one."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
        spaces = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    depth = next((ln for ln in spaces.splitlines() if ln.startswith("NSpid:")), "")
    return b"autograder.job.zygote" in text and len(depth.split()) == 2


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found, todo = [], [pid]
    while todo:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{todo.pop()}/task").iterdir():
                with contextlib.suppress(OSError):
                    children = [int(c) for c in (task / "children").read_text().split()]
                    found += children
                    todo += children
    return found


def _finish(root: Path, home: Path) -> None:
    """Grade to the end, as somebody would who gives the command again."""
    done = subprocess.run(
        command(root), cwd=ROOT, env=environment(home), capture_output=True, text=True,
        timeout=END_S,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"soak: the next run did not finish:\n{done.stdout}{done.stderr}")


def everything(root: Path) -> dict[str, Any]:
    """All that grading leaves behind, without ids and times."""
    from nbgrader.api import Gradebook

    found: dict[str, Any] = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        for submission in book.assignment_submissions(PS):
            who = submission.student.id
            found[f"{who} penalty"] = submission.late_submission_penalty
            for notebook in submission.notebooks:
                for g in notebook.grades:
                    marks = g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade
                    found[f"{who} {notebook.name} {g.name}"] = marks
                for c in notebook.comments:
                    words = c.auto_comment, c.manual_comment
                    found[f"{who} {notebook.name} {c.name} comment"] = words
    for line in (root / ".autograder" / f"{PS}.jsonl").read_text().splitlines():
        with contextlib.suppress(ValueError):  # half a line of a run that was killed
            entry = json.loads(line)
            if "rows" not in entry:  # a line about no student
                continue
            rows = [(row["cell"], row["points"], row["outcome"]) for row in entry["rows"]]
            found[f"{entry['student']} journal"] = rows
    for path in sorted((root / "autograded").rglob("*")):
        if path.is_file():
            found[str(path.relative_to(root))] = path.suffix == ".ipynb" and len(
                json.loads(path.read_text())["cells"]
            )
    return found


def compare(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Return what differs, one line each."""
    return [
        f"{key}: undisturbed {want.get(key, 'nothing')}, now {got.get(key, 'nothing')}"
        for key in sorted(want.keys() | got.keys())
        if want.get(key) != got.get(key)
    ]


if __name__ == "__main__":
    sys.exit(main())
