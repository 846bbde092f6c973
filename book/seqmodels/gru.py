# GENERATED from book/08_gru.md by `make export`: change that, not this file.
"""GRU and the family: the code of book/08_gru.md."""

# --- book/08_gru.md: What you need (#what-you-need)
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.bptt import check_like, input_products, rows
from seqmodels.rnn import check_inputs, read_inputs


# --- book/08_gru.md: The forward pass (#gru-forward)
class GRU(NamedTuple):
    """Hold the weights of a GRU layer, three blocks side by side: r, z, n."""

    W_x: np.ndarray  # (D, 3H): from the input; row v is the input symbol v
    W_h: np.ndarray  # (H, 3H): from the state before, h @ W_h
    b_x: np.ndarray  # (3H,): added to x @ W_x
    b_h: np.ndarray  # (3H,): added to h @ W_h; its n block stands behind the reset gate


class GRURun(NamedTuple):
    """Hold what `gru_forward` returns and `gru_backward` needs."""

    h: np.ndarray  # (T + 1, B, H): states, h[0] the first one
    gates: np.ndarray  # (T, B, 3H): r, z, n after sigma, sigma, tanh
    m: np.ndarray  # (T, B, H): what the reset gate multiplies, h @ W_hn + b_hn


def gru_forward(x: ArrayLike, gru: GRU, h0: ArrayLike | None = None) -> GRURun:
    """Run a GRU layer over a batch; return states, gates and what backward needs.

    x: (T, B) ints in [0, D) or MISSING, or (T, B, D) floats. h0: (H,) or (B, H),
    zeros where it is None. Raises ValueError on bad input. Source: {eq}`gru-step`.
    """
    gru = check_gru(gru)
    x = check_inputs(x, len(gru.W_x))
    (T, B), H = x.shape[:2], len(gru.W_h)
    h = np.empty((T + 1, B, H), dtype=gru.W_h.dtype)
    h[0] = gru_first_state(h0, gru, B)
    gates = read_inputs(x, gru.W_x) + gru.b_x  # (T, B, 3H)
    m = np.empty((T, B, H), dtype=h.dtype)
    for t in range(T):
        from_h = h[t] @ gru.W_h + gru.b_h  # (B, 3H)
        m[t] = from_h[:, 2 * H :]
        rz, n = gates[t, :, : 2 * H], gates[t, :, 2 * H :]  # views: filled in place
        rz[:] = logistic(rz + from_h[:, : 2 * H])
        r, z = rz[:, :H], rz[:, H:]
        n[:] = np.tanh(n + r * m[t])
        h[t + 1] = z * h[t] + (1 - z) * n  # eq. (gru-step)
    return GRURun(h, gates, m)


def logistic(a: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-a)) entry by entry, by way of tanh: no overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def init_gru(D: int, H: int, rng: np.random.Generator) -> GRU:
    """Return random weights in float64: uniform in +-1/sqrt(H), as nn.GRU starts.

    D: numbers in an input vector, or input symbols. Raises ValueError for a size
    below 1.
    """
    if min(D, H) < 1:
        raise ValueError(f"D and H must be 1 or more; got {D} and {H}")
    bound = 1 / np.sqrt(H)
    shapes = (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,)
    return GRU(*(rng.uniform(-bound, bound, shape) for shape in shapes))


def check_gru(gru: GRU) -> GRU:
    """Return the weights as arrays of one floating type, or say what is wrong.

    Shapes as in `GRU`. float32 stays float32 if all are; integers become float64.
    Raises ValueError for a wrong shape, a type that is no real number, or an entry
    that is not finite.
    """
    gru = GRU(*(np.asarray(weight) for weight in gru))
    for name, weight in zip(gru._fields, gru, strict=True):
        if weight.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold real numbers; got {weight.dtype}")
    if gru.W_x.ndim != 2 or gru.W_h.ndim != 2:
        came = f"got {gru.W_x.shape} and {gru.W_h.shape}"
        raise ValueError(f"W_x must be (D, 3H) and W_h (H, 3H); {came}")
    D, H = len(gru.W_x), len(gru.W_h)
    if min(D, H) < 1:
        raise ValueError(f"D and H must be 1 or more; got {D} and {H}")
    dtype = np.result_type(*gru)
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    shapes = (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,)
    for name, weight, shape in zip(gru._fields, gru, shapes, strict=True):
        if weight.shape != shape:
            why = f"with D = {D} rows of W_x and H = {H} rows of W_h"
            hint = "; PyTorch's weights go through gru_from_torch"
            came = f"got {weight.shape}{hint if weight.ndim == 2 else ''}"
            raise ValueError(f"{name} must be {shape} {why}; {came}")
        if not np.isfinite(weight).all():
            raise ValueError(f"{name} holds an entry that is not finite")
    return GRU(*(weight.astype(dtype) for weight in gru))


def gru_first_state(h0: ArrayLike | None, gru: GRU, B: int) -> np.ndarray:
    """Return each sequence's first state, (B, H): h0, or zeros where it is None.

    h0: (H,) or (B, H). Raises ValueError for another shape, or if it is not finite.
    """
    H, dtype = len(gru.W_h), gru.W_h.dtype
    h = np.zeros(H) if h0 is None else np.asarray(h0)
    if h.shape not in ((H,), (B, H)) or h.dtype.kind not in "biuf":
        came = f"got {h.shape} {h.dtype}"
        raise ValueError(f"h0 must be ({H},) or ({B}, {H}) real numbers; {came}")
    if not np.isfinite(h).all():
        raise ValueError("h0 holds an entry that is not finite")
    return np.broadcast_to(h.astype(dtype), (B, H))


