"""seqmodels.rnn against PyTorch, a loop over scalars and enumeration; what it says to bad input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import rnn as lib
from seqmodels.rnn import MISSING, RNN, forward, init_rnn, mean_loss, sample, token_loss

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def scalar_forward(x: list[list[float]], net: RNN) -> tuple[list[list[float]], list[list[float]]]:
    """Return the states and scores of one sequence with nothing but floats and math."""
    D, H, V = len(net.W_xh), len(net.h0), len(net.b_y)
    h = [float(v) for v in net.h0]
    states = [h]
    for x_t in x:
        h = [
            math.tanh(
                sum(x_t[d] * net.W_xh[d, j] for d in range(D))
                + sum(h[i] * net.W_hh[i, j] for i in range(H))
                + net.b_h[j]
            )
            for j in range(H)
        ]
        states.append(h)
    scores = [
        [sum(h[i] * net.W_hy[i, v] for i in range(H)) + float(net.b_y[v]) for v in range(V)]
        for h in states
    ]
    return states, scores


def random_net(D: int, H: int, V: int, seed: int, scale: float = 1.0) -> RNN:
    rng = np.random.default_rng(seed)
    return RNN(*(scale * rng.normal(size=w.shape) for w in init_rnn(D, H, V, rng)))


def torch_logits(net: RNN, x: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Return scores (T + 1, B, V) from nn.RNN and a matrix product."""
    D, H = net.W_xh.shape
    reference = torch.nn.RNN(D, H, dtype=dtype)
    with torch.no_grad():
        reference.weight_ih_l0.copy_(torch.tensor(net.W_xh.T))
        reference.weight_hh_l0.copy_(torch.tensor(net.W_hh.T))
        reference.bias_ih_l0.copy_(torch.tensor(net.b_h))
        reference.bias_hh_l0.zero_()
        h0 = torch.tensor(net.h0, dtype=dtype).expand(1, x.shape[1], -1).contiguous()
        h, _ = reference(torch.tensor(x, dtype=dtype), h0)
        W_hy, b_y = (torch.tensor(w, dtype=dtype) for w in (net.W_hy, net.b_y))
        return (torch.cat([h0, h]) @ W_hy + b_y).numpy()


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, sizes, sizes, sizes, seeds)
def test_forward_is_nn_rnn(T: int, B: int, D: int, H: int, V: int, seed: int) -> None:
    net = random_net(D, H, V, seed)
    x = np.random.default_rng(seed).normal(size=(T, B, D))
    run = forward(x, net)
    assert run.h.shape == (T + 1, B, H) and run.logits.shape == (T + 1, B, V)
    theirs = torch_logits(net, x, torch.float64)
    np.testing.assert_allclose(run.logits, theirs, rtol=0, atol=1e-12)
    small = RNN(*(w.astype(np.float32) for w in net))
    in_32 = forward(x.astype(np.float32), small)
    assert in_32.h.dtype == in_32.logits.dtype == np.float32
    # float32 against the float64 truth: each step may double what rounding did before
    np.testing.assert_allclose(in_32.h, run.h, rtol=0, atol=1e-2)


def test_float32_agrees_with_nn_rnn_to_1e_6() -> None:
    net = RNN(*(w.astype(np.float32) for w in init_rnn(6, 24, 9, np.random.default_rng(0))))
    x = np.random.default_rng(1).normal(size=(50, 4, 6)).astype(np.float32)
    theirs = torch_logits(net, x, torch.float32)
    np.testing.assert_allclose(forward(x, net).logits, theirs, rtol=0, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4), sizes, sizes, sizes, seeds)
