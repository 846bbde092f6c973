# GENERATED from book/04_rnn.md by `make export`: change that, not this file.
"""Recurrent networks: the code of book/04_rnn.md."""

# --- book/04_rnn.md: What you need (#what-you-need)
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.hmm import MISSING, draw


# --- book/04_rnn.md: The forward pass in NumPy (#rnn-numpy)
class RNN(NamedTuple):
    """Hold the weights of a plain recurrent network; h0 is one of them."""

    W_xh: np.ndarray  # (D, H): from the input; row v is the input symbol v
    W_hh: np.ndarray  # (H, H): from the state before, h @ W_hh
    b_h: np.ndarray  # (H,)
    W_hy: np.ndarray  # (H, V): from the state to the scores
    b_y: np.ndarray  # (V,)
    h0: np.ndarray  # (H,): the first state, before any input


def init_rnn(D: int, H: int, V: int, rng: np.random.Generator) -> RNN:
    """Return random weights in float64: uniform in +-1/sqrt(H), h0 zero.

    So PyTorch starts nn.RNN (but with two biases) and nn.Linear. D: numbers in an
    input vector, or input symbols. V: scores. Raises ValueError for a size below 1.
    """
    if min(D, H, V) < 1:
        raise ValueError(f"D, H and V must be 1 or more; got {D}, {H}, {V}")
    bound = 1 / np.sqrt(H)
    W_xh, W_hh, b_h, W_hy, b_y = (
        rng.uniform(-bound, bound, shape)
        for shape in ((D, H), (H, H), (H,), (H, V), (V,))
    )
    return RNN(W_xh, W_hh, b_h, W_hy, b_y, h0=np.zeros(H))


def check_rnn(rnn: RNN) -> RNN:
    """Return the weights as arrays of one floating type, or say what is wrong.

    Shapes as in `RNN`. float32 stays float32 if all are; integers become float64.
    Raises ValueError for a wrong shape, a type that is no real number, or an entry
    that is not finite.
    """
    rnn = RNN(*(np.asarray(weight) for weight in rnn))
    for name, weight in zip(rnn._fields, rnn, strict=True):
        if weight.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold real numbers; got {weight.dtype}")
    if rnn.W_xh.ndim != 2 or rnn.W_hy.ndim != 2:
        came = f"got {rnn.W_xh.shape} and {rnn.W_hy.shape}"
        raise ValueError(f"W_xh must be (D, H) and W_hy (H, V); {came}")
    (D, H), V = rnn.W_xh.shape, rnn.W_hy.shape[1]
    if min(D, H, V) < 1:
        raise ValueError(f"D, H and V must be 1 or more; got {D}, {H}, {V}")
    dtype = np.result_type(*rnn)
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    shapes = ((D, H), (H, H), (H,), (H, V), (V,), (H,))
    for name, weight, shape in zip(rnn._fields, rnn, shapes, strict=True):
        if weight.shape != shape:
            why = f"to match W_xh {rnn.W_xh.shape} and W_hy {rnn.W_hy.shape}"
            raise ValueError(f"{name} must be {shape} {why}; got {weight.shape}")
        if not np.isfinite(weight).all():
            raise ValueError(f"{name} holds an entry that is not finite")
    return RNN(*(weight.astype(dtype) for weight in rnn))


def check_inputs(x: ArrayLike, D: int) -> np.ndarray:
    """Return x, (T, B) int64 symbols or (T, B, D) floats, or say what is wrong.

    Symbols: ints in [0, D), or MISSING, which reads as the zero vector. T may be 0.
    Raises ValueError for anything else.
    """
    try:
        x = np.asarray(x)
    except ValueError:  # rows of different lengths
        hint = "pad short sequences with MISSING"
        raise ValueError(f"x must be a full table, time first: {hint}") from None
    if np.issubdtype(x.dtype, np.integer) and x.ndim == 2:
        if x.size and (x.max() >= D or x.min() < MISSING):
            t, b = np.argwhere((x >= D) | (x < MISSING))[0]
            wanted = f"expected 0 to {D - 1}, or {MISSING} if missing"
            raise ValueError(f"x[{t}, {b}] = {x[t, b]} is no symbol; {wanted}")
        return x.astype(np.int64)
    if np.issubdtype(x.dtype, np.floating) and x.ndim == 3 and x.shape[2] == D:
        if not np.isfinite(x).all():
            raise ValueError("x holds an entry that is not finite")
        return x
    hint = "; for one sequence write x[:, None]" if x.ndim == 1 else ""
    wanted = f"(T, B) integers below {D} or (T, B, {D}) floats, time first"
    raise ValueError(f"x must be {wanted}; got {x.shape} {x.dtype}{hint}")


def first_state(h0: ArrayLike | None, rnn: RNN, B: int) -> np.ndarray:
    """Return each sequence's first state, (B, H): h0, or rnn.h0 where it is None.

    h0: (H,) or (B, H). Raises ValueError for another shape, or if it is not finite.
    """
    h = np.asarray(rnn.h0 if h0 is None else h0)
    H = len(rnn.h0)
    if h.shape not in ((H,), (B, H)) or h.dtype.kind not in "biuf":
        came = f"got {h.shape} {h.dtype}"
        raise ValueError(f"h0 must be ({H},) or ({B}, {H}) real numbers; {came}")
    if not np.isfinite(h).all():
        raise ValueError("h0 holds an entry that is not finite")
    return np.broadcast_to(h.astype(rnn.h0.dtype), (B, H))


