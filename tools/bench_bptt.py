"""Time BPTT in NumPy against autograd: `python -m tools.bench_bptt` (part of `make bench`).

Both sides get the same network, the same symbols and one thread, in turns, so that a slow moment of
the machine hits both, and both return the mean loss of a language model and its gradient by all six
weights. Results are compared before anything is timed.

  ours      loss_and_gradient() of book/05_bptt.md: NumPy, checks of the input included.
  autograd  the same loop in PyTorch on the CPU, as one would write it: the rows of the input
            weights for all steps at once, a loop over time, one product for all scores, backward().

The row `nn.RNN` is for orientation: PyTorch's own loop, which is C++ both ways.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence

import numpy as np
import torch

from seqmodels.bptt import loss_and_gradient, relative_error
from seqmodels.rnn import MISSING, RNN, init_rnn
from tools.bench_hmm import THREADS, in_turns

GOAL = 1.0  # times as fast as autograd, at every size
SIZES = ((100, 32, 32, 8), (100, 32, 128, 97), (400, 8, 64, 97))  # T, B, H, V


def autograd_loop(
    x: torch.Tensor, target: torch.Tensor, weights: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return the mean loss of symbols x (T, B); target (T + 1, B); weights as in `RNN`."""
    W_xh, W_hh, b_h, W_hy, b_y, h0 = weights
    from_x = W_xh[x] + b_h  # (T, B, H)
    states = [h0.expand(x.shape[1], -1)]
    for from_x_t in from_x:
        states.append(torch.tanh(from_x_t + states[-1] @ W_hh))
    logits = torch.stack(states) @ W_hy + b_y
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), target.flatten(), ignore_index=MISSING
    )


def library_loop(
    x: torch.Tensor, target: torch.Tensor, weights: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return the same by PyTorch's own recurrent loop."""
    W_xh, W_hh, b_h, W_hy, b_y, h0 = weights
    one_hot = torch.nn.functional.one_hot(x, len(W_xh)).to(W_xh.dtype)
    first = h0.expand(1, x.shape[1], -1)
    own = (W_xh.T, W_hh.T, b_h, torch.zeros_like(b_h))
    h, _ = torch.rnn_tanh(one_hot, first, own, True, 1, 0.0, True, False, False)
    logits = torch.cat([first, h]) @ W_hy + b_y
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), target.flatten(), ignore_index=MISSING
    )


def tasks(T: int, B: int, H: int, V: int) -> dict[str, Callable[[], tuple[float, tuple]]]:
    """Return what to time by name: each returns the loss and the six gradients."""
    rng = np.random.default_rng(0)
    net = RNN(*(weight.astype(np.float32) for weight in init_rnn(V, H, V, rng)))
    x = rng.integers(0, V, (T, B))
    target = np.concatenate([x, np.full((1, B), MISSING)])
    leaves = [torch.tensor(weight, requires_grad=True) for weight in net]
    given = torch.tensor(x), torch.tensor(target)

    def ours() -> tuple[float, tuple]:
        loss, gradient, _ = loss_and_gradient(x, target, net)
        return loss, gradient.weights

    def theirs(loop: Callable[..., torch.Tensor]) -> Callable[[], tuple[float, tuple]]:
        def run() -> tuple[float, tuple]:
            loss = loop(*given, leaves)
            return loss.item(), torch.autograd.grad(loss, leaves)

        return run

    return {"ours": ours, "autograd": theirs(autograd_loop), "nn.RNN": theirs(library_loop)}


def same(a: tuple[float, tuple], b: tuple[float, tuple]) -> bool:
    """Say whether two losses and gradients agree as well as float32 lets them."""
    close = all(relative_error(p, np.asarray(q)) < 1e-3 for p, q in zip(a[1], b[1], strict=True))
    return close and abs(a[0] - b[0]) < 1e-4


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 where ours is not the faster one."""
    parser = argparse.ArgumentParser(description="Time NumPy BPTT against autograd's.")
    parser.add_argument("--rounds", type=int, default=21, help="runs of each side (default 21)")
    args = parser.parse_args(argv)
    if any(os.environ.get(name) != "1" for name in THREADS):
        # numpy reads these when it is loaded: start again with them set
        os.environ.update(dict.fromkeys(THREADS, "1"))
        os.execv(sys.executable, [sys.executable, "-m", "tools.bench_bptt", *sys.argv[1:]])
    torch.set_num_threads(1)
    print(
        f"loss and gradient of a plain recurrent network, float32; numpy {np.__version__}, torch "
        f"{torch.__version__}, Python {platform.python_version()}, one thread, {args.rounds} rounds"
    )
    heads = f"{'ms: median (min-max)':>24}{'autograd':>22}{'times faster':>14}{'nn.RNN':>22}"
    print(f"{'T, B, H, V':18}{heads}")
    slowest = np.inf
    for size in SIZES:
        sides = tasks(*size)
        results = {name: task() for name, task in sides.items()}
        for name, result in results.items():
            assert same(results["ours"], result), f"{name} computes something else"
        times = in_turns(dict(sides), args.rounds)
        medians = {side: statistics.median(ms) for side, ms in times.items()}
        cells = [f"{medians[s]:.1f} ({min(ms):.1f}-{max(ms):.1f})" for s, ms in times.items()]
        ratio = medians["autograd"] / medians["ours"]
        slowest = min(slowest, ratio)
        name = ", ".join(map(str, size))
        print(f"{name:18}{cells[0]:>24}{cells[1]:>22}{ratio:>14.2f}{cells[2]:>22}")
    if slowest < GOAL:
        print(f"goal missed: {slowest:.2f} times as fast as autograd, not {GOAL}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
