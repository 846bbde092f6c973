"""seqmodels.hmm against published values, all paths, hmmlearn and autograd; its error messages."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import hmm as H

ICE = H.ice_cream()
DIARY = np.array([[2], [0], [2]])  # 3, 1, 3 cones
WEATHER = H.HMM(
    np.array([0.6, 0.4]),
    np.array([[0.7, 0.3], [0.4, 0.6]]),
    np.array([[0.1, 0.4, 0.5], [0.6, 0.3, 0.1]]),
)
FRIEND = np.array([[0], [1], [2]])  # walk, shop, clean


def random_hmm(rng: np.random.Generator, K: int, V: int) -> H.HMM:
    """Return an HMM whose rows are drawn evenly from all distributions."""
    return H.HMM(rng.dirichlet(np.ones(K)), *(rng.dirichlet(np.ones(n), K) for n in (K, V)))


def joint_of(z: tuple[int, ...], x: np.ndarray, model: H.HMM) -> float:
    """Return p(z, x) by plain multiplication; -1 in x is a symbol that nobody saw."""
    p = model.pi[z[0]]
    for i, j in itertools.pairwise(z):
        p *= model.A[i, j]
    return p * math.prod(model.E[k, v] for k, v in zip(z, x, strict=True) if v >= 0)


def all_paths(x: np.ndarray, model: H.HMM) -> dict[tuple[int, ...], float]:
    """Return {path: p(path, x)}: the witness that has no cleverness in it."""
    paths = itertools.product(range(len(model.pi)), repeat=len(x))
    return {z: joint_of(z, x, model) for z in paths}


def oracle(model: H.HMM) -> CategoricalHMM:
    """Return hmmlearn's model with the same tables."""
    other = CategoricalHMM(len(model.pi), implementation="log")
    other.startprob_, other.transmat_, other.emissionprob_ = model
    other.n_features = model.E.shape[1]
    return other


# ---- published values


def test_ice_cream_has_the_published_values() -> None:
    path, log_p = H.viterbi(DIARY, ICE)
    assert np.isclose(np.exp(H.log_likelihood(DIARY, ICE)[0]), 0.028562, rtol=1e-12, atol=0)
    assert path[:, 0].tolist() == [0, 1, 0]
    assert np.isclose(np.exp(log_p[0]), 0.0128, rtol=1e-12, atol=0)
    assert np.isclose(np.exp(H.log_joint(path, DIARY, ICE)[0]), 0.0128, rtol=1e-12, atol=0)


def test_weather_has_the_published_values() -> None:
    path, log_p = H.viterbi(FRIEND, WEATHER)
    assert np.isclose(np.exp(H.log_likelihood(FRIEND, WEATHER)[0]), 0.033612, rtol=1e-12, atol=0)
    assert path[:, 0].tolist() == [1, 0, 0]
    assert np.isclose(np.exp(log_p[0]), 0.01344, rtol=1e-12, atol=0)


