# GENERATED from book/02_hmm.md by `make export`: change that, not this file.
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
    negative or non-finite entry, or a row whose sum is off by more than 1e-5
    (float32 tables pass, of 50,000 symbols too). Source: {eq}`hmm-joint`.
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
        wrong = ~(np.isfinite(table) & (table >= 0))
        if wrong.any():
            place = ", ".join(str(i) for i in np.argwhere(wrong)[0])
            entry = f"{name}[{place}] = {table[wrong][0]:.9g}"
            hint = "; are these logarithms?" if (table < 0).any() else ""
            raise ValueError(f"{name} must hold probabilities; {entry}{hint}")
        total = table.sum(axis=-1, keepdims=True)
        if np.abs(total - 1).max() > 1e-5:
            worst = int(np.abs(total - 1).argmax())
            where = name if table.ndim == 1 else f"row {worst} of {name}"
            problem = f"{where} must sum to 1; it sums to {total.flat[worst]:.9g}"
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
    try:
        x = np.array(x)
    except ValueError:  # rows of different lengths
        hint = "pad short sequences with MISSING and pass lengths"
        raise ValueError(f"x must be a full table (T, B): {hint}") from None
    if x.ndim != 2 or x.size == 0:
        hint = "; for one sequence write x[:, None]" if x.ndim == 1 else ""
        came = f"got {x.shape}{hint}"
        raise ValueError(f"x must be (T, B), time first and not empty; {came}")
    if not np.issubdtype(x.dtype, np.integer):
        raise ValueError(f"x must hold integers in [0, {V}); got {x.dtype}")
    x = x.astype(np.int64)  # bytes have no room for MISSING
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
    z = z.astype(np.int64)
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
    # where z or x is MISSING = -1 this takes a last row or column; replaced below
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
    log_A, log_emitted = safe_log(A), safe_log(emission_likelihoods(x, E))
    (T, B), K = x.shape, len(pi)
    psi = np.empty((T, B, K), dtype=np.int32)
    log_delta = safe_log(pi) + log_emitted[0]  # (B, K)
    for t in range(1, T):
        log_score = log_delta[:, :, None] + log_A  # (B, K, K): from i to j
        alive = (t < lengths)[:, None]
        # a finished sequence waits: its scores stay, each state points to itself
        log_best = log_score.max(axis=1) + log_emitted[t]
        log_delta = np.where(alive, log_best, log_delta)
        psi[t] = np.where(alive, log_score.argmax(axis=1), np.arange(K))
    log_p = log_delta.max(axis=1)
    if np.isneginf(log_p).any():
        b = int(np.isneginf(log_p).argmax())
        raise ValueError(
            f"sequence {b} is impossible: no path can produce it; check it, or "
            "leave no zeros in pi, A, E"
        )
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

    plus(logs, axis=...) adds: logsumexp gives log p(x), np.max gives the log
    probability of the best path; + multiplies. x: (T, B) ints in [0, V) or MISSING.
    lengths: (B,). An impossible sequence gives -inf; bad input raises ValueError.
    Source: {eq}`hmm-forward`, {eq}`hmm-delta`; Goodman (1999).
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    log_A, log_emitted = safe_log(A), safe_log(emission_likelihoods(x, E))
    log_total = safe_log(pi) + log_emitted[0]  # (B, K)
    for t in range(1, len(x)):
        log_step = plus(log_total[:, :, None] + log_A, axis=1) + log_emitted[t]
        log_total = np.where((t < lengths)[:, None], log_step, log_total)
    return plus(log_total, axis=1)


