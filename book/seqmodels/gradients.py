# GENERATED from book/06_gradients.md by `make export`: change that, not this file.
"""Vanishing and exploding gradients: the code of book/06_gradients.md."""

# --- book/06_gradients.md: What you need (#what-you-need)
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.hmm import MISSING
from seqmodels.rnn import Task


# --- book/06_gradients.md: A product in the middle (#gradients-product)
def step_jacobians(h: ArrayLike, W_hh: ArrayLike) -> np.ndarray:
    """Return the Jacobian of each step, (T, B, H, H): [t] is d h[t + 1] / d h[t].

    h: (T + 1, B, H), the states of a tanh network as from `forward`. W_hh: (H, H).
    Row convention: entry (i, j) is d h[t + 1, j] / d h[t, i]. Raises ValueError if
    the shapes do not fit. Source: {eq}`gradients-jacobian`.
    """
    h, W_hh = check_states_and_weights(h, W_hh)
    return W_hh * (1 - h[1:, :, None, :] ** 2)  # D_t scales columns


def jacobian_product(jacobians: ArrayLike) -> np.ndarray:
    """Return J[0] @ J[1] @ ... @ J[T - 1], first step first; (..., H, H).

    jacobians: (T, ..., H, H). The identity for T = 0. Raises ValueError for another
    shape. Source: {eq}`gradients-product-eq`.
    """
    J = np.asarray(jacobians, dtype=np.float64)
    if J.ndim < 3 or J.shape[-1] != J.shape[-2]:
        raise ValueError(f"jacobians must be (T, ..., H, H); got {J.shape}")
    product = np.broadcast_to(np.eye(J.shape[-1]), J.shape[1:]).copy()
    for J_t in J:
        product = product @ J_t
    return product


def gradient_log_norms(h: ArrayLike, W_hh: ArrayLike, g: ArrayLike) -> np.ndarray:
    """Return log |g P^T| at each distance from the last state, (T + 1, B), nats.

    [k] belongs to the state k steps before the last; [0] is log |g|. W_hh: (H, H),
    h: (T + 1, B, H) of a tanh network, g: (B, H), the gradient at h[T]. -inf where
    it is exactly 0. No underflow, whatever T. Raises ValueError on shapes. Source:
    {eq}`gradients-back`.
    """
    h, W_hh = check_states_and_weights(h, W_hh)
    row = np.array(g, dtype=np.float64)  # (B, H)
    if row.shape != h.shape[1:]:
        raise ValueError(f"g must be {h.shape[1:]} to match h; got {row.shape}")
    slopes = 1 - h[1:] ** 2
    log_norms = np.empty(h.shape[:2])
    so_far = np.zeros(h.shape[1])
    for k in range(len(h)):
        if k:
            row = (row * slopes[-k]) @ W_hh.T  # one factor J^T
        length = np.linalg.norm(row, axis=1)
        with np.errstate(divide="ignore"):
            so_far = so_far + np.log(length)
        log_norms[k] = so_far
        row = row / np.where(length == 0, 1, length)[:, None]
    return log_norms


