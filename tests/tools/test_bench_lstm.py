"""The benchmark of the LSTM: its rows, its goals, and that it compares like with like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import bench_lstm

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in bench_lstm.THREADS:
        monkeypatch.setenv(name, "1")  # else it would start itself again
    monkeypatch.setenv(bench_lstm.CORE, "SkylakeX")


def test_each_size_gets_a_row_with_both_ratios(
    settled: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_lstm, "SIZES", ((20, 4, 3, 8), (9, 2, 5, 6)))
    status = bench_lstm.main(["--rounds", "3"])
    printed = capsys.readouterr()
    assert "OPENBLAS_CORETYPE=SkylakeX" in printed.out
    spread = r"\s+\d+\.\d \(\d+\.\d-\d+\.\d\)"
    kept = True
    for size in bench_lstm.SIZES:
        start = ", ".join(map(str, size))
        row = re.search(
            rf"^{start}{spread}{spread}{spread}\s+(\d+\.\d\d)\s+(\d+\.\d\d)$", printed.out, re.M
        )
        assert row, f"no row for {start} in:\n{printed.out}"
        kept &= float(row[1]) < bench_lstm.GOAL + 0.005 and float(row[2]) < 1.005
    assert status == 1 or kept
    assert (status == 1) == ("goal missed" in printed.err)


@pytest.mark.parametrize(("goal", "status"), [(0.0, 1), (1e9, 0)])
def test_the_goal_decides(
    settled: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    goal: float,
    status: int,
) -> None:
    monkeypatch.setattr(bench_lstm, "GOAL", goal)
    monkeypatch.setattr(bench_lstm, "SIZES", ((4, 2, 3, 5),))
    fake = {"ours": [1.0], "nn.LSTM": [2.0], "LSTMCell": [3.0]}
    monkeypatch.setattr(bench_lstm, "in_turns", lambda tasks, rounds: fake)
    assert bench_lstm.main(["--rounds", "1"]) == status
    assert ("goal missed" in capsys.readouterr().err) == bool(status)
    fake["LSTMCell"] = [0.5]  # faster than ours: missed, whatever the goal
    assert bench_lstm.main(["--rounds", "1"]) == 1


@pytest.mark.parametrize("size", [(2, 1, 1, 2), (7, 3, 5, 4), (20, 1, 2, 9)])
def test_all_sides_compute_the_same(size: tuple[int, int, int, int]) -> None:
    results = {name: task() for name, task in bench_lstm.tasks(*size).items()}
    assert set(results) == {"ours", "nn.LSTM", "LSTMCell"}
    for result in results.values():
        assert bench_lstm.same(results["ours"], result)
    h, gradients = results["nn.LSTM"]
    assert not bench_lstm.same(results["ours"], (h + 0.01, gradients))
    for k in range(len(gradients)):
        wrong = [1.01 * d if j == k else d for j, d in enumerate(gradients)]
        assert not bench_lstm.same(results["ours"], (h, wrong))


def test_it_asks_for_one_thread_and_wide_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*bench_lstm.THREADS, bench_lstm.CORE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX512")
    assert bench_lstm.wanted_environment() == {
        **dict.fromkeys(bench_lstm.THREADS, "1"),
        bench_lstm.CORE: "SkylakeX",
    }
    monkeypatch.setenv(bench_lstm.CORE, "Haswell")
    assert bench_lstm.wanted_environment()[bench_lstm.CORE] == "SkylakeX"
    assert bench_lstm.CORE not in bench_lstm.wanted_environment(as_is=True)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    assert bench_lstm.CORE not in bench_lstm.wanted_environment()


def test_make_bench_runs_it() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nbench:")[1].split("\n\n")[0]
    assert "$(RUN) tools.bench_lstm" in recipe
