# GENERATED from book/05_bptt.md by `make export`: change that, not this file.
"""Backpropagation through time: the code of book/05_bptt.md."""

# --- book/05_bptt.md: What you need (#what-you-need)
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.hmm import MISSING
from seqmodels.rnn import (
    RNN,
    Run,
    check_inputs,
    check_rnn,
    first_state,
    forward,
    log_softmax,
    read_inputs,
    token_loss,
)


# --- book/05_bptt.md: Forty lines of NumPy (#bptt-code)
class Gradient(NamedTuple):
    """Hold the derivatives of a loss; each has the shape of what it belongs to."""

    weights: RNN  # by the weights; weights.h0 is the sum of h0 over the batch
    a: np.ndarray  # (T, B, H): by the pre-activations; a[t] leads to h[t + 1]
    h0: np.ndarray  # (B, H): by the first state of each sequence


def backward(
    x: ArrayLike,
    rnn: RNN,
    run: Run,
    dlogits: ArrayLike,
    dh: ArrayLike | None = None,
) -> Gradient:
    """Return the gradient of any loss over time, by backpropagation through time.

    x, rnn: as they went into `forward`, run: as it came out. dlogits: (T + 1, B,
    V), derivative of the loss by run.logits. dh: (T + 1, B, H), derivative by run.h
    of what the loss takes from the states directly; None for nothing. Raises
    ValueError on bad input, and if the weights changed since `forward`. Source:
    {eq}`bptt-state-delta` to {eq}`bptt-first`.
    """
    rnn, x = check_rnn(rnn), check_inputs(x, len(rnn.W_xh))
    h, logits = check_run(run, x, rnn)
    dlogits = check_like(dlogits, logits, "dlogits", rnn.h0.dtype)
    to_h = dlogits @ rnn.W_hy.T  # (T + 1, B, H)
    if dh is not None:
        to_h += check_like(dh, h, "dh", rnn.h0.dtype)
    da = 1 - h[1:] ** 2  # (T, B, H): tanh' now, the delta after the loop
    carry = np.zeros_like(h[0])  # (B, H): from the next step; there is none after T
    for t in reversed(range(len(x))):
        carry += to_h[t + 1]  # eq. (bptt-state-delta): two listeners
        da[t] *= carry  # eq. (bptt-a-delta)
        np.matmul(da[t], rnn.W_hh.T, out=carry)
    dh0 = to_h[0] + carry  # eq. (bptt-first)
    weights = RNN(  # eq. (bptt-weights); rows are all steps of all sequences
        W_xh=input_products(x, da, rnn.W_xh),
        W_hh=rows(h[:-1]).T @ rows(da),
        b_h=rows(da).sum(axis=0),
        W_hy=rows(h).T @ rows(dlogits),
        b_y=rows(dlogits).sum(axis=0),
        h0=dh0.sum(axis=0),
    )
    return Gradient(weights, da, dh0)


def rows(z: np.ndarray) -> np.ndarray:
    """Return z (T, B, n) as (T * B, n)."""
    return z.reshape(-1, z.shape[-1])


def input_products(x: np.ndarray, da: np.ndarray, W_xh: np.ndarray) -> np.ndarray:
    """Return the sum over t of x_t' da_t, (D, H); of symbols without one-hots."""
    if x.ndim == 3:
        return rows(x.astype(da.dtype, copy=False)).T @ rows(da)
    dW_xh, symbols = np.zeros_like(W_xh), x.ravel()
    order = np.argsort(symbols, kind="stable")  # np.add.at is slower
    order = order[symbols[order] != MISSING]
    if order.size:
        first = np.flatnonzero(np.diff(symbols[order], prepend=-1))
        sums = np.add.reduceat(rows(da)[order], first, axis=0)
        dW_xh[symbols[order][first]] = sums
    return dW_xh


def check_like(
    d: ArrayLike, of: np.ndarray, name: str, dtype: np.dtype
) -> np.ndarray:
    """Return d as a finite array of dtype, of the shape of `of`, or ValueError."""
    if np.iscomplexobj(d):
        raise ValueError(f"{name} must hold real numbers; got complex ones")
    d = np.asarray(d, dtype=dtype)
    if d.shape != of.shape:
        wanted = f"{name} must be {of.shape}, one for each step"
        raise ValueError(f"{wanted}; got {d.shape}")
    if not np.isfinite(d).all():
        raise ValueError(f"{name} holds an entry that is not finite")
    return d


