# GENERATED from book/07_lstm.md by `make export`: change that, not this file.
"""LSTM: the code of book/07_lstm.md."""

# --- book/07_lstm.md: What you need (#what-you-need)
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.bptt import check_like, input_products, rows
from seqmodels.rnn import check_inputs, read_inputs


# --- book/07_lstm.md: The forward pass in NumPy (#lstm-numpy)
class LSTM(NamedTuple):
    """Hold the weights of an LSTM; columns in four blocks of H: i, f, g, o."""

    W_x: np.ndarray  # (D, 4H): from the input; row v is the input symbol v
    W_h: np.ndarray  # (H, 4H): from the output before
    b: np.ndarray  # (4H,)


def init_lstm(
    D: int,
    H: int,
    rng: np.random.Generator,
    forget_bias: ArrayLike = 0.0,
) -> LSTM:
    """Return random weights in float64: uniform in +-1/sqrt(H).

    So PyTorch starts nn.LSTM (but with two biases). D: numbers in an input vector,
    or input symbols. forget_bias: a number or (H,), added to the forget gate's.
    Raises ValueError for a size below 1, or a forget_bias that is not finite or of
    another shape.
    """
    if min(D, H) < 1:
        raise ValueError(f"D and H must be 1 or more; got {D}, {H}")
    more = np.asarray(forget_bias, dtype=np.float64)
    if more.shape not in ((), (H,)) or not np.isfinite(more).all():
        came = f"got {more.shape}"
        raise ValueError(f"forget_bias must be finite, a number or ({H},); {came}")
    bound = 1 / np.sqrt(H)
    W_x, W_h, b = (
        rng.uniform(-bound, bound, shape)
        for shape in ((D, 4 * H), (H, 4 * H), (4 * H,))
    )
    b[H : 2 * H] += more
    return LSTM(W_x, W_h, b)


class LSTMRun(NamedTuple):
    """Hold what `lstm_forward` returns; index t has read x[0] to x[t - 1]."""

    h: np.ndarray  # (T + 1, B, H): outputs, h[0] the first state
    c: np.ndarray  # (T + 1, B, H): cells
    gates: np.ndarray  # (T, B, 4H): i, f, g, o; gates[t] leads to h[t + 1]


def lstm_forward(
    x: ArrayLike,
    lstm: LSTM,
    h0: ArrayLike | None = None,
    c0: ArrayLike | None = None,
) -> LSTMRun:
    """Run an LSTM over a batch; return all outputs, cells and gates.

    x: (T, B) ints in [0, D) or MISSING, or (T, B, D) floats. h0, c0: (H,) or (B,
    H), zeros where None. Raises ValueError on bad input. Source: {eq}`lstm-a` to
    {eq}`lstm-out`.
    """
    lstm = check_lstm(lstm)
    x = check_inputs(x, len(lstm.W_x))
    (T, B), H = x.shape[:2], len(lstm.W_h)
    h, c = (np.empty((T + 1, B, H), dtype=lstm.b.dtype) for _ in range(2))
    h[0] = check_state(h0, lstm, B, "h0")
    c[0] = check_state(c0, lstm, B, "c0")
    # sigma(a) = (1 + tanh(a / 2)) / 2: halve three blocks, one tanh does for four
    half = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype=h.dtype), H)  # (4H,)
    shift, W_h = 1 - half, lstm.W_h * half
    # one long product is faster than T short ones: all steps side by side
    gates = read_inputs(x.reshape(1, T * B, *x.shape[2:]), lstm.W_x * half)
    gates = (gates + lstm.b * half).reshape(T, B, 4 * H)  # pre-activations so far
    from_h, written = np.empty((B, 4 * H), h.dtype), np.empty((B, H), h.dtype)
    steps = zip(gates, *blocks(gates), h[:-1], c[:-1], h[1:], c[1:], strict=True)
    for all_four, i, f, g, o, h_before, c_before, h_t, c_t in steps:  # all views
        np.matmul(h_before, W_h, out=from_h)
        all_four += from_h  # eq. (lstm-a), halved where a sigma follows
        np.tanh(all_four, out=all_four)
        all_four *= half
        all_four += shift  # now i, f, g, o hold eq. (lstm-gates)
        np.multiply(f, c_before, out=c_t)  # eq. (lstm-cell): keep
        c_t += np.multiply(i, g, out=written)  # and write
        np.tanh(c_t, out=h_t)  # eq. (lstm-out)
        h_t *= o
    return LSTMRun(h, c, gates)


