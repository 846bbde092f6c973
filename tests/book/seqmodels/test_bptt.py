"""seqmodels.bptt against autograd, finite differences and loops; what it says to bad input."""

from __future__ import annotations

import ast
import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import bptt as lib
from seqmodels.bptt import (
    Gradient,
    backward,
    checkpointed_gradient,
    cross_entropy,
    loss_and_gradient,
    numerical_gradient,
    relative_error,
    windows,
)
from seqmodels.rnn import MISSING, RNN, Run, forward, init_rnn, mean_loss

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def random_net(D: int, H: int, V: int, seed: int, scale: float = 1.0) -> RNN:
    rng = np.random.default_rng(seed)
    return RNN(*(scale * rng.normal(size=w.shape) for w in init_rnn(D, H, V, rng)))


def random_target(rng: np.random.Generator, T: int, B: int, V: int) -> np.ndarray:
    """Return targets (T + 1, B), a third of them MISSING, at least one there."""
    target = rng.integers(0, V, (T + 1, B))
    target[rng.random(target.shape) < 0.3] = MISSING
    target[rng.integers(T + 1), rng.integers(B)] = rng.integers(V)
    return target


def torch_gradient(
    x: np.ndarray, net: RNN, loss, h0: np.ndarray | None = None
) -> tuple[RNN, np.ndarray]:
    """Return autograd's gradient of loss(h, logits) by the weights and by each first state."""
    w = RNN(*(torch.tensor(z, requires_grad=True) for z in net))
    B = x.shape[1]
    first = w.h0.expand(B, -1) if h0 is None else torch.tensor(h0).expand(B, -1)
    first = first.clone()
    if h0 is not None:
        first.requires_grad_()
    first.retain_grad()
    h, states = first, [first]
    for x_t in x:
        if x.ndim == 3:
            read = torch.tensor(x_t, dtype=w.W_xh.dtype) @ w.W_xh
        else:
            one_hot = torch.zeros(B, len(w.W_xh), dtype=w.W_xh.dtype)
            for b, v in enumerate(x_t.tolist()):
                if v != MISSING:
                    one_hot[b, v] = 1
            read = one_hot @ w.W_xh
        h = torch.tanh(read + h @ w.W_hh + w.b_h)
        states.append(h)
    h = torch.stack(states)
    loss(h, h @ w.W_hy + w.b_y).backward()
    grads = [torch.zeros_like(z) if z.grad is None else z.grad for z in w]
    d_first = torch.zeros_like(first) if first.grad is None else first.grad
    return RNN(*(g.numpy() for g in grads)), d_first.numpy()


def assert_same(ours: RNN, theirs: RNN, tolerance: float) -> None:
    for name, a, b in zip(RNN._fields, ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        # where the true gradient is tiny beside the others, rounding is all one would compare
        small = np.linalg.norm(a - b) < tolerance * 1e-3
        assert small or relative_error(a, b) < tolerance, name


def log_loss(target: np.ndarray, m: np.ndarray):
    """Return the weighted cross-entropy as a function of torch scores."""

    def loss(_: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        log_p = torch.log_softmax(logits, dim=-1)
        picked = log_p.gather(2, torch.tensor(target % logits.shape[2])[:, :, None])[:, :, 0]
        there = torch.tensor((target != MISSING) * m, dtype=logits.dtype)
        return -(there * picked).sum()

    return loss


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), sizes, sizes, sizes, sizes, seeds, st.booleans())
def test_gradient_is_autograds_for_symbols_and_vectors(
    T: int, B: int, D: int, H: int, V: int, seed: int, symbols: bool
) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(D, H, V, seed, scale=0.8)
    x = rng.integers(-1, D, (T, B)) if symbols else rng.normal(size=(T, B, D))
    target = random_target(rng, T, B, V)
    n = (target != MISSING).sum()
    for weight, m in (
        ("sum", np.ones(target.shape)),
        ("mean", np.full(target.shape, 1 / n)),
        (numbers := rng.random(target.shape), numbers),
    ):
        loss, gradient, last = loss_and_gradient(x, target, net, weight=weight)
        theirs, by_first = torch_gradient(x, net, log_loss(target, m))
        assert_same(gradient.weights, theirs, 1e-9)
        np.testing.assert_allclose(gradient.h0, by_first, rtol=1e-9, atol=1e-12)
        assert np.array_equal(last, forward(x, net).h[-1])
        by_token = lib.token_loss(forward(x, net).logits, target)
        assert math.isclose(loss, (m * by_token).sum(), rel_tol=1e-12, abs_tol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), sizes, sizes, sizes, sizes, seeds)
