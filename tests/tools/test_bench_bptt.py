"""The benchmark of backpropagation through time: its rows, and that it compares like with like."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tools import bench_bptt

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in bench_bptt.THREADS:
        monkeypatch.setenv(name, "1")  # else it would start itself again


def test_each_size_gets_a_row_with_how_many_times_faster(
    one_thread: None, capsys: pytest.CaptureFixture[str]
) -> None:
    status = bench_bptt.main(["--rounds", "3"])
    printed = capsys.readouterr()
    spread = r"\s+\d+\.\d \(\d+\.\d-\d+\.\d\)"
    for size in bench_bptt.SIZES:
        start = ", ".join(map(str, size))
        row = re.search(rf"^{start}{spread}{spread}\s+(\d+\.\d\d){spread}$", printed.out, re.M)
        assert row, f"no row for {start} in:\n{printed.out}"
        assert status == 1 or float(row[1]) >= bench_bptt.GOAL - 0.005
    assert (status == 1) == ("goal missed" in printed.err)


def test_a_side_that_is_never_faster_misses_the_goal(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_bptt, "GOAL", 1e9)
    monkeypatch.setattr(bench_bptt, "SIZES", ((4, 2, 3, 5),))
    assert bench_bptt.main(["--rounds", "1"]) == 1
    assert "goal missed" in capsys.readouterr().err


@pytest.mark.parametrize("size", [(1, 1, 1, 2), (7, 3, 5, 4), (20, 1, 2, 9)])
def test_all_sides_compute_the_same(size: tuple[int, int, int, int]) -> None:
    results = {name: task() for name, task in bench_bptt.tasks(*size).items()}
    assert set(results) == {"ours", "autograd", "nn.RNN"}
    for result in results.values():
        assert bench_bptt.same(results["ours"], result)
    loss, gradient = results["autograd"]
    wrong = tuple(np.asarray(g) * 1.01 for g in gradient)
    assert not bench_bptt.same(results["ours"], (loss, wrong))
    assert not bench_bptt.same(results["ours"], (loss + 0.01, gradient))


def test_make_bench_runs_it() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nbench:")[1].split("\n\n")[0]
    assert "$(RUN) tools.bench_bptt" in recipe