def test_forward_is_the_formula_entry_by_entry(T: int, D: int, H: int, V: int, seed: int) -> None:
    net = random_net(D, H, V, seed)
    x = np.random.default_rng(seed).normal(size=(T, 1, D))
    states, scores = scalar_forward(x[:, 0].tolist(), net)
    run = forward(x, net)
    np.testing.assert_allclose(run.h[:, 0], states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.logits[:, 0], scores, rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(sizes, sizes, sizes, sizes, seeds)
def test_a_symbol_is_its_one_hot_row_and_a_missing_one_is_nothing(
    T: int, B: int, D: int, H: int, seed: int
) -> None:
    net = random_net(D, H, 3, seed)
    x = np.random.default_rng(seed).integers(-1, D, (T, B))
    one_hot = np.zeros((T, B, D))
    for t, b in itertools.product(range(T), range(B)):
        if x[t, b] != MISSING:
            one_hot[t, b, x[t, b]] = 1
    kept = x.copy()
    by_symbol = forward(x, net)
    np.testing.assert_allclose(by_symbol.h, forward(one_hot, net).h, rtol=0, atol=1e-13)
    assert np.array_equal(x, kept)
    assert np.array_equal(forward(x.astype(np.int8), net).h, by_symbol.h)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8), sizes, sizes, seeds, st.data())
def test_the_state_is_all_that_is_known_of_the_past(
    T: int, B: int, H: int, seed: int, data: st.DataObject
) -> None:
    net = random_net(4, H, 4, seed)
    x = np.random.default_rng(seed).integers(0, 4, (T, B))
    cut = data.draw(st.integers(0, T))
    whole = forward(x, net)
    rest = forward(x[cut:], net, h0=whole.h[cut])
    np.testing.assert_allclose(rest.logits, whole.logits[cut:], rtol=0, atol=1e-12)
    other = net._replace(h0=np.ones(H))
    assert np.array_equal(forward(x, net, h0=np.ones(H)).h, forward(x, other).h)


def test_sequences_of_a_batch_do_not_meet() -> None:
    net = random_net(5, 7, 5, 0)
    x = np.random.default_rng(0).integers(0, 5, (9, 4))
    for b in range(4):
        alone = forward(x[:, b : b + 1], net).logits[:, 0]
        np.testing.assert_allclose(forward(x, net).logits[:, b], alone, rtol=0, atol=1e-13)


def test_init_is_where_pytorch_starts() -> None:
    net = init_rnn(30, 100, 50, np.random.default_rng(0))
    assert [w.shape for w in net] == [(30, 100), (100, 100), (100,), (100, 50), (50,), (100,)]
    assert not net.h0.any()
    for weight in net[:5]:
        assert 0.08 < np.abs(weight).max() <= 0.1
    # uniform in +-0.1: the mean of squares is 0.01 / 3, here within 5 standard errors
    assert abs((net.W_hh**2).mean() - 0.01 / 3) < 5 * 0.003 / 100
    again = init_rnn(30, 100, 50, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(net, again, strict=True))


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, sizes, seeds, st.sampled_from([1e-3, 1.0, 1e3]))
def test_loss_is_pytorchs_cross_entropy(T: int, B: int, V: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits, y = scale * rng.normal(size=(T, B, V)), rng.integers(-1, V, (T, B))
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(logits).flatten(0, 1),
        torch.tensor(y).flatten(),
        ignore_index=MISSING,
        reduction="none",
    )
    ours = token_loss(logits, y)
    np.testing.assert_allclose(ours.ravel(), theirs.numpy(), rtol=1e-12, atol=1e-12)
    assert (ours[y == MISSING] == 0).all()
    if (y != MISSING).any():
        mean = theirs.sum().item() / (y != MISSING).sum()
        assert math.isclose(mean_loss(logits, y), mean, rel_tol=1e-12, abs_tol=1e-12)


def test_a_language_model_is_a_distribution_over_sequences() -> None:
    net = random_net(3, 4, 3, 0)
    every = np.array(list(itertools.product(range(3), repeat=4))).T  # (4, 81)
    log_p = -token_loss(forward(every, net).logits[:-1], every).sum(axis=0)
    assert math.isclose(np.exp(log_p).sum(), 1, rel_tol=1e-12)