def check_run(run: Run, x: np.ndarray, rnn: RNN) -> Run:
    """Return run in the type of the weights; ValueError if it is not of x and rnn.

    x and rnn: checked. Besides shapes, the last step is computed again: weights
    changed in place since `forward` would give a wrong gradient without a word.
    """
    h, logits = (np.asarray(part) for part in run)
    (T, B), (H, V) = x.shape[:2], rnn.W_hy.shape
    if h.shape != (T + 1, B, H) or logits.shape != (T + 1, B, V):
        wanted = f"run must hold h {(T + 1, B, H)}, logits {(T + 1, B, V)}"
        raise ValueError(f"{wanted}; got {h.shape} and {logits.shape}")
    rounding = (100 + H) * np.finfo(rnn.h0.dtype).eps
    last, size = np.abs(h[-2:]), RNN(*(np.abs(weight) for weight in rnn))
    # pairs of what is off and of the sum of sizes that rounding scales with
    off = h[-1] @ rnn.W_hy + rnn.b_y - logits[-1]
    pairs = [(off, last[-1] @ size.W_hy + size.b_y)]
    if T:
        a = read_inputs(x[-1:], rnn.W_xh)[0] + h[-2] @ rnn.W_hh + rnn.b_h
        read = read_inputs(x[-1:] if x.ndim == 2 else np.abs(x[-1:]), size.W_xh)[0]
        pairs.append((np.tanh(a) - h[-1], read + last[0] @ size.W_hh + size.b_h))
    if not all((np.abs(off) <= rounding * (1 + sums)).all() for off, sums in pairs):
        why = "its last step does not follow from x and these weights"
        raise ValueError(f"run is stale: {why}; call forward again")
    return Run(h.astype(rnn.h0.dtype, copy=False), logits)


def cross_entropy(
    logits: ArrayLike, target: ArrayLike, weight: ArrayLike | str = "mean"
) -> tuple[float, np.ndarray]:
    """Return the weighted sum of -log softmax(logits)[target], and its derivative.

    logits: (T, B, V). target: (T, B) ints in [0, V) or MISSING. weight: "sum" (all
    1), "mean" (1 / number of targets), a number, or (T, B) of them. The derivative
    is by the logits, (T, B, V), of their type. Raises ValueError on bad input.
    Source: {eq}`bptt-loss`, {eq}`bptt-output-delta`.
    """
    logits, target = np.asarray(logits), np.asarray(target)
    loss = token_loss(logits, target)  # (T, B), 0 where MISSING; checks both
    there = target != MISSING
    if isinstance(weight, str):
        if weight not in ("mean", "sum"):
            raise ValueError(f"weight must be mean, sum or numbers; got {weight!r}")
        if weight == "mean" and not there.any():
            raise ValueError("every target is MISSING: a mean over nothing")
        weight = 1.0 if weight == "sum" else 1 / there.sum()
    m = np.asarray(weight, dtype=np.float64)
    if m.shape not in ((), target.shape) or not np.isfinite(m).all():
        raise ValueError(f"weight must be finite, {target.shape}; got {m.shape}")
    m = m * there
    dlogits = np.exp(log_softmax(logits))
    t, b = np.nonzero(there)
    dlogits[t, b, target[t, b]] -= 1
    dlogits *= m[:, :, None].astype(dlogits.dtype)
    loss = np.where(m == 0, 0, loss)  # 0 times infinity is not a number
    return float((m * loss).sum()), dlogits


def loss_and_gradient(
    x: ArrayLike,
    target: ArrayLike,
    rnn: RNN,
    h0: ArrayLike | None = None,
    weight: ArrayLike | str = "mean",
) -> tuple[float, Gradient, np.ndarray]:
    """Return the loss, its gradient, and the last state (B, H) to carry on from.

    x, h0: as for `forward`. target: (T + 1, B), MISSING where there is none;
    weight: as for `cross_entropy`. Where h0 is given, rnn.h0 took no part: its
    gradient is 0. Raises ValueError on bad input. Source: {eq}`bptt-weights`.
    """
    run = forward(x, rnn, h0)
    loss, dlogits = cross_entropy(run.logits, target, weight)
    gradient = backward(x, rnn, run, dlogits)
    if h0 is not None:
        unused = np.zeros_like(gradient.weights.h0)
        gradient = gradient._replace(weights=gradient.weights._replace(h0=unused))
    return loss, gradient, run.h[-1]


