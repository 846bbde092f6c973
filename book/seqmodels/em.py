# GENERATED from book/03_em.md by `make export`: change that, not this file.
"""Learning an HMM: the code of book/03_em.md."""

# --- book/03_em.md: What you need (#what-you-need)
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.hmm import HMM, check_hmm, check_symbols, forward_backward, safe_log


# --- book/03_em.md: Baum-Welch: EM for an HMM (#em-baum-welch)
class Counts(NamedTuple):
    """Hold expected counts, one table for each table of an HMM."""

    pi: np.ndarray  # (K,): expected starts in k
    A: np.ndarray  # (K, K): expected steps from i to j
    E: np.ndarray  # (K, V): expected times that k emitted v
    log_lik: np.ndarray  # (B,): log p(x), nats, of the model that counted


def expected_counts(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> Counts:
    """Do the E-step: count a batch of sequences with hidden states.

    x: (T, B) ints in [0, V) or MISSING. lengths: (B,). A missing symbol adds
    nothing to E. Raises ValueError on bad input or an impossible sequence.
    Source: {eq}`em-counts`.
    """
    hmm = check_hmm(hmm)
    V = hmm.E.shape[1]
    x, lengths = check_symbols(x, V, lengths)
    gamma, xi_sum, log_lik = forward_backward(x, hmm, lengths)
    seen = x >= 0
    columns = [np.bincount(x[seen], gamma_k, V) for gamma_k in gamma[seen].T]
    E = np.stack(columns).astype(np.float64)  # nothing seen: zeros, but ints
    return Counts(gamma[0].sum(axis=0), xi_sum, E, log_lik)


def pseudo_counts(
    smooth: float | tuple[ArrayLike, ArrayLike, ArrayLike], K: int, V: int
) -> tuple[np.ndarray, ...]:
    """Return pseudo-counts for pi (K,), A (K, K) and E (K, V).

    smooth: one number for all entries, or a tuple of three things, each a number
    or an array that broadcasts to its table. Raises ValueError for anything else,
    a wrong shape, or an entry that is not between 0 and 1e100.
    """
    wanted = "smooth must be a number or a tuple (pi, A, E)"
    three = smooth
    if not isinstance(three, tuple):
        three = (np.asarray(three),) * 3
        if three[0].ndim > 0:
            came = f"{type(smooth).__name__} of {len(three[0])}"
            raise ValueError(f"{wanted}; got {came}")
    if len(three) != 3:
        raise ValueError(f"{wanted}; got a tuple of {len(three)}")
    tables = []
    shapes = {"pi": (K,), "A": (K, K), "E": (K, V)}
    for part, (name, shape) in zip(three, shapes.items(), strict=True):
        array = np.asarray(part, dtype=np.float64)
        try:
            table = np.broadcast_to(array, shape)
        except ValueError:
            came = f"got {array.shape}"
            raise ValueError(f"smooth of {name} must fit {shape}; {came}") from None
        if not ((table >= 0) & (table <= 1e100)).all():  # sums must not overflow
            wanted = "0 or more, at most 1e100"
            raise ValueError(f"smooth of {name} must be {wanted}; got {array}")
        tables.append(table)
    return tuple(tables)


def maximise(
    counts: Counts,
    smooth: float | tuple[ArrayLike, ArrayLike, ArrayLike] = 0.0,
    old: HMM | None = None,
) -> HMM:
    """Do the M-step: return the HMM that makes the expected counts most likely.

    counts: from `expected_counts`. smooth: see `pseudo_counts`. A row without any
    count is taken from old, and is uniform if old is None. Raises ValueError for
    counts of wrong shapes, below 0 or above 1e100, and if old is of another size.
    Source: {eq}`em-m-step`.
    """
    K, V = np.shape(counts.E) if np.ndim(counts.E) == 2 else (0, 0)
    if np.shape(counts.pi) != (K,) or np.shape(counts.A) != (K, K) or K == 0:
        came = " ".join(str(np.shape(table)) for table in counts[:3])
        raise ValueError(f"counts must be (K,), (K, K), (K, V); got {came}")
    if old is not None and (old := check_hmm(old)).E.shape != (K, V):
        raise ValueError(f"old must have E ({K}, {V}); got {old.E.shape}")
    tables = []
    for n, extra in enumerate(pseudo_counts(smooth, K, V)):
        count = np.asarray(counts[n], dtype=np.float64)
        if not ((count >= 0) & (count <= 1e100)).all():
            wanted = "0 or more, at most 1e100"
            name = Counts._fields[n]
            raise ValueError(f"counts of {name} must be {wanted}; got {count}")
        table = count + extra
        total = table.sum(axis=-1, keepdims=True)
        spare = 1 / table.shape[-1] if old is None else old[n]
        known = total > 0
        tables.append(np.where(known, table / np.where(known, total, 1), spare))
    return HMM(*tables)


# --- book/03_em.md: Running it (#em-run)
class Fit(NamedTuple):
    """Hold what a climb of EM returns."""

    hmm: HMM
    history: np.ndarray  # (steps + 1,): objective of the start, ..., of hmm; nats
    converged: bool  # the last gain was within the tolerance


def random_hmm(
    K: int, V: int, rng: np.random.Generator, concentration: float = 1.0
) -> HMM:
    """Draw the rows of all tables from a symmetric Dirichlet distribution.

    concentration: 1 makes all distributions equally likely, more draws rows near
    uniform. Raises ValueError if K, V < 1 or concentration not in (0, 1e100].
    """
    if K < 1 or V < 1 or not 0 < concentration <= 1e100:
        came = f"got K = {K}, V = {V}, concentration = {concentration}"
        wanted = "K and V must be at least 1, concentration > 0, at most 1e100"
        raise ValueError(f"{wanted}; {came}")
    rows = [
        rng.dirichlet(np.full(n, concentration), m)
        for m, n in ((1, K), (K, K), (K, V))
    ]
    return HMM(rows[0][0], rows[1], rows[2])


def log_prior(
    hmm: HMM, smooth: float | tuple[ArrayLike, ArrayLike, ArrayLike]
) -> float:
    """Return the sum of smooth * log(entry) over all tables, nats; 0 * log 0 = 0.

    Up to a constant the log density of the Dirichlet prior. Source: {eq}`em-map`.
    """
    total = 0.0
    for table, extra in zip(hmm, pseudo_counts(smooth, *hmm.E.shape), strict=True):
        total += float((extra[extra > 0] * safe_log(table[extra > 0])).sum())
    return total


def baum_welch(
    x: ArrayLike,
    hmm: HMM,
    lengths: ArrayLike | None = None,
    smooth: float | tuple[ArrayLike, ArrayLike, ArrayLike] = 0.0,
    max_steps: int = 200,
    tol: float = 1e-6,
) -> Fit:
    """Climb from hmm by EM until a step gains at most tol, or for max_steps.

    x: (T, B) ints in [0, V) or MISSING. lengths: (B,). smooth: pseudo-counts; the
    objective is log p(x) + `log_prior`, nats. tol: nats per seen symbol. Raises
    ValueError on bad input or an impossible sequence, ArithmeticError if the
    objective falls. Source: {eq}`em-counts`, {eq}`em-m-step`, {eq}`em-monotone`.
    """
    if not tol < np.inf:
        raise ValueError(f"tol must be a number, nats per symbol; got {tol}")
    hmm = check_hmm(hmm)
    x, lengths = check_symbols(x, hmm.E.shape[1], lengths)
    enough = tol * max(1, int((x >= 0).sum()))
    history: list[float] = []
    while True:
        counts = expected_counts(x, hmm, lengths)
        history.append(float(counts.log_lik.sum()) + log_prior(hmm, smooth))
        gain = history[-1] - history[-2] if len(history) > 1 else np.inf
        if gain < -1e-9 * (1 + abs(history[-1])):
            where = f"step {len(history) - 1}: {history[-2]} to {history[-1]}"
            raise ArithmeticError(f"the objective fell in {where}; that is a bug")
        if gain <= enough or len(history) > max_steps:
            return Fit(hmm, np.array(history), bool(gain <= enough))
        hmm = maximise(counts, smooth, old=hmm)


def fit(
    x: ArrayLike,
    K: int,
    V: int,
    rng: np.random.Generator,
    lengths: ArrayLike | None = None,
    starts: int = 10,
    smooth: float | tuple[ArrayLike, ArrayLike, ArrayLike] = 0.0,
    max_steps: int = 200,
    tol: float = 1e-6,
) -> list[Fit]:
    """Climb from several random starts; return all results, the best first.

    starts: how many, at least 1. The rest as for `random_hmm` and `baum_welch`.
    """
    if starts < 1:
        raise ValueError(f"starts must be at least 1; got {starts}")
    climbs = [
        baum_welch(x, random_hmm(K, V, rng), lengths, smooth, max_steps, tol)
        for _ in range(starts)
    ]
    return sorted(climbs, key=lambda climb: -climb.history[-1])


# --- book/03_em.md: Names of states, and what can be known at all (#em-labels)
def assign(cost: ArrayLike) -> np.ndarray:
    """Return for each row of cost (K, K) its column, (K,), with the least total.

    One row, one column. Raises ValueError unless cost is square and finite.
    Source: Kuhn (1955), in the form that grows by shortest paths.
    """
    cost = np.asarray(cost, dtype=np.float64)
    if cost.ndim != 2 or len(cost) != cost.shape[1] or not np.isfinite(cost).all():
        raise ValueError(f"cost must be (K, K) and finite; got {cost.shape}")
    K = len(cost)
    row_price, column_price = np.zeros(K), np.zeros(K)
    column_of, row_of = np.full(K, -1), np.full(K, -1)
    for new in range(K):
        # the shortest way from the new row to a free column, by reduced cost
        distance = cost[new] - row_price[new] - column_price
        came_from, done = np.full(K, new), np.zeros(K, dtype=bool)
        while True:
            j = int(np.where(done, np.inf, distance).argmin())
            if row_of[j] < 0:
                break
            done[j] = True
            i = row_of[j]
            through = distance[j] + cost[i] - row_price[i] - column_price
            shorter = ~done & (through < distance)
            distance[shorter], came_from[shorter] = through[shorter], i
        short = distance[j] - distance[done]  # keep all reduced costs at 0 or more
        row_price[row_of[done]] += short
        column_price[done] -= short
        row_price[new] += distance[j]
        while True:  # swap along the way back
            i = came_from[j]
            row_of[j] = i
            column_of[i], j = j, column_of[i]
            if i == new:
                break
    return column_of


def relabel(hmm: HMM, order: ArrayLike) -> HMM:
    """Return the same model with its states in another order: new k is order[k].

    order: (K,) ints, each of 0..K-1 once; else ValueError.
    """
    hmm, order = check_hmm(hmm), np.asarray(order)
    whole = order.ndim == 1 and np.issubdtype(order.dtype, np.integer)
    if not whole or not np.array_equal(np.sort(order), np.arange(len(hmm.pi))):
        last = len(hmm.pi) - 1
        raise ValueError(f"order must hold 0 to {last} once each; got {order}")
    return HMM(hmm.pi[order], hmm.A[np.ix_(order, order)], hmm.E[order])


def match_states(found: HMM, reference: HMM) -> np.ndarray:
    """Return the order that makes found's rows of E most like reference's, (K,).

    relabel(found, order) can be compared with reference. The total of |difference|
    over E is least. Raises ValueError if the models differ in K or V.
    """
    E_found, E_reference = check_hmm(found).E, check_hmm(reference).E
    if E_found.shape != E_reference.shape:
        came = f"got E {E_found.shape} and {E_reference.shape}"
        raise ValueError(f"both models must have the same K and V; {came}")
    return assign(np.abs(E_reference[:, None] - E_found).sum(axis=2))


# --- book/03_em.md: Gradient descent beside EM (#em-gradient)
class Gradient(NamedTuple):
    """Hold the derivatives of log p(x) by the logits of each table, in nats."""

    pi: np.ndarray  # (K,)
    A: np.ndarray  # (K, K)
    E: np.ndarray  # (K, V)
    log_lik: np.ndarray  # (B,): log p(x), nats


def softmax(logits: ArrayLike) -> np.ndarray:
    """Return rows that sum to 1: exp(logits) over its sum along the last axis.

    A logit of -inf gives 0. Raises ValueError if a row's largest is not finite.
    """
    logits = np.asarray(logits, dtype=np.float64)
    top = logits.max(axis=-1, keepdims=True)
    if not np.isfinite(top).all():  # nan, inf, or -inf everywhere
        came = f"got {top.ravel()}"
        raise ValueError(f"each row needs a finite largest logit; {came}")
    weights = np.exp(logits - top)
    return weights / weights.sum(axis=-1, keepdims=True)


def logit_gradient(
    x: ArrayLike, hmm: HMM, lengths: ArrayLike | None = None
) -> Gradient:
    """Differentiate the batch's sum of log p(x) by logits whose softmax is hmm.

    x: (T, B) ints in [0, V) or MISSING. lengths: (B,). Raises ValueError on bad
    input or an impossible sequence. Source: {eq}`em-grad-logits`.
    """
    hmm = check_hmm(hmm)
    counts = expected_counts(x, hmm, lengths)
    d_pi, d_A, d_E = (
        n - n.sum(axis=-1, keepdims=True) * p
        for n, p in zip(counts[:3], hmm, strict=True)
    )
    return Gradient(d_pi, d_A, d_E, counts.log_lik)