# ---- all paths, on random cases


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    K=st.integers(1, 3),
    V=st.integers(1, 4),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    missing=st.floats(0, 1),
    forbid=st.booleans(),
)
def test_everything_agrees_with_all_paths(
    seed: int, K: int, V: int, lengths: list[int], missing: float, forbid: bool
) -> None:
    rng = np.random.default_rng(seed)
    model = random_hmm(rng, K, V)
    if forbid and K > 1:  # no step from the first state to the last
        A = model.A.copy()
        A[0, -1] = 0
        model = model._replace(A=A / A.sum(axis=1, keepdims=True))
    T, B = max(lengths), len(lengths)
    _, x = H.sample(T, B, model, rng)
    x[rng.random(x.shape) < missing] = H.MISSING
    # whatever stands after the end must not matter
    x[np.arange(T)[:, None] >= np.array(lengths)] = rng.choice([V + 7, -9, 0])

    alpha_hat, log_q = H.forward(x, model, lengths)
    post = H.forward_backward(x, model, lengths)
    xi = H.pair_posteriors(x, model, lengths)
    best, log_p = H.viterbi(x, model, lengths)
    log_sum = H.semiring_forward(x, model, H.logsumexp, lengths)
    log_max = H.semiring_forward(x, model, np.max, lengths)
    # a symbol that nobody saw and a step after the end are certain, with no rounding at all
    assert (log_q[(np.arange(T)[:, None] >= np.array(lengths)) | (x == H.MISSING)] == 0).all()
    assert (post.log_lik == H.log_likelihood(x, model, lengths)).all()
    xi_sum = np.zeros((K, K))
    close = {"rtol": 1e-9, "atol": 1e-13}
    for b, n in enumerate(lengths):
        paths = all_paths(x[:n, b], model)
        total = sum(paths.values())
        gamma_b, xi_b = np.zeros((n, K)), np.zeros((n - 1, K, K))
        for z, p in paths.items():
            for t in range(n):
                gamma_b[t, z[t]] += p / total
            for t in range(n - 1):
                xi_b[t, z[t], z[t + 1]] += p / total
        for value in (post.log_lik[b], log_q[:, b].sum(), log_sum[b]):
            assert np.isclose(value, np.log(total), rtol=1e-9, atol=1e-12)
        assert np.allclose(post.gamma[:n, b], gamma_b, **close)
        assert np.allclose(xi[: n - 1, b], xi_b, **close)
        assert (post.gamma[n:, b] == 0).all() and (xi[n - 1 :, b] == 0).all()
        for t in range(n):  # the filter is the smoother of the prefix
            prefix = all_paths(x[: t + 1, b], model)
            hot = sum(p for z, p in prefix.items() if z[-1] == 0) / sum(prefix.values())
            assert np.isclose(alpha_hat[t, b, 0], hot, rtol=1e-9, atol=1e-12)
        top = max(paths.values())
        assert np.isclose(log_p[b], np.log(top), rtol=1e-9, atol=1e-12)
        assert np.isclose(log_max[b], np.log(top), rtol=1e-9, atol=1e-12)
        # ties may be broken either way, but the path must have the probability of the best
        assert np.isclose(paths[tuple(best[:n, b].tolist())], top, rtol=1e-9, atol=0)
        assert (best[n:, b] == H.MISSING).all()
        xi_sum += xi_b.sum(axis=0)
    assert np.allclose(post.xi_sum, xi_sum, **close)


# ---- hmmlearn


@pytest.mark.parametrize(("K", "V", "T", "B"), [(2, 3, 400, 3), (7, 20, 150, 9), (16, 32, 60, 12)])
def test_agrees_with_hmmlearn_on_ragged_batches(K: int, V: int, T: int, B: int) -> None:
    rng = np.random.default_rng(K)
    model = random_hmm(rng, K, V)
    lengths = rng.integers(1, T + 1, B)
    lengths[:2] = 1, T
    _, x = H.sample(T, B, model, rng)
    joined = np.concatenate([x[:n, b] for b, n in enumerate(lengths)])[:, None]
    other = oracle(model)
    total, gamma = other.score_samples(joined, lengths)
    log_best, best = other.decode(joined, lengths, algorithm="viterbi")
    post = H.forward_backward(x, model, lengths)
    path, log_p = H.viterbi(x, model, lengths)
    mine = np.concatenate([post.gamma[:n, b] for b, n in enumerate(lengths)])
    assert np.isclose(post.log_lik.sum(), total, rtol=1e-10, atol=0)
    assert np.allclose(mine, gamma, rtol=1e-8, atol=1e-12)
    assert np.isclose(log_p.sum(), log_best, rtol=1e-10, atol=0)
    starts = lengths.cumsum() - lengths
    for b, n in enumerate(lengths):
        # of two paths that tie either may come back: compare what they are worth
        theirs = H.log_joint(best[starts[b] : starts[b] + n, None], x[:n, b, None], model)
        ours = H.log_joint(path[:n, b, None], x[:n, b, None], model)
        assert np.allclose([theirs[0], ours[0]], log_p[b], rtol=1e-10, atol=0)
        assert np.isclose(post.log_lik[b], other.score(x[:n, b, None]), rtol=1e-10, atol=0)


# ---- autograd: the gradient of log p(x) by log A is the expected number of steps


