"""Time the grader beside stock nbgrader: `python -m tools.bench_grader` (part of `make bench`).

Both grade the same class (`tools/bench_course.py`) in fresh processes, with an empty journal and an
empty gradebook; nobody writes feedback. Marks are compared cell by cell in the same run. Then the
grader runs alone: on part of the class, for what one more notebook costs; on larger classes, for
whether that stays the same; and its memory is looked at, apart from what is timed.

CPU is that of a command and all processes below it. A notebook's own code is timed by running its
cells, tests included, in one warm process; the rest is what the grader adds.
"""

import argparse
import contextlib
import ctypes
import io
import json
import os
import platform
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import bench_course
from tools.bench_course import PS

ROOT = Path(__file__).resolve().parents[1]
GOAL_WALL, FLOOR_WALL, GOAL_CPU = 25, 18, 15
GOAL_ADDED_MS = 80  # CPU beyond a notebook's own code
GOAL_MEMORY_MB, GOAL_JOB_MB = 600, 20
GOAL_FLAT = 1.15  # one more submission in the largest class, over one in the smaller ones
EVERY_S = 20  # between two signs of life
TICK = os.sysconf("SC_CLK_TCK")


class Clock:
    """CPU of all processes that this one starts, whoever buries them.

    getrusage() knows only of children that somebody waited for; when a PID namespace is ended,
    nobody waits for those in it. The kernel's task clock is handed on to every child.
    """

    def __init__(self) -> None:
        attr = bytearray(128)
        # a software event, the task clock, inherited by forks
        struct.pack_into("IIQQQQQ", attr, 0, 1, len(attr), 1, 0, 0, 0, 0b10)
        number = {"x86_64": 298, "aarch64": 241}.get(platform.machine(), -1)
        buffer = (ctypes.c_char * len(attr)).from_buffer(attr)
        self.event = ctypes.CDLL(None).syscall(number, buffer, 0, -1, -1, 0)

    @property
    def complete(self) -> bool:
        """Whether nothing is missed: the kernel lets us count."""
        return bool(self.event >= 0)

    def cpu_s(self) -> float:
        """CPU seconds so far."""
        if self.complete:
            everything = struct.unpack("Q", os.read(self.event, 8))[0] / 1e9
            return float(everything - time.thread_time())
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime


CLOCK = Clock()


@dataclass
class Used:
    """What a command took."""

    wall_s: float
    cpu_s: float
    parts: dict[str, float] = field(default_factory=dict)  # CPU seconds of kinds of processes
    memory: list[tuple[int, float, float]] = field(default_factory=list)  # jobs, base, total MB


def environment(home: Path) -> dict[str, str]:
    """No setting of the person at the keyboard counts, and no process has a second thread."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    return env | threads | own


def measure(
    command: list[str], cwd: Path, home: Path, what: str, done: Path, memory: bool = False
) -> Used:
    """Run a command and count the CPU of everything that it starts."""
    before, start = CLOCK.cpu_s(), time.perf_counter()
    log = home / f"{what.replace(' ', '-')}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment(home), stdout=output, stderr=output
        )
        watch = _Watch(process.pid, memory)
        said = start
        while process.poll() is None:
            time.sleep(0.05)
            watch.look()
            if time.perf_counter() - said > EVERY_S:
                said = time.perf_counter()
                graded = len(list(done.glob("*"))) if done.is_dir() else 0
                print(f"  {what}: {graded} graded after {said - start:.0f} s", flush=True)
    wall = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{what} ended with status {process.returncode}:\n{log.read_text()[-3000:]}")
    cpu = CLOCK.cpu_s() - before
    return Used(wall, cpu, watch.parts(cpu), watch.memory)


class _Watch:
    """Looks at the coordinator and what it starts while they run."""

    def __init__(self, pid: int, memory: bool) -> None:
        self.pid, self.want_memory = pid, memory
        self.own: dict[int, float] = {}  # CPU seconds of the coordinator and its children alone
        self.memory: list[tuple[int, float, float]] = []
        self.looked = 0.0

    def look(self) -> None:
        """Note what each process has used so far."""
        now = time.perf_counter()
        if now - self.looked < (0.5 if self.want_memory else 0.25):
            return
        self.looked = now
        helpers = [pid for pid in _below(self.pid) if _inner_pids(pid) == _inner_pids(self.pid)]
        for pid in (self.pid, *helpers):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                self.own[pid] = (int(fields[11]) + int(fields[12])) / TICK
        if self.want_memory:
            jobs = [pid for pid in _below(self.pid) if pid not in helpers]
            base = sum(map(_pss_mb, (self.pid, *helpers)))
            # a job is a process that runs cells and the small one that buries it
            self.memory.append((len(jobs) // 2, base, base + sum(map(_pss_mb, jobs))))

    def parts(self, cpu_s: float) -> dict[str, float]:
        """CPU seconds of coordinator, of the processes that fork, and of the forks."""
        coordinator = self.own.pop(self.pid, 0.0)
        helpers = sum(self.own.values())
        return {
            "coordinator": coordinator,
            "zygote": helpers,
            "forks: own code, tests, pipe, start, end": max(0.0, cpu_s - coordinator - helpers),
        }


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def _below(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _below(child)


def _inner_pids(pid: int) -> int:
    """How many PID namespaces a process is in: a job on rung 1 is in one more than its zygote."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return len(line.split())
    return 0