def test_samples_come_as_often_as_their_probability_says() -> None:
    net = random_net(3, 4, 3, 1)
    every = np.array(list(itertools.product(range(3), repeat=3))).T  # (3, 27)
    p = np.exp(-token_loss(forward(every, net).logits[:-1], every).sum(axis=0))
    n = 40_000
    drawn = sample(3, n, net, np.random.default_rng(0))
    seen = np.bincount(drawn[0] * 9 + drawn[1] * 3 + drawn[2], minlength=27)
    chi_square = ((seen - n * p) ** 2 / (n * p)).sum()
    assert chi_square < 65  # 26 degrees of freedom: 99.997 % lie below
    assert np.array_equal(sample(3, 5, net, np.random.default_rng(3)),
                          sample(3, 5, net, np.random.default_rng(3)))  # fmt: skip


def test_a_prompt_is_read_and_temperature_0_takes_the_best() -> None:
    net = random_net(5, 6, 5, 2)
    prompt = np.random.default_rng(0).integers(0, 5, (4, 3))
    written = sample(6, 3, net, np.random.default_rng(0), prompt, temperature=0)
    x = prompt
    for t in range(6):
        best = forward(x, net).logits[-1].argmax(axis=1)
        assert np.array_equal(written[t], best)
        x = np.concatenate([x, best[None]])
    cold = sample(6, 3, net, np.random.default_rng(0), prompt, temperature=1e-3)
    assert np.array_equal(cold, written)


def test_temperature_divides_the_scores() -> None:
    net = random_net(3, 4, 3, 3)
    hot = net._replace(W_hy=net.W_hy / 2, b_y=net.b_y / 2)
    one = sample(8, 20, net, np.random.default_rng(0), temperature=2.0)
    assert np.array_equal(one, sample(8, 20, hot, np.random.default_rng(0)))


