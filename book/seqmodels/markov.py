# GENERATED from book/01_markov.md by `make export`: change that, not this file.
"""Sequences and Markov models: the code of book/01_markov.md."""

# --- book/01_markov.md: What you need (#what-you-need)
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

Sequences = ArrayLike | list[np.ndarray]  # (T, B) or a list of B sequences


# --- book/01_markov.md: Where sequences begin and end (#markov-borders)
def check_sequences(
    x: Sequences, V: int, lengths: ArrayLike | None = None
) -> list[np.ndarray]:
    """Return the sequences as a list of int64 arrays, or say what is wrong.

    x: a list of sequences of ints in [0, V), each 1-D and possibly empty; or an
    array (T, B), time first, whose column b holds lengths[b] symbols (all T where
    lengths is None). Raises ValueError for anything else.
    """
    if not isinstance(V, int | np.integer) or not 1 <= V < 2**31:
        wanted = "a whole number of symbols, 1 to 2**31 - 1"
        raise ValueError(f"V must be {wanted}; got {V!r}")
    if isinstance(x, list | tuple):
        if lengths is not None:
            raise ValueError("lengths go with an array (T, B); a list has its own")
        rows = [np.asarray(row) for row in x]
    else:
        table = np.asarray(x)
        if table.ndim != 2:
            hint = "; for one sequence write [x]" if table.ndim == 1 else ""
            came = f"got {table.shape}{hint}"
            raise ValueError(f"x must be a list of sequences or (T, B); {came}")
        T, B = table.shape
        ends = np.full(B, T) if lengths is None else np.asarray(lengths)
        if ends.shape != (B,) or not np.issubdtype(ends.dtype, np.integer):
            came = f"got {ends.shape} {ends.dtype}"
            raise ValueError(f"lengths must be ({B},) integers to match x; {came}")
        if B and (ends.min() < 0 or ends.max() > T):
            came = f"got {ends.min()} to {ends.max()}"
            raise ValueError(f"lengths must lie in [0, {T}]; {came}")
        rows = [table[:end, b] for b, end in enumerate(ends)]
    if not rows:
        raise ValueError("x holds no sequence")
    for b, row in enumerate(rows):
        if row.ndim != 1:
            hint = "; for one sequence write [x]" if row.ndim == 0 else ""
            raise ValueError(f"sequence {b} must be 1-D; got {row.shape}{hint}")
        if row.size == 0:
            continue
        if not np.issubdtype(row.dtype, np.integer):
            wanted = f"integers in [0, {V})"
            raise ValueError(f"sequence {b} must hold {wanted}; got {row.dtype}")
        if row.min() < 0 or row.max() >= V:
            t = int(((row < 0) | (row >= V)).argmax())
            wanted = f"expected 0 to {V - 1}"
            hint = "; pass the lengths, or cut at gaps" if row[t] < 0 else ""
            came = f"sequence {b}, position {t}: {row[t]} is no symbol"
            raise ValueError(f"{came}; {wanted}{hint}")
    return [row.astype(np.int64) for row in rows]


class Level(NamedTuple):
    """Hold the counts of all contexts of one length that occur, M of them."""

    keys: np.ndarray  # (M,) sorted: number of the shorter context * (V+1) + symbol
    total: np.ndarray  # (M,): N_u, how often the context occurs
    distinct: np.ndarray  # (M,): R_u, how many different symbols come after it
    pair_keys: np.ndarray  # (P,) sorted: number of the context * (V+1) + next
    pair_count: np.ndarray  # (P,): N_uv


class Counts(NamedTuple):
    """Hold what was counted: levels[n] for contexts of length n."""

    V: int  # symbols; the integer V itself is begin (in contexts) and end (after)
    end: bool  # is the end of a sequence predicted?
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """Return the length of the longest context."""
        return len(self.levels) - 1

    @property
    def W(self) -> int:
        """Return the number of outcomes: V symbols, and the end if there is one."""
        return self.V + self.end

    def upto(self, order: int) -> "Counts":
        """Return the same counts without contexts longer than order."""
        if not 0 <= order <= self.order:
            raise ValueError(f"order must lie in [0, {self.order}]; got {order}")
        return self._replace(levels=self.levels[: order + 1])


