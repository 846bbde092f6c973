"""seqmodels.deep against nn.RNN, nn.LSTM, nn.GRU, finite differences and one-by-one runs."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqmodels.deep import (
    GRU,
    LSTM,
    MISSING,
    Plain,
    check_padded,
    check_stack,
    init_stack,
    stack_backward,
    stack_forward,
    stack_from_torch,
    stack_to_torch,
    turn_around,
)

MODULES = {"plain": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
kinds = st.sampled_from(sorted(MODULES))
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def random_module(kind: str, D: int, H: int, L: int, two: bool, seed: int, dtype) -> nn.Module:
    module = MODULES[kind](D, H, L, bidirectional=two, dtype=dtype)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.tensor(0.7 * rng.normal(size=tuple(weight.shape))))
    return module


def torch_run(module: nn.Module, x: torch.Tensor, lengths: np.ndarray, first) -> list[torch.Tensor]:
    """Return output, h_n (and c_n) of a padded batch, by packing."""
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    output, last = module(packed, first)
    output, _ = nn.utils.rnn.pad_packed_sequence(output, total_length=len(x))
    return [output, *(last if isinstance(last, tuple) else (last,))]


@settings(max_examples=80, deadline=None)
@given(kinds, sizes, sizes, sizes, sizes, st.integers(1, 3), st.booleans(), st.booleans(), seeds)
def test_values_and_gradients_are_those_of_pytorch(
    kind: str, T: int, B: int, D: int, H: int, L: int, two: bool, single: bool, seed: int
) -> None:
    dtype, tolerance = (np.float32, 2e-3) if single else (np.float64, 1e-9)
    rng = np.random.default_rng(seed)
    module = random_module(kind, D, H, L, two, seed, torch.float32 if single else torch.float64)
    rows = L * (1 + two)
    lengths = rng.integers(1, T + 1, B)
    x, do = (rng.normal(size=(T, B, n)).astype(dtype) for n in (D, H * (1 + two)))
    n_last = 2 if kind == "lstm" else 1
    first = rng.normal(size=(n_last, rows, B, H)).astype(dtype)
    dlast = rng.normal(size=(n_last, rows, B, H)).astype(dtype)

    dirty = x.copy()
    dirty[np.arange(T)[:, None] >= lengths] = np.nan  # what stands after an end does not matter
    layers = stack_from_torch(module.state_dict())
    run = stack_forward(dirty, layers, lengths, *first)
    do_dirty = do.copy()
    do_dirty[np.arange(T)[:, None] >= lengths] = np.nan
    gradient = stack_backward(layers, run, do_dirty, *dlast)

    tx = torch.tensor(x, requires_grad=True)
    tfirst = [torch.tensor(z, requires_grad=True) for z in first]
    theirs = torch_run(module, tx, lengths, tuple(tfirst) if kind == "lstm" else tfirst[0])
    loss = sum((z * torch.tensor(d)).sum() for z, d in zip(theirs, [do, *dlast], strict=True))
    names = [name for name, _ in module.named_parameters()]
    grads = torch.autograd.grad(loss, [tx, *tfirst, *module.parameters()])

    ours = [run.output, run.h_n, run.c_n][: 1 + n_last]
    assert (run.c_n is None) == (gradient.c0 is None) == (kind != "lstm")
    dours = [gradient.x, gradient.h0, gradient.c0][: 1 + n_last]
    pairs = list(zip(ours, theirs, strict=True)) + list(zip(dours, grads, strict=False))
    by_name = stack_to_torch(gradient.layers)
    for name, d in zip(names, grads[1 + n_last :], strict=True):
        if kind == "gru" or "bias_hh" not in name:  # elsewhere both biases are one
            pairs.append((by_name[name], d))
    for a, b in pairs:
        assert a is not None
        assert a.dtype == dtype
        size = max(1.0, float(b.detach().abs().max()))
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=0, atol=tolerance * size)


@settings(max_examples=30, deadline=None)
@given(kinds, st.integers(1, 4), st.integers(1, 3), st.booleans(), st.booleans(), seeds)
def test_gradient_is_the_finite_difference(
    kind: str, T: int, L: int, two: bool, residual: bool, seed: int
) -> None:
    rng, B, D, H = np.random.default_rng(seed), 2, 2, 2
    layers = init_stack(kind, D, H, L, 1 + two, rng)
    layers = [tuple(type(c)(*(rng.normal(size=w.shape) for w in c)) for c in lay) for lay in layers]
    lengths = rng.integers(1, T + 1, B)
    x, do = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H * (1 + two)))
    do[np.arange(T)[:, None] >= lengths] = 0
    h0, c0, dh, dc = rng.normal(size=(4, L * (1 + two), B, H))
    last = (dh, dc) if kind == "lstm" else (dh,)

    def loss(x, layers, h0, c0) -> float:
        run = stack_forward(x, layers, lengths, h0, c0 if kind == "lstm" else None, residual)
        total = (run.output * do).sum() + (run.h_n * dh).sum()
        return total + ((run.c_n * dc).sum() if run.c_n is not None else 0)

    run = stack_forward(x, layers, lengths, h0, c0 if kind == "lstm" else None, residual)
    gradient = stack_backward(layers, run, do, *last)
    places = [(x, gradient.x), (h0, gradient.h0)]
    if kind == "lstm":
        places.append((c0, gradient.c0))
    for layer, of_layer in zip(layers, gradient.layers, strict=True):
        for cell, of_cell in zip(layer, of_layer, strict=True):
            places += list(zip(cell, of_cell, strict=True))
    for array, slope in places:
        assert array.shape == slope.shape
        for _ in range(3):  # three entries of each
            i = tuple(int(rng.integers(n)) for n in array.shape)
            here, ends = array[i], []
            for step in (1e-5, -1e-5):
                array[i] = here + step
                ends.append(loss(x, layers, h0, c0))
            array[i] = here
            assert np.isclose((ends[0] - ends[1]) / 2e-5, slope[i], rtol=1e-5, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(kinds, st.integers(1, 8), sizes, st.integers(1, 3), st.booleans(), st.booleans(), seeds)
def test_a_sequence_does_not_depend_on_its_neighbours_in_the_batch(
    kind: str, T: int, B: int, L: int, two: bool, symbols: bool, seed: int
) -> None:
    rng, D = np.random.default_rng(seed), 3
    layers = init_stack(kind, D, 4, L, 1 + two, rng)
    lengths = rng.integers(1, T + 1, B)
    x = rng.integers(MISSING, D, (T, B)) if symbols else rng.normal(size=(T, B, D))
    run = stack_forward(x, layers, lengths)
    for b, n in enumerate(lengths):
        alone = stack_forward(x[:n, b : b + 1], layers)
        np.testing.assert_allclose(run.output[:n, b], alone.output[:, 0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(run.h_n[:, b], alone.h_n[:, 0], rtol=1e-9, atol=1e-12)
        assert not run.output[n:, b].any()


@pytest.mark.parametrize("kind", sorted(MODULES))
def test_symbols_are_one_hot_rows_and_have_no_gradient(kind: str) -> None:
    rng = np.random.default_rng(3)
    layers = init_stack(kind, 5, 4, 2, 2, rng)
    x, lengths, do = rng.integers(MISSING, 5, (6, 3)), [6, 1, 4], rng.normal(size=(6, 3, 8))
    one_hot = np.where(x[:, :, None] == np.arange(5), 1.0, 0.0)
    a, b = (stack_forward(z, layers, lengths) for z in (x, one_hot))
    np.testing.assert_allclose(a.output, b.output, rtol=1e-12, atol=1e-15)
    of_a, of_b = (stack_backward(layers, run, do) for run in (a, b))
    assert of_a.x is None and of_b.x is not None
    for one, other in zip(of_a.layers, of_b.layers, strict=True):
        for cell, twin in zip(one, other, strict=True):
            for w, v in zip(cell, twin, strict=True):
                np.testing.assert_allclose(w, v, rtol=1e-9, atol=1e-12)


def test_turning_around_is_within_the_length_and_its_own_inverse() -> None:
    x = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    turned = turn_around(x, np.array([4, 2]))
    assert turned.tolist() == [[4, 20], [3, 10], [2, 30], [1, 40]]
    assert np.array_equal(turn_around(turned, np.array([4, 2])), x)


def test_padding_gives_no_gradient() -> None:
    rng = np.random.default_rng(0)
    layers = init_stack("lstm", 3, 4, 2, 2, rng)
    x, lengths = rng.normal(size=(7, 2, 3)), np.array([7, 3])
    run = stack_forward(x, layers, lengths)
    gradient = stack_backward(layers, run, np.ones_like(run.output))
    assert gradient.x is not None and not gradient.x[3:, 1].any() and gradient.x[:3, 1].all()


def test_residual_adds_the_input_from_the_second_layer_on() -> None:
    rng = np.random.default_rng(1)
    layers = init_stack("gru", 3, 4, 3, 2, rng)
    x, lengths = rng.normal(size=(5, 2, 3)), np.array([5, 2])
    v = stack_forward(x, layers[:1], lengths).output
    for layer in layers[1:]:
        v = v + stack_forward(v, [layer], lengths).output
    whole = stack_forward(x, layers, lengths, residual=True).output
    np.testing.assert_allclose(whole, v, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", sorted(MODULES))
@pytest.mark.parametrize("two", [False, True])
def test_weights_go_to_pytorch_and_back(kind: str, two: bool) -> None:
    layers = init_stack(kind, 3, 5, 2, 1 + two, np.random.default_rng(2))
    module = MODULES[kind](3, 5, 2, bidirectional=two).double()
    state = {name: torch.tensor(w) for name, w in stack_to_torch(layers).items()}
    module.load_state_dict(state)
    back = stack_from_torch(module.state_dict())
    for layer, again in zip(layers, back, strict=True):
        for cell, twin in zip(layer, again, strict=True):
            assert type(cell) is type(twin)
            for w, v in zip(cell, twin, strict=True):
                assert np.array_equal(w, v)
    x = np.random.default_rng(0).normal(size=(4, 2, 3))
    theirs = module(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(stack_forward(x, layers).output, theirs, rtol=1e-10, atol=1e-13)


def test_modules_without_bias_and_with_what_is_not_built_here() -> None:
    plain = nn.LSTM(3, 4, bias=False)
    assert not stack_from_torch(plain.state_dict())[0][0][2].any()
    with pytest.raises(ValueError, match="weight_hh_l0 .16, 2. is of no known cell"):
        stack_from_torch(nn.LSTM(3, 4, proj_size=2).state_dict())
    with pytest.raises(ValueError, match="cannot use these entries: weight_ih_l1"):
        stack_from_torch({"weight_ih_l1": np.zeros((2, 2))})
    with pytest.raises(ValueError, match="none at all"):
        stack_from_torch({})
    with pytest.raises(ValueError, match="no known cell"):
        stack_from_torch({"weight_ih_l0": np.zeros((10, 3)), "weight_hh_l0": np.zeros((10, 5))})


@pytest.mark.parametrize(
    "weights, message",
    [
        ((np.ones((3, 4)), np.ones((3, 3)), np.ones(4)), "W_h and b must be"),
        ((np.ones((3, 4)), np.ones((4, 4)), 1.0), "got (3, 4), (4, 4), ()"),
        ((np.ones(4), np.ones((4, 4)), np.ones(4)), "W_h and b must be"),
        ((np.full((3, 4), np.nan), np.ones((4, 4)), np.ones(4)), "W_x must hold finite"),
        ((np.ones((3, 4)), np.ones((4, 4)) * 1j, np.ones(4)), "got complex128"),
    ],
)
def test_a_bad_plain_cell_is_named_with_its_own_letters(weights: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_stack([Plain(*weights)])


def test_biases_that_do_not_fit_are_named() -> None:
    state = dict(nn.GRU(3, 4).state_dict())
    state["bias_hh_l0"] = torch.zeros(3)
    with pytest.raises(ValueError, match=re.escape("biases_l0 must be (12,)")):
        stack_from_torch(state)


def test_inputs_are_left_as_they_were() -> None:
    rng = np.random.default_rng(0)
    layers = init_stack("plain", 2, 3, 2, 2, rng)
    x, do = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 6))
    kept, kept_do = x.copy(), do.copy()
    run = stack_forward(x, layers, [4, 1])
    stack_backward(layers, run, do)
    assert np.array_equal(x, kept) and np.array_equal(do, kept_do)
    again = stack_forward(x, layers, [4, 1])
    assert np.array_equal(run.output, again.output)


def bad_inputs() -> list[tuple[dict, str]]:
    layers = init_stack("gru", 3, 4, 2, 2, np.random.default_rng(0))
    x = np.zeros((5, 2, 3))
    hole = x.copy()
    hole[1, 0, 0] = np.nan
    return [
        (
            {"x": x[0], "layers": layers, "lengths": [5]},
            "x must be (T, B) integers or (T, B, 3) floats",
        ),
        ({"x": x[:0], "layers": layers}, "not empty"),
        ({"x": [[[0.0], [1.0, 2.0]]], "layers": layers}, "full table"),
        ({"x": np.zeros((5, 2, 4)), "layers": layers}, "(T, B, 3) floats"),
        ({"x": np.full((5, 2), 3), "layers": layers}, "is no symbol"),
        ({"x": hole, "layers": layers}, "not finite"),
        ({"x": x, "layers": layers, "lengths": [5, 0]}, "lengths must lie in [1, 5]; got 0 to 5"),
        ({"x": x, "layers": layers, "lengths": [5, 6]}, "lengths must lie in [1, 5]"),
        ({"x": x, "layers": layers, "lengths": [5]}, "lengths must be (2,) integers"),
        ({"x": x, "layers": layers, "lengths": [5.0, 2.0]}, "lengths must be (2,) integers"),
        ({"x": x, "layers": layers, "h0": np.zeros((2, 2, 4))}, "h0 must be (4, 2, 4)"),
        ({"x": x, "layers": layers, "c0": np.zeros((4, 2, 4))}, "c0 is for LSTM cells"),
        ({"x": x, "layers": []}, "one or two cells"),
        ({"x": x, "layers": [layers[0], layers[1][:1]]}, "as many directions"),
        ({"x": x, "layers": [layers[0], layers[0]]}, "layer 1 must have D = 8, H = 4"),
        ({"x": x, "layers": [layers[0], ("cell", "cell")]}, "Plain, LSTM or GRU"),
        (
            {
                "x": x,
                "layers": [layers[0], init_stack("lstm", 8, 4, 1, 2, np.random.default_rng(0))[0]],
            },
            "one kind; got GRU and LSTM",
        ),
    ]


@pytest.mark.parametrize("arguments, message", bad_inputs())
def test_bad_input_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        stack_forward(**arguments)


def test_bad_deltas_and_foreign_runs_are_named() -> None:
    rng = np.random.default_rng(0)
    layers = init_stack("gru", 3, 4, 2, 2, rng)
    run = stack_forward(rng.normal(size=(5, 2, 3)), layers)
    with pytest.raises(ValueError, match="doutput must be"):
        stack_backward(layers, run, np.zeros((5, 2, 4)))
    with pytest.raises(ValueError, match="dh_n must be"):
        stack_backward(layers, run, dh_n=np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match="dc_n is for LSTM"):
        stack_backward(layers, run, dc_n=np.zeros((4, 2, 4)))
    with pytest.raises(ValueError, match="run does not belong"):
        stack_backward(layers[:1], run)
    of_kind = {kind: init_stack(kind, 3, 4, 1, 1, rng) for kind in MODULES}
    for kind, other in itertools.permutations(of_kind, 2):
        foreign = stack_forward(rng.normal(size=(5, 2, 3)), of_kind[other])
        with pytest.raises(ValueError, match="run does not belong"):
            stack_backward(of_kind[kind], foreign)
    with pytest.raises(ValueError, match="kind must be one of"):
        init_stack("elman", 3, 4, 1, 1, rng)
    with pytest.raises(ValueError, match="n_directions 1 or 2"):
        init_stack("gru", 3, 4, 1, 3, rng)


def test_types_and_small_integers() -> None:
    rng = np.random.default_rng(0)
    layers = check_stack(
        [
            [
                type(c)(*(w.astype(np.float32) for w in c))
                for c in init_stack("lstm", 3, 4, 1, 2, rng)[0]
            ]
        ]
    )
    assert isinstance(layers[0][0], LSTM)
    run = stack_forward(
        rng.integers(0, 3, (5, 2)).astype(np.uint8), layers, np.array([5, 2], np.uint8)
    )
    assert run.output.dtype == np.float32
    x, lengths = check_padded(np.array([[1, 2], [0, 250]], np.uint8), np.array([2, 1], np.uint8), 3)
    assert x.tolist() == [[1, 2], [0, MISSING]] and lengths.dtype == np.int64
    single = check_stack([Plain(np.eye(2), np.eye(2), np.zeros(2))])
    assert len(single[0]) == 1
    assert GRU is type(init_stack("gru", 1, 1, 1, 1, rng)[0][0])
