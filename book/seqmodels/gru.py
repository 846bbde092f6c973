# GENERATED from book/08_gru.md by `make export`: change that, not this file.
"""GRU and the family: the code of book/08_gru.md."""

# --- book/08_gru.md: What you need (#what-you-need)
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from seqmodels.bptt import check_like, input_products, rows
from seqmodels.rnn import MISSING, Task, check_inputs, read_inputs


# --- book/08_gru.md: The forward pass (#gru-forward)
class GRU(NamedTuple):
    """Hold the weights of a GRU layer, three blocks side by side: r, z, n."""

    W_x: np.ndarray  # (D, 3H): from the input; row v is the input symbol v
    W_h: np.ndarray  # (H, 3H): from the state before, h @ W_h
    b_x: np.ndarray  # (3H,): added to x @ W_x
    b_h: np.ndarray  # (3H,): added to h @ W_h; in block n, behind the reset gate


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


# --- book/08_gru.md: The backward pass (#gru-backward)
class GRUGradient(NamedTuple):
    """Hold the derivatives of a loss; each has the shape of what it belongs to."""

    weights: GRU  # by the weights
    x: np.ndarray | None  # (T, B, D): by the inputs; None where x is symbols
    h0: np.ndarray  # (B, H): by the first state of each sequence


def gru_backward(x: ArrayLike, gru: GRU, run: GRURun, dh: ArrayLike) -> GRUGradient:
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
    da = np.empty_like(gates)  # (T, B, 3H): by what the activations were taken of
    db = np.empty_like(gates)  # (T, B, 3H): by h @ W_h + b_h; differs in block n
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
        size += sizes[2] + sizes[3]
        scale = 1 + size.max(axis=1, keepdims=True)  # (B, 1)
        rounding = (100 + H) * np.finfo(gru.W_h.dtype).eps * scale**2
        pairs = zip(again, (h[-2:], gates[-1:], m[-1:]), strict=True)
        if not all((np.abs(now - then) <= rounding).all() for now, then in pairs):
            why = "its last step does not follow from x and these weights"
            raise ValueError(f"run is stale: {why}; call gru_forward again")
    dtype = gru.W_h.dtype
    return GRURun(*(part.astype(dtype, copy=False) for part in (h, gates, m)))


# --- book/08_gru.md: What a cell costs (#gru-family)
FAMILY = {  # blocks of weights, in order; i f o r z are gates, g and n candidates
    "RNN": "n",
    "LSTM": "ifgo",
    "GRU": "rzn",
    "MGU": "zn",
    "LSTM, input gate 1": "fgo",
    "LSTM, forget gate 1": "igo",
    "LSTM, output gate 1": "ifg",
    "LSTM, coupled": "fgo",
    "GRU, reset gate 1": "zn",
    "GRU, update gate 0": "rn",
    "GRU, update gate constant": "rn",
}