def _pss_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def stock(folder: Path, submissions: int) -> tuple[Used, Path]:
    """Grade with nbgrader as it is."""
    root, home = _fresh(folder / "stock", submissions)
    nbgrader = str(Path(sys.executable).parent / "nbgrader")
    subprocess.run(
        [nbgrader, "generate_assignment", PS, "--force"],
        cwd=root, env=environment(home), check=True, capture_output=True,
    )  # fmt: skip
    command = [nbgrader, "autograde", PS]
    return measure(command, root, home, "nbgrader autograde", root / "autograded"), root


def ours(folder: Path, submissions: int, jobs: int, memory: bool = False) -> tuple[Used, Path]:
    """Grade with the autograder."""
    root, home = _fresh(folder / f"ours-{submissions}{'-memory' * memory}", submissions)
    command = [sys.executable, "-m", "autograder", "grade", PS, "--course-dir", str(root)]
    command += ["--jobs", str(jobs), "--json", str(root / "marks.json")]
    what = f"autograder grade {submissions}"
    return measure(command, ROOT, home, what, root / "autograded", memory), root


def _fresh(folder: Path, submissions: int) -> tuple[Path, Path]:
    root, home = folder / "course", folder / "home"
    root.mkdir(parents=True)
    home.mkdir()
    bench_course.write(root, range(submissions))
    return root, home


Marks = dict[tuple[str, str, str], tuple[Any, ...]]


def marks(root: Path, ps: str = PS) -> Marks:
    """Every mark in a gradebook: (student, notebook, cell) -> points, most, wants a person."""
    from nbgrader.api import Gradebook

    found: Marks = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        for submission in book.assignment_submissions(ps):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    found[submission.student.id, notebook.name, grade.name] = (
                        grade.auto_score, grade.max_score, bool(grade.needs_manual_grade),
                    )  # fmt: skip
    return found


def json_marks(root: Path) -> Marks:
    """The points of the JSON file, for the cells that have some."""
    rows = json.loads((root / "marks.json").read_text())
    return {
        (row["student"], row["notebook"], row["cell"]): (row["points"], row["max_points"], False)
        for row in rows
        if row["points"] is not None
    }


def differences(theirs: Marks, mine: Marks, told: Marks) -> list[str]:
    """What differs between nbgrader's gradebook, ours, and our JSON; one line each."""
    lines = [
        f"{'/'.join(key)}: nbgrader {theirs.get(key)}, ours {mine.get(key)}"
        for key in sorted(theirs.keys() | mine.keys())
        if theirs.get(key) != mine.get(key)
    ]
    return lines + [
        f"{'/'.join(key)}: gradebook {mine.get(key)}, JSON {value}"
        for key, value in sorted(told.items())
        if mine.get(key, (None, None))[:2] != value[:2] and not mine.get(key, (0, 0, 0))[2]
    ]


def own_code_ms(root: Path) -> float:
    """Mean CPU of a notebook's own cells, hidden tests included, in one warm process."""
    from autograder import release, submission
    from autograder.course import load

    course = load(root)
    released = {path.stem: release.convert(course, path) for path in course.notebooks(PS)}
    spent = []
    paths = sorted((root / "submitted").glob(f"*/{PS}/*.ipynb"))
    for path in [*paths[:40], *paths]:
        nb, _ = submission.put_right(submission.read(path), released[path.stem])
        start, space = time.process_time(), {"__name__": "__main__"}
        for cell in nb.cells:
            if cell.cell_type == "code":
                with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(cell.source, path.name, "exec"), space)
        spent.append(1e3 * (time.process_time() - start))
    warm = spent[len(paths[:40]) :]  # the first round paid for the imports
    return sum(warm) / len(warm)


def _in_own_process(root: Path) -> float:
    """own_code_ms in a process with one thread and nothing else in it."""
    code = f"from tools.bench_grader import *; print(own_code_ms(Path({str(root)!r})))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT, env=environment(root), check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 0, 1 where marks differ, 3 where a goal is missed."""
    parser = argparse.ArgumentParser(description="Time the grader beside stock nbgrader.")
    parser.add_argument("--submissions", type=int, default=100, help="default 100; stock takes 5 s")
    parser.add_argument("--jobs", type=int, default=2, help="of ours (default 2)")
    parser.add_argument("--flat", type=int, nargs="*", default=[200, 500],
                        help="sizes of class for ours alone (default 200 500)")  # fmt: skip
    args = parser.parse_args(argv)
    if args.submissions < 3 or args.submissions in args.flat:
        parser.error("--submissions must be at least 3, and another number than those of --flat")
    with tempfile.TemporaryDirectory(prefix="bench-grader-") as name:
        return _run(Path(name), args.submissions, args.jobs, args.flat)