def lay_out(
    rows: list[np.ndarray], V: int, end: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return all symbols in one array, (N,), ends as V, and each one's age, (N,).

    The age of a symbol is the number of symbols before it in its own sequence.
    """
    mark = np.full(int(end), V)
    flat = np.concatenate([part for row in rows for part in (row, mark)])
    sizes = np.array([len(row) + end for row in rows])
    age = np.arange(len(flat)) - np.repeat(sizes.cumsum() - sizes, sizes)
    return flat.astype(np.int64), age


def back(flat: np.ndarray, age: np.ndarray, n: int, V: int) -> np.ndarray:
    """Return the symbol n places before each, (N,); V (begin) before the first."""
    return np.where(age >= n, np.roll(flat, n), V)


def count_ngrams(
    x: Sequences,
    V: int,
    order: int,
    lengths: ArrayLike | None = None,
    end: bool = False,
) -> Counts:
    """Return the counts N_uv of all contexts u of length 0 to order.

    x, lengths: see `check_sequences`. end: is the end of a sequence an outcome?
    Raises ValueError on bad input. Source: {eq}`markov-ml`.
    """
    flat, age = lay_out(check_sequences(x, V, lengths), V, end)
    if not isinstance(order, int | np.integer) or order < 0:
        raise ValueError(f"order must be 0, 1, 2, ...; got {order}")
    if not len(flat):
        raise ValueError("all sequences are empty: there is nothing to count")
    number, keys = np.zeros_like(flat), np.zeros(1, dtype=np.int64)
    levels = []
    for n in range(order + 1):
        if n:  # one symbol further back
            longer = number * (V + 1) + back(flat, age, n, V)
            keys, number = np.unique(longer, return_inverse=True)
        pairs, pair_count = np.unique(number * (V + 1) + flat, return_counts=True)
        total, distinct = np.bincount(number), np.bincount(pairs // (V + 1))
        levels.append(Level(keys, total, distinct, pairs, pair_count))
    return Counts(int(V), bool(end), tuple(levels))


# --- book/01_markov.md: What was never seen is not impossible (#markov-smoothing)
class Seen(NamedTuple):
    """Hold what was seen of some contexts and outcomes; the arrays broadcast."""

    hits: np.ndarray  # N_uv
    total: np.ndarray  # N_u, 0 for a context that never occurred
    distinct: np.ndarray  # R_u
    n: int  # the length of the contexts
    W: int  # the number of outcomes


# from what was seen, and p(v | shorter context), to p(v | context)
Rule = Callable[[Seen, np.ndarray], np.ndarray]


def additive(k: float) -> Rule:
    """Return the add-k rule; k = 0 is maximum likelihood, uniform where N_u = 0.

    Raises ValueError unless 0 <= k <= 1e100. Source: {eq}`markov-pseudo`.
    """
    if not 0 <= k <= 1e100:  # beyond it k * W may overflow
        raise ValueError(f"k must be 0 or more, and at most 1e100; got {k}")

    def rule(seen: Seen, lower: np.ndarray) -> np.ndarray:
        mass = seen.total + k * seen.W
        p = (seen.hits + k) / np.where(mass > 0, mass, 1)
        return np.where(mass > 0, p, 1 / seen.W)

    return rule


def interpolated(weights: ArrayLike) -> Rule:
    """Return the rule that mixes N_uv / N_u, by weights[n], and the lower order.

    weights: (order + 1,), in [0, 1]. Raises ValueError for others, and later if a
    longer context asks. Source: {eq}`markov-pseudo`.
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 1 or not w.size or not ((w >= 0) & (w <= 1)).all():
        raise ValueError(f"weights must be numbers in [0, 1]; got {weights!r}")

    def rule(seen: Seen, lower: np.ndarray) -> np.ndarray:
        if seen.n >= len(w):
            orders = f"{len(w)} weights serve orders 0 to {len(w) - 1}"
            raise ValueError(f"{orders}; this model has order {seen.n} or more")
        own, weight = seen.hits / np.maximum(seen.total, 1), w[seen.n]
        return np.where(seen.total > 0, weight * own + (1 - weight) * lower, lower)

    return rule


def witten_bell(s: float = 1.0) -> Rule:
    """Return Witten and Bell's rule, with s times their mass for the lower order.

    Raises ValueError unless 0 < s <= 1e100. Source: {eq}`markov-pseudo`.
    """
    if not 0 < s <= 1e100:
        raise ValueError(f"s must be positive, and at most 1e100; got {s}")

    def rule(seen: Seen, lower: np.ndarray) -> np.ndarray:
        mass = s * seen.distinct
        p = (seen.hits + mass * lower) / np.maximum(seen.total + mass, s)
        return np.where(seen.total > 0, p, lower)

    return rule


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where wanted stands in the sorted keys, -1 where it does not."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def look_up(
    counts: Counts, flat: np.ndarray, age: np.ndarray, outcomes: np.ndarray
) -> Iterator[Seen]:
    """Yield, for n = 0, 1, ..., what was seen of outcomes (N, w) after n symbols.

    flat, age: (N,), see `lay_out`. Each row of outcomes belongs to one position.
    """
    V = counts.V
    number = np.zeros_like(flat)
    for n, level in enumerate(counts.levels):
        if n:  # the number of an unknown context stays -1: its keys are negative
            number = find(level.keys, number * (V + 1) + back(flat, age, n, V))
        known = number >= 0
        at = find(level.pair_keys, number[:, None] * (V + 1) + outcomes)
        yield Seen(
            np.where(at >= 0, level.pair_count[at], 0),
            np.where(known, level.total[number], 0)[:, None],
            np.where(known, level.distinct[number], 0)[:, None],
            n,
            counts.W,
        )