def test_expected_steps_are_the_gradient_of_the_log_likelihood() -> None:
    rng = np.random.default_rng(4)
    model = random_hmm(rng, 4, 5)
    lengths = np.array([30, 1, 17])
    _, x = H.sample(30, 3, model, rng)
    logs = [torch.tensor(np.log(table), requires_grad=True) for table in model]
    total = torch.zeros((), dtype=torch.float64)
    for b, n in enumerate(lengths.tolist()):
        log_alpha = logs[0] + logs[2][:, x[0, b]]
        for t in range(1, n):
            log_alpha = torch.logsumexp(log_alpha[:, None] + logs[1], 0) + logs[2][:, x[t, b]]
        total = total + torch.logsumexp(log_alpha, 0)
    d_pi, d_A, d_E = (g.numpy() for g in torch.autograd.grad(total, logs))
    post = H.forward_backward(x, model, lengths)
    emitted = np.zeros_like(model.E)
    for b, n in enumerate(lengths):
        np.add.at(emitted.T, x[:n, b], post.gamma[:n, b])
    assert np.isclose(post.log_lik.sum(), total.item(), rtol=1e-12, atol=0)
    assert np.allclose(post.xi_sum, d_A, rtol=1e-10, atol=0)
    assert np.allclose(post.gamma[0].sum(axis=0), d_pi, rtol=1e-10, atol=0)
    assert np.allclose(emitted, d_E, rtol=1e-10, atol=1e-14)


# ---- long sequences, missing symbols, forbidden steps


def test_no_underflow_at_a_hundred_thousand_steps() -> None:
    _, x = H.sample(100_000, 1, ICE, np.random.default_rng(0))
    in_logs = H.semiring_forward(x[:3_000], ICE, H.logsumexp)
    assert np.isclose(H.log_likelihood(x[:3_000], ICE)[0], in_logs[0], rtol=1e-12, atol=0)
    post = H.forward_backward(x, ICE)
    assert np.isfinite(post.log_lik).all()
    assert np.allclose(post.gamma.sum(axis=-1), 1, rtol=1e-9, atol=0)
    assert np.isclose(post.xi_sum.sum(), len(x) - 1, rtol=1e-9, atol=0)


def test_padding_costs_nothing_even_with_float32_tables() -> None:
    rough = H.HMM(*(table.astype(np.float32) for table in ICE))
    x = np.concatenate([DIARY, np.zeros((20_000, 1), dtype=int)])
    post = H.forward_backward(x, rough, [3])
    short = H.forward_backward(DIARY, rough)
    assert np.allclose(post.gamma[:3], short.gamma, rtol=1e-9, atol=0)
    assert np.isclose(post.log_lik[0], short.log_lik[0], rtol=1e-12, atol=0)


def test_padding_would_mislead_a_viterbi_that_does_not_wait() -> None:
    # state 1 is left at once: a path that has to go on after the end prefers state 0
    model = H.HMM(
        np.array([0.4, 0.6]), np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[1.0], [1.0]])
    )
    path, log_p = H.viterbi(np.zeros((6, 1), dtype=int), model, [1])
    assert path[:, 0].tolist() == [1] + [H.MISSING] * 5
    assert np.isclose(log_p[0], np.log(0.6), rtol=1e-12, atol=0)


def test_missing_symbol_is_the_sum_over_what_it_could_be() -> None:
    filled = np.array([[2, 2, 2], [0, 1, 2], [2, 2, 2]])
    with_gap = H.log_likelihood(np.array([[2], [-1], [2]]), ICE)
    assert np.isclose(
        np.exp(with_gap[0]), np.exp(H.log_likelihood(filled, ICE)).sum(), rtol=1e-12, atol=0
    )


def test_forbidden_steps_stay_forbidden() -> None:
    model = H.HMM(
        np.array([1.0, 0, 0]),
        np.array([[0.8, 0.2, 0], [0, 0.7, 0.3], [0, 0, 1.0]]),
        np.full((3, 2), 0.5),
    )
    x = np.random.default_rng(0).integers(0, 2, (40, 8))
    path, _ = H.viterbi(x, model)
    xi = H.pair_posteriors(x, model)
    assert (np.diff(path, axis=0) >= 0).all()
    assert (xi[..., model.A == 0] == 0).all()
    assert H.log_joint([[0], [1], [0]], [[0], [0], [0]], model)[0] == -np.inf
    assert H.logsumexp(np.full((2, 3), -np.inf), axis=1).tolist() == [-np.inf, -np.inf]