def _run(folder: Path, count: int, jobs: int, flat: list[int]) -> int:
    notebooks = len(bench_course.SOURCES)
    if not CLOCK.complete:
        print("perf_event_open is not allowed here: the CPU of killed processes is not counted")
    print(f"{count} submissions of {notebooks} notebooks, --jobs {jobs}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}", flush=True)  # fmt: skip
    mine, my_root = ours(folder, count, jobs)
    print(f"  autograder grade: {mine.wall_s:.1f} s", flush=True)
    theirs, their_root = stock(folder, count)
    print(f"  nbgrader autograde: {theirs.wall_s:.1f} s", flush=True)
    costs = {count: mine}
    for size in flat:
        costs[size], _ = ours(folder, size, jobs)
        print(f"  autograder grade {size}: {costs[size].wall_s:.1f} s", flush=True)
    sizes = sorted(costs)
    if len(sizes) == 1:
        costs[2], _ = ours(folder, 2, jobs)
        sizes = sorted(costs)
    different = differences(marks(their_root), marks(my_root), json_marks(my_root))
    looked, _ = ours(folder, min(count, 40), jobs, memory=True)
    own_ms = _in_own_process(my_root)

    missed: list[str] = []

    def line(what: str, value: str, goal: str = "", good: bool = True) -> None:
        print(f"{what:<44}{value:>22}   {goal}{'' if good else '   MISSED'}")
        if not good:
            missed.append(what)

    print(f"\n{'':44}{'nbgrader':>11}{'ours':>11}   times less")
    for what, a, b, goal in (
        ("wall, s", theirs.wall_s, mine.wall_s, GOAL_WALL),
        ("CPU, s", theirs.cpu_s, mine.cpu_s, GOAL_CPU),
    ):
        print(f"{what:<44}{a:>11.1f}{b:>11.1f}{a / b:>10.1f}   goal {goal}")
        if a / b < goal:
            missed.append(f"{what} {a / b:.1f} times less, not {goal}")
    if theirs.wall_s / mine.wall_s < FLOOR_WALL:
        print(f"below {FLOOR_WALL} times: not done")
    line("marks compared", f"{len(marks(their_root))}, {len(different)} differ", "goal 0 differ",
         not different)  # fmt: skip

    first, last = sizes[-2:]
    each = (costs[last].cpu_s - costs[first].cpu_s) / ((last - first) * notebooks)
    startup = mine.cpu_s - each * count * notebooks
    print("\nwhere our time goes")
    parts = {
        part: 1e3 * (seconds - costs[first].parts[part]) / ((last - first) * notebooks)
        for part, seconds in costs[last].parts.items()
    }
    line("  start, imports, reference answer", f"{startup:.1f} s CPU")
    line("  one more notebook", f"{1e3 * each:.0f} ms CPU")
    for part, ms in parts.items():
        line(f"    {part}", f"{ms:.0f} ms CPU")
    line("    its own code, run warm", f"{own_ms:.0f} ms CPU")
    added = 1e3 * each - own_ms
    line("    added by the grader", f"{added:.0f} ms CPU", f"goal {GOAL_ADDED_MS} ms",
         added <= GOAL_ADDED_MS)  # fmt: skip
    line("  cores kept busy", f"{mine.cpu_s / mine.wall_s:.2f} of {jobs}")

    print("\nmemory (PSS)")
    base = max((m[1] for m in looked.memory), default=0.0)
    total = max((m[2] for m in looked.memory), default=0.0)
    most = GOAL_MEMORY_MB + GOAL_JOB_MB * jobs
    line("  coordinator and zygote", f"{base:.0f} MB", f"goal {GOAL_MEMORY_MB} MB",
         base <= GOAL_MEMORY_MB)  # fmt: skip
    line("  all of it with its jobs, at most", f"{total:.0f} MB", f"goal {most} MB", total <= most)

    print("\nsubmissions in one class, ours alone; the first one pays for the start")
    for size in sizes:
        used = costs[size]
        line(f"  {size}", f"{used.wall_s:.1f} s, {used.cpu_s:.1f} s CPU")
    if len(sizes) > 2:
        slopes = [
            (costs[b].cpu_s - costs[a].cpu_s) / (b - a)
            for a, b in zip(sizes, sizes[1:], strict=False)
        ]
        rise = slopes[-1] / slopes[0]
        line("  one more in the largest class costs", f"{rise:.2f} times", f"goal {GOAL_FLAT}",
             rise <= GOAL_FLAT)  # fmt: skip
    for text in different[:20]:
        print(f"DIFFERS {text}", file=sys.stderr)
    for what in missed:
        print(f"goal missed: {what.strip()}", file=sys.stderr)
    return 1 if different else 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
