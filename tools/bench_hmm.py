"""Time the HMM module against hmmlearn's C++: `python -m tools.bench_hmm` (part of `make bench`).

Both programs get the same model and the same sequences, on one thread, in turns, so that a slow
moment of the machine hits both. Two tasks, and what each side computes for it:

  posteriors   log p(x) and the posterior of each state at each step. hmmlearn: score_samples() with
               implementation="scaling", which takes the sequences one after the other through its
               C++ forward and backward passes. Ours: forward_backward(), which takes the batch side
               by side, and computes the summed pair posteriors besides.
  E-step       the same and all expected counts (starts, steps, emissions) that Baum-Welch needs.
               hmmlearn: its own _do_estep(). Ours: forward_backward() and K weighted bincounts.

Results are compared before anything is timed. Time includes each side's checks of its input.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable

import hmmlearn
import numpy as np
from hmmlearn.hmm import CategoricalHMM

from seqmodels import hmm

GOAL = 2.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def setting(T: int, B: int, K: int, V: int) -> tuple[np.ndarray, hmm.HMM, CategoricalHMM]:
    """Return symbols (T, B), our model and hmmlearn's with the same tables."""
    rng = np.random.default_rng(0)
    pi, A, E = (rng.dirichlet(np.ones(n), K) for n in (K, K, V))
    model = hmm.HMM(pi[0], A, E)
    other = CategoricalHMM(K, implementation="scaling")
    other.startprob_, other.transmat_, other.emissionprob_ = model
    other.n_features = V
    return hmm.sample(T, B, model, rng)[1], model, other


def e_step(x: np.ndarray, model: hmm.HMM) -> tuple[hmm.Posterior, np.ndarray]:
    """Return the posterior and the expected emission counts (K, V)."""
    post = hmm.forward_backward(x, model)
    K, V = model.E.shape
    flat = x.ravel()
    counts = [np.bincount(flat, post.gamma[:, :, k].ravel(), minlength=V) for k in range(K)]
    return post, np.array(counts)


def in_turns(
    tasks: dict[str, Callable[[], object]], rounds: int, warm_up: int = 3
) -> dict[str, list[float]]:
    """Run all tasks in turn, rounds times over; return the milliseconds of each run."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(warm_up + rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if turn >= warm_up:
                times[name].append(1e3 * (time.perf_counter() - start))
    return times


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 where the goal for posteriors is missed."""
    parser = argparse.ArgumentParser(description="Time the HMM module against hmmlearn's C++.")
    parser.add_argument("--rounds", type=int, default=21, help="runs of each side (default 21)")
    args = parser.parse_args(argv)
    if any(os.environ.get(name) != "1" for name in THREADS):
        # numpy reads these when it is loaded: start again with them set
        os.environ.update(dict.fromkeys(THREADS, "1"))
        os.execv(sys.executable, [sys.executable, "-m", "tools.bench_hmm", *sys.argv[1:]])
    T, B, K, V = 200, 256, 16, 32
    x, model, other = setting(T, B, K, V)
    joined, lengths = np.ascontiguousarray(x.T).reshape(-1, 1), [T] * B

    post, emitted = e_step(x, model)
    total, gamma = other.score_samples(joined, lengths)
    other.params = "ste"
    stats, _ = other._do_estep(joined, lengths)

    def close(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(np.allclose(a, b, rtol=1e-8, atol=1e-12))

    assert np.isclose(post.log_lik.sum(), total, rtol=1e-10, atol=0)
    assert close(post.gamma.transpose(1, 0, 2).reshape(-1, K), gamma)
    assert close(post.xi_sum, stats["trans"])
    assert close(post.gamma[0].sum(axis=0), stats["start"])
    assert close(emitted, stats["obs"])

    print(
        f"{B} sequences of {T}, {K} states, {V} symbols; numpy {np.__version__}, hmmlearn "
        f"{hmmlearn.__version__}, Python {platform.python_version()}, one thread, "
        f"{args.rounds} rounds"
    )
    print(f"{'':12}{'ms: median (min-max)':>26}{'hmmlearn':>26}{'times faster':>14}")
    reached = 0.0
    for name, ours, theirs in (
        (
            "posteriors",
            lambda: hmm.forward_backward(x, model),
            lambda: other.score_samples(joined, lengths),
        ),
        ("E-step", lambda: e_step(x, model), lambda: other._do_estep(joined, lengths)),
    ):
        times = in_turns({"ours": ours, "hmmlearn": theirs}, args.rounds)
        medians = {side: statistics.median(ms) for side, ms in times.items()}
        cells = [f"{medians[s]:.1f} ({min(ms):.1f}-{max(ms):.1f})" for s, ms in times.items()]
        ratio = medians["hmmlearn"] / medians["ours"]
        reached = reached or ratio
        print(f"{name:12}{cells[0]:>26}{cells[1]:>26}{ratio:>14.2f}")
    if reached < GOAL:
        print(f"goal missed: posteriors {reached:.2f} times as fast, not {GOAL}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