def family_step(
    kind: str,
    from_x: torch.Tensor,
    from_h: torch.Tensor,
    h: torch.Tensor,
    c: torch.Tensor,
    b_z: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the next h and c, (..., H), of one step of any cell in FAMILY.

    from_x: x W_x + b_x and from_h: h W_h + b_h, both (..., n H), n blocks in the
    order of FAMILY[kind]. b_z: (..., H), all that a constant gate is made of. Cells
    without a c return it as it came. Source: {eq}`gru-family-eq`.
    """
    blocks = FAMILY[kind]
    X = dict(zip(blocks, from_x.chunk(len(blocks), dim=-1), strict=True))
    U = dict(zip(blocks, from_h.chunk(len(blocks), dim=-1), strict=True))
    gate = {k: torch.sigmoid(X[k] + U[k]) for k in blocks if k not in "gn"}
    one = torch.ones_like(h)
    if "g" in blocks:
        f, o = gate.get("f", one), gate.get("o", one)
        i = 1 - f if kind == "LSTM, coupled" else gate.get("i", one)
        c = f * c + i * torch.tanh(X["g"] + U["g"])
        return o * torch.tanh(c), c
    z = torch.sigmoid(b_z) if kind == "GRU, update gate constant" else 0 * one
    z = gate.get("z", z)
    r = 1 - z if kind == "MGU" else gate.get("r", one)
    n = torch.tanh(X["n"] + r * U["n"])
    return z * h + (1 - z) * n, c


def family_size(kind: str, D: int, H: int, V: int) -> int:
    """Return how many weights such a cell of H units and its output layer have.

    Two biases a block, as PyTorch has them; V scores. Raises ValueError for a name
    that is not in FAMILY or a size below 1.
    """
    if kind not in FAMILY:
        raise ValueError(f"kind must be one of {list(FAMILY)}; got {kind!r}")
    if min(D, H, V) < 1:
        raise ValueError(f"D, H and V must be 1 or more; got {D}, {H}, {V}")
    own_leak = H if kind == "GRU, update gate constant" else 0
    return len(FAMILY[kind]) * (D * H + H * H + 2 * H) + own_leak + H * V + V


def family_units(kind: str, D: int, V: int, budget: int) -> int:
    """Return the largest H with which the weights do not exceed budget.

    Raises ValueError if even one unit does, and as `family_size`.
    """
    H = 0
    while family_size(kind, D, H + 1, V) <= budget:
        H += 1
    if not H:
        raise ValueError(f"{budget} weights are too few for one unit of {kind}")
    return H


class FamilyNets(NamedTuple):
    """Hold M networks of one kind side by side; each tensor has M in front."""

    W_x: torch.Tensor  # (M, D, nH)
    W_h: torch.Tensor  # (M, H, nH)
    b_x: torch.Tensor  # (M, 1, nH)
    b_h: torch.Tensor  # (M, 1, nH)
    b_z: torch.Tensor  # (M, 1, H): used by the constant gate alone
    W_y: torch.Tensor  # (M, H, V)
    b_y: torch.Tensor  # (M, 1, V)


def init_family(
    kind: str, D: int, H: int, V: int, rngs: Sequence[np.random.Generator]
) -> FamilyNets:
    """Return one network for each generator: uniform in +-1/sqrt(H), float32.

    The gates f and z get 1 added to their bias: all cells begin by keeping. Raises
    ValueError as `family_size`, and without a generator.
    """
    family_size(kind, D, H, V)  # raises on a bad kind or size
    if not rngs:
        raise ValueError("rngs must hold a generator for each network; got none")
    blocks = FAMILY[kind]
    wide, bound = len(blocks) * H, 1 / np.sqrt(H)
    shapes = (D, wide), (H, wide), (1, wide), (1, wide), (1, H), (H, V), (1, V)
    drawn = [[rng.uniform(-bound, bound, s) for s in shapes] for rng in rngs]
    stacked = (np.stack(of_all) for of_all in zip(*drawn, strict=True))
    nets = FamilyNets(*(torch.tensor(w).float() for w in stacked))
    for k, block in enumerate(blocks):
        if block in "fz":
            nets.b_x[..., k * H : (k + 1) * H] += 1
    nets.b_z.add_(1)
    return nets


def run_family(kind: str, nets: FamilyNets, x: torch.Tensor) -> torch.Tensor:
    """Return the scores of M networks after each input, (M, T, B, V).

    x: (M, T, B, D) floats, T 1 or more; network m reads x[m]. The first state is 0.
    Raises ValueError for a name not in FAMILY or shapes that do not fit.
    """
    (M, D, wide), H, V = nets.W_x.shape, nets.W_h.shape[1], nets.W_y.shape[2]
    if kind not in FAMILY:
        raise ValueError(f"kind must be one of {list(FAMILY)}; got {kind!r}")
    n = len(FAMILY[kind])
    if wide != n * H:
        came = f"these networks have {wide / H:g}"
        raise ValueError(f"{kind} has {n} blocks of weights; {came}")
    if x.ndim != 4 or (len(x), x.shape[-1]) != (M, D) or not x.shape[1]:
        raise ValueError(f"x must be ({M}, T >= 1, B, {D}); got {tuple(x.shape)}")
    T, B = x.shape[1:3]
    read = (x.flatten(1, 2) @ nets.W_x + nets.b_x).view(M, T, B, wide).unbind(1)
    h = c = torch.zeros(M, B, H, dtype=x.dtype, device=x.device)
    states = []
    for from_x in read:
        from_h = torch.baddbmm(nets.b_h, h, nets.W_h)
        h, c = family_step(kind, from_x, from_h, h, c, nets.b_z)
        states.append(h)
    scores = torch.stack(states, 1).flatten(1, 2) @ nets.W_y + nets.b_y
    return scores.view(M, T, B, V)


# --- book/08_gru.md: Four tasks, equal weights (#gru-race)
class FamilyTask(NamedTuple):
    """Hold a task for `train_family`."""

    make: Callable[[int, np.random.Generator], Task]  # number of sequences, rng
    D: int  # numbers in an input vector, or input symbols
    V: int  # classes, or 1: then y (B,) is a number to be met at the last step


def family_loss(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return each network's mean loss, (M,): nats a target, or squared error.

    scores: (M, T, B, V). y: (M, T, B) classes or MISSING; or (M, B) numbers, which
    the last step's only score should meet. Raises ValueError for another shape; a
    network without a target gets nan.
    """
    M, T, B = scores.shape[:3]
    if tuple(y.shape) not in ((M, T, B), (M, B)):
        wanted = f"y must be {(M, T, B)} or {(M, B)}"
        raise ValueError(f"{wanted}; got {tuple(y.shape)}")
    if y.ndim == 2:
        return (scores[:, -1, :, 0] - y).square().mean(dim=1)
    losses = torch.nn.functional.cross_entropy(
        scores.flatten(0, 2), y.flatten(), ignore_index=MISSING, reduction="none"
    ).view(len(y), -1)
    return losses.sum(dim=1) / (y != MISSING).flatten(1).sum(dim=1)


def family_inputs(x: np.ndarray, D: int) -> torch.Tensor:
    """Return inputs as floats (..., D): symbols one-hot, vectors as they are."""
    if np.issubdtype(x.dtype, np.integer):
        return torch.nn.functional.one_hot(torch.tensor(x), D).float()
    return torch.tensor(x).float()


def train_family(
    kind: str,
    task: FamilyTask,
    H: int,
    seeds: Sequence[int],
    rates: Sequence[float],
    steps: int,
    B: int = 16,
    device: str = "cpu",
) -> tuple[FamilyNets, np.ndarray]:
    """Train a network for each rate and seed by Adam; return them and the losses.

    The networks come in the order rate, seed (a seed's start and data are the same
    at each rate), losses are (rates, seeds, steps), on sequences not seen before.
    Gradients are clipped to a global norm of 1. Raises ValueError as `init_family`,
    and without a rate.
    """
    if not len(rates):
        raise ValueError("rates must hold a learning rate or more; got none")
    rngs = [np.random.default_rng(seed) for seed in seeds]
    first = init_family(kind, task.D, H, task.V, rngs)
    n_rates, M = len(rates), len(rates) * len(seeds)
    nets = FamilyNets(*(w.repeat(n_rates, 1, 1).to(device) for w in first))
    for w in nets:
        w.requires_grad_()
    drawn = [task.make(steps * B, rng) for rng in rngs]
    rate = torch.tensor(rates, device=device).repeat_interleave(len(seeds))
    moments = [[torch.zeros_like(w) for w in nets] for _ in range(2)]
    losses = np.empty((M, steps))
    for step in range(steps):
        now = slice(step * B, (step + 1) * B)
        x = torch.stack([family_inputs(d.x[:, now], task.D) for d in drawn])
        y = torch.stack([torch.tensor(d.y[..., now]) for d in drawn])
        if task.V == 1:
            y = y.float()
        again = n_rates, *[1] * (x.ndim - 1)
        scores = run_family(kind, nets, x.repeat(again).to(device))
        loss = family_loss(scores, y.repeat(again[: y.ndim]).to(device))
        losses[:, step] = loss.detach().cpu().numpy()
        grads = torch.autograd.grad(loss.sum(), nets, materialize_grads=True)
        squares = [d.square().sum(dim=(1, 2)) for d in grads]
        norm = torch.stack(squares).sum(dim=0).sqrt()
        shrink = (1 / norm.clamp(min=1))[:, None, None]
        with torch.no_grad():  # Adam, as in chapter 5
            for w, d, m, s in zip(nets, grads, *moments, strict=True):
                m.lerp_(d * shrink, 0.1)
                s.lerp_((d * shrink) ** 2, 0.01)
                m_hat = m / (1 - 0.9 ** (step + 1))
                s_hat = s / (1 - 0.99 ** (step + 1))
                w -= rate[:, None, None] * m_hat / (s_hat.sqrt() + 1e-8)
    return nets, losses.reshape(n_rates, len(seeds), steps)