def blocks(z: np.ndarray) -> np.ndarray:
    """Return the four blocks of z (T, B, 4H) as a view (4, T, B, H)."""
    return z.reshape(*z.shape[:-1], 4, z.shape[-1] // 4).transpose(2, 0, 1, 3)


def check_lstm(lstm: LSTM) -> LSTM:
    """Return the weights as arrays of one floating type, or say what is wrong.

    Shapes as in `LSTM`. float32 stays float32 if all are; integers become float64.
    Raises ValueError for a wrong shape, a type that is no real number, or an entry
    that is not finite.
    """
    lstm = LSTM(*(np.asarray(weight) for weight in lstm))
    for name, weight in zip(lstm._fields, lstm, strict=True):
        if weight.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold real numbers; got {weight.dtype}")
    if lstm.W_x.ndim != 2 or lstm.W_h.ndim != 2:
        came = f"got {lstm.W_x.shape} and {lstm.W_h.shape}"
        raise ValueError(f"W_x must be (D, 4H) and W_h (H, 4H); {came}")
    D, H = len(lstm.W_x), len(lstm.W_h)
    if min(D, H) < 1:
        raise ValueError(f"D and H must be 1 or more; got {D}, {H}")
    dtype = np.result_type(*lstm)
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    shapes = ((D, 4 * H), (H, 4 * H), (4 * H,))
    for name, weight, shape in zip(lstm._fields, lstm, shapes, strict=True):
        if weight.shape != shape:
            why = f"{name} must be {shape}, as W_h has {H} rows; got {weight.shape}"
            raise ValueError(f"{why}. PyTorch's come in by lstm_from_torch")
        if not np.isfinite(weight).all():
            raise ValueError(f"{name} holds an entry that is not finite")
    return LSTM(*(weight.astype(dtype, copy=False) for weight in lstm))


def check_state(
    state: ArrayLike | None, lstm: LSTM, B: int, name: str
) -> np.ndarray:
    """Return a first state as (B, H): zeros for None, (H,) for each sequence.

    lstm: checked. Raises ValueError for another shape, or if it is not finite.
    """
    H = len(lstm.W_h)
    wanted = f"{name} must be ({H},) or ({B}, {H}) real numbers"
    try:
        s = np.zeros(H) if state is None else np.asarray(state)
    except ValueError:  # rows of different lengths
        raise ValueError(wanted) from None
    if s.shape not in ((H,), (B, H)) or s.dtype.kind not in "biuf":
        raise ValueError(f"{wanted}; got {s.shape} {s.dtype}")
    if not np.isfinite(s).all():
        raise ValueError(f"{name} holds an entry that is not finite")
    return np.broadcast_to(s.astype(lstm.b.dtype), (B, H))


# --- book/07_lstm.md: PyTorch's weights, in and out (#lstm-torch)
def lstm_from_torch(
    W_ih: ArrayLike, W_hh: ArrayLike, b_ih: ArrayLike, b_hh: ArrayLike
) -> LSTM:
    """Return the weights of one layer and direction of nn.LSTM as an `LSTM`.

    W_ih: (4H, D), W_hh: (4H, H), b_ih, b_hh: (4H,); arrays, or tensors without
    gradient. Transposes, and adds the two biases. Raises ValueError on bad input.
    """
    W_ih, W_hh, b_ih, b_hh = (np.asarray(w) for w in (W_ih, W_hh, b_ih, b_hh))
    if W_hh.ndim != 2 or W_hh.shape[0] != 4 * W_hh.shape[1]:
        hint = ": has it proj_size, or is it no LSTM?" if W_hh.ndim == 2 else ""
        raise ValueError(f"W_hh must be (4H, H); got {W_hh.shape}{hint}")
    rows_4H = W_hh.shape[:1]
    if W_ih.ndim != 2 or not rows_4H == W_ih.shape[:1] == b_ih.shape == b_hh.shape:
        came = f"got {W_ih.shape}, {b_ih.shape}, {b_hh.shape}"
        wanted = f"({rows_4H[0]}, D), {rows_4H} and {rows_4H} to match W_hh"
        raise ValueError(f"W_ih, b_ih, b_hh must be {wanted}; {came}")
    return check_lstm(LSTM(W_ih.T.copy(), W_hh.T.copy(), b_ih + b_hh))


def lstm_to_torch(
    lstm: LSTM,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return W_ih (4H, D), W_hh (4H, H), b_ih, b_hh (4H,) for nn.LSTM.

    The whole bias is in b_ih, b_hh is zero. Raises ValueError as `check_lstm`.
    """
    lstm = check_lstm(lstm)
    W_x, W_h, b = lstm
    return W_x.T.copy(), W_h.T.copy(), b.copy(), np.zeros_like(b)


# --- book/07_lstm.md: Thirty lines of NumPy (#lstm-backward-code)
class LSTMGradient(NamedTuple):
    """Hold the derivatives of a loss; each has the shape of what it belongs to."""

    weights: LSTM
    x: np.ndarray | None  # (T, B, D): by the input vectors; None for symbols
    h0: np.ndarray  # (B, H): by the first state of each sequence
    c0: np.ndarray  # (B, H)


def lstm_backward(
    x: ArrayLike,
    lstm: LSTM,
    run: LSTMRun,
    dh: ArrayLike | None = None,
    dc: ArrayLike | None = None,
) -> LSTMGradient:
    """Return the gradient of any loss of outputs and cells, by going back in time.

    x, lstm: as they went into `lstm_forward`, run: as it came out. dh, dc: (T + 1,
    B, H), derivative by run.h and run.c of what the loss takes from them directly;
    None for nothing. Raises ValueError on bad input, and if the weights changed
    since `lstm_forward`. Source: {eq}`lstm-dh` to {eq}`lstm-dw`.
    """
    lstm = check_lstm(lstm)
    x = check_inputs(x, len(lstm.W_x))
    run = check_lstm_run(run, x, lstm)
    T, B, H = len(x), x.shape[1], len(lstm.W_h)
    to_h, to_c = (
        None if d is None else check_like(d, run.h, name, lstm.b.dtype)
        for d, name in ((dh, "dh"), (dc, "dc"))
    )
    da, to_cell = lstm_slopes(run)  # (T, B, 4H), (T, B, H)
    carry_h, carry_c = np.zeros_like(run.h[0]), np.zeros_like(run.c[0])
    kept, back = blocks(run.gates)[1], lstm.W_h.T.copy()  # f; contiguous: faster
    da_ifg, da_o = da.reshape(T, B, 4, H)[:, :, :3], blocks(da)[3]  # views
    steps = zip(range(1, T + 1), da, da_ifg, da_o, to_cell, kept, strict=True)
    for t, da_t, of_ifg, of_o, of_cell, f in reversed(list(steps)):
        if to_h is not None:
            carry_h += to_h[t]  # eq. (lstm-dh)
        if to_c is not None:
            carry_c += to_c[t]
        of_cell *= carry_h
        carry_c += of_cell  # eq. (lstm-dc)
        of_ifg *= carry_c[:, None]  # eq. (lstm-da)
        of_o *= carry_h
        carry_c *= f  # to the cell before
        np.matmul(da_t, back, out=carry_h)  # and to the output before
    weights = LSTM(  # eq. (lstm-dw); rows are all steps of all sequences
        W_x=input_products(x, da, lstm.W_x),
        W_h=rows(run.h[:-1]).T @ rows(da),
        b=rows(da).sum(axis=0),
    )
    if to_h is not None:
        carry_h += to_h[0]
    if to_c is not None:
        carry_c += to_c[0]
    dx = (rows(da) @ lstm.W_x.T).reshape(x.shape) if x.ndim == 3 else None
    return LSTMGradient(weights, dx, carry_h, carry_c)


def lstm_slopes(run: LSTMRun) -> tuple[np.ndarray, np.ndarray]:
    """Return what the deltas are multiplied with, for all steps at once.

    (T, B, 4H): of the cell by the pre-activations of i, f, g, and of the output by
    that of o. (T, B, H): of the output by the cell. Source: {eq}`lstm-da`.
    """
    i, f, g, o = blocks(run.gates)  # views, (T, B, H)
    slopes = (1 - run.gates) * run.gates  # sigma' = s (1 - s)
    squashed = np.tanh(run.c[1:])
    of_i, of_f, of_g, of_o = blocks(slopes)
    of_i *= g
    of_f *= run.c[:-1]
    of_g[:] = i * (1 - g * g)  # tanh' = 1 - g^2, in place of g (1 - g)
    of_o *= squashed
    return slopes, o * (1 - squashed * squashed)


def check_lstm_run(run: LSTMRun, x: np.ndarray, lstm: LSTM) -> LSTMRun:
    """Return run in the type of the weights; ValueError if it is not of x and lstm.

    x and lstm: checked. Besides shapes, the last step is computed again: weights
    changed since `lstm_forward` would give a wrong gradient without a word.
    """
    h, c, gates = (np.asarray(part) for part in run)
    (T, B), H = x.shape[:2], len(lstm.W_h)
    shapes = (T + 1, B, H), (T + 1, B, H), (T, B, 4 * H)
    came = h.shape, c.shape, gates.shape
    if came != shapes:
        raise ValueError(f"run must hold h, c and gates {shapes}; got {came}")
    dtype = lstm.b.dtype
    run = LSTMRun(*(part.astype(dtype, copy=False) for part in (h, c, gates)))
    if T:
        if not (np.isfinite(run.h[-2]).all() and np.isfinite(run.c[-2]).all()):
            raise ValueError("run holds an entry that is not finite")
        again = lstm_forward(x[-1:], lstm, run.h[-2], run.c[-2])
        size = LSTM(*(np.abs(weight) for weight in lstm))
        read = read_inputs(x[-1:] if x.ndim == 2 else np.abs(x[-1:]), size.W_x)[0]
        sums = (read + np.abs(run.h[-2]) @ size.W_h + size.b).max(initial=0)
        kinds = (np.result_type(part, np.float16) for part in (h, c, gates, dtype))
        eps = max(np.finfo(kind).eps for kind in kinds)  # the coarsest type's
        rounding = (100 + H) * eps * (1 + sums)
        off = [
            (np.abs(again.gates[0] - run.gates[-1]), 1),
            (np.abs(again.c[1] - run.c[-1]), 1 + np.abs(run.c[-2]).max(initial=0)),
            (np.abs(again.h[1] - run.h[-1]), 1 + np.abs(run.c[-2]).max(initial=0)),
        ]
        if not all((gap <= rounding * scale).all() for gap, scale in off):
            why = "its last step does not follow from x and these weights"
            raise ValueError(f"run is stale: {why}; call lstm_forward again")
    return run