# ---- where scaling loses a state's share, the answer is still right

NEVER_MIX = H.HMM(np.array([0.5, 0.5]), np.eye(2), np.array([[0.999, 0.001], [0.001, 0.999]]))
STRICT = H.HMM(
    np.array([1.0, 0, 0]),
    np.array([[0.8, 0.2, 0], [0, 0.7, 0.3], [0, 0, 1.0]]),
    np.array([[1.0, 0], [0.2, 0.8], [1.0, 0]]),
)
MINUTE = H.HMM(
    np.array([0.5, 0.5]), np.array([[1 - 1e-12, 1e-12], [0, 1]]), np.array([[1, 1e-30], [1e-30, 1]])
)
UNREACHED = H.HMM(
    np.array([1.0, 0]), np.array([[1, 0], [0.1, 0.9]]), np.array([[0.9, 0.1], [0.1, 0.9]])
)


def log_space(x: np.ndarray, model: H.HMM) -> tuple[np.ndarray, np.ndarray, float]:
    """Return gamma, xi and log p(x) of x (T,) by plain sums of logarithms, one step at a time."""
    with np.errstate(divide="ignore"):
        pi, A, E = (np.log(table) for table in model)
    T, K = len(x), len(pi)
    alpha, beta = np.zeros((T, K)), np.zeros((T, K))
    alpha[0] = pi + E[:, x[0]]
    for t in range(1, T):
        for j in range(K):
            alpha[t, j] = np.logaddexp.reduce(alpha[t - 1] + A[:, j]) + E[j, x[t]]
    for t in range(T - 2, -1, -1):
        for i in range(K):
            beta[t, i] = np.logaddexp.reduce(A[i] + E[:, x[t + 1]] + beta[t + 1])
    log_p = np.logaddexp.reduce(alpha[-1])
    after = (E[:, x[1:]].T + beta[1:])[:, None, :]
    return np.exp(alpha + beta - log_p), np.exp(alpha[:-1, :, None] + A + after - log_p), log_p


@pytest.mark.parametrize(
    ("model", "x"),
    [
        *[(NEVER_MIX, [0] * n + [1] * (n + 30)) for n in (50, 101, 104, 106, 108, 120)],
        *[(STRICT, [0, 1] + [0] * n + [1]) for n in (40, 300, 365, 380, 2_000)],
        (MINUTE, [0] * 9 + [1] * 12 + [0] * 12 + [1] * 9),
        (MINUTE, [0] * 12 + [1] * 11),
        (UNREACHED, [1] * 400),
        (UNREACHED, [0] * 400 + [1] * 400),
        # only the other state can emit the last symbol: its prediction is below every double
        (NEVER_MIX._replace(E=np.array([[1, 0], [0.001, 0.999]])), [0] * 120 + [1]),
        # powers of two are exact down to the last bit, and raise no flag on the way
        (NEVER_MIX._replace(E=np.array([[1, 0], [0.5, 0.5]])), [0] * 1_070 + [1]),
    ],
)
def test_a_share_too_small_for_a_double_is_not_lost(model: H.HMM, x: list[int]) -> None:
    gamma, xi, log_p = log_space(np.array(x), model)
    # a second sequence, shorter and harmless, must come out the same beside it
    batch = np.full((len(x), 2), H.MISSING)
    batch[:, 0], batch[:3, 1] = x, x[:3]
    lengths = np.array([len(x), 3])
    short_gamma, short_xi, short_log_p = log_space(np.array(x[:3]), model)
    close = {"rtol": 1e-9, "atol": 1e-12}
    for log_lik in (
        H.log_likelihood(batch, model, lengths),
        H.semiring_forward(batch, model, H.logsumexp, lengths),
        H.forward_backward(batch, model, lengths).log_lik,
    ):
        assert np.allclose(log_lik, [log_p, short_log_p], **close)
    post = H.forward_backward(batch, model, lengths)
    assert np.allclose(post.gamma[:, 0], gamma, **close)
    assert np.allclose(post.gamma[:3, 1], short_gamma, **close)
    assert (post.gamma[3:, 1] == 0).all()
    assert np.allclose(post.xi_sum, xi.sum(axis=0) + short_xi.sum(axis=0), **close)
    pairs = H.pair_posteriors(batch, model, lengths)
    assert np.allclose(pairs[:, 0], xi, **close)
    assert np.allclose(pairs[:2, 1], short_xi, **close) and (pairs[2:, 1] == 0).all()
    filtered = H.forward(batch, model, lengths)[0]
    assert np.allclose(filtered[-1, 0], gamma[-1], **close)
    assert np.isclose(
        H.prediction_loss(batch, model, lengths), -(log_p + short_log_p) / (len(x) + 3), **close
    )


