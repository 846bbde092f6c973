"""seqmodels.gradients against autograd, known and published exponents, and PyTorch's clipping."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import gradients as lib
from seqmodels.gradients import MISSING, angle, global_norm, lyapunov_exponents, orthogonal
from seqmodels.rnn import RNN, forward, init_rnn

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def random_net(D: int, H: int, V: int, seed: int, scale: float = 1.0) -> RNN:
    rng = np.random.default_rng(seed)
    return RNN(*(scale * rng.normal(size=w.shape) for w in init_rnn(D, H, V, rng)))


def autograd_jacobian(net: RNN, x: np.ndarray, h0: np.ndarray) -> np.ndarray:
    """Return d h_T / d h_0 in row convention by torch, for one sequence x (T, D)."""
    W_xh, W_hh, b_h = (torch.tensor(w) for w in net[:3])

    def last(h: torch.Tensor) -> torch.Tensor:
        for x_t in torch.tensor(x):
            h = torch.tanh(x_t @ W_xh + h @ W_hh + b_h)
        return h

    jacobian = torch.autograd.functional.jacobian(last, torch.tensor(h0))
    return np.asarray(jacobian.numpy().T)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), sizes, sizes, sizes, seeds)
def test_products_of_jacobians_are_autograds(T: int, B: int, D: int, H: int, seed: int) -> None:
    net = random_net(D, H, 2, seed)
    rng = np.random.default_rng(seed)
    x, h0 = rng.normal(size=(T, B, D)), rng.normal(size=(B, H))
    h = forward(x, net, h0).h
    J = lib.step_jacobians(h, net.W_hh)
    assert J.shape == (T, B, H, H)
    P = lib.jacobian_product(J)
    g = rng.normal(size=(B, H))
    log_norms = lib.gradient_log_norms(h, net.W_hh, g)
    assert log_norms.shape == (T + 1, B)
    for b in range(B):
        theirs = autograd_jacobian(net, x[:, b], h0[b])
        np.testing.assert_allclose(P[b], theirs, rtol=1e-9, atol=1e-14)
        for k in (0, T):
            part = autograd_jacobian(net, x[T - k :, b], h[T - k, b])
            length = np.linalg.norm(g[b] @ part.T)
            if length > 1e-12:  # below, cancellation in the witness
                np.testing.assert_allclose(math.exp(log_norms[k, b]), length, rtol=1e-6, atol=0)


def test_log_norms_survive_where_the_product_is_zero_or_infinite() -> None:
    T = 5000
    h = np.zeros((T + 1, 1, 2))
    for factor in (0.5, 2.0):
        W = factor * np.array([[0.0, 1.0], [-1.0, 0.0]])  # a turn, times the factor
        ours = lib.gradient_log_norms(h, W, np.array([[3.0, 4.0]]))[:, 0]
        exact = math.log(5) + np.arange(T + 1) * math.log(factor)
        np.testing.assert_allclose(ours, exact, rtol=1e-12, atol=1e-9)
    dead = lib.gradient_log_norms(np.ones((3, 1, 2)), np.eye(2), np.ones((1, 2)))[:, 0]
    assert dead[0] == pytest.approx(math.log(2) / 2) and (dead[1:] == -np.inf).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), seeds)
def test_spectral_radius_is_the_root_of_the_characteristic_polynomial(H: int, seed: int) -> None:
    W = np.random.default_rng(seed).normal(size=(H, H))
    roots = np.roots(np.poly(W))
    assert lib.spectral_radius(W) == pytest.approx(np.abs(roots).max(), rel=1e-4)
    assert lib.spectral_radius(lib.with_radius(W, 1.7)) == pytest.approx(1.7, rel=1e-9)


def test_spectral_radius_of_complex_pair_and_of_nilpotent() -> None:
    assert lib.spectral_radius([[0, 2], [-2, 0]]) == pytest.approx(2, rel=1e-14)
    assert lib.spectral_radius([[0, 1], [0, 0]]) == 0


def test_exponents_of_one_matrix_are_logs_of_moduli() -> None:
    W = np.diag([2.0, 0.1, 1.0]) + np.triu(np.full((3, 3), 5.0), 1)  # far from normal
    found = lyapunov_exponents((W for _ in range(3000)), skip=500)
    np.testing.assert_allclose(found, np.log([2.0, 1.0, 0.1]), rtol=0, atol=1e-10)


def test_axes_that_hide_the_fastest_direction_do_not_mislead() -> None:
    J = np.tile(np.diag([0.1, 2.0]), (400, 1, 1))
    assert lyapunov_exponents(J, n=1, skip=100)[0] == pytest.approx(math.log(2), rel=1e-10)


@pytest.mark.parametrize("H", [1, 3, 10])
def test_exponents_of_gaussian_matrices_are_newmans(H: int) -> None:
    rng = np.random.default_rng(H)
    found = lyapunov_exponents(rng.normal(size=(H, H)) for _ in range(20_000))
    halves = torch.arange(H, 0, -1, dtype=torch.float64) / 2
    exact = 0.5 * (math.log(2) + torch.special.digamma(halves).numpy())
    # each log has a standard deviation near 1 at most: 0.04 is five standard errors
    np.testing.assert_allclose(found, exact, rtol=0, atol=0.04)


def test_exponents_of_random_triangular_matrices_are_mean_logs_of_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    J = np.triu(rng.normal(size=(6000, 4, 4)), 1)
    diagonal = rng.uniform(0.5, 1.5, (6000, 4)) * np.array([1.0, 4.0, 0.2, 2.0])
    J[:, range(4), range(4)] = diagonal
    exact = np.sort(np.log(diagonal).mean(axis=0))[::-1]
    np.testing.assert_allclose(lyapunov_exponents(J), exact, rtol=0, atol=5e-3)


def test_henon_map_as_published() -> None:
    def steps() -> list[np.ndarray]:
        u, v, jacobians = 0.1, 0.1, []
        for _ in range(30_000):
            jacobians.append(np.array([[-2.8 * u, 0.3], [1.0, 0.0]]))
            u, v = 1 - 1.4 * u * u + v, 0.3 * u
        return jacobians

    found = lyapunov_exponents(steps(), skip=100)
    np.testing.assert_allclose(found, [0.41922, -1.62319], rtol=0, atol=5e-3)
    assert found.sum() == pytest.approx(math.log(0.3), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), seeds)
def test_exponents_of_a_batch_and_their_sum(H: int, B: int, seed: int) -> None:
    J = np.random.default_rng(seed).normal(size=(40, B, H, H))
    together = lyapunov_exponents(J)
    assert together.shape == (B, H) and (np.diff(together, axis=1) <= 0).all()
    for b in range(B):
        np.testing.assert_allclose(together[b], lyapunov_exponents(J[:, b]), rtol=1e-9, atol=1e-12)
        log_det = np.linalg.slogdet(J[:, b])[1].mean()
        assert together[b].sum() == pytest.approx(log_det, rel=1e-8, abs=1e-10)


def test_a_lost_direction_is_minus_infinity() -> None:
    J = np.tile(np.array([[2.0, 0.0], [0.0, 0.0]]), (50, 1, 1))
    found = lyapunov_exponents(J, skip=5)
    assert found[0] == pytest.approx(math.log(2)) and found[1] < -30


def test_mean_field_against_a_large_network() -> None:
    rng, H = np.random.default_rng(0), 1000
    for gain, push in ((0.7, 0.5), (2.0, 0.3)):
        W = gain * rng.normal(size=(H, H)) / math.sqrt(H)
        h, variances, states = np.zeros((1, H)), [], []
        for t in range(80):
            a = h @ W + push * rng.normal(size=(1, H))
            h = np.tanh(a)
            if t >= 40:
                variances.append(a.var())
            states.append(h)
        q, growth = lib.mean_field_growth(gain, push**2)
        assert np.mean(variances) == pytest.approx(q, rel=0.05)
        log_norms = lib.gradient_log_norms(np.stack(states[39:]), W, rng.normal(size=(1, H)))
        rate = (log_norms[-1, 0] - log_norms[0, 0]) / 40
        assert rate == pytest.approx(growth, abs=0.05)


def test_mean_field_limits() -> None:
    assert lib.mean_field_growth(0.5, 0.0)[1] == pytest.approx(math.log(0.5), abs=1e-6)
    assert lib.mean_field_growth(0.0, 1.0)[1] == -np.inf
    q, _ = lib.mean_field_growth(0.0, 2.5)
    assert q == pytest.approx(2.5)


shapes = st.lists(
    st.lists(st.integers(1, 4), min_size=0, max_size=3).map(tuple), min_size=1, max_size=5
)


@settings(max_examples=40, deadline=None)
@given(shapes, seeds, st.floats(1e-3, 1e3), st.sampled_from([np.float32, np.float64]))
def test_clipping_is_pytorchs(
    of_tensors: list[tuple[int, ...]], seed: int, limit: float, dtype: type
) -> None:
    rng = np.random.default_rng(seed)
    grads = [np.asarray(rng.normal(size=s) * 10, dtype=dtype) for s in of_tensors]
    copies = [g.copy() for g in grads]
    tolerance = {np.float32: 1e-4, np.float64: 2e-6 / min(limit, 1)}[dtype]

    def torchs(clip: str, groups: list[list[int]]) -> list[np.ndarray]:
        parameters = [torch.nn.Parameter(torch.zeros(g.shape)).to(torch.float64) for g in grads]
        parameters = [torch.nn.Parameter(p.detach()) for p in parameters]
        for p, g in zip(parameters, grads, strict=True):
            p.grad = torch.tensor(g, dtype=torch.float64)
        for group in groups:
            getattr(torch.nn.utils, clip)([parameters[i] for i in group], limit)
        return [np.asarray(p.grad) for p in parameters]

    every = list(range(len(grads)))
    by_global, norm = lib.clip_by_global_norm(grads, limit)
    assert norm == pytest.approx(
        math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in grads)), rel=1e-5
    )
    pairs = [
        (by_global, torchs("clip_grad_norm_", [every])),
        (lib.clip_by_tensor_norm(grads, limit), torchs("clip_grad_norm_", [[i] for i in every])),
        (lib.clip_by_value(grads, limit), torchs("clip_grad_value_", [every])),
    ]
    for ours, theirs in pairs:
        assert isinstance(ours, list)
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == dtype and a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-12)
    for g, copy in zip(grads, copies, strict=True):
        np.testing.assert_array_equal(g, copy)


def test_clipping_returns_what_it_was_given() -> None:
    net = init_rnn(2, 3, 4, np.random.default_rng(0))
    assert isinstance(lib.clip_by_value(net, 0.1), RNN)
    assert isinstance(lib.clip_by_tensor_norm(tuple(net), 0.1), tuple)
    clipped, norm = lib.clip_by_global_norm(net, 0.1)
    assert isinstance(clipped, RNN) and global_norm(clipped) == pytest.approx(0.1)
    same, _ = lib.clip_by_global_norm(net, norm)
    for a, b in zip(same, net, strict=True):
        np.testing.assert_array_equal(a, b)


def test_norms_neither_overflow_nor_underflow() -> None:
    for size in (1e200, 1e-200):
        assert global_norm([np.array([3 * size]), np.array([[4 * size]])]) == pytest.approx(
            5 * size, rel=1e-14
        )
    huge = np.full(4, 1e30, dtype=np.float32)
    clipped, norm = lib.clip_by_global_norm([huge], 1.0)
    assert norm == pytest.approx(2e30, rel=1e-6)
    np.testing.assert_allclose(clipped[0], 0.5, rtol=1e-6, atol=0)
    zero, norm = lib.clip_by_global_norm([np.zeros(3)], 1.0)
    assert norm == 0 and not zero[0].any()
    assert global_norm([]) == 0 and global_norm([np.zeros((0, 3))]) == 0


def test_angles() -> None:
    e, f = [np.array([1.0]), np.array([0.0, 0])], [np.array([0.0]), np.array([0.0, 2])]
    both = [np.array([1.0]), np.array([0.0, 1])]
    assert angle(e, f) == pytest.approx(math.pi / 2) and angle(e, e) == 0
    assert angle(e, both) == pytest.approx(math.pi / 4)
    assert angle(e, [-t for t in e]) == pytest.approx(math.pi)
    tiny = [np.array([1.0]), np.array([1e-10, 0])]
    assert angle(e, tiny) == pytest.approx(1e-10, rel=1e-6)  # arccos would say 0
    assert angle([t * 1e-200 for t in e], [t * 1e200 for t in both]) == pytest.approx(math.pi / 4)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), seeds, st.floats(0.1, 3))
def test_orthogonal_has_equal_singular_values(m: int, n: int, seed: int, gain: float) -> None:
    Q = orthogonal(m, n, np.random.default_rng(seed), gain)
    assert Q.shape == (m, n)
    sigma = np.linalg.svd(Q, compute_uv=False)
    np.testing.assert_allclose(sigma, gain, rtol=1e-10, atol=0)


def test_orthogonal_is_uniform_on_the_rotations_and_reflections() -> None:
    rng = np.random.default_rng(0)
    drawn = np.stack([orthogonal(3, 3, rng) for _ in range(4000)])
    # Haar: entries have mean 0 and variance 1/3, the trace has mean 0 and variance 1
    np.testing.assert_allclose(drawn.mean(axis=0), 0, rtol=0, atol=0.05)
    np.testing.assert_allclose((drawn**2).mean(axis=0), 1 / 3, rtol=0, atol=0.03)
    trace = np.trace(drawn, axis1=1, axis2=2)
    assert abs(trace.mean()) < 0.08 and abs(trace.var() - 1) < 0.1
    assert abs((np.linalg.det(drawn) > 0).mean() - 0.5) < 0.04


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), sizes, sizes, seeds, st.data())
def test_last_written_is_what_a_scan_finds(
    T: int, V: int, B: int, seed: int, data: st.DataObject
) -> None:
    low = data.draw(st.integers(0, T - 2))
    x, y = lib.last_written(T, V, B, np.random.default_rng(seed), low, 0.4)
    assert x.shape == y.shape == (T, B) and (y[:-1] == MISSING).all()
    assert x.min() >= 0 and x.max() < 2 * V
    for b in range(B):
        held, when = None, None
        for t, symbol in enumerate(x[:, b].tolist()):
            if symbol >= V:
                held, when = symbol - V, t
        assert held == y[-1, b] and when is not None and low <= T - 1 - when <= T - 2
        assert x[0, b] >= V


def test_last_written_delays_are_uniform_and_writes_as_frequent_as_asked() -> None:
    x, _ = lib.last_written(12, 3, 20_000, np.random.default_rng(0), 4, 0.25)
    write = x >= 3
    delay = write[::-1].argmax(axis=0)
    counts = np.bincount(delay, minlength=12)
    assert counts[:4].sum() == 0 and counts[11] == 0
    np.testing.assert_allclose(counts[4:11] / 20_000, 1 / 7, rtol=0, atol=0.015)
    before = [write[1 : 11 - d, delay == d].mean() for d in range(4, 10)]
    np.testing.assert_allclose(before, 0.25, rtol=0, atol=0.03)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lib.step_jacobians(np.zeros((3, 4)), np.eye(4)), r"\(T \+ 1, B, H\)"),
        (lambda: lib.step_jacobians(np.zeros((3, 2, 4)), np.eye(3)), r"W_hh must be \(4, 4\)"),
        (lambda: lib.jacobian_product(np.eye(3)), r"\(T, \.\.\., H, H\); got \(3, 3\)"),
        (lambda: lib.jacobian_product(np.zeros((2, 3, 4))), r"got \(2, 3, 4\)"),
        (
            lambda: lib.gradient_log_norms(np.zeros((3, 2, 4)), np.eye(4), np.zeros(4)),
            r"g must be \(2, 4\)",
        ),
        (lambda: lib.spectral_radius(np.zeros((2, 3))), "square"),
        (lambda: lib.spectral_radius([[np.nan]]), "not finite"),
        (lambda: lib.with_radius([[0.0, 1], [0, 0]], 1.0), "radius of 0.0"),
        (lambda: lib.with_radius(np.eye(2), -1.0), "cannot scale"),
        (lambda: lyapunov_exponents([]), "no step"),
        (lambda: lyapunov_exponents([np.eye(2)], skip=1), "no step"),
        (lambda: lyapunov_exponents([np.eye(2)], n=3), r"\[1, 2\]; got 3"),
        (lambda: lyapunov_exponents([np.eye(2), np.eye(3)]), "step 1"),
        (lambda: lyapunov_exponents([np.full((2, 2), np.inf)]), "step 0"),
        (lambda: lyapunov_exponents([np.zeros((2, 3))]), r"\(\.\.\., H, H\)"),
        (lambda: lib.mean_field_growth(-1.0, 0.0), "0 or more"),
        (lambda: lib.mean_field_growth(1.0, np.nan), "0 or more"),
        (lambda: lib.clip_by_value([np.ones(2)], 0.0), "limit must be positive"),
        (lambda: lib.clip_by_tensor_norm([np.ones(2)], -1.0), "limit must be positive"),
        (lambda: lib.clip_by_global_norm([np.ones(2)], np.inf), "limit must be positive"),
        (lambda: lib.clip_by_global_norm([np.array([np.nan])], 1.0), "skip this step"),
        (lambda: lib.clip_by_value([np.array([np.inf])], 1.0), "skip this step"),
        (lambda: angle([np.zeros(2)], [np.ones(2)]), "length 0"),
        (lambda: angle([np.ones(2)], [np.ones(3)]), "same shapes"),
        (lambda: orthogonal(0, 3, np.random.default_rng(0)), "1 or more"),
        (lambda: lib.last_written(4, 2, 1, np.random.default_rng(0), 3), "min_delay"),
        (lambda: lib.last_written(1, 2, 1, np.random.default_rng(0)), "T = 1"),
        (lambda: lib.last_written(4, 0, 1, np.random.default_rng(0)), "V = 0"),
        (lambda: lib.last_written(4, 2, 1, np.random.default_rng(0), 0, 1.5), "probability"),
    ],
)
def test_bad_input_is_named(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        call()