def predict(
    x: Sequences, counts: Counts, rule: Rule, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return p(next outcome | sequence so far), (B, W); rows sum to 1.

    x, lengths: B beginnings, possibly empty, see `check_sequences`. Column V, if
    there is one, is the end. Raises ValueError on bad input. Source:
    {eq}`markov-order-n`.
    """
    rows = check_sequences(x, counts.V, lengths)
    recent = [row[max(0, len(row) - counts.order) :] for row in rows]
    flat, age = lay_out(recent, counts.V, end=True)  # predict at the end
    outcomes = np.tile(np.arange(counts.W), (len(flat), 1))
    p = np.full(outcomes.shape, 1 / counts.W)
    for seen in look_up(counts, flat, age, outcomes):
        p = rule(seen, p)
    return p[np.cumsum([len(row) + 1 for row in recent]) - 1]


def log_q(
    x: Sequences, counts: Counts, rule: Rule, lengths: ArrayLike | None = None
) -> list[np.ndarray]:
    """Return log p of each symbol given those before it: an array a sequence, nats.

    The last entry is that of the end if the model predicts it. -inf where the model
    says "impossible". x, lengths, errors: see `check_sequences`.
    Source: {eq}`markov-order-n`.
    """
    rows = check_sequences(x, counts.V, lengths)
    for p in _by_order(rows, counts, rule):  # the last one counts
        last = p
    with np.errstate(divide="ignore"):  # log 0 is meant
        log_p = np.log(last)
    return np.split(log_p, np.cumsum([len(row) + counts.end for row in rows])[:-1])


def loss_by_order(
    x: Sequences, counts: Counts, rule: Rule, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return the mean of -log p over all outcomes for each order, (order+1,), nats.

    Ends count as outcomes if the model predicts them. x, lengths: see
    `check_sequences`. Raises ValueError on bad input. Source: {eq}`markov-loss`.
    """
    rows = check_sequences(x, counts.V, lengths)
    if not sum(map(len, rows)) + counts.end:
        raise ValueError("all sequences are empty: there is nothing to judge")
    with np.errstate(divide="ignore"):
        return np.array([-np.log(p).mean() for p in _by_order(rows, counts, rule)])


def _by_order(
    rows: list[np.ndarray], counts: Counts, rule: Rule
) -> Iterator[np.ndarray]:
    """Yield p(outcome | last n symbols), (N,), for n = 0 to the order."""
    flat, age = lay_out(rows, counts.V, counts.end)
    p = np.full((len(flat), 1), 1 / counts.W)
    for seen in look_up(counts, flat, age, flat[:, None]):
        p = rule(seen, p)
        yield p[:, 0]


def fit_weights(
    x: Sequences, counts: Counts, lengths: ArrayLike | None = None
) -> np.ndarray:
    """Return weights for `interpolated`, (order+1,), fitted to text not counted.

    One order after the other, each in [0, .999], so that nothing is impossible.
    x, lengths, errors: see `check_sequences`. Source: {eq}`markov-weight`.
    """
    flat, age = lay_out(check_sequences(x, counts.V, lengths), counts.V, counts.end)
    if not len(flat):
        raise ValueError("all sequences are empty: there is nothing to fit")
    p, weights = np.full((len(flat), 1), 1 / counts.W), []
    for seen in look_up(counts, flat, age, flat[:, None]):
        known = seen.total > 0
        a, b = seen.hits[known] / seen.total[known], p[known]
        low, high = 0.0, 0.999
        for _ in range(40):
            w = (low + high) / 2
            if ((a - b) / (w * a + (1 - w) * b)).sum() > 0:
                low = w
            else:
                high = w
        weights.append(low)
        p = interpolated(weights)(seen, p)
    return np.array(weights)


# --- book/01_markov.md: Where a chain settles, and how fast (#markov-long-run)
def check_chain(A: ArrayLike) -> np.ndarray:
    """Return A (K, K) in float64 with rows that sum to 1, or say what is wrong.

    Raises ValueError for a wrong shape, a negative or non-finite entry, or a row
    whose sum is off by more than 1e-5.
    """
    A = np.asarray(A, dtype=np.float64)
    if A.ndim != 2 or A.shape[0] != A.shape[1] or not A.size:
        raise ValueError(f"A must be square, from i to j; got {A.shape}")
    if not (np.isfinite(A) & (A >= 0)).all():
        i, j = np.argwhere(~(np.isfinite(A) & (A >= 0)))[0]
        raise ValueError(f"A must hold probabilities; A[{i}, {j}] = {A[i, j]:.9g}")
    total = A.sum(axis=1, keepdims=True)
    if np.abs(total - 1).max() > 1e-5:
        i = int(np.abs(total - 1).argmax())
        hint = "A[i, j] goes from i to j: is it transposed?"
        raise ValueError(f"row {i} of A sums to {total[i, 0]:.9g}, not 1; {hint}")
    return A / total


def stationary(A: ArrayLike) -> np.ndarray:
    """Return the distribution mu (K,) with mu = mu A of a chain A (K, K).

    Raises ValueError if A is no chain, or has several closed sets of states and so
    no single mu. Source: {eq}`markov-step`; Grassmann, Taksar and Heyman (1985).
    """
    A = check_chain(A)
    K = len(A)
    reach = (A > 0) | np.eye(K, dtype=bool)  # in one step; then in 2, 4, 8, ...
    for _ in range(K.bit_length()):
        reach = reach.astype(float) @ reach > 0
    returns = (reach <= reach.T).all(axis=1)  # whatever i reaches leads back to i
    inside = np.flatnonzero(returns & reach[returns.argmax()])
    if len(inside) < returns.sum():
        i, j = inside[0], np.flatnonzero(returns & ~reach[returns.argmax()])[0]
        raise ValueError(f"states {i} and {j} never meet: no single mu exists")
    # watch the chain only while it is in the first k states: what went through
    # state k is added to the direct steps. Nothing is ever subtracted, so a step
    # of probability 1e-20 counts as what it is
    seen = A[np.ix_(inside, inside)]
    visits = np.ones(len(seen))  # of state k, for each visit of state 0
    with np.errstate(all="ignore"):
        for k in range(len(seen) - 1, 0, -1):
            seen[:k, k] /= seen[k, :k].sum()
            seen[:k, :k] += np.outer(seen[:k, k], seen[k, :k])
        for k in range(1, len(seen)):
            visits[k] = visits[:k] @ seen[:k, k]
    if not np.isfinite(visits.sum()):
        raise ValueError("some steps of A are too rare for float64: make them 0")
    mu = np.zeros(K)
    mu[inside] = visits / visits.sum()
    return mu


def second_eigenvalue(A: ArrayLike) -> float:
    """Return the second largest modulus of the eigenvalues of A (K, K); 0 if K = 1.

    Raises ValueError if A is no chain. Source: {eq}`markov-spectrum`.
    """
    moduli = np.sort(np.abs(np.linalg.eigvals(check_chain(A))))
    return float(moduli[-2]) if len(moduli) > 1 else 0.0


def _distance(power: np.ndarray, mu: np.ndarray) -> float:
    """Return d of one power of A, eq. (markov-tv)."""
    return float(0.5 * np.abs(power - mu).sum(axis=1).max())


def distances(T: int, A: ArrayLike) -> np.ndarray:
    """Return d(0), ..., d(T), the distance from mu at the worst start, (T+1,).

    Raises ValueError if T < 0, A is no chain or has no single mu. Source:
    {eq}`markov-tv`.
    """
    if T < 0:
        raise ValueError(f"T must be 0 or more; got {T}")
    A, mu = check_chain(A), stationary(A)
    power, d = np.eye(len(A)), []
    for _ in range(T + 1):
        d.append(_distance(power, mu))
        power = power @ A
    return np.array(d)


def mixing_time(A: ArrayLike, eps: float = 0.25) -> float:
    """Return the first t with d(t) <= eps; inf if there is none below 2**40.

    Raises ValueError if A is no chain, has no single mu, or eps is not in (0, 1).
    Source: {eq}`markov-tv`.
    """
    if not 0 < eps < 1:
        raise ValueError(f"eps must lie in (0, 1); got {eps}")
    A, mu = check_chain(A), stationary(A)
    power, t = np.eye(len(A)), 0
    if _distance(power, mu) <= eps:
        return 0
    doubled = [A]  # A to the powers 1, 2, 4, 8, ...
    while _distance(doubled[-1], mu) > eps:
        if len(doubled) > 40:
            return np.inf
        square = doubled[-1] @ doubled[-1]
        doubled.append(square / square.sum(axis=1, keepdims=True))
    # d never grows, so t - 1 is found digit by digit
    for j in reversed(range(len(doubled) - 1)):
        if _distance(power @ doubled[j], mu) > eps:
            power, t = power @ doubled[j], t + 2**j
    return t + 1


def sample_chain(
    T: int,
    B: int,
    A: ArrayLike,
    rng: np.random.Generator,
    start: ArrayLike | None = None,
) -> np.ndarray:
    """Sample B sequences of T states of the chain A (K, K); return (T, B) ints.

    start: (K,), the distribution of the first state; stationary where None. Raises
    ValueError on bad input. Source: {eq}`markov-order-n`.
    """
    A = check_chain(A)
    first = stationary(A) if start is None else np.asarray(start, dtype=np.float64)
    fits = first.shape == (len(A),) and (first >= 0).all()  # nan is not
    if not fits or abs(first.sum() - 1) > 1e-5:
        raise ValueError(f"start must be a distribution ({len(A)},); got {start!r}")
    x = np.empty((T, B), dtype=np.int64)
    for t in range(T):
        rows = A[x[t - 1]] if t else np.tile(first, (B, 1))
        cumulative = rows.cumsum(axis=1)
        # scaled by the last sum, so that rounding cannot point past the end
        dart = rng.random((B, 1)) * cumulative[:, -1:]
        x[t] = (cumulative <= dart).sum(axis=1)
    return x


# --- book/01_markov.md: One loss, its relatives, and a floor (#markov-losses)
def entropy_rate(A: ArrayLike) -> float:
    """Return the entropy rate of the chain A (K, K), nats per step.

    Raises ValueError if A is no chain or has no single stationary distribution.
    Source: {eq}`markov-rate`.
    """
    A = check_chain(A)
    log_A = np.log(np.where(A > 0, A, 1))  # 0 log 0 counts as 0
    return float(-stationary(A) @ (A * log_A).sum(axis=1))


# --- book/01_markov.md: It writes (#markov-generate)
def generate(
    T: int,
    B: int,
    counts: Counts,
    rule: Rule,
    rng: np.random.Generator,
    start: ArrayLike = (),
) -> list[np.ndarray]:
    """Sample B sequences that begin with start; return them, up to T symbols each.

    Shorter ones came to their end. start: (n,) ints in [0, V), n <= T. Raises
    ValueError on bad input. Source: {eq}`markov-order-n`.
    """
    begun = check_sequences([np.asarray(start)], counts.V)[0]
    if B < 1 or len(begun) > T:
        wanted = f"B must be 1 or more and T at least {len(begun)}, as start"
        raise ValueError(f"{wanted}; got B = {B}, T = {T}")
    x = np.full((T, B), counts.V)
    x[: len(begun)] = begun[:, None]
    ended = np.zeros(B, dtype=bool)
    for t in range(len(begun), T):
        recent = np.where(ended, 0, x[max(0, t - counts.order) : t])
        cumulative = predict(recent, counts, rule).cumsum(axis=1)
        dart = rng.random((B, 1)) * cumulative[:, -1:]
        x[t] = np.where(ended, counts.V, (cumulative <= dart).sum(axis=1))
        ended |= x[t] == counts.V
        if ended.all():
            break
    return [column[column < counts.V] for column in x.T]