@pytest.mark.parametrize("path", ["scaled", "log space"])
def test_both_paths_give_the_same(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    model = random_hmm(rng, 4, 5)
    _, x = H.sample(40, 3, model, rng)
    x[rng.random(x.shape) < 0.2] = H.MISSING
    lengths = [40, 1, 23]
    expected = H.forward_backward(x, model, lengths), H.pair_posteriors(x, model, lengths)
    filtered = H.forward(x, model, lengths)

    def refuse(*_: object) -> None:
        raise FloatingPointError if path == "log space" else AssertionError("not needed here")

    # either the scaled path is barred, or the one in log space, which plain data must not take
    monkeypatch.setattr(H, "_forward" if path == "log space" else "_log_forward", refuse)
    post = H.forward_backward(x, model, lengths)
    close = {"rtol": 1e-10, "atol": 1e-14}
    for mine, wanted in zip(post, expected[0], strict=True):
        assert np.allclose(mine, wanted, **close)
    assert np.allclose(H.pair_posteriors(x, model, lengths), expected[1], **close)
    for mine, wanted in zip(H.forward(x, model, lengths), filtered, strict=True):
        assert np.allclose(mine, wanted, **close)


# ---- sampling and counting


def test_samples_have_the_frequencies_of_the_tables() -> None:
    model = random_hmm(np.random.default_rng(5), 3, 4)
    z, x = H.sample(50, 4_000, model, np.random.default_rng(6))
    assert z.shape == x.shape == (50, 4_000)
    found = H.count_hmm(z, x, 3, 4, smooth=0)
    for table, counted, rows in zip(
        model, found, (4_000, np.bincount(z[:-1].ravel()), np.bincount(z.ravel())), strict=True
    ):
        error = np.sqrt(table * (1 - table) / np.reshape(rows, (-1, 1) if table.ndim == 2 else ()))
        assert (np.abs(counted - table) < 5 * error).all()


def test_sampling_never_takes_a_forbidden_step_and_repeats_with_its_seed() -> None:
    sticky = H.sticky_hmm()
    z, x = H.sample(500, 50, sticky, np.random.default_rng(1))
    assert (sticky.A[z[:-1], z[1:]] > 0).all()
    again = H.sample(500, 50, sticky, np.random.default_rng(1))
    assert (again[0] == z).all() and (again[1] == x).all()


def test_counting_stops_at_the_end_of_each_sequence() -> None:
    z = np.array([[0, 1], [1, 1], [0, 0]])
    x = np.array([[0, 1], [2, -1], [1, 0]])
    found = H.count_hmm(z, x, 2, 3, lengths=[3, 2], smooth=0)
    assert np.allclose(found.pi, [1 / 2, 1 / 2], rtol=1e-12, atol=0)
    # 0->1, 1->0 of the first sequence, 1->1 of the second; its step to 0 is padding
    assert np.allclose(found.A, [[0, 1], [1 / 2, 1 / 2]], rtol=1e-12, atol=0)
    assert np.allclose(found.E, [[1 / 2, 1 / 2, 0], [0, 1 / 2, 1 / 2]], rtol=1e-12, atol=0)
    smoothed = H.count_hmm(z, x, 2, 3, lengths=[3, 2], smooth=1)
    assert np.allclose(smoothed.A, [[1 / 3, 2 / 3], [2 / 4, 2 / 4]], rtol=1e-12, atol=0)


# ---- the floor


def test_sticky_hmm_is_stationary_and_needs_more_memory_than_three_symbols() -> None:
    model = H.sticky_hmm()
    assert np.allclose(model.pi @ model.A, model.pi, rtol=1e-12, atol=0)
    _, x = H.sample(2_000, 40, model, np.random.default_rng(2))
    floor = H.prediction_loss(x, model)
    # the loss of the order-3 model with endless data: all 8^4 windows of four symbols
    windows = np.array(list(itertools.product(range(8), repeat=4))).T
    p = np.exp(H.log_likelihood(windows, model)).reshape(-1, 8)
    order_3 = -(p * np.log(p / p.sum(axis=1, keepdims=True))).sum()
    assert np.isclose(p.sum(), 1, rtol=1e-9, atol=0)
    assert order_3 > floor + 0.1


def test_prediction_loss_counts_each_symbol_that_was_seen_once() -> None:
    x = np.array([[2, 0], [0, -1], [2, 1]])
    lengths = [3, 2]
    expected = -(np.log(0.028562) + np.log(0.8 * 0.2 + 0.2 * 0.5)) / 4
    assert np.isclose(H.prediction_loss(x, ICE, lengths), expected, rtol=1e-12, atol=0)


# ---- errors say what came and what was expected


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ICE._replace(pi=np.array([[0.8, 0.2]])), r"pi must be \(K,\).*got \(1, 2\)"),
        (
            ICE._replace(A=np.ones((3, 4)) / 4),
            r"A must be \(2, 2\) to match pi \(2,\); got \(3, 4\)",
        ),
        (ICE._replace(E=np.ones((3, 2)) / 2), r"E must be \(2, V\).*got \(3, 2\)"),
        (ICE._replace(pi=np.array([0.8, 0.1])), r"pi must sum to 1; it sums to 0\.9"),
        (ICE._replace(A=ICE.A.T), r"row 0 of A must sum to 1; it sums to 1\.1.*transposed"),
        (ICE._replace(E=ICE.E * 2), r"row 0 of E must sum to 1; it sums to 2"),
        (
            ICE._replace(E=np.array([[0.5, 0.5], [0.5, 0.500014]])),
            r"row 1 of E must sum to 1; it sums to 1\.000014",
        ),
        (
            ICE._replace(pi=np.array([1.2, -0.2])),
            r"pi must hold.*; pi\[1\] = -0\.2; .*logarithms\?",
        ),
        (ICE._replace(A=np.log(ICE.A)), r"A must hold.*; A\[0, 0\] = -0\.51.*logarithms\?"),
        (
            ICE._replace(A=np.array([[0.5, 0.5], [0.5, np.nan]])),
            r"A must hold probabilities; A\[1, 1\] = nan$",
        ),
    ],
)
def test_a_wrong_model_is_refused_by_every_function(model: H.HMM, message: str) -> None:
    for call in (
        lambda: H.forward(DIARY, model),
        lambda: H.prediction_loss(DIARY, model),
        lambda: H.forward_backward(DIARY, model),
        lambda: H.pair_posteriors(DIARY, model),
        lambda: H.viterbi(DIARY, model),
        lambda: H.semiring_forward(DIARY, model, np.max),
        lambda: H.log_joint(DIARY * 0, DIARY, model),
        lambda: H.sample(3, 1, model, np.random.default_rng(0)),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("x", "lengths", "message"),
    [
        (DIARY[:, 0], None, r"time first.*got \(3,\).*x\[:, None\]"),
        ([[2, 0], [1]], None, r"full table \(T, B\): pad short sequences with MISSING"),
        (np.zeros((0, 1), dtype=int), None, r"not empty; got \(0, 1\)"),
        (DIARY + 0.5, None, r"integers in \[0, 3\); got float64"),
        (DIARY + 1, None, r"x\[0, 0\] = 3 is no symbol; expected 0 to 2"),
        (DIARY - 3, None, r"x\[0, 0\] = -1|x\[1, 0\] = -3 is no symbol"),
        (DIARY, [4], r"lengths must lie in \[1, 3\]; got 4 to 4"),
        (DIARY, [0], r"lengths must lie in \[1, 3\]; got 0 to 0"),
        (DIARY, [3, 3], r"lengths must be \(1,\).*got \(2,\)"),
        (DIARY, [2.0], r"lengths must be \(1,\) integers.*float64"),
    ],
)
def test_wrong_symbols_or_lengths_are_refused_by_every_function(
    x: np.ndarray, lengths: list[int] | None, message: str
) -> None:
    for call in (
        lambda: H.forward(x, ICE, lengths),
        lambda: H.forward_backward(x, ICE, lengths),
        lambda: H.pair_posteriors(x, ICE, lengths),
        lambda: H.viterbi(x, ICE, lengths),
        lambda: H.semiring_forward(x, ICE, np.max, lengths),
        lambda: H.log_joint(x, x, ICE, lengths),
        lambda: H.prediction_loss(x, ICE, lengths),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_an_impossible_sequence_is_named_with_its_place() -> None:
    model = ICE._replace(E=np.array([[0.5, 0.5, 0.0], [0.6, 0.4, 0.0]]))
    x = np.array([[0, 0], [1, 1], [0, 2]])
    for call in (H.forward, H.forward_backward, H.pair_posteriors, H.log_likelihood):
        with pytest.raises(ValueError, match=r"sequence 1 is impossible: x\[2, 1\]"):
            call(x, model)
    with pytest.raises(ValueError, match="sequence 1 is impossible.*leave no zeros in pi, A, E"):
        H.viterbi(x, model)
    assert np.isneginf(H.semiring_forward(x, model, H.logsumexp)).tolist() == [False, True]
    # after the end of its sequence the same symbol is no fault
    assert np.isfinite(H.log_likelihood(x, model, [3, 2])).all()


def test_other_errors() -> None:
    with pytest.raises(ValueError, match=r"z must be \(3, 1\) integers to match x; got \(2, 1\)"):
        H.log_joint(np.zeros((2, 1), dtype=int), DIARY, ICE)
    with pytest.raises(ValueError, match=r"z\[1, 0\] = -1 is no state; expected 0 to 1"):
        H.log_joint(np.array([[0], [-1], [0]]), DIARY, ICE)
    with pytest.raises(ValueError, match=r"z\[2, 0\] = 2 is no state; expected 0 to 1"):
        H.log_joint(np.array([[0], [1], [2]]), DIARY, ICE)
    with pytest.raises(ValueError, match="row 1 of A has no counts: use smooth > 0"):
        H.count_hmm(DIARY * 0, DIARY, 2, 3, smooth=0)
    with pytest.raises(ValueError, match=r"z\[0, 0\] = -1 is no state; expected 0 to 1"):
        H.count_hmm(DIARY * 0 - 1, DIARY, 2, 3)
    for smooth in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"smooth must be 0 or more, and finite; got {smooth}"):
            H.count_hmm(DIARY * 0, DIARY, 2, 3, smooth=smooth)
    with pytest.raises(ValueError, match="every symbol is MISSING"):
        H.prediction_loss(np.full((3, 1), H.MISSING), ICE)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "uint64"])
