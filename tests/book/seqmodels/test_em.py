"""seqmodels.em against enumeration, hmmlearn, autograd and scipy; what it says to bad input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from seqmodels import em
from seqmodels.hmm import HMM, ice_cream, log_likelihood, sample, sticky_hmm

ICE = ice_cream()


def draw_case(
    seed: int, K: int, V: int, lengths: list[int], missing: float
) -> tuple[np.ndarray, HMM]:
    """Return symbols (T, B) with gaps and junk after each end, and a model not their own."""
    rng = np.random.default_rng(seed)
    _, x = sample(max(lengths), len(lengths), em.random_hmm(K, V, rng), rng)
    x[rng.random(x.shape) < missing] = -1
    x[np.arange(len(x))[:, None] >= np.array(lengths)] = rng.choice([V + 7, -9, 0])
    return x, em.random_hmm(K, V, rng)


def count_all_paths(
    x: np.ndarray, model: HMM, lengths: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return expected counts by listing all paths: the witness with no cleverness in it."""
    K, V = model.E.shape
    pi, A, E = np.zeros(K), np.zeros((K, K)), np.zeros((K, V))
    for b, n in enumerate(lengths):
        weights = {}
        for z in itertools.product(range(K), repeat=n):
            p = model.pi[z[0]] * math.prod(model.A[i, j] for i, j in itertools.pairwise(z))
            p *= math.prod(model.E[k, v] for k, v in zip(z, x[:n, b], strict=True) if v >= 0)
            weights[z] = p
        total = sum(weights.values())
        for z, p in weights.items():
            pi[z[0]] += p / total
            for i, j in itertools.pairwise(z):
                A[i, j] += p / total
            for k, v in zip(z, x[:n, b], strict=True):
                if v >= 0:
                    E[k, v] += p / total
    return pi, A, E


CASES = {
    "seed": st.integers(0, 10**6),
    "K": st.integers(1, 3),
    "V": st.integers(1, 4),
    "lengths": st.lists(st.integers(1, 5), min_size=1, max_size=4),
    "missing": st.floats(0, 1),
}