def test_gradient_is_the_finite_difference(
    T: int, B: int, D: int, H: int, V: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(D, H, V, seed, scale=0.7)
    x, target = rng.integers(0, D, (T, B)), random_target(rng, T, B, V)
    ours = loss_and_gradient(x, target, net)[1].weights
    # differences written here, of a loss written here: no shared line but the forward pass
    step = 1e-5
    for name, slope in zip(RNN._fields, ours, strict=True):
        for i in np.ndindex(slope.shape):
            ends = []
            for sign in (1, -1):
                moved = RNN(*(w.copy() for w in net))
                getattr(moved, name)[i] += sign * step
                ends.append(mean_loss(forward(x, moved).logits, target))
            assert math.isclose(
                (ends[0] - ends[1]) / (2 * step), slope[i], rel_tol=1e-5, abs_tol=1e-8
            )


@pytest.mark.parametrize("D, H, V, B, T", [(3, 7, 4, 5, 9), (1, 1, 1, 1, 1), (9, 2, 11, 1, 30)])
def test_finite_differences_in_float64_agree_to_1e_6(
    D: int, H: int, V: int, B: int, T: int
) -> None:
    rng = np.random.default_rng(D)
    net = random_net(D, H, V, seed=T, scale=0.6)
    x, target = rng.integers(0, D, (T, B)), rng.integers(0, V, (T + 1, B))
    ours = loss_and_gradient(x, target, net, weight="sum")[1].weights
    slow = numerical_gradient(lambda w: cross_entropy(forward(x, w).logits, target, "sum")[0], net)
    for a, b in zip(ours, slow, strict=True):
        assert np.linalg.norm(a - b) <= 1e-6 * max(np.linalg.norm(a), np.linalg.norm(b), 1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), sizes, sizes, sizes, seeds)
def test_backward_takes_any_loss_of_scores_and_states(
    T: int, B: int, H: int, V: int, seed: int
) -> None:
    """A squared error, a cubic of the states, and a term that mixes steps and sequences."""
    rng = np.random.default_rng(seed)
    net = random_net(3, H, V, seed, scale=0.8)
    x, wanted = rng.normal(size=(T, B, 3)), rng.normal(size=(T + 1, B, V))

    def loss(h: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        mixed = (logits.sum(dim=(0, 1)) ** 2).sum()
        return ((logits - torch.tensor(wanted)) ** 2).sum() + (h**3).sum() + 0.1 * mixed

    run = forward(x, net)
    dlogits = 2 * (run.logits - wanted) + 0.2 * run.logits.sum(axis=(0, 1))
    ours = backward(x, net, run, dlogits, 3 * run.h**2)
    theirs, by_first = torch_gradient(x, net, loss)
    assert_same(ours.weights, theirs, 1e-9)
    np.testing.assert_allclose(ours.h0, by_first, rtol=1e-9, atol=1e-10)


def test_the_deltas_lead_on_to_the_inputs() -> None:
    """What a layer below would get: x bar = a bar @ W_xh.T, against differences."""
    rng = np.random.default_rng(0)
    net, x = random_net(3, 4, 5, 0), rng.normal(size=(6, 2, 3))
    target = rng.integers(0, 5, (7, 2))
    gradient = loss_and_gradient(x, target, net)[1]
    by_input = gradient.a @ net.W_xh.T
    for i in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * 1e-5
            ends.append(mean_loss(forward(moved, net).logits, target))
        assert math.isclose((ends[0] - ends[1]) / 2e-5, by_input[i], rel_tol=1e-6, abs_tol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), sizes, sizes, seeds, st.booleans())
