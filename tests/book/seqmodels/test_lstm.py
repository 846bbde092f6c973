"""seqmodels.lstm against nn.LSTM and finite differences: random shapes, both float types."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.bptt import relative_error
from seqmodels.hmm import MISSING
from seqmodels.lstm import (
    LSTM,
    LSTMGradient,
    LSTMRun,
    check_lstm,
    init_lstm,
    lstm_backward,
    lstm_forward,
    lstm_from_torch,
    lstm_to_torch,
)

sizes = st.integers(1, 7)
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float32, np.float64])


def random_case(
    T: int, B: int, D: int, H: int, seed: int, dtype: type, symbols: bool
) -> tuple[np.ndarray, LSTM, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x, weights, h0, c0, dh, dc; weights large enough to saturate some gates."""
    rng = np.random.default_rng(seed)
    lstm = LSTM(*(rng.normal(size=w.shape).astype(dtype) for w in init_lstm(D, H, rng)))
    x = rng.integers(MISSING, D, (T, B)) if symbols else rng.normal(size=(T, B, D)).astype(dtype)
    states = (rng.normal(size=(B, H)).astype(dtype) for _ in range(2))
    deltas = (rng.normal(size=(T + 1, B, H)).astype(dtype) for _ in range(2))
    return (x, lstm, *states, *deltas)


def as_vectors(x: np.ndarray, D: int, dtype: type) -> np.ndarray:
    """Return symbols one-hot, with a zero vector for MISSING; vectors as they are."""
    return x if x.ndim == 3 else (x[:, :, None] == np.arange(D)).astype(dtype)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, sizes, seeds, dtypes, st.booleans())
def test_forward_and_backward_are_torchs(
    T: int, B: int, D: int, H: int, seed: int, dtype: type, symbols: bool
) -> None:
    x, lstm, h0, c0, dh, dc = random_case(T, B, D, H, seed, dtype, symbols)
    dc[1:-1] = 0  # nn.LSTM shows its first and last cell alone
    kind = torch.float32 if dtype is np.float32 else torch.float64
    net = torch.nn.LSTM(D, H, dtype=kind)
    with torch.no_grad():
        for p, w in zip(net.parameters(), lstm_to_torch(lstm), strict=True):
            p.copy_(torch.tensor(w))
    xs = torch.tensor(as_vectors(x, D, dtype), requires_grad=True)
    h_0, c_0 = (torch.tensor(s[None], requires_grad=True) for s in (h0, c0))
    h, (_, c_T) = net(xs, (h_0, c_0))
    of_states = (h_0[0] * torch.tensor(dh[0])).sum() + (c_0[0] * torch.tensor(dc[0])).sum()
    loss = (h * torch.tensor(dh[1:])).sum() + (c_T[0] * torch.tensor(dc[-1])).sum() + of_states
    loss.backward()

    run = lstm_forward(x, lstm, h0, c0)
    ours = lstm_backward(x, lstm, run, dh, dc)
    assert all(part.dtype == dtype for part in (*run, *ours.weights, ours.h0, ours.c0))
    rtol = 2e-5 if dtype is np.float32 else 1e-11
    np.testing.assert_allclose(run.h[1:], h.detach().numpy(), rtol=0, atol=rtol)
    np.testing.assert_allclose(run.c[-1], c_T[0].detach().numpy(), rtol=0, atol=10 * rtol)
    theirs = lstm_from_torch(
        net.weight_ih_l0.grad, net.weight_hh_l0.grad, net.bias_ih_l0.grad, 0 * net.bias_hh_l0.grad
    )
    for a, b in zip(ours.weights, theirs, strict=True):
        assert relative_error(a, b) < 10 * rtol
    assert relative_error(ours.h0, h_0.grad[0]) < 10 * rtol
    assert relative_error(ours.c0, c_0.grad[0]) < 10 * rtol
    if symbols:
        assert ours.x is None
    else:
        assert ours.x is not None and ours.x.dtype == dtype
        assert relative_error(ours.x, xs.grad) < 10 * rtol


def differences(value: Callable[[], float], array: np.ndarray) -> np.ndarray:
    """Return d value / d array by central differences, entry by entry, in place."""
    slope = np.empty_like(array)
    for i in np.ndindex(array.shape):
        kept, step = array[i], 1e-5
        array[i] = kept + step
        up = value()
        array[i] = kept - step
        slope[i] = (up - value()) / (2 * step)
        array[i] = kept
    return slope


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 4), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), seeds)
def test_backward_is_the_slope_of_any_loss(T: int, B: int, D: int, H: int, seed: int) -> None:
    x, lstm, h0, c0, dh, dc = random_case(T, B, D, H, seed, np.float64, symbols=False)

    def value() -> float:
        run = lstm_forward(x, lstm, h0, c0)
        return float((np.sin(run.h) * dh).sum() + (np.cos(run.c) * dc).sum())

    run = lstm_forward(x, lstm, h0, c0)
    ours = lstm_backward(x, lstm, run, np.cos(run.h) * dh, -np.sin(run.c) * dc)
    assert ours.x is not None
    pairs = zip((*ours.weights, ours.x, ours.h0, ours.c0), (*lstm, x, h0, c0), strict=True)
    for gradient, array in pairs:
        slope = differences(value, array)
        assert gradient.shape == array.shape
        np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), sizes, sizes, sizes, seeds)