def test_symbols_and_states_may_be_bytes(dtype: str) -> None:
    x = np.array([[2, 0], [0, 1], [2, 2]])
    lengths, z = [3, 2], x // 2
    small = x.astype(dtype)
    wanted = H.forward_backward(x, ICE, lengths)
    assert (H.forward_backward(small, ICE, lengths).gamma == wanted.gamma).all()
    assert (H.viterbi(small, ICE, lengths)[0] == H.viterbi(x, ICE, lengths)[0]).all()
    assert (H.log_joint(z.astype(dtype), small, ICE) == H.log_joint(z, x, ICE)).all()
    assert (
        H.count_hmm(z.astype(dtype), small, 2, 3, lengths).E == H.count_hmm(z, x, 2, 3, lengths).E
    ).all()


def test_float32_rows_of_a_large_vocabulary_pass() -> None:
    row = np.random.default_rng(0).dirichlet(np.ones(50_000)).astype(np.float32)
    H.check_hmm(H.HMM(np.ones(1), np.ones((1, 1)), row[None]))


def test_arguments_are_left_as_they_were() -> None:
    x, lengths = np.array([[2, 0], [0, 1], [2, 2]]), np.array([3, 1])
    before = x.copy()
    H.forward_backward(x, ICE, lengths)
    H.viterbi(x, ICE, lengths)
    assert (x == before).all() and lengths.tolist() == [3, 1]