# --- book/08_gru.md: The backward pass (#gru-backward)
class GRUGradient(NamedTuple):
    """Hold the derivatives of a loss; each has the shape of what it belongs to."""

    weights: GRU  # by the weights
    x: np.ndarray | None  # (T, B, D): by the inputs; None where x is symbols
    h0: np.ndarray  # (B, H): by the first state of each sequence


def gru_backward(
    x: ArrayLike, gru: GRU, run: GRURun, dh: ArrayLike
) -> GRUGradient:
    """Return the gradient of a loss by weights, inputs and first state.

    x, gru: as they went into `gru_forward`, run: as it came out. dh: (T + 1, B, H),
    derivative by run.h of what the loss takes from the states directly. Raises
    ValueError on bad input, and if the weights changed since `gru_forward`. Source:
    {eq}`gru-n-delta` to {eq}`gru-h-delta`.
    """
    gru = check_gru(gru)
    x = check_inputs(x, len(gru.W_x))
    h, gates, m = check_gru_run(run, x, gru)
    dh = check_like(dh, h, "dh", gru.W_h.dtype)
    H = len(gru.W_h)
    da = np.empty_like(gates)  # (T, B, 3H): by what the activations were taken of
    db = np.empty_like(gates)  # (T, B, 3H): by h @ W_h + b_h; differs in the n block
    carry = np.zeros_like(h[0])  # (B, H): from the next step; there is none after T
    for t in reversed(range(len(x))):
        r, z, n = np.split(gates[t], 3, axis=1)
        carry += dh[t + 1]  # the state's delta is complete
        da_n = carry * (1 - z) * (1 - n**2)  # eq. (gru-n-delta)
        da_z = carry * (h[t] - n) * z * (1 - z)  # eq. (gru-z-delta)
        da_r = da_n * m[t] * r * (1 - r)  # eq. (gru-r-delta)
        np.concatenate([da_r, da_z, da_n], axis=1, out=da[t])
        np.concatenate([da_r, da_z, da_n * r], axis=1, out=db[t])
        carry = carry * z + db[t] @ gru.W_h.T  # eq. (gru-h-delta)
    weights = GRU(  # eq. (gru-weights); rows are all steps of all sequences
        W_x=input_products(x, da, gru.W_x),
        W_h=rows(h[:-1]).T @ rows(db),
        b_x=rows(da).sum(axis=0),
        b_h=rows(db).sum(axis=0),
    )
    dx = da @ gru.W_x.T if x.ndim == 3 else None
    return GRUGradient(weights, dx, dh[0] + carry)


def check_gru_run(run: GRURun, x: np.ndarray, gru: GRU) -> GRURun:
    """Return run in the type of the weights; ValueError if it is not of x and gru.

    x and gru: checked. Besides shapes, the last step is computed again: weights
    changed in place since `gru_forward` would give a wrong gradient without a word.
    """
    h, gates, m = (np.asarray(part) for part in run)
    (T, B), H = x.shape[:2], len(gru.W_h)
    wanted = (T + 1, B, H), (T, B, 3 * H), (T, B, H)
    if (h.shape, gates.shape, m.shape) != wanted:
        came = f"got {h.shape}, {gates.shape}, {m.shape}"
        raise ValueError(f"run must hold h, gates, m of {wanted}; {came}")
    if T:
        again, sizes = gru_forward(x[-1:], gru, h[-2]), [np.abs(w) for w in gru]
        last = x[-1:] if x.ndim == 2 else np.abs(x[-1:])
        size = read_inputs(last, sizes[0])[0] + np.abs(h[-2]) @ sizes[1]
        scale = 1 + (size + sizes[2] + sizes[3]).max(axis=1, keepdims=True)  # (B, 1)
        rounding = (100 + H) * np.finfo(gru.W_h.dtype).eps * scale**2
        pairs = zip(again, (h[-2:], gates[-1:], m[-1:]), strict=True)
        if not all((np.abs(now - then) <= rounding).all() for now, then in pairs):
            why = "its last step does not follow from x and these weights"
            raise ValueError(f"run is stale: {why}; call gru_forward again")
    return GRURun(*(part.astype(gru.W_h.dtype, copy=False) for part in (h, gates, m)))


# --- book/08_gru.md: PyTorch's weights (#gru-torch)
def gru_from_torch(
    W_ih: ArrayLike, W_hh: ArrayLike, b_ih: ArrayLike, b_hh: ArrayLike
) -> GRU:
    """Return a layer of nn.GRU as `GRU`: same block order, transposed weights.

    W_ih: (3H, D), W_hh: (3H, H), b_ih, b_hh: (3H,): weight_ih_l0 and so on. Raises
    ValueError on other shapes.
    """
    W_ih, W_hh = np.asarray(W_ih), np.asarray(W_hh)
    if W_hh.ndim != 2 or W_hh.shape[0] != 3 * W_hh.shape[1]:
        raise ValueError(f"W_hh must be (3H, H); got {W_hh.shape}")
    if W_ih.ndim != 2 or W_ih.shape[0] != W_hh.shape[0]:
        raise ValueError(f"W_ih must be ({len(W_hh)}, D); got {W_ih.shape}")
    return check_gru(GRU(W_ih.T, W_hh.T, np.asarray(b_ih), np.asarray(b_hh)))


def gru_to_torch(gru: GRU) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return W_ih (3H, D), W_hh (3H, H), b_ih, b_hh (3H,) as nn.GRU stores them."""
    W_x, W_h, b_x, b_h = check_gru(gru)
    return W_x.T.copy(), W_h.T.copy(), b_x, b_h
