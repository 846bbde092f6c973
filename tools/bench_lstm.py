"""Time the NumPy LSTM against PyTorch's: `python -m tools.bench_lstm` (part of `make bench`).

All sides get the same weights, the same input vectors and the same derivative of a loss by every
output, on one thread, in turns, so that a slow moment of the machine hits all. One step is a
forward and a backward pass, down to the weights and the inputs. Results are compared before
anything is timed.

  ours       lstm_forward() and lstm_backward() of book/07_lstm.md: NumPy, checks of input included.
  nn.LSTM    PyTorch's own layer on the CPU (oneDNN in float32), forward and backward.
  LSTMCell   a loop over time of torch.nn.LSTMCell, with autograd going back through it.

Most of a step is matrix products. PyTorch's use AVX-512 wherever the processor has it; NumPy's
OpenBLAS only if it picks such kernels: it does not on AMD's processors, nor where OPENBLAS_CORETYPE
says Haswell. So that both sides use the same units of the same cores, this program sets that
variable where the processor has AVX-512, and prints it; --as-is leaves it alone.
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

from seqmodels.bptt import relative_error
from seqmodels.lstm import LSTM, init_lstm, lstm_backward, lstm_forward, lstm_to_torch
from tools.bench_hmm import THREADS, in_turns

GOAL = 1.7  # times the time of nn.LSTM, at every size; and less than the loop of LSTMCell
SIZES = ((100, 64, 64, 128), (100, 32, 100, 128), (50, 32, 128, 256))  # T, B, D, H
CORE = "OPENBLAS_CORETYPE"

Result = tuple[np.ndarray, list[np.ndarray]]  # outputs; gradients by x, W_x, W_h, b


def tasks(T: int, B: int, D: int, H: int) -> dict[str, Callable[[], Result]]:
    """Return what to time by name: each returns all outputs, and the gradients in our layout."""
    rng = np.random.default_rng(0)
    lstm = LSTM(*(weight.astype(np.float32) for weight in init_lstm(D, H, rng)))
    x = rng.normal(size=(T, B, D)).astype(np.float32)
    dh = rng.normal(size=(T + 1, B, H)).astype(np.float32)
    dh[0] = 0  # PyTorch shows no first output
    arrays = [torch.tensor(w) for w in lstm_to_torch(lstm)]
    layer, cell = torch.nn.LSTM(D, H), torch.nn.LSTMCell(D, H)
    for module in (layer, cell):
        with torch.no_grad():
            for parameter, w in zip(module.parameters(), arrays, strict=True):
                parameter.copy_(w)
    given, wanted = torch.tensor(x, requires_grad=True), torch.tensor(dh[1:])

    def ours() -> Result:
        run = lstm_forward(x, lstm)
        gradient = lstm_backward(x, lstm, run, dh)
        assert gradient.x is not None
        return run.h[1:], [gradient.x, *gradient.weights]

    def whole() -> torch.Tensor:
        return layer(given)[0]

    def loop() -> torch.Tensor:
        state, outputs = None, []
        for x_t in given:
            state = cell(x_t, state)
            outputs.append(state[0])
        return torch.stack(outputs)

    def theirs(
        forward: Callable[[], torch.Tensor], parameters: Sequence[torch.Tensor]
    ) -> Callable[[], Result]:
        def run() -> Result:
            h = forward()
            dx, dW_ih, dW_hh, db, _ = torch.autograd.grad(h, [given, *parameters], wanted)
            return h.detach().numpy(), [d.numpy() for d in (dx, dW_ih.T, dW_hh.T, db)]

        return run

    return {
        "ours": ours,
        "nn.LSTM": theirs(whole, list(layer.parameters())),
        "LSTMCell": theirs(loop, list(cell.parameters())),
    }


def same(a: Result, b: Result) -> bool:
    """Say whether two results agree as well as float32 lets them."""
    close = all(relative_error(p, q) < 1e-3 for p, q in zip(a[1], b[1], strict=True))
    return close and bool(np.abs(a[0] - b[0]).max() < 1e-4)


def wanted_environment(as_is: bool = False) -> dict[str, str]:
    """Return the settings not yet in force: one thread and, unless as_is, AVX-512 kernels."""
    settings = dict.fromkeys(THREADS, "1")
    if torch.backends.cpu.get_cpu_capability() == "AVX512" and not as_is:
        settings[CORE] = "SkylakeX"
    return {name: value for name, value in settings.items() if os.environ.get(name) != value}


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description="Time the NumPy LSTM against PyTorch's.")
    parser.add_argument("--rounds", type=int, default=21, help="runs of each side (default 21)")
    parser.add_argument("--as-is", action="store_true", help=f"leave {CORE} as it is")
    args = parser.parse_args(argv)
    settings = wanted_environment(args.as_is)
    if settings:
        # the libraries read these when they are loaded: start again with them set
        os.environ.update(settings)
        os.execv(sys.executable, [sys.executable, "-m", "tools.bench_lstm", *sys.argv[1:]])
    torch.set_num_threads(1)
    print(
        f"LSTM, forward and backward, float32; numpy {np.__version__}, torch {torch.__version__}, "
        f"Python {platform.python_version()}, one thread, {CORE}={os.environ.get(CORE, '')}, "
        f"{args.rounds} rounds"
    )
    print(
        f"{'T, B, D, H':18}{'ms: median (min-max)':>24}{'nn.LSTM':>22}{'LSTMCell loop':>22}"
        f"{'x nn.LSTM':>11}{'x loop':>8}"
    )
    missed = []
    for size in SIZES:
        sides = tasks(*size)
        results = {name: task() for name, task in sides.items()}
        for side, result in results.items():
            assert same(results["ours"], result), f"{side} computes something else"
        times = in_turns(dict(sides), args.rounds)
        medians = {side: statistics.median(ms) for side, ms in times.items()}
        cells = [f"{medians[s]:.1f} ({min(ms):.1f}-{max(ms):.1f})" for s, ms in times.items()]
        ratio = medians["ours"] / medians["nn.LSTM"]
        to_loop = medians["ours"] / medians["LSTMCell"]
        name = ", ".join(map(str, size))
        print(f"{name:18}{cells[0]:>24}{cells[1]:>22}{cells[2]:>22}{ratio:>11.2f}{to_loop:>8.2f}")
        if ratio > GOAL or to_loop >= 1:
            missed.append(f"{name}: {ratio:.2f} times nn.LSTM, {to_loop:.2f} times the loop")
    if missed:
        goal = f"not at most {GOAL} and below 1"
        print(f"goal missed: {'; '.join(missed)}; {goal}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
