# GENERATED from book/02_hmm.md by `make export`; change the chapter, not this file.
"""Hidden Markov models: the code of book/02_hmm.md."""

# --- book/02_hmm.md: What you need (#what-you-need)
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


# --- book/02_hmm.md: A diary without the weather (#hmm-model)
class HMM(NamedTuple):
    """Hold the three tables of a hidden Markov model."""

    pi: np.ndarray  # (K,): pi[k] = p(z_1 = k)
    A: np.ndarray  # (K, K): A[i, j] = p(z_t = j | z_{t-1} = i)
    E: np.ndarray  # (K, V): E[k, v] = p(x_t = v | z_t = k)


def ice_cream() -> HMM:
    """Return the example of Jurafsky and Martin: states H, C; 1, 2, 3 cones."""
    return HMM(
        pi=np.array([0.8, 0.2]),
        A=np.array([[0.6, 0.4], [0.5, 0.5]]),
        E=np.array([[0.2, 0.4, 0.4], [0.5, 0.4, 0.1]]),
    )


MISSING = -1  # a symbol that nobody saw; so is the padding after a sequence's end


def check_hmm(hmm: HMM) -> HMM:
    """Return the tables in float64 with rows that sum to 1, or say what is wrong.

    hmm: pi (K,), A (K, K), E (K, V). Raises ValueError for a wrong shape, a
    negative or non-finite entry, or a row whose sum is off by more than 1e-6
    (float32 tables pass). Source: {eq}`hmm-joint`.
    """
    hmm = HMM(*(np.asarray(table, dtype=np.float64) for table in hmm))
    K = hmm.pi.size
    if hmm.pi.ndim != 1 or K == 0:
        raise ValueError(f"pi must be (K,), one for each state; got {hmm.pi.shape}")
    if hmm.A.shape != (K, K):
        came = hmm.A.shape
        raise ValueError(f"A must be ({K}, {K}) to match pi ({K},); got {came}")
    if hmm.E.ndim != 2 or len(hmm.E) != K or hmm.E.shape[1] == 0:
        came = hmm.E.shape
        raise ValueError(f"E must be ({K}, V) to match pi ({K},); got {came}")
    rows = []
    for name, table in zip(hmm._fields, hmm, strict=True):
        if not np.isfinite(table).all() or (table < 0).any():
            what = "got a negative or non-finite entry"
            raise ValueError(f"{name} must hold probabilities; {what}")
        total = table.sum(axis=-1, keepdims=True)
        if np.abs(total - 1).max() > 1e-6:
            worst = int(np.abs(total - 1).argmax())
            where = name if table.ndim == 1 else f"row {worst} of {name}"
            problem = f"{where} must sum to 1; it sums to {total.flat[worst]:.6g}"
            if name == "A":
                problem += "; A[i, j] goes from i to j: is it transposed?"
            raise ValueError(problem)
        rows.append(table / total)
    return HMM(*rows)


