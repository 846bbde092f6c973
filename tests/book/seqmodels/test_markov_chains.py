"""seqmodels.markov, the chains: against closed forms, enumeration, other algorithms, scipy."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import markov as M


def random_chain(rng: np.random.Generator, K: int, zeros: float = 0.0) -> np.ndarray:
    """Return a chain whose states form one cycle at least, with some arrows left out."""
    A = rng.dirichlet(np.ones(K), K) * (rng.random((K, K)) >= zeros)
    A += 0.1 * np.roll(np.eye(K), 1, axis=1)
    return A / A.sum(axis=1, keepdims=True)


def eliminated(A: np.ndarray) -> np.ndarray:
    """Return the stationary distribution by the elimination of Grassmann, Taksar and Heyman."""
    A = A.copy()
    K = len(A)
    for k in range(K - 1, 0, -1):
        A[:k, k] /= A[k, :k].sum()
        A[:k, :k] += np.outer(A[:k, k], A[k, :k])
    mu = np.zeros(K)
    mu[0] = 1
    for k in range(1, K):
        mu[k] = mu[:k] @ A[:k, k]
    return mu / mu.sum()


CHAINS = {"seed": st.integers(0, 10**6), "K": st.integers(1, 7), "zeros": st.floats(0, 0.9)}


@settings(max_examples=80, deadline=None)
@given(**CHAINS)
def test_stationary_agrees_with_two_other_algorithms(seed: int, K: int, zeros: float) -> None:
    A = random_chain(np.random.default_rng(seed), K, zeros)
    mu = M.stationary(A)
    assert np.allclose(mu, eliminated(A), rtol=1e-9, atol=1e-13)
    values, left = scipy.linalg.eig(A, left=True, right=False)
    of_one = np.real(left[:, np.abs(values - 1).argmin()])
    assert np.allclose(mu, of_one / of_one.sum(), rtol=1e-7, atol=1e-10)


def solved_exactly(A: np.ndarray) -> np.ndarray:
    """Return the mu of the arrows between different states, in whole fractions."""
    K = len(A)
    arrows = [[Fraction(float(p)) * (i != j) for j, p in enumerate(row)] for i, row in enumerate(A)]
    # row j: what flows into j minus what flows out of it; the last: mu sums to 1
    table = [
        [arrows[i][j] - (sum(arrows[j]) if i == j else 0) for i in range(K)] + [Fraction(0)]
        for j in range(K - 1)
    ]
    table.append([Fraction(1)] * (K + 1))
    for k in range(K):
        pivot = next(r for r in range(k, K) if table[r][k])
        table[k], table[pivot] = table[pivot], table[k]
        table[k] = [entry / table[k][k] for entry in table[k]]
        for r in range(K):
            if r != k:
                factor = table[r][k]
                table[r] = [a - factor * b for a, b in zip(table[r], table[k], strict=True)]
    return np.array([float(row[-1]) for row in table])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(2, 6), digits=st.floats(0, 30))
def test_rare_steps_count_in_the_long_run(seed: int, K: int, digits: float) -> None:
    rng = np.random.default_rng(seed)
    rare = 10.0 ** -rng.uniform(0, digits, (K, K)) * rng.random((K, K)) / K
    A = np.where(np.eye(K, dtype=bool), 0, rare)
    np.fill_diagonal(A, 1 - A.sum(axis=1))
    assert np.allclose(M.stationary(A), solved_exactly(A), rtol=1e-6 if digits < 9 else 1e-5)


def test_two_states_that_hardly_ever_change() -> None:
    for tiny in (1e-9, 1e-14, 1e-17, 1e-40, 1e-300):
        mu = M.stationary([[1 - tiny, tiny], [2 * tiny, 1 - 2 * tiny]])
        assert np.allclose(mu, [2 / 3, 1 / 3], rtol=1e-12, atol=0)


@settings(max_examples=60, deadline=None)
@given(**CHAINS)
def test_the_long_run_agrees_with_one_step_after_the_other(seed: int, K: int, zeros: float) -> None:
    A = random_chain(np.random.default_rng(seed), K, zeros)
    mu = eliminated(A)
    d = []
    for t in range(60):
        power = np.linalg.matrix_power(A, t)
        # the largest error in the probability of an event: over all events
        events = np.array(list(itertools.product([0, 1], repeat=K)))
        d.append(np.abs((power - mu) @ events.T).max())
    assert np.allclose(M.distances(59, A), d, rtol=1e-9, atol=1e-12)
    for eps in (0.25, 0.01):
        below = [t for t, value in enumerate(d) if value <= eps]
        if below and min(abs(np.array(d) - eps)) > 1e-9:
            assert M.mixing_time(A, eps) == below[0]
    second = M.second_eigenvalue(A)
    moduli = np.sort(np.abs(scipy.linalg.eigvals(A)))
    assert np.isclose(second, moduli[-2] if K > 1 else 0, rtol=1e-8, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 3), zeros=st.floats(0, 0.9))
def test_entropy_rate_is_what_one_more_symbol_adds(seed: int, K: int, zeros: float) -> None:
    A = random_chain(np.random.default_rng(seed), K, zeros)
    entropy = []
    for T in (3, 4):
        p = np.array(
            [
                eliminated(A)[x[0]] * np.prod([A[i, j] for i, j in itertools.pairwise(x)])
                for x in itertools.product(range(K), repeat=T)
            ]
        )
        entropy.append(-sum(v * np.log(v) for v in p if v > 0))
    assert np.isclose(M.entropy_rate(A), entropy[1] - entropy[0], rtol=1e-9, atol=1e-12)


def test_two_states_have_the_closed_form() -> None:
    for a, b in ((0.2, 0.4), (0.9, 0.8), (1e-6, 3e-6), (1.0, 1.0)):
        A = np.array([[1 - a, a], [b, 1 - b]])
        assert np.allclose(M.stationary(A), np.array([b, a]) / (a + b), rtol=1e-8, atol=0)
        assert np.isclose(M.second_eigenvalue(A), abs(1 - a - b), rtol=1e-8, atol=1e-12)
        start = max(a, b) / (a + b)
        expected = start * np.abs(1 - a - b) ** np.arange(6.0)
        assert np.allclose(M.distances(5, A), expected, rtol=1e-8, atol=1e-12)
    t = M.mixing_time(np.array([[1 - 1e-6, 1e-6], [1e-6, 1 - 1e-6]]))
    assert abs(t - np.log(0.5) / np.log(1 - 2e-6)) < 2


def test_a_rhythm_never_mixes_and_states_that_are_left_for_good_have_no_share() -> None:
    wheel = np.roll(np.eye(5), 1, axis=1)
    assert np.allclose(M.stationary(wheel), 0.2, rtol=1e-12, atol=0)
    assert M.mixing_time(wheel) == np.inf and np.isclose(M.second_eigenvalue(wheel), 1, rtol=1e-12)
    # 0 and 3 lead into {1, 2} and are never seen again
    A = np.array([[0.5, 0.2, 0, 0.3], [0, 0.1, 0.9, 0], [0, 0.6, 0.4, 0], [0.9, 0, 0.1, 0]])
    assert np.allclose(M.stationary(A), [0, 0.4, 0.6, 0], rtol=1e-12, atol=0)
    assert M.mixing_time(np.ones((1, 1))) == 0


def test_two_closed_sets_are_refused() -> None:
    A = np.array([[1, 0, 0], [0.3, 0.4, 0.3], [0, 0, 1.0]])
    with pytest.raises(ValueError, match="states 0 and 2 never meet"):
        M.stationary(A)
    with pytest.raises(ValueError, match="never meet"):
        M.entropy_rate(np.eye(2))


@pytest.mark.parametrize("start", [None, [0.2, 0.5, 0.3]])
def test_samples_of_a_chain_have_its_probabilities(start) -> None:
    A = random_chain(np.random.default_rng(3), 3)
    x = M.sample_chain(3, 60_000, A, np.random.default_rng(4), start)
    first = eliminated(A) if start is None else np.array(start)
    assert x.shape == (3, 60_000)
    for i, j, k in itertools.product(range(3), repeat=3):
        p = first[i] * A[i, j] * A[j, k]
        share = ((x[0] == i) & (x[1] == j) & (x[2] == k)).mean()
        assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / 60_000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: M.stationary(np.ones((2, 3)) / 3), "square"),
        (lambda: M.stationary(np.zeros((0, 0))), "square"),
        (lambda: M.entropy_rate([[1.5, -0.5], [0, 1]]), r"A\[0, 1\] = -0.5"),
        (lambda: M.distances(3, [[0.5, 0.4], [0.5, 0.6]]), "transposed"),
        (lambda: M.second_eigenvalue([[np.nan, 1], [0, 1]]), "probabilities"),
        (lambda: M.mixing_time([[0.5, 0.5], [0.5, 0.5]], 1.0), "eps must"),
        (lambda: M.sample_chain(2, 2, np.eye(1), None, [0.5, 0.5]), "start must"),
        (lambda: M.sample_chain(2, 2, np.eye(1), None, [np.nan]), "start must"),
        (lambda: M.distances(-1, np.eye(1)), "T must"),
        (lambda: M.stationary([[1, 0, 1e-200], [0, 1, 1e-200], [1e-200, 1, 0]]), "too rare"),
    ],
)
def test_bad_chains_are_refused_with_a_reason(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