def test_a_given_first_state_gets_its_gradient_and_the_learned_one_none(
    T: int, B: int, H: int, seed: int, shared: bool
) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(4, H, 3, seed, scale=0.8)
    x, target = rng.integers(0, 4, (T, B)), random_target(rng, T, B, 3)
    h0 = rng.normal(size=H if shared else (B, H))
    gradient = loss_and_gradient(x, target, net, h0)[1]
    m = np.full(target.shape, 1 / (target != MISSING).sum())
    theirs, by_first = torch_gradient(x, net, log_loss(target, m), h0)
    assert not gradient.weights.h0.any()
    assert_same(gradient.weights, theirs, 1e-9)
    np.testing.assert_allclose(gradient.h0, by_first, rtol=1e-9, atol=1e-12)


def test_one_unit_two_steps_by_hand() -> None:
    net = RNN(*(np.array(w) for w in ([[0.5]], [[0.8]], [0.0], [[1.0]], [0.0], [0.2])))
    x = np.array([[[1.0]], [[0.0]]])
    run = forward(x, net)
    h1 = math.tanh(0.66)
    h2 = math.tanh(0.8 * h1)
    a2 = (h2 - 1) * (1 - h2**2)
    a1 = a2 * 0.8 * (1 - h1**2)
    dh = np.array([[[0.0]], [[0.0]], [[h2 - 1]]])
    got = backward(x, net, run, np.zeros_like(run.logits), dh)
    np.testing.assert_allclose(got.a.ravel(), [a1, a2], rtol=1e-12)
    np.testing.assert_allclose(got.weights.W_hh, [[0.2 * a1 + h1 * a2]], rtol=1e-12)
    np.testing.assert_allclose(got.h0, [[0.8 * a1]], rtol=1e-12)


def test_float32_stays_float32_and_is_as_right_as_it_can_be() -> None:
    rng = np.random.default_rng(0)
    net = init_rnn(6, 20, 9, rng)
    x, target = rng.integers(0, 6, (40, 8)), rng.integers(0, 9, (41, 8))
    right = loss_and_gradient(x, target, net)[1].weights
    small = RNN(*(w.astype(np.float32) for w in net))
    loss, gradient, last = loss_and_gradient(x, target, small)
    assert isinstance(loss, float) and last.dtype == np.float32
    assert all(z.dtype == np.float32 for z in (*gradient.weights, gradient.a, gradient.h0))
    for a, b in zip(gradient.weights, right, strict=True):
        assert relative_error(a, b) < 1e-4
    in_64 = loss_and_gradient(x.astype(np.int8), target.astype(np.int16), net)[1].weights
    assert all(np.array_equal(a, b) for a, b in zip(in_64, right, strict=True))


def test_scores_of_any_size_give_a_finite_loss_and_bounded_delta() -> None:
    logits = np.array([[[1e4, -1e4, 0.0]], [[-800.0, -801.0, -5000.0]]])
    loss, dlogits = cross_entropy(logits, [[1], [0]], "sum")
    assert math.isclose(loss, 2e4 + math.log1p(math.exp(-1)), rel_tol=1e-12)
    np.testing.assert_allclose(dlogits.sum(axis=2), 0, atol=1e-12)
    assert np.abs(dlogits).max() <= 1


def test_a_weight_of_zero_silences_an_infinite_loss() -> None:
    """A class that is forbidden (-inf), as a target that does not count."""
    logits = np.array([[[0.0, -np.inf, 0.0]], [[1.0, 1.0, 1.0]]])
    loss, dlogits = cross_entropy(logits, [[1], [2]], np.array([[0.0], [1.0]]))
    assert math.isclose(loss, math.log(3), rel_tol=1e-12)
    np.testing.assert_allclose(dlogits[:, 0], [[0, 0, 0], [1 / 3, 1 / 3, -2 / 3]], atol=1e-12)
    assert cross_entropy(logits, [[1], [2]])[0] == math.inf