def check_symbols(
    x: ArrayLike, V: int, lengths: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of x (T, B), MISSING after each end, and lengths (B,).

    x: (T, B) ints in [0, V) or MISSING, time first; what stands after the end of a
    sequence does not matter. lengths: (B,) ints in [1, T]; all T where None.
    Raises ValueError for anything else.
    """
    x = np.array(x)
    if x.ndim != 2 or x.size == 0:
        hint = "; for one sequence write x[:, None]" if x.ndim == 1 else ""
        came = f"got {x.shape}{hint}"
        raise ValueError(f"x must be (T, B), time first and not empty; {came}")
    if not np.issubdtype(x.dtype, np.integer):
        raise ValueError(f"x must hold integers in [0, {V}); got {x.dtype}")
    T, B = x.shape
    lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
    if lengths.shape != (B,) or not np.issubdtype(lengths.dtype, np.integer):
        came = f"got {lengths.shape} {lengths.dtype}"
        raise ValueError(f"lengths must be ({B},) integers to match x; {came}")
    if lengths.min() < 1 or lengths.max() > T:
        came = f"got {lengths.min()} to {lengths.max()}"
        raise ValueError(f"lengths must lie in [1, {T}]; {came}")
    x[np.arange(T)[:, None] >= lengths] = MISSING
    if x.max() >= V or x.min() < MISSING:
        t, b = np.argwhere((x >= V) | (x < MISSING))[0]
        wanted = f"expected 0 to {V - 1}, or {MISSING} if missing"
        raise ValueError(f"x[{t}, {b}] = {x[t, b]} is no symbol; {wanted}")
    return x, lengths


def check_states(
    z: ArrayLike, x: np.ndarray, K: int, lengths: np.ndarray
) -> np.ndarray:
    """Return a copy of z (T, B), MISSING after each end, for checked x and lengths.

    z: (T, B) ints in [0, K), none MISSING before the end; else ValueError.
    """
    z = np.array(z)
    if z.shape != x.shape or not np.issubdtype(z.dtype, np.integer):
        came = f"got {z.shape} {z.dtype}"
        raise ValueError(f"z must be {x.shape} integers to match x; {came}")
    ended = np.arange(len(z))[:, None] >= lengths
    if ((z < 0) | (z >= K))[~ended].any():
        t, b = np.argwhere(((z < 0) | (z >= K)) & ~ended)[0]
        came = f"z[{t}, {b}] = {z[t, b]} is no state"
        raise ValueError(f"{came}; expected 0 to {K - 1}")
    z[ended] = MISSING
    return z


def safe_log(p: np.ndarray) -> np.ndarray:
    """Return log p in nats; log 0 is -inf, with no warning: zeros are meant."""
    with np.errstate(divide="ignore"):
        return np.log(p)


def log_joint(
    z: ArrayLike, x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return log p(z, x) of a batch of paths and symbols, (B,), nats, may be -inf.

    z: (T, B) ints in [0, K). x: (T, B) ints in [0, V) or MISSING. lengths: (B,).
    Raises ValueError on bad input. Source: {eq}`hmm-joint`.
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    z = check_states(z, x, len(pi), lengths)
    log_step = safe_log(np.concatenate([pi[z[:1]], A[z[:-1], z[1:]]]))  # (T, B)
    log_step += np.where(x == MISSING, 0.0, safe_log(E[z, x]))
    alive = np.arange(len(x))[:, None] < lengths
    return np.where(alive, log_step, 0.0).sum(axis=0)


# --- book/02_hmm.md: Sampling: run it forwards (#hmm-sampling)
def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an index from each row of p (B, N), a distribution; return (B,) ints."""
    cumulative = p.cumsum(axis=-1)
    # scaled by the last sum, so that rounding cannot point past the end
    dart = rng.random((len(p), 1)) * cumulative[:, -1:]
    return (cumulative <= dart).sum(axis=-1)


def sample(
    T: int, B: int, hmm: HMM, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Sample B sequences of T steps; return states z and symbols x, (T, B) ints.

    Raises ValueError if hmm is none. Source: {eq}`hmm-joint`, factor by factor.
    """
    pi, A, E = check_hmm(hmm)
    z = np.empty((T, B), dtype=np.int64)
    x = np.empty((T, B), dtype=np.int64)
    for t in range(T):
        z[t] = draw(np.tile(pi, (B, 1)) if t == 0 else A[z[t - 1]], rng)
        x[t] = draw(E[z[t]], rng)
    return z, x


# --- book/02_hmm.md: The single best story: Viterbi (#hmm-viterbi)
def emission_likelihoods(x: np.ndarray, E: np.ndarray) -> np.ndarray:
    """Return p(x_t | z_t = k), (T, B, K), of checked x; 1 where x is MISSING."""
    table = np.concatenate([E.T, np.ones((1, len(E)))])  # (V + 1, K)
    # MISSING = -1 picks the last row: ones rule out no state
    return table.take(x, axis=0)


def viterbi(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each sequence's most probable path, (T, B), and log p(path, x), (B,).

    x: (T, B) ints in [0, V) or MISSING. lengths: (B,). The path holds MISSING after
    the end; logarithms are in nats. Of paths that tie, any one is returned. Raises
    ValueError on bad input or an impossible sequence. Source: {eq}`hmm-delta`.
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    log_A, log_lik = safe_log(A), safe_log(emission_likelihoods(x, E))
    (T, B), K = x.shape, len(pi)
    psi = np.empty((T, B, K), dtype=np.min_scalar_type(K))
    log_delta = safe_log(pi) + log_lik[0]  # (B, K)
    for t in range(1, T):
        score = log_delta[:, :, None] + log_A  # (B, K, K): from i to j
        alive = (t < lengths)[:, None]
        # a finished sequence waits: its scores stay, each state points to itself
        log_delta = np.where(alive, score.max(axis=1) + log_lik[t], log_delta)
        psi[t] = np.where(alive, score.argmax(axis=1), np.arange(K))
    log_p = log_delta.max(axis=1)
    if np.isneginf(log_p).any():
        b = int(np.isneginf(log_p).argmax())
        raise ValueError(f"sequence {b} is impossible: no path can produce it")
    path = np.empty((T, B), dtype=np.int64)
    path[-1] = log_delta.argmax(axis=1)
    for t in range(T - 1, 0, -1):
        path[t - 1] = psi[t, np.arange(B), path[t]]
    path[np.arange(T)[:, None] >= lengths] = MISSING
    return path, log_p


# --- book/02_hmm.md: One recursion, two arithmetics (#hmm-semirings)
def logsumexp(a: np.ndarray, axis: int) -> np.ndarray:
    """Return log(sum(exp(a))) along axis; -inf where every entry is -inf."""
    top = a.max(axis=axis, keepdims=True)
    # -inf - -inf is nan, so a row with nothing possible subtracts 0 instead
    shift = np.where(np.isneginf(top), 0.0, top)
    return safe_log(np.exp(a - shift).sum(axis=axis)) + shift.squeeze(axis)


def semiring_forward(
    x: ArrayLike,
    hmm: HMM,
    plus: Callable[..., np.ndarray],
    lengths: ArrayLike | None = None,
) -> np.ndarray:
    """Return the total over all paths in a logarithmic semiring, (B,), nats.

    plus(scores, axis=...) adds: logsumexp gives log p(x), np.max gives the log
    probability of the best path; + multiplies. x: (T, B) ints in [0, V) or MISSING.
    lengths: (B,). An impossible sequence gives -inf; bad input raises ValueError.
    Source: {eq}`hmm-forward`, {eq}`hmm-delta`; Goodman (1999).
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    log_A, log_lik = safe_log(A), safe_log(emission_likelihoods(x, E))
    total = safe_log(pi) + log_lik[0]  # (B, K)
    for t in range(1, len(x)):
        step = plus(total[:, :, None] + log_A, axis=1) + log_lik[t]
        total = np.where((t < lengths)[:, None], step, total)
    return plus(total, axis=1)


# --- book/02_hmm.md: Underflow, and scaling as prediction (#hmm-underflow)
def _forward(
    lik: np.ndarray, pi: np.ndarray, A: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return alpha_hat (T, B, K), q (T, B) from lik (T, B, K). {eq}`hmm-scaled`"""
    alpha_hat, q = np.empty_like(lik), np.empty(lik.shape[:2])
    prior, ones = pi, np.ones_like(pi)
    with np.errstate(invalid="ignore"):  # 0/0 is reported below
        for t in range(len(lik)):
            joint = prior * lik[t]  # (B, K): p(z_t, x_t | x_1..x_{t-1})
            q[t] = joint @ ones  # the sum over states, faster than sum()
            alpha_hat[t] = joint / q[t][:, None]
            prior = alpha_hat[t] @ A
    if not (q > 0).all():
        t, b = np.argwhere(~(q > 0))[0]
        raise ValueError(
            f"sequence {b} is impossible: x[{t}, {b}] has probability 0 (in double "
            "precision) after what came before; check it, or leave no zeros in A, E"
        )
    return alpha_hat, q


def _backward(
    lik: np.ndarray, A: np.ndarray, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return beta_hat (T, B, K) and onward (T-1, B, K). Source: {eq}`hmm-beta-hat`.

    onward[t, b, j] = E_jx beta_hat(j) / q at t + 1, what follows an arrow into j;
    it takes the place of lik, which is lost: fresh memory costs more than sums do.
    """
    beta_hat = np.empty_like(lik)
    beta_hat[-1] = 1.0
    for t in range(len(lik) - 1, 0, -1):
        lik[t] *= beta_hat[t] / q[t][:, None]
        beta_hat[t - 1] = lik[t] @ A.T
    return beta_hat, lik[1:]


def forward(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Filter a batch: return alpha_hat (T, B, K) and one-step predictions q (T, B).

    alpha_hat[t, b, k] = p(z_t = k | x_1..x_t); q[t, b] = p(x_t | x_1..x_{t-1}).
    x: (T, B) ints in [0, V) or MISSING. lengths: (B,). Where x is MISSING and after
    the end, q is 1 and alpha_hat predicts the state from what was seen. Raises
    ValueError on bad input or an impossible sequence. Source: {eq}`hmm-scaled`.
    """
    pi, A, E = check_hmm(hmm)
    x, _ = check_symbols(x, E.shape[1], lengths)
    alpha_hat, q = _forward(emission_likelihoods(x, E), pi, A)
    q[x == MISSING] = 1.0  # exactly 1: log q must not add up rounding
    return alpha_hat, q


def log_likelihood(
    x: ArrayLike,
    hmm: HMM,
    lengths: ArrayLike | None = None,
) -> np.ndarray:
    """Return log p(x) of each sequence, (B,), nats.

    x, lengths and errors as for `forward`. Source: {eq}`hmm-loglik`.
    """
    return np.log(forward(x, hmm, lengths)[1]).sum(axis=0)


def backward(
    x: ArrayLike, hmm: HMM, q: np.ndarray, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return beta_hat (T, B, K), scaled by the q (T, B) that `forward` returned.

    beta_hat[t, b, i] = p(x_{t+1}..x_T | z_t = i) / p(x_{t+1}..x_T | x_1..x_t), no
    probability; 1 from a sequence's last step on. x and lengths as for `forward`.
    Raises ValueError on bad input. Source: {eq}`hmm-beta-hat`.
    """
    _, A, E = check_hmm(hmm)
    x, _ = check_symbols(x, E.shape[1], lengths)
    if np.shape(q) != x.shape:
        raise ValueError(f"q must be {x.shape} to match x; got {np.shape(q)}")
    return _backward(emission_likelihoods(x, E), A, q)[0]


class Posterior(NamedTuple):
    """Hold what `forward_backward` returns."""

    gamma: np.ndarray  # (T, B, K): p(z_t = k | x), 0 after a sequence's end
    xi_sum: np.ndarray  # (K, K): expected steps from i to j in the whole batch
    log_lik: np.ndarray  # (B,): log p(x), nats


def forward_backward(
    x: ArrayLike,
    hmm: HMM,
    lengths: ArrayLike | None = None,
) -> Posterior:
    """Smooth a batch: state posteriors, sums of pair posteriors, log likelihoods.

    x, lengths and errors as for `forward`. Source: {eq}`hmm-scaled-posteriors`.
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    lik = emission_likelihoods(x, E)
    alpha_hat, q = _forward(lik, pi, A)
    beta_hat, onward = _backward(lik, A, q)
    ended = np.arange(len(x))[:, None] >= lengths  # (T, B)
    gamma = np.multiply(alpha_hat, beta_hat, out=beta_hat)
    gamma[ended] = 0.0
    onward[ended[1:]] = 0.0
    K = len(pi)  # one matrix product sums over time and batch
    xi_sum = A * (alpha_hat[:-1].reshape(-1, K).T @ onward.reshape(-1, K))
    q[x == MISSING] = 1.0
    return Posterior(gamma, xi_sum, np.log(q).sum(axis=0))


def pair_posteriors(
    x: ArrayLike,
    hmm: HMM,
    lengths: ArrayLike | None = None,
) -> np.ndarray:
    """Return xi[t, b, i, j] = p(z_t = i, z_{t+1} = j | x), (T-1, B, K, K).

    0 where t+1 is after the end. For long sequences use `forward_backward`, which
    sums in K*K memory. x, lengths and errors as for `forward`.
    Source: {eq}`hmm-scaled-posteriors`.
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    lik = emission_likelihoods(x, E)
    alpha_hat, q = _forward(lik, pi, A)
    onward = _backward(lik, A, q)[1]
    onward[np.arange(1, len(x))[:, None] >= lengths] = 0.0
    return alpha_hat[:-1, :, :, None] * A * onward[:, :, None, :]


# --- book/02_hmm.md: The floor: the best loss there is (#hmm-floor)
def prediction_loss(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> float:
    """Return the mean of -log p(x_t | x_1..x_{t-1}) over symbols, nats per token.

    On data from the same HMM this estimates the floor: no predictor has a smaller
    expected loss. x, lengths, errors as for `forward`. Source: {eq}`hmm-floor-eq`.
    """
    x, lengths = check_symbols(x, np.shape(hmm.E)[-1], lengths)
    n_seen = (x != MISSING).sum()
    if n_seen == 0:
        raise ValueError("every symbol is MISSING: there is no prediction to judge")
    return float(-log_likelihood(x, hmm, lengths).sum() / n_seen)


def sticky_hmm() -> HMM:
    """Return the course's data source: K = 6 states that stay with .98, V = 8.

    A state is left for the next in a ring. State k emits symbol k with probability
    .5625 and each other one with .0625. pi is stationary: all positions are alike.
    """
    K, V, stay, own = 6, 8, 0.98, 0.5
    A = stay * np.eye(K) + (1 - stay) * np.roll(np.eye(K), 1, axis=1)
    E = own * np.eye(K, V) + (1 - own) / V
    return HMM(np.full(K, 1 / K), A, E)


# --- book/02_hmm.md: A real use: tagging source code (#hmm-tagger)
def count_hmm(
    z: ArrayLike,
    x: ArrayLike,
    K: int,
    V: int,
    lengths: ArrayLike | None = None,
    smooth: float = 0.5,
) -> HMM:
    """Return the HMM estimated from known states, by counting plus smooth.

    z: (T, B) ints in [0, K). x: (T, B) ints in [0, V), or MISSING and not counted.
    lengths: (B,). smooth is added to each count. Raises ValueError on bad input, or
    if smooth is 0 and some state has nothing to count.
    """
    x, lengths = check_symbols(x, V, lengths)
    z = check_states(z, x, K, lengths)
    if smooth < 0:
        raise ValueError(f"smooth must be 0 or more; got {smooth}")
    pi, A, E = np.full(K, smooth), np.full((K, K), smooth), np.full((K, V), smooth)
    np.add.at(pi, z[0], 1)
    # a step needs both of its ends inside the sequence: no count across the border
    inside = z[1:] != MISSING
    np.add.at(A, (z[:-1][inside], z[1:][inside]), 1)
    np.add.at(E, (z[x != MISSING], x[x != MISSING]), 1)
    for name, table in (("A", A), ("E", E)):
        if not table.sum(axis=1).all():
            k = int((table.sum(axis=1) == 0).argmax())
            raise ValueError(f"row {k} of {name} has no counts: use smooth > 0")
    rows = (table / table.sum(axis=-1, keepdims=True) for table in (pi, A, E))
    return HMM(*rows)
