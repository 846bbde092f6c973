"""seqmodels.gru against nn.GRU, finite differences and a loop; what it says to bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.bptt import relative_error
from seqmodels.gru import (
    GRU,
    GRURun,
    check_gru,
    gru_backward,
    gru_forward,
    gru_from_torch,
    gru_to_torch,
    init_gru,
)
from seqmodels.rnn import MISSING

sizes = st.integers(1, 7)
seeds = st.integers(0, 2**32 - 1)
DTYPES = {"float32": 2e-5, "float64": 1e-11}


def random_gru(D: int, H: int, seed: int, dtype: str, scale: float = 1.0) -> GRU:
    rng = np.random.default_rng(seed)
    return GRU(*((scale * rng.normal(size=w.shape)).astype(dtype) for w in init_gru(D, H, rng)))


def as_module(gru: GRU) -> torch.nn.GRU:
    W_ih, W_hh, b_ih, b_hh = (torch.tensor(w) for w in gru_to_torch(gru))
    D, H = len(gru.W_x), len(gru.W_h)
    module = torch.nn.GRU(D, H).to(W_ih.dtype)
    with torch.no_grad():
        for name, w in (("ih", W_ih), ("hh", W_hh)):
            getattr(module, f"weight_{name}_l0").copy_(w)
        for name, b in (("ih", b_ih), ("hh", b_hh)):
            getattr(module, f"bias_{name}_l0").copy_(b)
    return module


def one_hot(x: np.ndarray, D: int, dtype: str) -> np.ndarray:
    return (x[:, :, None] == np.arange(D)).astype(dtype)


def assert_close(ours: np.ndarray, theirs: np.ndarray, tolerance: float, name: str) -> None:
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, name
    small = np.linalg.norm(ours - theirs) < tolerance * 1e-1  # nearly 0 by chance
    assert small or relative_error(ours, theirs) < tolerance, name


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, sizes, seeds, st.booleans(), st.booleans())
def test_forward_and_gradient_equal_nn_gru(
    dtype: str, T: int, B: int, D: int, H: int, seed: int, symbols: bool, given_h0: bool
) -> None:
    rng = np.random.default_rng(seed)
    gru = random_gru(D, H, seed, dtype)
    if symbols:
        x = rng.integers(MISSING, D, (T, B))
        dense = one_hot(x, D, dtype)
    else:
        x = dense = rng.normal(size=(T, B, D)).astype(dtype)
    h0 = rng.normal(size=(B, H)).astype(dtype) if given_h0 else None
    dh = rng.normal(size=(T + 1, B, H)).astype(dtype)

    run = gru_forward(x, gru, h0)
    ours = gru_backward(x, gru, run, dh)

    module = as_module(gru)
    inputs = torch.tensor(dense, requires_grad=True)
    first = torch.tensor(np.zeros((B, H), dtype) if h0 is None else h0, requires_grad=True)
    h, _ = module(inputs, first[None])
    states = torch.cat([first[None], h])
    (states * torch.tensor(dh)).sum().backward()

    tolerance = DTYPES[dtype]
    assert_close(run.h, states.detach().numpy(), tolerance, "h")
    theirs = gru_from_torch(
        *(getattr(module, f"{part}_l0").grad.numpy()
          for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    )  # fmt: skip
    for name, a, b in zip(GRU._fields, ours.weights, theirs, strict=True):
        assert_close(a, b, tolerance, name)
    assert first.grad is not None and inputs.grad is not None
    assert_close(ours.h0, first.grad.numpy(), tolerance, "h0")
    if symbols:
        assert ours.x is None
    else:
        assert ours.x is not None
        assert_close(ours.x, inputs.grad.numpy(), tolerance, "x")


@pytest.mark.parametrize("seed", range(5))
def test_gradient_equals_finite_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    T, B, D, H = rng.permutation([2, 3, 4, 5])
    gru = random_gru(D, H, seed, "float64")
    x, h0 = rng.normal(size=(T, B, D)), rng.normal(size=(B, H))
    weight = rng.normal(size=(T + 1, B, H))

    def loss(gru: GRU, x: np.ndarray, h0: np.ndarray) -> float:
        return float((weight * gru_forward(x, gru, h0).h ** 2).sum())

    run = gru_forward(x, gru, h0)
    ours = gru_backward(x, gru, run, 2 * weight * run.h)
    assert ours.x is not None
    arrays = [*gru, x, h0]
    for i, mine in enumerate([*ours.weights, ours.x, ours.h0]):
        numeric = np.empty_like(arrays[i])
        for place in np.ndindex(numeric.shape):
            values = []
            for sign in (1, -1):
                moved = [w.copy() for w in arrays]
                moved[i][place] += sign * 1e-5
                values.append(loss(GRU(*moved[:4]), *moved[4:]))
            numeric[place] = (values[0] - values[1]) / 2e-5
        assert relative_error(mine, numeric) < 1e-7, i


def test_one_step_by_hand() -> None:
    # logistic(log 3) = 3/4, logistic(-log 3) = 1/4; tanh(log 2) = 3/5
    log = np.log
    gru = GRU(
        np.zeros((1, 3)), np.array([[0.0, 0.0, 4 * log(2)]]),
        np.array([-log(3), log(3), 0.0]), np.array([0.0, 0.0, 2 * log(2)]),
    )  # fmt: skip
    run = gru_forward(np.zeros((1, 1, 1)), gru, np.array([0.5]))
    # r = 1/4, z = 3/4, m = 4 log 2 / 2 + 2 log 2 = 4 log 2, n = tanh(log 2) = .6
    assert np.allclose(run.gates[0, 0], [0.25, 0.75, 0.6], rtol=1e-12, atol=0)
    assert np.allclose(run.m[0, 0], [4 * log(2)], rtol=1e-12, atol=0)
    assert np.allclose(run.h[1, 0], [0.75 * 0.5 + 0.25 * 0.6], rtol=1e-12, atol=0)


def test_the_last_steps_do_not_move_the_first() -> None:
    rng = np.random.default_rng(0)
    gru = init_gru(3, 4, rng)
    x = rng.normal(size=(6, 2, 3))
    whole, part = gru_forward(x, gru), gru_forward(x[:4], gru)
    assert np.array_equal(whole.h[:5], part.h)


def test_a_run_can_be_cut_in_two() -> None:
    rng = np.random.default_rng(1)
    gru, x = init_gru(3, 4, rng), rng.integers(0, 3, (7, 5))
    whole = gru_forward(x, gru)
    second = gru_forward(x[3:], gru, whole.h[3])
    assert np.allclose(whole.h[3:], second.h, rtol=1e-13, atol=1e-15)


def test_no_steps_and_no_state() -> None:
    gru = init_gru(3, 4, np.random.default_rng(0))
    x = np.empty((0, 2), int)
    run = gru_forward(x, gru)
    assert run.h.shape == (1, 2, 4) and not run.h.any()
    dh = np.ones((1, 2, 4))
    gradient = gru_backward(x, gru, run, dh)
    assert np.array_equal(gradient.h0, dh[0]) and not any(w.any() for w in gradient.weights)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-6, 30.0, 1e4])
def test_large_and_small_weights_neither_overflow_nor_look_stale(dtype: str, scale: float) -> None:
    gru = random_gru(5, 40, 0, dtype, scale)
    x = np.random.default_rng(0).normal(size=(20, 3, 5)).astype(dtype)
    run = gru_forward(x, gru)
    assert np.isfinite(run.h).all() and np.abs(run.h).max() <= 1
    assert np.isfinite(gru_backward(x, gru, run, np.ones_like(run.h)).h0).all()


def test_arguments_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    gru, x, h0 = init_gru(3, 4, rng), rng.normal(size=(5, 2, 3)), rng.normal(size=(2, 4))
    run = gru_forward(x, gru, h0)
    dh = rng.normal(size=run.h.shape)
    everything = [*gru, x, h0, *run, dh]
    before = [w.copy() for w in everything]
    gru_backward(x, gru, run, dh)
    assert all(np.array_equal(a, b) for a, b in zip(everything, before, strict=True))


def test_round_trip_through_torch() -> None:
    gru = init_gru(3, 4, np.random.default_rng(0))
    arrays = gru_to_torch(gru)
    assert [w.shape for w in arrays] == [(12, 3), (12, 4), (12,), (12,)]
    assert all(np.array_equal(a, b) for a, b in zip(gru_from_torch(*arrays), gru, strict=True))


def test_integers_become_float64_and_types_mix_upwards() -> None:
    gru = GRU(np.ones((2, 3), int), np.ones((1, 3), int), np.zeros(3, int), np.zeros(3, int))
    assert all(w.dtype == np.float64 for w in check_gru(gru))
    mixed = gru._replace(W_x=np.ones((2, 3), np.float32), W_h=np.ones((1, 3)))
    assert gru_forward(np.zeros((1, 1), int), mixed).h.dtype == np.float64


GOOD = init_gru(3, 2, np.random.default_rng(0))
X = np.zeros((4, 5), int)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W_h": np.zeros((2, 8))}, r"W_h must be \(2, 6\) with D = 3"),
        ({"W_x": np.zeros((6, 3))}, r"W_x must be \(6, 6\) .* gru_from_torch"),
        ({"W_x": np.zeros(3)}, r"W_x must be \(D, 3H\)"),
        ({"b_x": np.zeros(2)}, r"b_x must be \(6,\)"),
        ({"b_h": np.full(6, np.nan)}, "b_h holds an entry that is not finite"),
        ({"W_h": np.zeros((2, 6), complex)}, "W_h must hold real numbers"),
    ],
)
def test_bad_weights_are_named(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gru_forward(X, GOOD._replace(**change))


def test_bad_inputs_states_and_deltas_are_named() -> None:
    with pytest.raises(ValueError, match=r"x\[0, 1\] = 3 is no symbol"):
        gru_forward(np.array([[0, 3]]), GOOD)
    with pytest.raises(ValueError, match=r"h0 must be \(2,\) or \(5, 2\)"):
        gru_forward(X, GOOD, np.zeros((2, 5)))
    with pytest.raises(ValueError, match="h0 holds an entry"):
        gru_forward(X, GOOD, np.array([np.inf, 0]))
    run = gru_forward(X, GOOD)
    with pytest.raises(ValueError, match=r"dh must be \(5, 5, 2\)"):
        gru_backward(X, GOOD, run, np.zeros((4, 5, 2)))
    with pytest.raises(ValueError, match="D and H must be 1 or more"):
        init_gru(0, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"W_hh must be \(3H, H\)"):
        gru_from_torch(np.zeros((8, 3)), np.zeros((8, 2)), np.zeros(8), np.zeros(8))
    with pytest.raises(ValueError, match=r"W_ih must be \(6, D\)"):
        gru_from_torch(np.zeros((5, 3)), np.zeros((6, 2)), np.zeros(6), np.zeros(6))


def test_a_stale_run_is_refused() -> None:
    run = gru_forward(X, GOOD)
    dh = np.zeros_like(run.h)
    for name in GRU._fields:
        moved = GOOD._replace(**{name: getattr(GOOD, name) + 1e-3})
        with pytest.raises(ValueError, match="run is stale"):
            gru_backward(X, moved, run, dh)
    with pytest.raises(ValueError, match="run must hold h, gates, m"):
        gru_backward(X, GOOD, GRURun(run.h[1:], run.gates, run.m), dh)