# --- book/05_bptt.md: Do not believe it: witnesses (#bptt-check)
def numerical_gradient(
    loss: Callable[[RNN], float], rnn: RNN, step: float = 1e-5
) -> RNN:
    """Return the gradient of loss(rnn) by central differences, entry by entry.

    loss: takes weights, returns a number. step: the change of an entry. Computes in
    float64: rounding would drown a smaller type. Raises ValueError for a step that
    is not positive, or lost in rounding. Source: {eq}`bptt-central`.
    """
    if not 0 < step < np.inf:
        raise ValueError(f"step must be positive and finite; got {step}")
    moved = RNN(*(np.array(weight, dtype=np.float64) for weight in check_rnn(rnn)))
    out = RNN(*(np.empty_like(weight) for weight in moved))

    def value() -> float:  # of copies, in case loss changes what it gets
        return loss(RNN(*(weight.copy() for weight in moved)))

    for weight, slope in zip(moved, out, strict=True):
        for i in np.ndindex(weight.shape):
            kept = weight[i]
            high, low = kept + step, kept - step
            if high == low:
                raise ValueError(f"step {step} is lost in the rounding of {kept}")
            weight[i] = high
            up = value()
            weight[i] = low
            slope[i] = (up - value()) / (high - low)
            weight[i] = kept
    return out


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    """Return |a - b| / max(|a|, |b|) in the Euclidean norm; 0 where both are 0.

    Of whole arrays: entries that are nearly 0 by chance would fail entry by entry.
    Raises ValueError for different shapes.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    scale = max(np.linalg.norm(a), np.linalg.norm(b))
    return float(np.linalg.norm(a - b) / scale) if scale else 0.0


# --- book/05_bptt.md: Checkpoints: time for memory (#bptt-checkpoints)
def windows(
    x: ArrayLike, target: ArrayLike, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (x, target) of one stretch of at most size steps after the other.

    x: (T, B) or (T, B, D). target: (T + 1, B). Each target comes exactly once.
    Raises ValueError for other shapes, or a size below 1.
    """
    x, target = np.asarray(x), np.asarray(target)
    if not isinstance(size, int | np.integer) or size < 1 or len(x) < 1:
        came = f"got {size!r} and {len(x)}"
        raise ValueError(f"size and T must be integers, 1 or more; {came}")
    wanted = (len(x) + 1, *x.shape[1:2])
    if target.shape != wanted:
        why = "a row for each row of logits"
        raise ValueError(f"target must be {wanted}, {why}; got {target.shape}")
    for start in range(0, len(x), size):
        part = target[start : start + size + 1].copy()
        if part.dtype.kind == "u":
            part = part.astype(np.int64)  # an unsigned type has no MISSING
        if start:
            part[0] = MISSING  # counted at the end of the window before
        yield x[start : start + size], part


def checkpointed_gradient(
    x: ArrayLike, target: ArrayLike, rnn: RNN, every: int, reduce: str = "mean"
) -> tuple[float, RNN]:
    """Return loss and gradient by the weights, keeping one state in `every`.

    The numbers of `loss_and_gradient`, in memory for T / every + every steps and
    one more forward pass. x, target, errors as there; reduce: "mean" or "sum".
    """
    target = np.asarray(target)
    if not isinstance(reduce, str) or reduce not in ("mean", "sum"):
        raise ValueError(f"reduce must be mean or sum; got {reduce!r}")
    if target.ndim != 2:
        raise ValueError(f"target must be (T + 1, B); got {target.shape}")
    n = int((target != MISSING).sum()) if reduce == "mean" else 1
    if n == 0:
        raise ValueError("every target is MISSING: a mean over nothing")
    parts = list(windows(x, target, every))
    starts = [first_state(None, rnn, target.shape[1])]
    for part, _ in parts[:-1]:
        starts.append(forward(part, rnn, starts[-1]).h[-1].copy())
    loss, total = 0.0, RNN(*(np.zeros_like(w) for w in check_rnn(rnn)))
    later = np.zeros_like(starts[0])  # (B, H): the state delta at the seam
    for (part, wanted), h0 in zip(reversed(parts), reversed(starts), strict=True):
        run = forward(part, rnn, h0)
        here, dlogits = cross_entropy(run.logits, wanted, 1 / n)
        dh = np.zeros_like(run.h)
        dh[-1] = later
        gradient = backward(part, rnn, run, dlogits, dh)
        later, loss = gradient.h0, loss + here
        total = RNN(*(a + b for a, b in zip(total, gradient.weights, strict=True)))
    return loss, total._replace(h0=later.sum(axis=0))  # only the first piece has h0