# --- book/02_hmm.md: Underflow, and scaling as prediction (#hmm-underflow)
def _forward(
    lik: np.ndarray, pi: np.ndarray, A: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return alpha_hat (T, B, K), q (T, B) from lik (T, B, K). {eq}`hmm-scaled`"""
    alpha_hat, q = np.empty_like(lik), np.empty(lik.shape[:2])
    prior, ones = pi, np.ones_like(pi)
    with np.errstate(all="raise"):  # no number may be lost: see below
        for t in range(len(lik)):
            joint = prior * lik[t]  # (B, K): p(z_t, x_t | x_1..x_{t-1})
            q[t] = joint @ ones  # the sum over states, faster than sum()
            alpha_hat[t] = joint / q[t][:, None]
            prior = alpha_hat[t] @ A
    return alpha_hat, q


def _backward(
    lik: np.ndarray, A: np.ndarray, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return beta_hat (T, B, K) and onward (T-1, B, K). {eq}`hmm-beta-hat`

    onward[t, b, j] = E_jx beta_hat(j) / q, at t + 1: what follows an arrow into j.
    """
    beta_hat, onward = np.empty_like(lik), np.empty_like(lik[1:])
    beta_hat[-1] = 1.0
    # what is too small here belongs to paths that weigh nothing: no harm
    with np.errstate(over="raise", invalid="raise"):
        for t in range(len(onward) - 1, -1, -1):
            onward[t] = lik[t + 1] * beta_hat[t + 1] / q[t + 1][:, None]
            beta_hat[t] = onward[t] @ A.T
    return beta_hat, onward


# --- book/02_hmm.md: Where scaling stops (#hmm-scaling-stops)
def _log_forward(
    lik: np.ndarray, pi: np.ndarray, A: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log_alpha_hat (T, B, K) and log_q (T, B): `_forward` in log space."""
    log_emitted, log_A = safe_log(lik), safe_log(A)
    log_alpha_hat, log_q = np.empty_like(lik), np.empty(lik.shape[:2])
    log_prior = safe_log(pi)
    for t in range(len(lik)):
        log_joint = log_prior + log_emitted[t]
        log_q[t] = logsumexp(log_joint, axis=1)
        if np.isneginf(log_q[t]).any():
            b = int(np.isneginf(log_q[t]).argmax())
            raise ValueError(
                f"sequence {b} is impossible: x[{t}, {b}] has probability 0 after "
                "what came before; check it, or leave no zeros in pi, A, E"
            )
        log_alpha_hat[t] = log_joint - log_q[t][:, None]
        log_prior = logsumexp(log_alpha_hat[t][:, :, None] + log_A, axis=1)
    return log_alpha_hat, log_q


def _log_backward(
    lik: np.ndarray, A: np.ndarray, log_q: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log_beta_hat (T, B, K), log_onward (T-1, B, K): like `_backward`."""
    log_A, log_beta_hat = safe_log(A), np.zeros_like(lik)
    log_onward = safe_log(lik[1:]) - log_q[1:, :, None]
    for t in range(len(log_onward) - 1, -1, -1):
        log_onward[t] += log_beta_hat[t + 1]
        log_beta_hat[t] = logsumexp(log_A + log_onward[t][:, None, :], axis=2)
    return log_beta_hat, log_onward


# --- book/02_hmm.md: Functions for everyday use (#hmm-functions)
def forward(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Filter a batch: return alpha_hat (T, B, K) and log_q (T, B), nats.

    alpha_hat[t, b, k] = p(z_t = k | x_1..x_t); log_q = log p(x_t | x_1..x_{t-1}).
    x: (T, B) ints in [0, V) or MISSING. lengths: (B,). Where x is MISSING and after
    the end, log_q is 0 and alpha_hat predicts the state from what was seen. Raises
    ValueError on bad input or an impossible sequence. Source: {eq}`hmm-scaled`.
    """
    pi, A, E = check_hmm(hmm)
    x, _ = check_symbols(x, E.shape[1], lengths)
    lik = emission_likelihoods(x, E)
    try:
        alpha_hat, q = _forward(lik, pi, A)
        log_q = np.log(q)
    except FloatingPointError:  # too small for a double
        log_alpha_hat, log_q = _log_forward(lik, pi, A)
        alpha_hat = np.exp(log_alpha_hat)
    log_q[x == MISSING] = 0.0  # exactly: rounding must not add up
    return alpha_hat, log_q


def log_likelihood(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return log p(x) of each sequence, (B,), nats.

    x, lengths and errors as for `forward`. Source: {eq}`hmm-loglik`.
    """
    return forward(x, hmm, lengths)[1].sum(axis=0)


class Posterior(NamedTuple):
    """Hold what `forward_backward` returns."""

    gamma: np.ndarray  # (T, B, K): p(z_t = k | x), 0 after a sequence's end
    xi_sum: np.ndarray  # (K, K): expected steps from i to j in the whole batch
    log_lik: np.ndarray  # (B,): log p(x), nats


def forward_backward(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> Posterior:
    """Smooth a batch: state posteriors, sums of pair posteriors, log likelihoods.

    x, lengths and errors as for `forward`. Source: {eq}`hmm-scaled-posteriors`.
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    lik, K = emission_likelihoods(x, E), len(pi)
    ended = np.arange(len(x))[:, None] >= lengths  # (T, B)
    try:
        alpha_hat, q = _forward(lik, pi, A)
        beta_hat, onward = _backward(lik, A, q)
        onward[ended[1:]] = 0.0
        # one matrix product sums over time and batch
        xi_sum = A * (alpha_hat[:-1].reshape(-1, K).T @ onward.reshape(-1, K))
        gamma, log_q = np.multiply(alpha_hat, beta_hat, out=beta_hat), np.log(q)
    except FloatingPointError:  # too small for a double
        log_alpha_hat, log_q = _log_forward(lik, pi, A)
        log_beta_hat, log_onward = _log_backward(lik, A, log_q)
        gamma = np.exp(log_alpha_hat + log_beta_hat)
        log_onward[ended[1:]] = -np.inf
        log_A, xi_sum = safe_log(A), np.zeros((K, K))
        for now, then in zip(log_alpha_hat, log_onward, strict=False):
            xi_sum += np.exp(now[:, :, None] + log_A + then[:, None, :]).sum(axis=0)
    gamma[ended] = 0.0
    log_q[x == MISSING] = 0.0
    return Posterior(gamma, xi_sum, log_q.sum(axis=0))


def pair_posteriors(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return xi[t, b, i, j] = p(z_t = i, z_{t+1} = j | x), (T-1, B, K, K).

    0 where t+1 is after the end. For long sequences use `forward_backward`, which
    sums in K*K memory. x, lengths and errors as for `forward`.
    Source: {eq}`hmm-scaled-posteriors`.
    """
    pi, A, E = check_hmm(hmm)
    x, lengths = check_symbols(x, E.shape[1], lengths)
    lik = emission_likelihoods(x, E)
    try:
        alpha_hat, q = _forward(lik, pi, A)
        onward = _backward(lik, A, q)[1]
        xi = alpha_hat[:-1, :, :, None] * A * onward[:, :, None, :]
    except FloatingPointError:  # too small for a double
        log_alpha_hat, log_q = _log_forward(lik, pi, A)
        log_onward = _log_backward(lik, A, log_q)[1]
        log_xi = log_alpha_hat[:-1, :, :, None] + safe_log(A)
        xi = np.exp(log_xi + log_onward[:, :, None, :])
    xi[np.arange(1, len(x))[:, None] >= lengths] = 0.0
    return xi


# --- book/02_hmm.md: The floor: the best loss there is (#hmm-floor)
def prediction_loss(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> float:
    """Return the mean of -log p(x_t | x_1..x_{t-1}) over symbols, nats per token.

    On data from the same HMM this estimates the floor: no predictor has a smaller
    expected loss. x, lengths, errors as for `forward`. Source: {eq}`hmm-floor-eq`.
    """
    hmm = check_hmm(hmm)
    x, lengths = check_symbols(x, hmm.E.shape[1], lengths)
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
    if not 0 <= smooth < np.inf:
        raise ValueError(f"smooth must be 0 or more, and finite; got {smooth}")
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