def test_symbols_are_one_hot_rows(T: int, B: int, D: int, H: int, seed: int) -> None:
    x, lstm, h0, c0, dh, dc = random_case(T, B, D, H, seed, np.float64, symbols=True)
    hot = as_vectors(x, D, np.float64)
    runs = lstm_forward(x, lstm, h0, c0), lstm_forward(hot, lstm, h0, c0)
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    a, b = (lstm_backward(y, lstm, r, dh, dc) for y, r in zip((x, hot), runs, strict=True))
    for p, q in zip((*a.weights, a.h0, a.c0), (*b.weights, b.h0, b.c0), strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-9, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(sizes, sizes, seeds)
def test_weights_go_to_torch_and_back(D: int, H: int, seed: int) -> None:
    lstm = init_lstm(D, H, np.random.default_rng(seed), forget_bias=1.0)
    arrays = lstm_to_torch(lstm)
    assert [a.shape for a in arrays] == [(4 * H, D), (4 * H, H), (4 * H,), (4 * H,)]
    assert not arrays[3].any()
    for a, b in zip(lstm_from_torch(*arrays), lstm, strict=True):
        np.testing.assert_array_equal(a, b)
    both = lstm_from_torch(*arrays[:3], np.ones(4 * H))
    np.testing.assert_array_equal(both.b, lstm.b + 1)


def test_a_long_extreme_run_neither_overflows_nor_warns() -> None:
    rng = np.random.default_rng(0)
    lstm = LSTM(*(1e4 * w for w in init_lstm(2, 8, rng)))
    x = 1e4 * rng.normal(size=(50, 2, 2))
    with np.errstate(all="raise", under="ignore"):
        run = lstm_forward(x, lstm)
        gradient = lstm_backward(x, lstm, run, np.ones_like(run.h))
    assert all(np.isfinite(part).all() for part in (*run, *gradient.weights))
    assert (np.abs(run.h) <= 1).all() and np.abs(run.c).max() > 2  # the cell is not bounded by 1


def test_a_gate_by_hand() -> None:
    """One unit, one step: i = f = o = 1/2 and g = tanh(1)."""
    lstm = LSTM(np.array([[0.0, 0.0, 1.0, 0.0]]), np.zeros((1, 4)), np.zeros(4))
    run = lstm_forward(np.ones((1, 1, 1)), lstm, c0=np.array([2.0]))
    np.testing.assert_allclose(run.gates[0, 0], [0.5, 0.5, np.tanh(1), 0.5], rtol=1e-15, atol=0)
    cell = 0.5 * 2 + 0.5 * np.tanh(1)
    np.testing.assert_allclose(run.c[1, 0], [cell], rtol=1e-15, atol=0)
    np.testing.assert_allclose(run.h[1, 0], [0.5 * np.tanh(cell)], rtol=1e-15, atol=0)
    gradient = lstm_backward(np.ones((1, 1, 1)), lstm, run, dc=np.array([[[0.0]], [[1.0]]]))
    np.testing.assert_allclose(gradient.c0, [[0.5]], rtol=1e-15, atol=0)  # the forget gate


def test_nothing_given_nothing_returned() -> None:
    lstm = init_lstm(3, 2, np.random.default_rng(0))
    x = np.zeros((4, 2), dtype=np.int64)
    run = lstm_forward(x, lstm)
    assert not run.h[0].any() and not run.c[0].any()
    gradient = lstm_backward(x, lstm, run)
    assert isinstance(gradient, LSTMGradient)
    assert not any(part.any() for part in (*gradient.weights, gradient.h0, gradient.c0))


def test_arguments_are_not_changed() -> None:
    x, lstm, h0, c0, dh, dc = random_case(5, 3, 2, 4, 0, np.float64, symbols=False)
    run = lstm_forward(x, lstm, h0, c0)
    given = (x, *lstm, h0, c0, dh, dc, *run)
    before = [array.copy() for array in given]
    lstm_backward(x, lstm, run, dh, dc)
    lstm_forward(x, lstm, h0, c0)
    for array, kept in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_forget_bias_is_added_to_the_forget_gate_alone() -> None:
    H = 3
    plain, biased = (init_lstm(2, H, np.random.default_rng(0), f) for f in (0.0, 1.5))
    np.testing.assert_allclose(biased.b - plain.b, np.repeat([0, 1.5, 0, 0], H), rtol=0, atol=1e-15)
    each = init_lstm(2, H, np.random.default_rng(0), np.arange(3.0))
    np.testing.assert_allclose((each.b - plain.b)[H : 2 * H], [0, 1, 2], rtol=0, atol=1e-15)
    assert np.abs(plain.W_x).max() <= 1 / np.sqrt(H)


LSTM_2_3 = init_lstm(2, 3, np.random.default_rng(0))
X = np.zeros((4, 2, 2))
RUN = lstm_forward(X, LSTM_2_3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init_lstm(0, 3, np.random.default_rng(0)), "D and H must be 1 or more"),
        (lambda: init_lstm(2, 3, np.random.default_rng(0), np.ones(2)), "forget_bias"),
        (lambda: init_lstm(2, 3, np.random.default_rng(0), np.nan), "forget_bias"),
        (lambda: check_lstm(LSTM_2_3._replace(b=np.zeros(3))), r"b must be \(12,\)"),
        (lambda: check_lstm(LSTM_2_3._replace(W_h=np.zeros((12, 3)))), "lstm_from_torch"),
        (lambda: check_lstm(LSTM_2_3._replace(W_x=np.full((2, 12), np.nan))), "not finite"),
        (lambda: check_lstm(LSTM_2_3._replace(b=np.array(["a"] * 12))), "real numbers"),
        (lambda: check_lstm(LSTM_2_3._replace(W_x=np.zeros(12))), "W_x must be"),
        (lambda: lstm_forward(np.zeros((4, 2, 5)), LSTM_2_3), r"\(T, B, 2\) floats"),
        (lambda: lstm_forward(np.full((4, 2), 2), LSTM_2_3), "no symbol"),
        (lambda: lstm_forward(X, LSTM_2_3, h0=np.zeros((3, 3))), "h0 must be"),
        (lambda: lstm_forward(X, LSTM_2_3, c0=np.full(3, np.inf)), "c0 holds an entry"),
        (lambda: lstm_forward(X, LSTM_2_3, c0=[[1, 2, 3], [1, 2]]), "c0 must be"),
        (lambda: lstm_backward(X, LSTM_2_3, RUN._replace(h=RUN.h * np.nan)), "run holds an"),
        (lambda: lstm_backward(X, LSTM_2_3, RUN, np.zeros((4, 2, 3))), "dh must be"),
        (lambda: lstm_backward(X, LSTM_2_3, RUN, dc=np.zeros((5, 2, 2))), "dc must be"),
        (lambda: lstm_backward(X[:3], LSTM_2_3, RUN), "run must hold"),
        (lambda: lstm_backward(X, LSTM_2_3._replace(b=LSTM_2_3.b + 1), RUN), "stale"),
        (lambda: lstm_from_torch(*[np.zeros(3)] * 4), "W_hh must be"),
        (lambda: lstm_from_torch(np.zeros((8, 3)), np.zeros((8, 1)), *[np.zeros(8)] * 2), "proj"),
        (
            lambda: lstm_from_torch(np.zeros((8, 3)), np.zeros((8, 2)), np.zeros(8), np.zeros(2)),
            "W_ih, b_ih, b_hh must be",
        ),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_stale_run_is_found_in_each_part() -> None:
    lstm = init_lstm(2, 3, np.random.default_rng(1))
    x = np.random.default_rng(2).normal(size=(6, 2, 2))
    run = lstm_forward(x, lstm)
    for part in LSTMRun._fields:
        other = getattr(run, part).copy()
        other[-1] += 0.01
        with pytest.raises(ValueError, match="stale"):
            lstm_backward(x, lstm, run._replace(**{part: other}))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), sizes, seeds, dtypes, st.sampled_from([0.1, 1.0, 5.0]))
def test_no_true_run_is_called_stale(T: int, H: int, seed: int, dtype: type, scale: float) -> None:
    rng = np.random.default_rng(seed)
    lstm = LSTM(*((scale * w).astype(dtype) for w in init_lstm(3, H, rng, forget_bias=9.0)))
    x = (scale * rng.normal(size=(T, 4, 3))).astype(dtype)
    lstm_backward(x, lstm, lstm_forward(x, lstm))


def test_a_run_in_float32_serves_its_weights_in_float64() -> None:
    rng = np.random.default_rng(3)
    single = LSTM(*(w.astype(np.float32) for w in init_lstm(2, 3, rng)))
    double = LSTM(*(w.astype(np.float64) for w in single))
    x, dh = rng.normal(size=(6, 2, 2)).astype(np.float32), rng.normal(size=(7, 2, 3))
    mixed = lstm_backward(x, double, lstm_forward(x, single), dh).weights
    true = lstm_backward(x, double, lstm_forward(x, double), dh).weights
    for ours, theirs in zip(mixed, true, strict=True):
        assert ours.dtype == np.float64
        assert relative_error(ours, theirs) < 1e-5