def read_inputs(x: np.ndarray, W_xh: np.ndarray) -> np.ndarray:
    """Return x_t W_xh for all steps, (T, B, H): for symbols, look the row up."""
    if x.ndim == 3:
        return x.astype(W_xh.dtype, copy=False) @ W_xh
    return np.where((x == MISSING)[:, :, None], 0, W_xh[x])


class Run(NamedTuple):
    """Hold what `forward` returns; index t has read x[0] to x[t - 1]."""

    h: np.ndarray  # (T + 1, B, H): states, h[0] the first one
    logits: np.ndarray  # (T + 1, B, V): scores, logits[0] before any input


def forward(x: ArrayLike, rnn: RNN, h0: ArrayLike | None = None) -> Run:
    """Run the network over a batch; return all states and all scores.

    x: (T, B) ints in [0, D) or MISSING, or (T, B, D) floats. h0: (H,) or (B, H), in
    place of rnn.h0. Raises ValueError on bad input. Source: {eq}`rnn-step`.
    """
    rnn = check_rnn(rnn)
    x = check_inputs(x, len(rnn.W_xh))
    T, B = x.shape[:2]
    from_x = read_inputs(x, rnn.W_xh) + rnn.b_h  # (T, B, H)
    h = np.empty((T + 1, B, len(rnn.h0)), dtype=rnn.h0.dtype)
    h[0] = first_state(h0, rnn, B)
    for t in range(T):
        h[t + 1] = np.tanh(from_x[t] + h[t] @ rnn.W_hh)  # eq. (rnn-step)
    return Run(h, h @ rnn.W_hy + rnn.b_y)