def check_states_and_weights(
    h: ArrayLike, W_hh: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return h (T + 1, B, H) and W_hh (H, H) in float64, or raise ValueError."""
    h = np.asarray(h, dtype=np.float64)
    W_hh = np.asarray(W_hh, dtype=np.float64)
    if h.ndim != 3 or len(h) == 0:
        raise ValueError(f"h must be (T + 1, B, H), time first; got {h.shape}")
    H = h.shape[2]
    if W_hh.shape != (H, H):
        raise ValueError(f"W_hh must be ({H}, {H}) to match h; got {W_hh.shape}")
    return h, W_hh


# --- book/06_gradients.md: Three numbers that are not the same (#gradients-numbers)
def spectral_radius(W: ArrayLike) -> float:
    """Return the largest modulus of all eigenvalues of W (H, H), complex or not.

    Raises ValueError if W is not square or not finite.
    """
    W = np.asarray(W, dtype=np.float64)
    if W.ndim != 2 or W.shape[0] != W.shape[1] or not W.size:
        raise ValueError(f"W must be (H, H), square and not empty; got {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError("W holds an entry that is not finite")
    return float(np.abs(np.linalg.eigvals(W)).max())


def with_radius(W: ArrayLike, radius: float) -> np.ndarray:
    """Return W (H, H) times the factor that gives it the wanted spectral radius.

    Raises ValueError if the radius is negative or that of W is 0 (nilpotent).
    """
    old = spectral_radius(W)
    if not 0 <= radius < np.inf or old == 0:
        raise ValueError(f"cannot scale a radius of {old} to {radius}")
    return np.asarray(W, dtype=np.float64) * (radius / old)


# --- book/06_gradients.md: Many different matrices (#gradients-lyapunov)
def lyapunov_exponents(
    jacobians: Iterable[np.ndarray], n: int | None = None, skip: int = 0
) -> np.ndarray:
    """Return the n largest Lyapunov exponents, falling, (..., n), nats per step.

    jacobians: one for each step, (H, H) or (..., H, H), first step first; an array
    (T, ..., H, H) or a generator. n: H where None. skip: steps in which directions
    settle, not counted. -inf for directions that are lost. Raises ValueError on bad
    input or if no step is left. Source: {eq}`gradients-qr-lyapunov`.
    """
    total, count, Q = np.zeros(0), 0, np.zeros(0)
    shape: tuple[int, ...] = ()
    for t, J_t in enumerate(jacobians):
        J = np.asarray(J_t, dtype=np.float64)
        if t == 0:
            shape = J.shape
            if J.ndim < 2 or J.shape[-1] != J.shape[-2]:
                raise ValueError(f"a Jacobian must be (..., H, H); got {J.shape}")
            H = shape[-1]
            n = H if n is None else n
            if not 1 <= n <= H:
                raise ValueError(f"n must lie in [1, {H}]; got {n}")
            # in general position: axes may be blind to the fastest direction
            start = np.random.default_rng(0).normal(size=(H, H))
            Q = np.broadcast_to(np.linalg.qr(start)[0][:n], (*shape[:-2], n, H))
            total = np.zeros((*shape[:-2], n))
        if J.shape != shape or not np.isfinite(J).all():
            raise ValueError(f"step {t}: expected finite {shape}; got {J.shape}")
        turned, R = np.linalg.qr((Q @ J).swapaxes(-1, -2))  # eq. (gradients-qr)
        Q = turned.swapaxes(-1, -2)
        if t >= skip:
            with np.errstate(divide="ignore"):
                total += np.log(np.abs(np.diagonal(R, axis1=-2, axis2=-1)))
            count += 1
    if count == 0:
        raise ValueError(f"no step is left after skipping {skip}")
    return -np.sort(-total / count, axis=-1)


# --- book/06_gradients.md: What tanh does to both (#gradients-tanh)
def mean_field_growth(
    gain: float, input_variance: float, n_iterations: int = 1_000
) -> tuple[float, float]:
    """Return variance q of pre-activations and growth of a gradient, nats per step.

    For a tanh network with W_hh entries of variance gain**2 / H, H large, and a
    push of variance input_variance on each unit and step. growth is (log chi) / 2.
    Raises ValueError if a number is negative or not finite. Source:
    {eq}`gradients-mean-field`, {eq}`gradients-chi`.
    """
    if not (0 <= gain < np.inf and 0 <= input_variance < np.inf):
        came = f"got gain {gain}, input_variance {input_variance}"
        raise ValueError(f"expected finite numbers, 0 or more; {came}")
    nodes = np.linspace(-9, 9, 1801)  # fine: for large q the slope is a narrow peak
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()  # expectation under a standard normal
    q, before = 1.0, 0.0
    for _ in range(n_iterations):  # eq. (gradients-mean-field)
        if abs(q - before) <= 1e-14 * q:
            break
        h = np.tanh(np.sqrt(q) * nodes)
        q, before = float(gain**2 * (weights @ h**2) + input_variance), q
    slope = 1 - np.tanh(np.sqrt(q) * nodes) ** 2
    with np.errstate(divide="ignore"):
        return q, float(np.log(gain) + 0.5 * np.log(weights @ slope**2))


# --- book/06_gradients.md: Clipping: for the explosion only (#gradients-clipping)
Tensors = TypeVar("Tensors", bound=Sequence[np.ndarray])


def global_norm(tensors: Sequence[np.ndarray]) -> float:
    """Return the norm of all entries of all tensors together, in float64.

    0 for no entries. Squares neither overflow nor underflow. Raises ValueError for
    an entry that is not finite: such a gradient should not be used at all.
    """
    largest = max((float(np.abs(t).max()) for t in tensors if t.size), default=0.0)
    if not np.isfinite(largest):
        raise ValueError("the gradient is not finite: skip this step, do not clip")
    if largest == 0:
        return 0.0
    scaled = (np.asarray(t, dtype=np.float64) / largest for t in tensors)
    return float(np.linalg.norm([np.linalg.norm(t) for t in scaled])) * largest


def clip_by_value(tensors: Tensors, limit: float) -> Tensors:
    """Return the tensors with every entry cut to [-limit, limit].

    tensors: a list, tuple or named tuple (an `RNN`); the same comes back. Inputs
    stay as they are. Raises ValueError for a limit that is not positive, or entries
    that are not finite. Source: {eq}`gradients-clip`.
    """
    check_limit(limit)
    global_norm(tensors)  # refuses what is not finite
    return like(tensors, [np.clip(t, -limit, limit) for t in tensors])


def clip_by_tensor_norm(tensors: Tensors, limit: float) -> Tensors:
    """Return the tensors, each scaled down to norm `limit` if it is longer.

    Arguments, errors and source as in `clip_by_value`.
    """
    check_limit(limit)
    return like(tensors, [clip_by_global_norm([t], limit)[0][0] for t in tensors])


def clip_by_global_norm(tensors: Tensors, limit: float) -> tuple[Tensors, float]:
    """Return all tensors scaled by one factor to norm `limit`, and the old norm.

    Unchanged if they are not longer. Other arguments, errors and source as in
    `clip_by_value`.
    """
    check_limit(limit)
    norm = global_norm(tensors)
    factor = limit / norm if norm > limit else 1.0
    return like(tensors, [(t * factor).astype(t.dtype) for t in tensors]), norm


def angle(one: Sequence[np.ndarray], two: Sequence[np.ndarray]) -> float:
    """Return the angle between two gradients, each one vector; radians in [0, pi].

    Raises ValueError if one is zero or not finite, or shapes differ.
    """
    if [np.shape(a) for a in one] != [np.shape(b) for b in two]:
        raise ValueError("the two must have tensors of the same shapes")
    lengths = global_norm(one), global_norm(two)
    if min(lengths) == 0:
        raise ValueError("a gradient of length 0 has no direction")
    u = np.concatenate([np.ravel(a).astype(np.float64) / lengths[0] for a in one])
    v = np.concatenate([np.ravel(b).astype(np.float64) / lengths[1] for b in two])
    # not arccos of the product: near 0 it loses half of the digits
    return float(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))


def check_limit(limit: float) -> None:
    """Raise ValueError unless limit is a positive finite number."""
    if not 0 < limit < np.inf:
        raise ValueError(f"limit must be positive and finite; got {limit}")


def like(tensors: Tensors, new: list[np.ndarray]) -> Tensors:
    """Return new in a container like tensors: list, tuple or named tuple."""
    kind = type(tensors)
    return kind(*new) if hasattr(tensors, "_fields") else kind(new)  # type: ignore


# --- book/06_gradients.md: Remedies for vanishing, one by one (#gradients-remedies)
def orthogonal(
    n_rows: int, n_columns: int, rng: np.random.Generator, gain: float = 1.0
) -> np.ndarray:
    """Draw a matrix (n_rows, n_columns), all of whose singular values are gain.

    Uniform over such matrices. If n_rows <= n_columns the rows are orthogonal, else
    the columns. Raises ValueError for a size below 1.
    """
    if min(n_rows, n_columns) < 1:
        raise ValueError(f"sizes must be 1 or more; got {n_rows}, {n_columns}")
    tall = max(n_rows, n_columns), min(n_rows, n_columns)
    Q, R = np.linalg.qr(rng.normal(size=tall))
    Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)  # makes the factorisation unique
    return gain * (Q if n_rows >= n_columns else Q.T)


# --- book/06_gradients.md: A race that is fair (#a-race-that-is-fair)
def last_written(
    T: int,
    V: int,
    B: int,
    rng: np.random.Generator,
    min_delay: int = 0,
    p_write: float = 0.3,
) -> Task:
    """Draw streams in which some symbols are marked; which marked one came last?

    x: (T, B) ints; v < V is noise, V + v writes v, so D = 2V. y: (T, B), MISSING
    except in the last row: the value last written, min_delay to T - 2 steps before
    the end. x[0] writes too, and each step between with probability p_write. Raises
    ValueError on bad sizes.
    """
    if min(V, B) < 1 or not 0 <= min_delay <= T - 2:
        came = f"got V = {V}, B = {B}, T = {T}, min_delay = {min_delay}"
        raise ValueError(f"V, B must be 1 or more, 0 <= min_delay <= T - 2; {came}")
    if not 0 <= p_write <= 1:
        raise ValueError(f"p_write must be a probability; got {p_write}")
    x = rng.integers(0, V, (T, B))
    last, columns = T - 1 - rng.integers(min_delay, T - 1, B), np.arange(B)
    write = (rng.random((T, B)) < p_write) & (np.arange(T)[:, None] < last)
    write[0] = True
    write[last, columns] = True
    y = np.full((T, B), MISSING)
    y[-1] = x[last, columns]
    return Task(x + V * write, y)
