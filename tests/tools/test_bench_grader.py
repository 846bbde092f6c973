"""The grader's benchmark: what it counts, what it compares, and the class that it grades.

That both graders give this class the same marks is in tests/autograder/test_equals_stock.py.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import bench_course, bench_grader

BURN_S, SLACK_S = 0.5, 0.3


def test_the_cpu_of_killed_processes_is_counted() -> None:
    """A grandchild that nobody waits for, killed with its parent."""
    if not bench_grader.CLOCK.complete:
        pytest.skip("perf_event_open is not allowed here")
    burn = (
        f"import time\nwhile time.process_time() < {BURN_S}: pass\nprint(flush=True)\ntime.sleep(9)"
    )
    before = bench_grader.CLOCK.cpu_s()
    child = subprocess.Popen(
        [sys.executable, "-c", f"import os\nos.fork() or exec({burn!r})\nos.wait()"],
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    child.stdout.readline()
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert BURN_S <= bench_grader.CLOCK.cpu_s() - before < BURN_S + SLACK_S


def test_differences_are_found_and_said() -> None:
    one = {("ada", "nb", "t"): (1.0, 2.0, False), ("ada", "nb", "w"): (None, 3.0, True)}
    assert bench_grader.differences(one, dict(one), {("ada", "nb", "t"): (1.0, 2.0, False)}) == []
    other = one | {("ada", "nb", "t"): (2.0, 2.0, False)}
    assert bench_grader.differences(one, other, {}) == [
        "ada/nb/t: nbgrader (1.0, 2.0, False), ours (2.0, 2.0, False)"
    ]
    assert bench_grader.differences(one, {}, {})[0].endswith("ours None")
    told = {("ada", "nb", "t"): (0.0, 2.0, False)}
    assert "gradebook (1.0, 2.0, False), JSON (0.0" in bench_grader.differences(one, one, told)[0]


def test_the_class_is_of_all_kinds_and_always_the_same(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        bench_course.write(tmp_path / name, range(20))
        files = sorted((tmp_path / name / "submitted").glob("*/*/*.ipynb"))
        texts.append([path.read_text() for path in files])
    assert texts[0] == texts[1] and len(texts[0]) == 40
    assert len(set(texts[0])) == 38  # two never begun, the same; all others differ
    sources = [c.source for text in texts[0] for c in nbformat.reads(text, 4).cells]
    for answers in (bench_course.WRONG, bench_course.RAISES, bench_course.RIGHT):
        assert any(answer in source for answer in answers.values() for source in sources)
    untouched = [text for text in texts[0] if "NotImplementedError" in text]
    assert len(untouched) == 4
    assert not any("BEGIN SOLUTION" in source or "HIDDEN" in source for source in sources)