@settings(max_examples=50, deadline=None)
@given(**CASES)
def test_expected_counts_agree_with_all_paths(
    seed: int, K: int, V: int, lengths: list[int], missing: float
) -> None:
    x, model = draw_case(seed, K, V, lengths, missing)
    counts = em.expected_counts(x, model, lengths)
    for ours, slow in zip(counts[:3], count_all_paths(x, model, lengths), strict=True):
        assert np.allclose(ours, slow, rtol=1e-9, atol=1e-13)
    assert np.allclose(counts.log_lik, log_likelihood(x, model, lengths), rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(**CASES, smooth=st.sampled_from([0.0, 0.3, 2.0]))
def test_the_objective_rises_and_history_is_the_models(
    seed: int, K: int, V: int, lengths: list[int], missing: float, smooth: float
) -> None:
    x, model = draw_case(seed, K, V, lengths, missing)
    climb = em.baum_welch(x, model, lengths, smooth, max_steps=15, tol=-1.0)
    assert len(climb.history) == 16 and not climb.converged
    scale = 1 + np.abs(climb.history).max()
    assert (np.diff(climb.history) > -1e-9 * scale).all()
    # the last entry belongs to the model that is returned
    prior = smooth * sum(np.log(table).sum() for table in climb.hmm) if smooth else 0.0
    last = log_likelihood(x, climb.hmm, lengths).sum() + prior
    assert np.isclose(climb.history[-1], last, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(**CASES)
def test_logit_gradient_is_autograds(
    seed: int, K: int, V: int, lengths: list[int], missing: float
) -> None:
    x, model = draw_case(seed, K, V, lengths, missing)
    logits = [torch.tensor(np.log(table) + 0.7, requires_grad=True) for table in model]
    pi, A, E = (torch.softmax(w, dim=-1) for w in logits)
    total = torch.zeros((), dtype=torch.float64)
    for b, n in enumerate(lengths):
        prior = pi
        for v in x[:n, b]:
            alpha = prior * E[:, v] if v >= 0 else prior
            total = total + torch.log(alpha.sum())
            prior = (alpha / alpha.sum()) @ A
    wanted = torch.autograd.grad(total, logits, allow_unused=True)
    gradient = em.logit_gradient(x, model, lengths)
    for ours, theirs in zip(gradient[:3], wanted, strict=True):
        slow = np.zeros(ours.shape) if theirs is None else theirs.numpy()
        assert np.allclose(ours, slow, rtol=1e-8, atol=1e-11)
    assert np.isclose(gradient.log_lik.sum(), total.item(), rtol=1e-10, atol=1e-12)


def test_logit_gradient_agrees_with_finite_differences() -> None:
    x, model = draw_case(3, 3, 5, [6, 2, 9], 0.2)
    gradient = em.logit_gradient(x, model, [6, 2, 9])
    for name, table, ours in zip(HMM._fields, model, gradient[:3], strict=True):
        for place in np.ndindex(table.shape):
            sides = []
            for step in (1e-5, -1e-5):
                logits = np.log(table)
                logits[place] += step
                moved = model._replace(**{name: em.softmax(logits)})
                sides.append(log_likelihood(x, moved, [6, 2, 9]).sum())
            assert np.isclose(ours[place], (sides[0] - sides[1]) / 2e-5, rtol=1e-6, atol=1e-8)


# ---- hmmlearn


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("smooth", [0.0, 0.4])
def test_ten_steps_are_hmmlearns(seed: int, smooth: float) -> None:
    rng = np.random.default_rng(seed)
    K, V = int(rng.integers(1, 5)), int(rng.integers(2, 7))
    lengths = rng.integers(1, 30, size=6)
    x, start = draw_case(seed, K, V, lengths.tolist(), 0.0)
    other = CategoricalHMM(
        K,
        startprob_prior=1 + smooth,
        transmat_prior=1 + smooth,
        emissionprob_prior=1 + smooth,
        n_iter=10,
        tol=-np.inf,
        init_params="",
        n_features=V,
    )
    other.startprob_, other.transmat_, other.emissionprob_ = start
    flat = np.concatenate([x[:n, b] for b, n in enumerate(lengths)])[:, None]
    other.fit(flat, lengths)
    climb = em.baum_welch(x, start, lengths, smooth, max_steps=10, tol=-1.0)
    assert np.allclose(climb.hmm.pi, other.startprob_, rtol=1e-7, atol=1e-10)
    assert np.allclose(climb.hmm.A, other.transmat_, rtol=1e-7, atol=1e-10)
    assert np.allclose(climb.hmm.E, other.emissionprob_, rtol=1e-7, atol=1e-10)


# ---- the M-step


def test_maximise_counts_whole_counts() -> None:
    counts = em.Counts(
        np.array([1.0, 0.0]),
        np.array([[1.0, 1.0], [1.0, 1.0]]),
        np.array([[0.0, 1.0, 2.0], [2.0, 0.0, 0.0]]),
        np.zeros(1),
    )
    pi, A, E = em.maximise(counts)
    assert pi.tolist() == [1, 0] and A.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert np.allclose(E, [[0, 1 / 3, 2 / 3], [1, 0, 0]], rtol=1e-15, atol=0)
    pi, A, E = em.maximise(counts, smooth=(1.0, 0.0, [[1, 0, 0]]))
    assert np.allclose(pi, [2 / 3, 1 / 3], rtol=1e-15, atol=0)
    assert A.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert np.allclose(E, [[0.25, 0.25, 0.5], [1, 0, 0]], rtol=1e-15, atol=0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 4), V=st.integers(1, 5), kappa=st.floats(0, 3))
def test_no_other_table_has_a_larger_q(seed: int, K: int, V: int, kappa: float) -> None:
    rng = np.random.default_rng(seed)
    n = [rng.gamma(0.7, size=shape) + 1e-6 for shape in (K, (K, K), (K, V))]

    def q(model: HMM) -> float:
        return sum(
            float(((count + kappa) * np.log(t)).sum()) for count, t in zip(n, model, strict=True)
        )

    best = em.maximise(em.Counts(*n, np.zeros(1)), kappa)
    for _ in range(20):
        assert q(em.random_hmm(K, V, rng)) <= q(best) + 1e-9


def test_a_row_without_counts_is_the_old_one_or_uniform() -> None:
    counts = em.Counts(np.array([1.0, 0.0]), np.zeros((2, 2)), np.eye(2, 3), np.zeros(1))
    assert em.maximise(counts).A.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert em.maximise(counts, old=ICE).A.tolist() == ICE.A.tolist()
    single = em.baum_welch(np.array([[0, 1, 2]]), ICE, max_steps=3, tol=-1.0)  # no step at all
    assert np.allclose(single.hmm.A, ICE.A, rtol=1e-12, atol=0)


def test_zeros_stay_exactly_zero_and_pseudo_counts_fill_them() -> None:
    start = HMM(np.array([1.0, 0.0]), np.array([[0.5, 0.5], [0.0, 1.0]]), ICE.E)
    _, x = sample(20, 10, ICE, np.random.default_rng(0))
    kept = em.baum_welch(x, start, max_steps=30).hmm
    assert kept.pi[1] == 0 and kept.A[1, 0] == 0
    filled = em.baum_welch(x, start, smooth=0.1, max_steps=5, tol=-1.0)
    assert filled.history[0] == -np.inf and np.isfinite(filled.history[1:]).all()
    assert all((table > 0).all() for table in filled.hmm)
    partly = em.baum_welch(x, start, smooth=(0.0, 0.0, 0.1), max_steps=5).hmm
    assert partly.A[1, 0] == 0 and (partly.E > 0).all()


def test_long_sequences_that_scaling_cannot_hold() -> None:
    never_mix = HMM(np.full(2, 0.5), np.eye(2), np.array([[0.999, 0.001], [0.001, 0.999]]))
    turn = np.array([0] * 120 + [1] * 150)[:, None]
    counts = em.expected_counts(turn, never_mix)
    assert np.allclose(counts.E, [[0, 0], [120, 150]], rtol=0, atol=1e-9)


# ---- several starts, and the names of states


def test_fit_sorts_its_climbs_and_beats_the_truth_on_its_own_data() -> None:
    truth = HMM(
        np.full(2, 0.5), 0.8 * np.eye(2) + 0.1, np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    )
    rng = np.random.default_rng(0)
    _, x = sample(50, 100, truth, rng)
    climbs = em.fit(x, 2, 3, rng, starts=6)
    ends = [climb.history[-1] for climb in climbs]
    assert ends == sorted(ends, reverse=True) and len(ends) == 6
    assert ends[0] >= log_likelihood(x, truth).sum()
    best = em.relabel(climbs[0].hmm, em.match_states(climbs[0].hmm, truth))
    assert np.abs(best.A - truth.A).max() < 0.05 and np.abs(best.E - truth.E).max() < 0.05


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 30), ties=st.booleans())
def test_assign_is_as_good_as_scipys(seed: int, K: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.integers(-3, 4, (K, K)) if ties else rng.normal(size=(K, K))
    columns = em.assign(cost)
    assert sorted(columns.tolist()) == list(range(K))
    best = cost[linear_sum_assignment(cost)].sum()
    assert np.isclose(cost[np.arange(K), columns].sum(), best, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_match_states_undoes_a_permutation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for model in (sticky_hmm(), em.random_hmm(9, 5, rng)):
        shuffled = em.relabel(model, rng.permutation(len(model.pi)))
        again = em.relabel(shuffled, em.match_states(shuffled, model))
        for a, b in zip(again, model, strict=True):
            assert np.allclose(a, b, rtol=1e-12, atol=1e-15)


def test_random_models_have_rows_that_sum_to_1_and_come_from_the_rng() -> None:
    one, two = (em.random_hmm(3, 4, np.random.default_rng(7)) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert (a == b).all() and np.allclose(a.sum(axis=-1), 1, rtol=1e-12, atol=0)
    flat = em.random_hmm(3, 4, np.random.default_rng(7), concentration=1e6)
    assert np.allclose(flat.E, 0.25, rtol=0, atol=0.01)


# ---- bad input


X = np.array([[0], [1], [2]])
GOOD = em.expected_counts(X, ICE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: em.expected_counts(X + 1, ICE), "is no symbol"),
        (lambda: em.expected_counts(X[:, 0], ICE), "time first"),
        (lambda: em.baum_welch(X, ICE, smooth=-1), "0 or more"),
        (lambda: em.baum_welch(X, ICE, smooth=(1.0, 1.0)), "number or"),
        # three numbers in a list would fit as one row of each table, if K = V = 3
        (lambda: em.pseudo_counts([1, 2, 3], 3, 3), "a tuple (pi, A, E); got list of 3"),
        (lambda: em.pseudo_counts(np.ones(3), 3, 3), "a tuple"),
        (lambda: em.maximise(GOOD, smooth=1e308), "at most 1e100"),
        (lambda: em.maximise(GOOD._replace(E=np.full((2, 3), 1e308))), "at most 1e100"),
        (lambda: em.maximise(GOOD, old=em.random_hmm(1, 3, np.random.default_rng(0))), "old must"),
        (lambda: em.maximise(GOOD, old=em.random_hmm(2, 5, np.random.default_rng(0))), "old must"),
        (lambda: em.maximise(GOOD, old=ICE._replace(A=np.ones((2, 2)))), "sum to 1"),
        (lambda: em.baum_welch(X, ICE, tol=np.inf), "tol must be"),
        (lambda: em.baum_welch(X, ICE, tol=np.nan), "tol must be"),
        (lambda: em.random_hmm(2, 3, np.random.default_rng(0), 1e308), "at most 1e100"),
        (lambda: em.relabel(ICE, [False, True]), "once"),
        (lambda: em.relabel(ICE, [0.0, 1.0]), "once"),
        (lambda: em.relabel(ICE, None), "once"),
        (lambda: em.softmax([np.nan, 1]), "finite largest"),
        (lambda: em.softmax([[0, 1], [np.inf, 1]]), "finite largest"),
        (lambda: em.softmax([-np.inf, -np.inf]), "finite largest"),
        (lambda: em.baum_welch(X, ICE, smooth=(0, 0, np.ones((3, 3)))), "must fit"),
        (lambda: em.baum_welch(X, ICE._replace(E=np.eye(3)[:2])), "impossible"),
        (lambda: em.maximise(GOOD._replace(A=np.ones((3, 3)))), "counts must be"),
        (lambda: em.maximise(GOOD._replace(E=-GOOD.E)), "0 or more"),
        (lambda: em.random_hmm(0, 3, np.random.default_rng(0)), "at least 1"),
        (lambda: em.random_hmm(2, 3, np.random.default_rng(0), 0), "concentration > 0"),
        (lambda: em.fit(X, 2, 3, np.random.default_rng(0), starts=0), "starts"),
        (lambda: em.assign(np.ones((2, 3))), "(K, K)"),
        (lambda: em.assign([[np.nan]]), "finite"),
        (lambda: em.relabel(ICE, [0, 0]), "once"),
        (lambda: em.match_states(ICE, sticky_hmm()), "same K and V"),
        (lambda: em.logit_gradient(X, ICE._replace(A=ICE.A.T)), "sum to 1"),
    ],
)
def test_bad_input_is_told_what_is_wrong(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)


def test_what_nobody_saw_counts_as_zero_point_zero() -> None:
    counts = em.expected_counts(np.full((3, 2), -1), ICE)
    assert counts.E.dtype == np.float64 and not counts.E.any()
    assert np.isclose(counts.A.sum(), 4, rtol=1e-12, atol=0)
    assert em.softmax([-np.inf, 0.0]).tolist() == [0, 1]


def test_a_wrong_m_step_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = em.maximise
    monkeypatch.setattr(  # rows and columns of A swapped
        em, "maximise", lambda c, smooth, old: right(c._replace(A=c.A.T), smooth, old)
    )
    _, x = sample(200, 5, sticky_hmm(), np.random.default_rng(0))
    with pytest.raises(ArithmeticError, match="that is a bug"):
        em.baum_welch(x, sticky_hmm())