def test_windows_take_targets_of_an_unsigned_type() -> None:
    """Bytes of a text, say: the blanked target at a border is MISSING all the same."""
    rng = np.random.default_rng(0)
    net = random_net(4, 5, 6, 0, 0.7)
    x, target = rng.integers(0, 4, (9, 3)), rng.integers(0, 6, (10, 3))
    whole = loss_and_gradient(x, target, net)
    loss, pieces = checkpointed_gradient(x, target.astype(np.uint8), net, 4)
    assert math.isclose(loss, whole[0], rel_tol=1e-12)
    assert_same(pieces, whole[1].weights, 1e-10)


def test_padding_and_what_stands_beside_a_missing_target_change_nothing() -> None:
    rng = np.random.default_rng(0)
    net = random_net(4, 5, 6, 0, 0.7)
    x, target = rng.integers(0, 4, (9, 3)), rng.integers(0, 6, (10, 3))
    lengths = (9, 4, 1)
    for b, n in enumerate(lengths):
        target[n + 1 :, b] = MISSING
    padded = loss_and_gradient(x, target, net, weight="sum")
    other = x.copy()
    other[4:, 1], other[1:, 2] = MISSING, 3
    again = loss_and_gradient(other, target, net, weight="sum")
    alone = [
        loss_and_gradient(x[:n, [b]], target[: n + 1, [b]], net, weight="sum")
        for b, n in enumerate(lengths)
    ]
    assert math.isclose(padded[0], sum(one[0] for one in alone), rel_tol=1e-12)
    assert math.isclose(padded[0], again[0], rel_tol=1e-12)
    for i, whole in enumerate(padded[1].weights):
        parts = sum(one[1].weights[i] for one in alone)
        np.testing.assert_allclose(whole, parts, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(whole, again[1].weights[i], rtol=1e-10, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), sizes, st.integers(1, 15), seeds, st.booleans(), st.booleans())
def test_checkpoints_give_the_whole_gradient(
    T: int, B: int, every: int, seed: int, symbols: bool, mean: bool
) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(4, 5, 3, seed, 0.7)
    x = rng.integers(-1, 4, (T, B)) if symbols else rng.normal(size=(T, B, 4))
    target = random_target(rng, T, B, 3)
    reduce = "mean" if mean else "sum"
    loss, whole, _ = loss_and_gradient(x, target, net, weight=reduce)
    again, pieces = checkpointed_gradient(x, target, net, every, reduce)
    assert math.isclose(loss, again, rel_tol=1e-12, abs_tol=1e-12)
    assert_same(pieces, whole.weights, 1e-10)