GOOD = init_rnn(4, 3, 4, np.random.default_rng(0))
X = np.zeros((5, 2), dtype=np.int64)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: init_rnn(4, 0, 4, np.random.default_rng(0)), "1 or more"),
        (lambda: forward(X, GOOD._replace(W_hh=np.ones((3, 4)))), r"W_hh must be \(3, 3\)"),
        (lambda: forward(X, GOOD._replace(h0=np.ones((1, 3)))), r"h0 must be \(3,\)"),
        (lambda: forward(X, GOOD._replace(W_hy=np.ones((4, 4)))), r"W_hy must be \(3, 4\)"),
        (lambda: forward(X, GOOD._replace(b_h=np.full(3, np.nan))), "b_h holds an entry"),
        (lambda: forward(X, GOOD._replace(W_xh=np.ones(3))), r"W_xh must be \(D, H\)"),
        (lambda: forward(X + 4, GOOD), r"x\[0, 0\] = 4 is no symbol; expected 0 to 3"),
        (lambda: forward(X - 2, GOOD), r"x\[0, 0\] = -2 is no symbol"),
        (lambda: forward(X[:, 0], GOOD), r"write x\[:, None\]"),
        (lambda: forward(X.astype(float), GOOD), r"\(T, B\) integers below 4"),
        (lambda: forward(np.zeros((5, 2, 3)), GOOD), r"\(T, B, 4\) floats"),
        (lambda: forward(np.full((5, 2, 4), np.inf), GOOD), "not finite"),
        (lambda: forward(X, GOOD, h0=np.zeros((3, 3))), r"h0 must be \(3,\) or \(2, 3\)"),
        (lambda: token_loss(np.zeros((5, 2, 4)), X[:4]), r"y \(T, B\)"),
        (lambda: token_loss(np.zeros((5, 2, 4)), X + 4), r"y\[0, 0\] = 4 is no class"),
        (lambda: token_loss(np.zeros((5, 2, 4)), X * 1.0), "must hold integers"),
        (lambda: mean_loss(np.zeros((5, 2, 4)), X - 1), "every target is MISSING"),
        (lambda: sample(3, 2, init_rnn(4, 3, 5, np.random.default_rng(0)),
                        np.random.default_rng(0)), "D must equal V"),
        (lambda: sample(3, 4, GOOD, np.random.default_rng(0), X), r"prompt must be \(T0, 4\)"),
        (lambda: sample(3, 2, GOOD, np.random.default_rng(0), temperature=-1), "temperature"),
        (lambda: sample(3, 2, GOOD, np.random.default_rng(0), temperature=np.nan), "temperature"),
        (lambda: sample(-1, 2, GOOD, np.random.default_rng(0)), "T must be 0 or more"),
        (lambda: sample(3, 0, GOOD, np.random.default_rng(0)), "B 1 or more"),
        (lambda: sample(3, 2, GOOD, np.random.default_rng(0), X[:, 0]), r"must be \(T0, 2\)"),
        (lambda: forward(X, GOOD, h0=np.full(3, np.nan)), "h0 holds an entry"),
        (lambda: forward(X, GOOD, h0=np.zeros(3) * 1j), "real numbers; got .* complex"),
        (lambda: forward([[0, 1], [2]], GOOD), "pad short sequences with MISSING"),
        (lambda: forward(X, GOOD._replace(W_hh=np.ones((3, 3)) * 1j)), "W_hh must hold real"),
        (lambda: forward(X, GOOD._replace(b_h=np.array(["a", "b", "c"]))), "b_h must hold real"),
        (lambda: forward(X, GOOD._replace(W_hy=np.ones((3, 0)), b_y=np.ones(0))), "1 or more"),
        (lambda: forward(X * 1j, GOOD), r"\(T, B\) integers below 4"),
        (lambda: forward(X == 0, GOOD), r"\(T, B\) integers below 4"),
        (lambda: forward(np.zeros((5, 2, 4), dtype=int), GOOD), r"\(T, B, 4\) floats"),
        (lambda: token_loss(np.full((5, 2, 4), np.nan), X), r"logits\[0, 0\] = \[nan"),
        (lambda: token_loss(np.full((5, 2, 4), -np.inf), X), "all -inf"),
        (lambda: token_loss(np.zeros((5, 2, 0)), X), r"logits must be \(T, B, V\)"),
        (lambda: token_loss(np.zeros((5, 2, 4)) * 1j, X), "logits must hold real numbers"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        call()


def test_integer_weights_become_float64() -> None:
    net = lib.check_rnn(RNN(*(np.ones(w.shape, dtype=int) for w in GOOD)))
    assert all(weight.dtype == np.float64 for weight in net)


def test_unsigned_scores_do_not_wrap_around() -> None:
    logits = np.array([[[3, 0, 200]]], dtype=np.uint8)
    y = np.array([[1]], dtype=np.uint64)
    assert np.array_equal(token_loss(logits, y), token_loss(logits.astype(float), y))
    assert np.array_equal(lib.log_softmax(logits), lib.log_softmax(logits.astype(float)))


def test_a_forbidden_class_costs_infinitely_much_and_the_others_share() -> None:
    logits = np.array([[[0.0, -np.inf, 0.0]]])
    np.testing.assert_allclose(token_loss(logits, [[0]]), np.log(2), rtol=1e-15, atol=0)
    assert np.isposinf(token_loss(logits, [[1]]))


@pytest.mark.parametrize("temperature", [1e-12, 1e-300, 5e-324])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_coldest_temperature_is_still_a_distribution(temperature: float, dtype: type) -> None:
    net = RNN(*(w.astype(dtype) for w in random_net(5, 6, 5, 2)))
    cold = sample(20, 9, net, np.random.default_rng(0), temperature=temperature)
    assert np.array_equal(cold, sample(20, 9, net, np.random.default_rng(0), temperature=0))


def test_nothing_read_and_nothing_written() -> None:
    run = forward(np.empty((0, 3), dtype=int), GOOD)
    assert run.h.shape == (1, 3, 3) and run.logits.shape == (1, 3, 4)
    assert forward(np.empty((5, 0), dtype=int), GOOD).h.shape == (6, 0, 3)
    assert token_loss(np.empty((0, 2, 4)), X[:0]).shape == (0, 2)
    assert sample(0, 2, GOOD, np.random.default_rng(0)).shape == (0, 2)
    for y in (X[:0], X - 1):
        with pytest.raises(ValueError, match="every target is MISSING"):
            mean_loss(np.zeros((len(y), 2, 4)), y)
