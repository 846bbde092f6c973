"""seqmodels.gru against nn.GRU, finite differences and a loop; what it says to bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.bptt import relative_error
from seqmodels.gru import (
    FAMILY,
    GRU,
    FamilyNets,
    FamilyTask,
    GRURun,
    check_gru,
    family_loss,
    family_size,
    family_step,
    family_units,
    gru_backward,
    gru_forward,
    gru_from_torch,
    gru_to_torch,
    init_family,
    init_gru,
    run_family,
    train_family,
)
from seqmodels.rnn import MISSING, adding, delayed_copy, parity

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


# --- the family: every cell of FAMILY in one step, trained side by side

LIBRARY = {"RNN": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}


def family(kind: str, D: int, H: int, V: int, seeds: list[int]) -> FamilyNets:
    nets = init_family(kind, D, H, V, [np.random.default_rng(seed) for seed in seeds])
    return FamilyNets(*(w.double() for w in nets))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(LIBRARY)), sizes, sizes, sizes, sizes, seeds)
def test_family_equals_the_library_where_it_has_the_cell(
    kind: str, T: int, B: int, D: int, H: int, seed: int
) -> None:
    nets = family(kind, D, H, 2, [seed, seed + 1])
    x = torch.tensor(np.random.default_rng(seed).normal(size=(2, T, B, D)))
    ours = run_family(kind, nets, x)
    assert ours.shape == (2, T, B, 2)
    for m in range(2):
        module = LIBRARY[kind](D, H).double()
        arrays = nets.W_x[m].T, nets.W_h[m].T, nets.b_x[m, 0], nets.b_h[m, 0]
        with torch.no_grad():
            for w, mine in zip(module.parameters(), arrays, strict=True):
                w.copy_(mine)
        theirs = module(x[m])[0] @ nets.W_y[m] + nets.b_y[m]
        assert torch.allclose(ours[m], theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("whole", "kind", "bias"),
    [
        ("LSTM", "LSTM, input gate 1", {"i": 60.0}),
        ("LSTM", "LSTM, forget gate 1", {"f": 60.0}),
        ("LSTM", "LSTM, output gate 1", {"o": 60.0}),
        ("GRU", "GRU, reset gate 1", {"r": 60.0}),
        ("GRU", "GRU, update gate 0", {"z": -60.0}),
        ("GRU", "GRU, update gate constant", {"z": 1.3}),
        ("GRU", "RNN", {"r": 60.0, "z": -60.0}),
    ],
)
def test_a_missing_gate_is_a_nailed_one(whole: str, kind: str, bias: dict[str, float]) -> None:
    H = 4
    nets = family(whole, 3, H, 2, [0])
    blocks = {b: slice(k * H, (k + 1) * H) for k, b in enumerate(FAMILY[whole])}
    for name, value in bias.items():
        for w in (nets.W_x, nets.W_h, nets.b_h):
            w[..., blocks[name]] = 0
        nets.b_x[..., blocks[name]] = value
    kept = [blocks[b] for b in FAMILY[kind]]
    small = FamilyNets(
        *(torch.cat([w[..., where] for where in kept], dim=-1) for w in nets[:4]),
        torch.full((1, 1, H), bias.get("z", 0.0), dtype=torch.float64), nets.W_y, nets.b_y,
    )  # fmt: skip
    x = torch.tensor(np.random.default_rng(1).normal(size=(1, 6, 5, 3)))
    assert torch.allclose(
        run_family(whole, nets, x), run_family(kind, small, x), rtol=1e-9, atol=1e-11
    )


def test_tied_gates_are_what_they_say() -> None:
    rng = np.random.default_rng(0)
    H = 3
    f, g, o = (torch.tensor(rng.normal(size=(2, H))) for _ in range(3))
    zero = torch.zeros(2, H, dtype=torch.float64)
    h, c = (torch.tensor(rng.normal(size=(2, H))) for _ in range(2))
    _, after = family_step("LSTM, coupled", torch.cat([f, g, o], 1), zero.repeat(1, 3), h, c, zero)
    share = torch.sigmoid(f)
    assert torch.allclose(after, share * c + (1 - share) * torch.tanh(g), rtol=1e-12, atol=0)
    z, n, m = (torch.tensor(rng.normal(size=(2, H))) for _ in range(3))
    from_x, from_h = torch.cat([z, n], 1), torch.cat([zero, m], 1)
    after, _ = family_step("MGU", from_x, from_h, h, c, zero)
    keep = torch.sigmoid(z)
    expected = keep * h + (1 - keep) * torch.tanh(n + (1 - keep) * m)
    assert torch.allclose(after, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", FAMILY)
def test_size_counts_every_weight_that_is_used(kind: str) -> None:
    D, H, V = 3, 4, 2
    nets = family(kind, D, H, V, [0])
    used = sum(w.numel() for w in nets)
    if kind != "GRU, update gate constant":
        used -= nets.b_z.numel()
    assert family_size(kind, D, H, V) == used
    H = family_units(kind, D, V, 500)
    assert family_size(kind, D, H, V) <= 500 < family_size(kind, D, H + 1, V)


def test_training_equals_adam_on_one_network() -> None:
    task = FamilyTask(lambda B, rng: delayed_copy(1, 3, 2, B, rng), 4, 2)
    nets, losses = train_family("GRU", task, 5, [3, 4], [1e-3, 1e-2], 4, B=6)
    assert losses.shape == (2, 2, 4) and nets.W_x.shape[0] == 4
    for k, rate in enumerate((1e-3, 1e-2)):
        for s, seed in enumerate((3, 4)):
            rng = np.random.default_rng(seed)
            first = init_family("GRU", 4, 5, 2, [rng])
            module = torch.nn.GRU(4, 5)
            W_y, b_y = first.W_y[0].clone(), first.b_y[0].clone()
            arrays = first.W_x[0].T, first.W_h[0].T, first.b_x[0, 0], first.b_h[0, 0]
            with torch.no_grad():
                for w, mine in zip(module.parameters(), arrays, strict=True):
                    w.copy_(mine)
            parameters = [*module.parameters(), W_y.requires_grad_(), b_y.requires_grad_()]
            adam = torch.optim.Adam(parameters, rate, betas=(0.9, 0.99))
            x, y = task.make(4 * 6, rng)
            for step in range(4):
                now = slice(step * 6, (step + 1) * 6)
                hot = torch.nn.functional.one_hot(torch.tensor(x[:, now]), 4).float()
                scores = module(hot)[0] @ W_y + b_y
                loss = torch.nn.functional.cross_entropy(
                    scores.flatten(0, 1), torch.tensor(y[:, now]).flatten(), ignore_index=MISSING
                )
                assert np.isclose(losses[k, s, step], loss.item(), rtol=1e-4, atol=0)
                adam.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                adam.step()


def test_a_number_is_asked_of_the_last_step() -> None:
    task = FamilyTask(lambda B, rng: adding(6, B, rng), 2, 1)
    _, losses = train_family("MGU", task, 4, [0], [1e-2], 3)
    assert losses.shape == (1, 1, 3) and np.isfinite(losses).all()
    scores = torch.zeros(2, 3, 4, 1)
    scores[:, -1] = 2
    assert family_loss(scores, torch.full((2, 4), 0.5)).tolist() == [2.25, 2.25]


def test_family_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        family_size("GRU 2", 1, 1, 1)
    with pytest.raises(ValueError, match="D, H and V must be 1 or more"):
        family_size("GRU", 1, 0, 1)
    with pytest.raises(ValueError, match="too few for one unit"):
        family_units("GRU", 10, 2, 20)
    with pytest.raises(ValueError, match="got none"):
        init_family("GRU", 1, 1, 1, [])
    nets, x = family("GRU", 3, 4, 2, [0, 1]), torch.zeros(2, 5, 6, 3)
    with pytest.raises(ValueError, match="kind must be one of"):
        run_family("gru", nets, x)
    with pytest.raises(ValueError, match="LSTM has 4 blocks of weights; these networks have 3"):
        run_family("LSTM", nets, x)
    for wrong in (x[0], x[:1], x[..., :2], x[:, :0]):
        with pytest.raises(ValueError, match=r"x must be \(2, T >= 1, B, 3\); got"):
            run_family("GRU", nets, wrong)
    with pytest.raises(ValueError, match=r"y must be \(2, 5, 6\) or \(2, 6\); got \(2, 5\)"):
        family_loss(torch.zeros(2, 5, 6, 2), torch.zeros(2, 5))
    task = FamilyTask(lambda B, rng: parity(3, B, rng), 2, 2)
    with pytest.raises(ValueError, match="rates must hold"):
        train_family("GRU", task, 2, [0], [], 1)


def test_family_reads_inputs_that_do_not_lie_in_order() -> None:
    nets = family("GRU", 3, 4, 2, [0, 1])
    x = torch.tensor(np.random.default_rng(0).normal(size=(2, 6, 5, 3))).to(nets.W_x.dtype)
    swapped = x.transpose(1, 2)
    assert torch.equal(run_family("GRU", nets, swapped), run_family("GRU", nets, swapped.clone()))