def test_a_window_as_long_as_the_stream_is_full_bptt_and_shorter_ones_cut() -> None:
    """Credit of a loss for an input reaches no further back than its own window."""
    rng = np.random.default_rng(0)
    net = random_net(3, 4, 5, 0, 0.7)
    x, target = rng.integers(0, 3, (7, 2)), rng.integers(0, 5, (8, 2))
    ((part, wanted),) = windows(x, target, 100)
    assert np.array_equal(part, x) and np.array_equal(wanted, target)
    # cut by hand in torch: detach the state at each border
    w = RNN(*(torch.tensor(z, requires_grad=True) for z in net))
    h, total = w.h0.expand(2, -1), 0.0
    one_hot = torch.eye(3, dtype=torch.float64)
    for t in range(8):
        scores = torch.log_softmax(h @ w.W_hy + w.b_y, dim=1)
        total = total - scores[torch.arange(2), torch.tensor(target[t])].sum()
        if t == 7:
            break
        if t and t % 3 == 0:
            h = h.detach()
        h = torch.tanh(one_hot[torch.tensor(x[t])] @ w.W_xh + h @ w.W_hh + w.b_h)
    theirs = torch.autograd.grad(total, w)
    h, ours = None, [np.zeros_like(z) for z in net]
    for part, wanted in windows(x, target, 3):
        _, gradient, h = loss_and_gradient(part, wanted, net, h, weight="sum")
        for z, d in zip(ours, gradient.weights, strict=True):
            z += d
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 25), seeds)
def test_windows_count_each_step_and_each_target_once(T: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, target = rng.integers(0, 9, (T, 2)), rng.integers(0, 9, (T + 1, 2))
    kept = target.copy()
    parts = list(windows(x, target, size))
    assert np.array_equal(np.concatenate([part for part, _ in parts]), x)
    assert all(len(wanted) == len(part) + 1 <= size + 1 for part, wanted in parts)
    seen = np.concatenate([wanted[(i > 0) :] for i, (_, wanted) in enumerate(parts)])
    assert np.array_equal(seen, target) and np.array_equal(target, kept)
    assert all((wanted[0] == MISSING).all() for _, wanted in parts[1:])


def test_the_backward_pass_is_short() -> None:
    source = inspect.getsource(backward)
    assert len(source.splitlines()) < 60
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    doc = (ast.get_docstring(function) or "").splitlines()
    print(f"{len(source.splitlines()) - len(doc)} lines without the docstring")


def test_nothing_that_comes_in_is_changed() -> None:
    rng = np.random.default_rng(0)
    net = random_net(3, 4, 5, 0)
    x, target = rng.integers(0, 3, (6, 2)), rng.integers(0, 5, (7, 2))
    run = forward(x, net)
    _, dlogits = cross_entropy(run.logits, target)
    dh = rng.normal(size=run.h.shape)
    before = [z.copy() for z in (x, target, *net, *run, dlogits, dh)]
    backward(x, net, run, dlogits, dh)
    loss_and_gradient(x, target, net)
    checkpointed_gradient(x, target, net, 2)
    numerical_gradient(lambda w: float(w.W_hh.sum()), net)
    for old, new in zip(before, (x, target, *net, *run, dlogits, dh), strict=True):
        assert np.array_equal(old, new)


def test_numerical_gradient_knows_simple_slopes() -> None:
    net = random_net(2, 3, 2, 0)
    cubes = numerical_gradient(lambda w: sum(float((z**3).sum()) for z in w), net)
    for w, slope in zip(net, cubes, strict=True):
        np.testing.assert_allclose(slope, 3 * w**2, rtol=0, atol=1e-8)
    small = RNN(*(w.astype(np.float32) for w in net))
    assert all(z.dtype == np.float64 for z in numerical_gradient(lambda w: 0.0, small))

    def careless(w: RNN) -> float:
        w.b_y[...] += 1  # changes what it was given
        return float((w.b_y**2).sum())

    slope = numerical_gradient(careless, net).b_y
    np.testing.assert_allclose(slope, 2 * (net.b_y + 1), rtol=0, atol=1e-8)


def test_relative_error() -> None:
    assert relative_error([0.0, 0.0], [0.0, 0.0]) == 0
    assert relative_error([1.0], [-1.0]) == 2 and relative_error([3.0, 4.0], [3.0, 4.0]) == 0
    assert math.isclose(relative_error([0.0], [5.0]), 1)
    assert not relative_error([math.nan], [1.0]) < 1e-6  # a failed computation cannot pass


NET = init_rnn(3, 4, 5, np.random.default_rng(0))
X = np.zeros((6, 2), dtype=int)
TARGET = np.zeros((7, 2), dtype=int)
RUN = forward(X, NET)
FLAT = np.zeros_like(RUN.logits)
SMALL_RUN = forward(X, RNN(*(w.astype(np.float32) for w in NET)))
moved = NET._replace(W_hh=NET.W_hh + 1e-6)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: backward(X, NET, RUN, FLAT[1:]), "dlogits must be (7, 2, 5)"),
        (lambda: backward(X, NET, RUN, FLAT[:, :1]), "dlogits must be"),
        (lambda: backward(X, NET, RUN, FLAT * np.nan), "dlogits holds an entry that is not finite"),
        (lambda: backward(X, NET, RUN, FLAT + 1j), "dlogits must hold real numbers"),
        (lambda: backward(X, NET, SMALL_RUN, FLAT), "run is stale"),
        (lambda: backward(X, NET, RUN, FLAT, RUN.h[1:]), "dh must be (7, 2, 4)"),
        (lambda: backward(X[1:], NET, RUN, FLAT), "run must hold h (6, 2, 4)"),
        (lambda: backward(X[:, :1], NET, RUN, FLAT), "run must hold"),
        (lambda: backward(X + 1, NET, RUN, FLAT), "run is stale"),
        (lambda: backward(X, moved, RUN, FLAT), "run is stale"),
        (lambda: backward(X, NET._replace(b_y=NET.b_y + 1), RUN, FLAT), "run is stale"),
        (lambda: backward(X, NET._replace(b_h=NET.b_h + 1e-10), RUN, FLAT), "run is stale"),
        (lambda: backward(X, NET, Run(RUN.h * np.nan, RUN.logits), FLAT), "run is stale"),
        (lambda: backward(X + 3, NET, RUN, FLAT), "is no symbol"),
        (lambda: cross_entropy(FLAT, TARGET[1:]), "logits must be (T, B, V)"),
        (lambda: cross_entropy(FLAT, TARGET + 5), "is no class"),
        (lambda: cross_entropy(FLAT, TARGET * 1.0), "y must hold integers"),
        (lambda: cross_entropy(FLAT, TARGET, "average"), "weight must be mean, sum or numbers"),
        (lambda: cross_entropy(FLAT, TARGET * 0 - 1), "a mean over nothing"),
        (lambda: cross_entropy(FLAT, TARGET, np.ones(2)), "weight must be finite, (7, 2)"),
        (lambda: cross_entropy(FLAT, TARGET, np.full((7, 2), np.nan)), "weight must be finite"),
        (lambda: loss_and_gradient(X, TARGET[1:], NET), "logits must be (T, B, V)"),
        (lambda: loss_and_gradient(X, TARGET, NET, np.zeros(5)), "h0 must be"),
        (lambda: checkpointed_gradient(X, TARGET, NET, 2, "average"), "reduce must be mean or sum"),
        (lambda: checkpointed_gradient(X, TARGET * 0 - 1, NET, 2), "a mean over nothing"),
        (lambda: checkpointed_gradient(X[:, 0], TARGET[:, 0], NET, 2), "target must be (T + 1, B)"),
        (lambda: checkpointed_gradient(X, TARGET, NET, 2.0), "size and T must be integers"),
        (
            lambda: checkpointed_gradient(X, TARGET, NET, 0),
            "size and T must be integers, 1 or more",
        ),
        (lambda: checkpointed_gradient(X, TARGET[:, :1], NET, 2), "target must be (7, 2)"),
        (lambda: list(windows(X, TARGET[1:], 2)), "target must be (7, 2)"),
        (lambda: list(windows(X[:0], TARGET[:1], 2)), "size and T must be integers, 1 or more"),
        (lambda: numerical_gradient(lambda w: 0.0, NET, 0), "step must be positive"),
        (lambda: numerical_gradient(lambda w: 0.0, NET, math.nan), "step must be positive"),
        (
            lambda: numerical_gradient(lambda w: 0.0, NET._replace(b_y=NET.b_y + 1e13)),
            "is lost in the rounding",
        ),
        (lambda: relative_error(np.zeros(2), np.zeros(3)), "shapes differ"),
    ],
)
def test_bad_input_is_refused_with_what_was_wrong(call, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        call()
    assert message in str(refused.value)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.integers(1, 40), seeds, st.sampled_from([1e-3, 1.0, 30.0, 1e4]))
def test_a_run_of_these_weights_is_never_called_stale(
    T: int, H: int, seed: int, scale: float
) -> None:
    """At any scale of weights and inputs, in both types, and where T is 0."""
    rng = np.random.default_rng(seed)
    net = random_net(3, H, 4, seed, scale)
    x = scale * rng.normal(size=(T, 5, 3))
    for dtype in (np.float64, np.float32):
        typed = RNN(*(w.astype(dtype) for w in net))
        run = forward(x.astype(dtype), typed)
        assert isinstance(backward(x.astype(dtype), typed, run, run.logits * 0), Gradient)