# --- book/04_rnn.md: The loss (#rnn-loss-section)
def log_softmax(logits: ArrayLike) -> np.ndarray:
    """Return log of the softmax over the last axis, nats; no overflow."""
    logits = np.asarray(logits)
    if logits.dtype.kind != "f":
        logits = logits.astype(np.float64)  # unsigned integers would wrap around
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def token_loss(logits: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Return -log softmax(logits)[y], (T, B), nats; 0 where y is MISSING.

    logits: (T, B, V); -inf forbids a class. y: (T, B) ints in [0, V) or MISSING (no
    target here). Raises ValueError on bad input. Source: {eq}`rnn-loss`.
    """
    logits, y = np.asarray(logits), np.asarray(y)
    if logits.ndim != 3 or logits.shape[2] < 1 or y.shape != logits.shape[:2]:
        came = f"got {logits.shape} and {y.shape}"
        raise ValueError(f"logits must be (T, B, V) and y (T, B); {came}")
    if logits.dtype.kind not in "biuf":
        raise ValueError(f"logits must hold real numbers; got {logits.dtype}")
    V = logits.shape[2]
    if not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"y must hold integers in [0, {V}); got {y.dtype}")
    if y.size and (y.max() >= V or y.min() < MISSING):
        t, b = np.argwhere((y >= V) | (y < MISSING))[0]
        wanted = f"expected 0 to {V - 1}, or {MISSING} for no target"
        raise ValueError(f"y[{t}, {b}] = {y[t, b]} is no class; {wanted}")
    if not np.isfinite(logits.max(axis=2)).all():  # the largest is nan if one is
        t, b = np.argwhere(~np.isfinite(logits.max(axis=2)))[0]
        came = f"logits[{t}, {b}] = {logits[t, b]}"
        raise ValueError(f"logits must not be nan, +inf or all -inf; {came}")
    some_class = np.where(y == MISSING, 0, y).astype(np.int64)
    picked = np.take_along_axis(log_softmax(logits), some_class[:, :, None], axis=2)
    return np.where(y == MISSING, 0, -picked[:, :, 0])


def mean_loss(logits: ArrayLike, y: ArrayLike) -> float:
    """Return the mean of `token_loss` over the targets that there are, nats.

    Raises ValueError on bad input, and where every target is MISSING.
    """
    loss, n_targets = token_loss(logits, y), (np.asarray(y) != MISSING).sum()
    if n_targets == 0:
        raise ValueError("every target is MISSING: there is nothing to judge")
    return float(loss.sum(dtype=np.float64) / n_targets)


# --- book/04_rnn.md: Reading one's own words (#rnn-exposure)
def sample(
    T: int,
    B: int,
    rnn: RNN,
    rng: np.random.Generator,
    prompt: ArrayLike | None = None,
    temperature: float = 1.0,
) -> np.ndarray:
    """Draw T symbols for each of B sequences, (T, B) ints; read each as it comes.

    prompt: (T0, B) symbols to read first, not returned. temperature divides the
    scores; 0 takes the best. The network must read what it writes: D = V. Raises
    ValueError on bad input.
    """
    rnn = check_rnn(rnn)
    D, V = len(rnn.W_xh), len(rnn.b_y)
    if T < 0 or B < 1:
        raise ValueError(f"T must be 0 or more, B 1 or more; got {T} and {B}")
    if D != V:
        raise ValueError(f"to read what it writes D must equal V; got {D} and {V}")
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature must be finite, >= 0; got {temperature}")
    x = np.empty((0, B), np.int64) if prompt is None else np.asarray(prompt)
    if x.ndim != 2 or x.shape[1] != B:
        raise ValueError(f"prompt must be (T0, {B}); got {x.shape}")
    h, logits = (of_all[-1] for of_all in forward(x, rnn))  # (B, H), (B, V)
    out = np.empty((T, B), dtype=np.int64)
    for t in range(T):
        if temperature:
            scores = (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
            with np.errstate(over="ignore"):  # cold: -inf, which is never drawn
                scores /= temperature  # the best stays at 0
            out[t] = draw(np.exp(log_softmax(scores)), rng)
        else:
            out[t] = logits.argmax(axis=1)
        h, logits = (of_all[-1] for of_all in forward(out[t : t + 1], rnn, h))
    return out


# --- book/04_rnn.md: A network that learns to count (#rnn-counting)
def counting(T: int, starts: ArrayLike, n: int) -> np.ndarray:
    """Return the digits that count up modulo n from each start, (T, B) ints.

    starts: (B,) ints in [0, n). Raises ValueError on bad input.
    """
    first = np.asarray(starts)
    if first.ndim != 1 or not np.issubdtype(first.dtype, np.integer):
        came = f"got {first.shape} {first.dtype}"
        raise ValueError(f"starts must be (B,) integers; {came}")
    if T < 1 or n < 1:
        raise ValueError(f"T and n must be 1 or more; got {T} and {n}")
    if first.size and (first.min() < 0 or first.max() >= n):
        came = f"got {first.min()} to {first.max()}"
        raise ValueError(f"starts must lie in [0, {n}); {came}")
    return np.add.outer(range(T), first.astype(np.int64)) % n


# --- book/04_rnn.md: Tasks that do need a memory (#rnn-memory)
class Task(NamedTuple):
    """Hold examples of a task: inputs, time first, and what should come out."""

    x: np.ndarray  # (T, B) ints, or (T, B, D) floats
    y: np.ndarray  # (T, B) ints, MISSING: no target; of adding: (B,) floats


def parity(
    T: int, B: int, rng: np.random.Generator, every_step: bool = True
) -> Task:
    """Draw fair bits x (T, B); y[t] is 1 if x[: t + 1] holds an odd number of ones.

    every_step: a target at each step, or only at the last. Raises ValueError for a
    size below 1.
    """
    if min(T, B) < 1:
        raise ValueError(f"T and B must be 1 or more; got {T} and {B}")
    x = rng.integers(0, 2, (T, B))
    y = x.cumsum(axis=0) % 2
    if not every_step:
        y[:-1] = MISSING
    return Task(x, y)


def delayed_copy(
    n: int,
    max_delay: int,
    V: int,
    B: int,
    rng: np.random.Generator,
    min_delay: int = 0,
) -> Task:
    """Draw n symbols, a pause, "go"; the targets are the n symbols, from "go" on.

    Each pause is uniform in min_delay..max_delay blanks. x, y: (2n + max_delay, B).
    Input symbols 0..V-1, blank V, go V + 1, so D = V + 2; targets in [0, V),
    MISSING before go and after the copy. Raises ValueError on bad input.
    """
    if min(n, V, B) < 1:
        raise ValueError(f"n, V and B must be 1 or more; got {n}, {V} and {B}")
    if not 0 <= min_delay <= max_delay:
        came = f"got {min_delay} and {max_delay}"
        raise ValueError(f"0 <= min_delay <= max_delay must hold; {came}")
    x = np.full((2 * n + max_delay, B), V)
    y = np.full((2 * n + max_delay, B), MISSING)
    x[:n] = rng.integers(0, V, (n, B))
    go, columns = n + rng.integers(min_delay, max_delay + 1, B), np.arange(B)
    x[go, columns] = V + 1
    y[go + np.arange(n)[:, None], columns] = x[:n]
    return Task(x, y)


def adding(T: int, B: int, rng: np.random.Generator) -> Task:
    """Draw numbers in [0, 1) of which two are marked; the target is their sum.

    x: (T, B, 2), number and mark (0 or 1), one mark in the first T // 2 steps, one
    in the rest. y: (B,). Always saying 1 has mean squared error 1/6. Raises
    ValueError if T < 2 or B < 1.
    """
    if T < 2 or B < 1:
        raise ValueError(f"T must be 2 or more, B 1 or more; got {T} and {B}")
    x, columns = np.zeros((T, B, 2)), np.arange(B)
    x[:, :, 0] = rng.random((T, B))
    for marked in (rng.integers(0, T // 2, B), rng.integers(T // 2, T, B)):
        x[marked, columns, 1] = 1
    return Task(x, x.prod(axis=2).sum(axis=0))
