"""seqmodels.training against torch, SciPy and brute force, and a process that is really killed."""

from __future__ import annotations

import itertools
import math
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqmodels import training
from seqmodels.gradients import orthogonal
from seqmodels.training import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    BatchOrder,
    EarlyStopping,
    Optimiser,
    RegularLSTM,
    RMSProp,
    dropout_mask,
    fit,
    fit_temperature,
    he,
    load_checkpoint,
    mcnemar,
    paired_bootstrap,
    random_states,
    reliability,
    save_checkpoint,
    set_random_states,
    set_seed,
    warmup_cosine,
    xavier,
)

seeds = st.integers(0, 2**32 - 1)
BOOK = Path(training.__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def leave_torch_as_it_was() -> Any:
    yield
    torch.use_deterministic_algorithms(False)


# --- initialisation


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), seeds)
def test_initialisations_have_the_variance_of_torchs(n_in: int, n_out: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    calls = (
        (xavier, torch.nn.init.xavier_normal_, {}),
        (he, torch.nn.init.kaiming_normal_, {"nonlinearity": "relu"}),
    )
    for ours, theirs, how in calls:
        many = np.stack([ours(n_in, n_out, rng) for _ in range(4_000 // (n_in * n_out) + 2)])
        assert many.shape[1:] == (n_in, n_out)
        layer = torch.empty(n_out, n_in)  # torch: (out, in)
        large = torch.cat([theirs(layer, **how).flatten().clone() for _ in range(len(many))])
        wide = 6 * math.sqrt(2 / many.size)  # six standard errors of a variance
        assert abs(many.var() / float(large.var()) - 1) < 2 * wide
        assert abs(many.mean()) < 6 * many.std() / math.sqrt(many.size)


def test_an_orthogonal_matrix_keeps_lengths_and_has_the_variance_of_xavier() -> None:
    rng = np.random.default_rng(0)
    many = np.stack([orthogonal(7, 7, rng) for _ in range(3_000)])
    x = rng.normal(size=(5, 7))
    np.testing.assert_allclose(
        np.linalg.norm(x @ many[0], axis=1), np.linalg.norm(x, axis=1), rtol=1e-12
    )
    assert abs(many.var() * 7 - 1) < 0.02


@pytest.mark.parametrize("draw", [xavier, he])
@pytest.mark.parametrize("bad", [(0, 3, 1.0), (3, 0, 1.0), (3, 3, 0.0), (3, 3, math.inf)])
def test_initialisations_refuse(draw: Any, bad: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        draw(bad[0], bad[1], np.random.default_rng(0), bad[2])


# --- optimisers

PAIRS: dict[str, tuple[Any, Any, dict[str, Any], dict[str, Any]]] = {
    "sgd": (SGD, torch.optim.SGD, {}, {}),
    "decay": (SGD, torch.optim.SGD, {"weight_decay": 0.1}, {"weight_decay": 0.1}),
    "momentum": (SGD, torch.optim.SGD, {"mu": 0.9}, {"momentum": 0.9}),
    "nesterov": (
        SGD,
        torch.optim.SGD,
        {"mu": 0.8, "nesterov": True, "weight_decay": 0.01},
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    ),
    "adagrad": (Adagrad, torch.optim.Adagrad, {}, {}),
    "rmsprop-without-memory": (
        RMSProp,
        torch.optim.RMSprop,
        {"rho": 0.0, "eps": 1e-12},
        {"alpha": 0.0, "eps": 1e-12},
    ),
    "adam-without-memory": (
        Adam,
        torch.optim.Adam,
        {"betas": (0.0, 0.0), "eps": 1e-12},
        {"betas": (0.0, 0.0), "eps": 1e-12},
    ),
    "rmsprop": (RMSProp, torch.optim.RMSprop, {"rho": 0.9}, {"alpha": 0.9}),
    "adam": (Adam, torch.optim.Adam, {}, {}),
    "adam-l2": (
        Adam,
        torch.optim.Adam,
        {"weight_decay": 0.1, "betas": (0.5, 0.9), "eps": 1e-3},
        {"weight_decay": 0.1, "betas": (0.5, 0.9), "eps": 1e-3},
    ),
    "adamw": (AdamW, torch.optim.AdamW, {"weight_decay": 0.2}, {"weight_decay": 0.2}),
}
shapes = st.lists(st.lists(st.integers(1, 5), max_size=3).map(tuple), min_size=1, max_size=4)


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=25, deadline=None)
@given(shapes=shapes, seed=seeds, lr=st.floats(1e-4, 0.1), double=st.booleans())
def test_optimisers_are_torchs(
    name: str, shapes: list[tuple[int, ...]], seed: int, lr: float, double: bool
) -> None:
    ours_class, theirs_class, mine, his = PAIRS[name]
    rng = np.random.default_rng(seed)
    dtype = np.float64 if double else np.float32
    start = [np.asarray(rng.normal(size=s)).astype(dtype) for s in shapes]
    ours = [w.copy() for w in start]
    theirs = [torch.tensor(w, requires_grad=True) for w in start]
    a, b = ours_class(ours, lr, **mine), theirs_class(theirs, lr=lr, **his)
    for step in range(30):
        a.lr = lr / (1 + step)  # a schedule
        b.param_groups[0]["lr"] = a.lr
        scale = 10.0 ** rng.integers(-3, 3)
        gradients = [np.asarray(scale * rng.normal(size=s)).astype(dtype) for s in shapes]
        for w, g in zip(theirs, gradients, strict=True):
            w.grad = torch.tensor(g)
        kept = [g.copy() for g in gradients]
        a.step(gradients)
        b.step()
        assert all((g == k).all() for g, k in zip(gradients, kept, strict=True))
        for w, v in zip(ours, theirs, strict=True):
            assert w.dtype == dtype
            atol = 1e-12 if double else 2e-5
            np.testing.assert_allclose(w, v.detach().numpy(), rtol=1e-6, atol=atol)


@pytest.mark.parametrize("name", PAIRS)
def test_an_optimiser_goes_on_from_its_state_bit_for_bit(name: str) -> None:
    kind, _, how, _ = PAIRS[name]
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(10, 4, 3))
    whole, part = np.ones((4, 3)), np.ones((4, 3))
    one, two = kind([whole], 0.1, **how), kind([part], 0.1, **how)
    for g in gradients[:5]:
        one.step([g])
        two.step([g])
    three = kind([part], 0.7, **how)
    state = two.state()
    two.step([gradients[0] * 0])  # must change neither the state that was taken ...
    part[...] = whole
    three.load(state)
    for g in gradients[5:]:
        one.step([g])
        three.step([g])
    assert (whole == part).all() and three.lr == 0.1
    with pytest.raises(ValueError, match="must be"):
        kind([np.ones(3)], 0.1, **how).load(state)
    with pytest.raises(ValueError, match="not a state"):
        three.load({"steps": 3})


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: SGD([np.ones(3, dtype=int)]), "array of floats"),
        (lambda: SGD([[1.0, 2.0]]), "array of floats"),  # type: ignore[list-item]
        (lambda: SGD([np.broadcast_to(np.ones(1), 3)]), "read-only"),
        (lambda: SGD([np.ones(3)], lr=-1), "lr must be"),
        (lambda: SGD([np.ones(3)], mu=1.0), "mu must lie"),
        (lambda: SGD([np.ones(3)], weight_decay=math.nan), "weight_decay must be"),
        (lambda: RMSProp([np.ones(3)], rho=-0.1), "rho must lie"),
        (lambda: Adam([np.ones(3)], betas=(0.9, 1.0)), "beta_2 must lie"),
        (lambda: Adam([np.ones(3)], eps=-1e-8), "eps must be"),
        (lambda: SGD([np.ones(3)]).step([np.ones(4)]), r"must be \[\(3,\)\]"),
        (lambda: SGD([np.ones(3)]).step([]), "gradients must be"),
        (lambda: SGD([np.ones(1)]).step([np.array([math.nan])]), "not finite"),
    ],
)
def test_optimisers_refuse(make: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make()


def test_a_refused_gradient_changes_nothing() -> None:
    weights = [np.ones(2), np.ones(2)]
    adam = Adam(weights)
    with pytest.raises(ValueError, match="not finite"):
        adam.step([np.ones(2), np.array([1, np.inf])])
    assert adam.steps == 0 and all((w == 1).all() for w in weights)
    with pytest.raises(NotImplementedError):
        Optimiser(weights, 0.1).step(weights)


def test_adam_without_memory_is_the_published_update_which_is_a_sign() -> None:
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=50), 10.0 ** rng.uniform(-6, 6, 50) * rng.choice([-1, 1], 50)
    v = w.copy()
    Adam([w], lr=0.1, betas=(0.0, 0.0), eps=0.0).step([g])
    np.testing.assert_allclose(w, v - 0.1 * np.sign(g), rtol=1e-12)


# --- schedule


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(1, 60), st.floats(1e-5, 1), st.floats(0, 1))
def test_the_schedule_rises_then_falls_as_torchs_cosine(
    warmup: int, more: int, peak: float, part: float
) -> None:
    total, floor = warmup + more, peak * part
    rates = [warmup_cosine(t, total, peak, warmup, floor) for t in range(total + 3)]
    assert np.all(np.diff(rates[:warmup]) > 0) and np.all(np.diff(rates[warmup:]) <= 1e-12)
    assert max(rates) == pytest.approx(peak) and rates[-1] == pytest.approx(floor)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, more, floor)
    for rate in rates[warmup:total]:
        assert rate == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9, abs=1e-12)
        optimiser.step()
        cosine.step()


@pytest.mark.parametrize(
    "bad", [(0, 5, 1.0, 5), (0, 5, 1.0, -1), (-1, 5, 1.0), (0, 5, 1.0, 0, 2.0), (0, 5, math.nan)]
)
def test_the_schedule_refuses(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"need|must"):
        warmup_cosine(*bad)


# --- dropout and normalisation


def as_torch(layer: RegularLSTM) -> torch.nn.LSTM:
    theirs = torch.nn.LSTM(len(layer.W_x), layer.H, dtype=layer.b.dtype)
    with torch.no_grad():
        for p, w in zip(
            theirs.parameters(),
            (layer.W_x.T, layer.W_h.T, layer.b, torch.zeros_like(layer.b)),
            strict=True,
        ):
            p.copy_(w)
    return theirs


@settings(max_examples=25, deadline=None)
@given(*[st.integers(1, 6)] * 4, seeds)
def test_without_dropout_it_is_nn_lstm(T: int, B: int, D: int, H: int, seed: int) -> None:
    torch.manual_seed(seed)
    layer = RegularLSTM(D, H, drop_x=0.5, drop_h=0.5, drop_g=0.5).double().eval()
    x = torch.randn(T, B, D, dtype=torch.float64, requires_grad=True)
    theirs = as_torch(layer)
    a, b = layer(x), theirs(x)[0]
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    (grad_a,) = torch.autograd.grad((a**2).sum(), x)
    (grad_b,) = torch.autograd.grad((b**2).sum(), x)
    torch.testing.assert_close(grad_a, grad_b, rtol=0, atol=1e-12)


def slow_lstm(layer: RegularLSTM, x: torch.Tensor, masks: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the outputs, written gate by gate, with masks (T, B, .) given."""
    T, B, _ = x.shape
    h = c = torch.zeros(B, layer.H, dtype=x.dtype)
    out = []
    for t in range(T):
        a = (x[t] * masks["x"][t]) @ layer.W_x + (h * masks["h"][t]) @ layer.W_h + layer.b
        i, f, g, o = a.split(layer.H, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * (torch.tanh(g) * masks["g"][t])
        h = torch.sigmoid(o) * torch.tanh(c)
        out.append(h)
    return torch.stack(out)


@pytest.mark.parametrize("same_mask", [True, False])
def test_masks_stand_where_they_should_and_stay_where_they_should(
    same_mask: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    T, B, D, H = 5, 3, 4, 6
    torch.manual_seed(0)
    drawn: list[torch.Tensor] = []

    def spy(shape: Any, p: float, like: torch.Tensor) -> torch.Tensor:
        drawn.append(dropout_mask(shape, p, like))
        return drawn[-1]

    monkeypatch.setattr(training, "dropout_mask", spy)
    layer = RegularLSTM(D, H, drop_x=0.3, drop_h=0.4, drop_g=0.2, same_mask=same_mask).double()
    x = torch.randn(T, B, D, dtype=torch.float64)
    out = layer(x)
    assert [len(m) for m in drawn] == ([1, 1, T] if same_mask else [T, T, T])
    masks = {name: m.expand(T, -1, -1) for name, m in zip("xhg", drawn, strict=True)}
    torch.testing.assert_close(out, slow_lstm(layer, x, masks), rtol=0, atol=1e-12)


def test_a_mask_has_mean_1_and_two_values() -> None:
    torch.manual_seed(0)
    mask = dropout_mask((400, 500), 0.25, torch.zeros(1, dtype=torch.float64))
    assert mask.dtype == torch.float64
    assert set(mask.unique().tolist()) == {0.0, 1 / 0.75}
    assert abs(float(mask.mean()) - 1) < 0.01
    assert (dropout_mask((9,), 0.0, torch.zeros(1)) == 1).all()
    with pytest.raises(ValueError, match="p must lie"):
        dropout_mask((2,), 1.0, torch.zeros(1))


def test_layer_norm_against_the_formula() -> None:
    torch.manual_seed(1)
    layer = RegularLSTM(3, 4, norm="layer").double()
    x = torch.randn(6, 2, 3, dtype=torch.float64)

    def norm(z: torch.Tensor) -> torch.Tensor:
        centred = z - z.mean(1, keepdim=True)
        return centred / torch.sqrt((centred**2).mean(1, keepdim=True) + 1e-5)

    h = c = torch.zeros(2, 4, dtype=torch.float64)
    for t in range(6):
        a = norm(x[t] @ layer.W_x) + norm(h @ layer.W_h) + layer.b
        i, f, g, o = a.split(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(norm(c))
        torch.testing.assert_close(layer(x)[t], h, rtol=0, atol=1e-12)


def test_batch_norm_per_step_keeps_statistics_of_each_step() -> None:
    torch.manual_seed(0)
    layer = RegularLSTM(2, 3, norm="batch_steps", max_T=4)
    x = torch.randn(4, 64, 2) * torch.tensor([1.0, 10, 1, 10])[:, None, None]
    for _ in range(60):
        layer(x)
    seen = [float(n.running_var.mean()) for n in layer.of_x]
    true = [float((x[t] @ layer.W_x).var(0).mean()) for t in range(4)]
    np.testing.assert_allclose(seen, true, rtol=0.02)
    shared = RegularLSTM(2, 3, norm="batch")
    shared(x)
    assert len(shared.of_x) == 1
    with pytest.raises(ValueError, match="max_T"):
        layer(torch.randn(5, 8, 2))


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"D": 0, "H": 1}, "D and H"),
        ({"D": 1, "H": 1, "drop_h": 1.0}, "drop_h must lie"),
        ({"D": 1, "H": 1, "norm": "weight"}, "norm must be"),
        ({"D": 1, "H": 1, "norm": "batch_steps"}, "max_T"),
    ],
)
def test_the_layer_refuses(how: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RegularLSTM(**how)
    with pytest.raises(ValueError, match=r"x must be \(T, B, 3\)"):
        RegularLSTM(3, 2)(torch.zeros(4, 2, 5))
    with pytest.raises(ValueError, match="T 1 or more"):
        RegularLSTM(3, 2)(torch.zeros(0, 2, 3))


# --- early stopping


def test_early_stopping_keeps_the_best_weights_and_not_the_last() -> None:
    model = torch.nn.Linear(1, 1)
    stop = EarlyStopping(2)
    answers = []
    for k, loss in enumerate((3.0, 2.0, 2.5, math.nan, 1.0)):
        with torch.no_grad():
            model.weight.fill_(k)
        answers.append(stop.look(loss, model))
    assert answers == [False, False, False, True, False]
    assert (stop.best, stop.best_look, stop.waited) == (1.0, 4, 0)
    with torch.no_grad():
        model.weight.fill_(99)
    stop.restore(model)
    assert float(model.weight) == 4
    with pytest.raises(ValueError, match="nothing to restore"):
        EarlyStopping(1).restore(model)
    with pytest.raises(ValueError, match="patience"):
        EarlyStopping(0)
    other = EarlyStopping(7)
    other.load(stop.state())
    assert other.best_look == 4
    with pytest.raises(ValueError, match="not a state"):
        other.load({})


# --- the order of batches


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), seeds, st.integers(0, 60))
def test_an_epoch_deals_each_number_once_and_goes_on_anywhere(
    N: int, size: int, seed: int, k: int
) -> None:
    order = BatchOrder(N, size, seed)
    epochs = [[order.deal() for _ in range(len(order))] for _ in range(3)]
    for epoch in epochs:
        assert sorted(np.concatenate(epoch)) == list(range(N))
        assert all(len(batch) == size for batch in epoch[:-1])
    if N > 8:
        assert (np.concatenate(epochs[0]) != np.concatenate(epochs[1])).any()
    one, two = BatchOrder(N, size, seed), BatchOrder(N, size, seed)
    for _ in range(k):
        one.deal()
    two.load(one.state())
    for _ in range(2 * len(one)):
        assert (one.deal() == two.deal()).all()


def test_an_order_refuses_a_state_of_other_data() -> None:
    with pytest.raises(ValueError, match="N 5"):
        BatchOrder(6, 2, 0).load(BatchOrder(5, 2, 0).state())
    for bad in ((0, 1, 0), (1, 0, 0), (1, 1, -1)):
        with pytest.raises(ValueError, match="got N"):
            BatchOrder(*bad)


# --- checkpoints


def test_random_states_come_back(tmp_path: Path) -> None:
    set_seed(3)
    random.gauss(0, 1)  # leaves half a pair behind
    save_checkpoint(tmp_path / "a.pt", random_states())

    def draw() -> list[float]:
        return [
            random.gauss(0, 1),
            random.random(),
            float(np.random.normal()),  # noqa: NPY002
            *torch.rand(3).tolist(),
        ]

    first = draw()
    assert draw() != first
    set_random_states(load_checkpoint(tmp_path / "a.pt"))
    assert draw() == first


def test_a_checkpoint_is_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    state = {"w": torch.arange(5.0), "n": 3, "s": [1, ("a", None)], "big": 2**100}
    save_checkpoint(path, state)
    back = load_checkpoint(str(path))
    assert (back.pop("w") == state.pop("w")).all() and back == state
    assert not list(tmp_path.glob("*.part"))
    data = path.read_bytes()
    for cut in (0, 1, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(ValueError, match="no whole checkpoint"):
            load_checkpoint(path)
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "b.pt")


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"a": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match="no whole checkpoint"):
        load_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "owned").exists()


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    state = {np.int64(3): np.float64(0.1), "flags": (np.bool_(True), [np.float32(0.5)])}
    save_checkpoint(path, state)
    back = load_checkpoint(path)
    assert back == {3: 0.1, "flags": (True, [0.5])} and type(back[3]) is float
    for bad in (np.zeros(2), len, {1, 2}, Path("x")):
        with pytest.raises(ValueError, match="a checkpoint holds no"):
            save_checkpoint(path, {"part": [bad]})
    assert load_checkpoint(path) == back and [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"n": 1})

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, {"n": 2})
    assert load_checkpoint(path) == {"n": 1} and [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def child(tmp_path: Path, code: str, *arguments: str) -> subprocess.Popen[bytes]:
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(code))
    env = {**os.environ, "PYTHONPATH": str(BOOK), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(script), *arguments], env=env)


def test_killed_at_any_moment_of_saving_a_whole_checkpoint_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    code = """
        import sys, itertools, torch
        from seqmodels.training import save_checkpoint
        for n in itertools.count():
            save_checkpoint(sys.argv[1], {"n": n, "w": torch.full((200_000,), float(n))})
    """
    rng = random.Random(0)
    for _ in range(3):
        process = child(tmp_path, code, str(path))
        deadline = time.monotonic() + 60
        path.unlink(missing_ok=True)
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.01, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        state = load_checkpoint(path)
        assert (state["w"] == state["n"]).all()


TRAIN = """
    import sys, random, numpy as np, torch
    from seqmodels.training import *
    path, result, slow = sys.argv[1], sys.argv[2], float(sys.argv[3])
    set_seed(1)
    torch.set_num_threads(1)
    x, y = torch.randn(12, 90, 3), torch.randint(0, 2, (90,))
    layer, out = RegularLSTM(3, 5, drop_x=.2, drop_h=.3, drop_g=.1), torch.nn.Linear(5, 2)
    net = torch.nn.ModuleList([layer, out])
    def loss(batch):
        import time
        time.sleep(slow)
        noise = random.random() + np.random.random()  # all generators take part
        z = out(layer(x[:, batch])[-1]) * (1 + noise)
        return torch.nn.functional.cross_entropy(z, y[batch])
    adam = torch.optim.AdamW(net.parameters(), lr=1e-2)
    history = fit(net, adam, BatchOrder(90, 16, 5), loss, lambda: loss(np.arange(90)), epochs=4,
                  limit=.5, schedule=lambda t: warmup_cosine(t, 24, .02, 3),
                  path=path, save_every=4)
    save_checkpoint(result, {"w": net.state_dict(), "h": [tuple(e) for e in history],
                             "a": adam.state_dict(), "r": random_states()})
"""


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def test_training_killed_twice_ends_bit_for_bit_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.pt", tmp_path / "broken.pt"
    ends = tmp_path / "whole.end", tmp_path / "broken.end"
    assert child(tmp_path, TRAIN, str(whole), str(ends[0]), "0").wait(timeout=120) == 0
    for updates in (3, 13):  # within the first epoch, and within the third
        process = child(tmp_path, TRAIN, str(broken), str(ends[1]), "0.03")
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            time.sleep(0.02)
            if broken.exists() and load_checkpoint(broken)["so_far"][2] > updates:
                break
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not ends[1].exists()
    assert 13 < load_checkpoint(broken)["so_far"][2] < 24
    assert child(tmp_path, TRAIN, str(broken), str(ends[1]), "0").wait(timeout=120) == 0
    one, two = (load_checkpoint(end) for end in ends)
    assert len(one["h"]) == 4 and same(one, two)


# --- fit


def problem(seed: int = 0) -> tuple[Any, ...]:
    torch.manual_seed(seed)
    x = torch.randn(50, 4)
    y = x @ torch.randn(4, 1)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 1))

    def loss(batch: np.ndarray) -> torch.Tensor:
        return ((net(x[batch]) - y[batch]) ** 2).mean()

    return net, torch.optim.Adam(net.parameters(), 1e-2), BatchOrder(50, 8, seed), loss


def test_fit_can_be_continued_within_and_after_an_epoch(tmp_path: Path) -> None:
    net, adam, order, loss = problem()
    whole = fit(net, adam, order, loss, lambda: loss(np.arange(50)), epochs=5)
    for epochs in (2, 4, 5):
        again, adam, order, loss = problem()
        path = tmp_path / "c.pt"
        part = fit(
            again,
            adam,
            order,
            loss,
            lambda loss=loss: loss(np.arange(50)),
            epochs=epochs,
            path=path,
        )
        assert part == whole[:epochs]
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))


def test_fit_resumes_when_its_rates_are_numpys_numbers(tmp_path: Path) -> None:
    def run(epochs: int, path: Path | None) -> Any:
        net, _, order, loss = problem()
        adam = torch.optim.AdamW(net.parameters(), lr=np.float64(0.1))  # type: ignore[arg-type]
        return fit(
            net,
            adam,
            order,
            loss,
            lambda: loss(np.arange(50)),
            epochs=epochs,
            schedule=lambda t: np.float64(0.1) * np.cos(t / 50),
            path=path,
        )

    assert len(run(2, tmp_path / "c.pt")) == 2
    assert run(4, tmp_path / "c.pt") == run(4, None)


def test_fit_stops_early_with_the_best_weights() -> None:
    net, adam, order, loss = problem()
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    seen = []

    def validate() -> float:
        assert not net.training and not torch.is_grad_enabled()
        seen.append(net[0].weight.detach().clone())
        return next(losses)

    history = fit(net, adam, order, loss, validate, epochs=9, patience=2)
    assert [epoch.validation for epoch in history] == [3, 1, 2, 2]
    assert torch.equal(net[0].weight, seen[1]) and not torch.equal(seen[1], seen[3])


def test_fit_clips_and_follows_the_schedule() -> None:
    net, _, order, loss = problem()
    sgd = torch.optim.SGD(net.parameters(), lr=123.0)
    before = [p.detach().clone() for p in net.parameters()]
    rates = []

    def schedule(update: int) -> float:
        rates.append(update)
        return 0.5

    history = fit(net, sgd, order, loss, lambda: 1.0, epochs=1, limit=0.01, schedule=schedule)
    assert rates == list(range(7)) and history[0].lr == 0.5
    moved = math.sqrt(
        sum(float(((p - b) ** 2).sum()) for p, b in zip(net.parameters(), before, strict=True))
    )
    assert 0 < moved <= 7 * 0.5 * 0.01 * (1 + 1e-5)
    assert history[0].norm > 0.01


def test_fit_refuses_what_is_not_finite_and_bad_settings() -> None:
    net, adam, order, _ = problem()
    with pytest.raises(ValueError, match="update 0: loss nan"):
        fit(
            net,
            adam,
            order,
            lambda b: net(torch.ones(1, 4)).sum() * math.nan,
            lambda: 1.0,
            epochs=1,
        )
    for bad in ({"epochs": 0}, {"epochs": 1, "limit": 0.0}, {"epochs": 1, "save_every": 0}):
        with pytest.raises(ValueError, match="must be"):
            fit(net, adam, order, lambda b: net(torch.ones(1, 4)).sum(), lambda: 1.0, **bad)  # type: ignore[arg-type]


# --- seeds


def test_a_seed_decides_all_generators() -> None:
    def draw(seed: int) -> list[float]:
        rng = set_seed(seed)
        return [rng.random(), random.random(), float(np.random.random()), float(torch.rand(1))]  # noqa: NPY002

    assert draw(5) == draw(5) != draw(6)
    assert torch.are_deterministic_algorithms_enabled()
    for bad in (-1, 2**32):
        with pytest.raises(ValueError, match="seed"):
            set_seed(bad)


# --- calibration


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 12), seeds)
def test_reliability_by_brute_force(N: int, C: int, bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, y = rng.dirichlet(np.ones(C), N), rng.integers(0, C, N)
    r = reliability(p, y, bins)
    error = 0.0
    for k in range(bins):
        inside = [n for n in range(N) if k / bins < p[n].max() <= (k + 1) / bins]
        assert r.number[k] == len(inside)
        if inside:
            right = np.mean([p[n].argmax() == y[n] for n in inside])
            claim = np.mean([p[n].max() for n in inside])
            assert r.accuracy[k] == pytest.approx(right)
            assert r.confidence[k] == pytest.approx(claim)
            error += len(inside) / N * abs(right - claim)
        else:
            assert math.isnan(r.accuracy[k])
    assert r.error == pytest.approx(error, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.floats(0.2, 5), seeds)
def test_the_temperature_that_was_put_in_comes_out(C: int, tau: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(20_000, C)) * 2
    y = (a + rng.gumbel(size=a.shape)).argmax(axis=1)  # labels drawn from softmax(a)
    assert fit_temperature(tau * a, y) == pytest.approx(tau, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_no_other_temperature_has_a_lower_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, y = rng.normal(size=(60, 4)), rng.integers(0, 4, 60)
    a[np.arange(60), y] += 1

    def loss(tau: float) -> float:
        return float(torch.nn.functional.cross_entropy(torch.tensor(a / tau), torch.tensor(y)))

    best = fit_temperature(a, y)
    assert all(loss(best) <= loss(best * f) + 1e-12 for f in (0.5, 0.99, 1.01, 2))


def test_calibration_refuses() -> None:
    p, y = np.full((3, 2), 0.5), np.array([0, 1, 0])
    for bad in ((p[0], y), (p, y[:2]), (p, y + 1), (p, y - 1), (p, y * 1.0), (p * np.nan, y)):
        with pytest.raises(ValueError, match=r"expected|labels|scores"):
            reliability(*bad)
        with pytest.raises(ValueError, match=r"expected|labels|scores"):
            fit_temperature(*bad)
    with pytest.raises(ValueError, match="sum to 1"):
        reliability(2 * p, y)
    with pytest.raises(ValueError, match="top score"):
        fit_temperature(np.eye(2), np.array([0, 1]))
    with pytest.raises(ValueError, match="no better than none"):
        fit_temperature(np.eye(2), np.array([1, 0]))


# --- comparing two models


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), seeds)
def test_mcnemar_is_scipys_exact_binomial_test(N: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, N), rng.random(N) < rng.random()
    m = mcnemar(a, b)
    assert m.only_a == ((a == 1) & ~b).sum() and m.only_b == ((a == 0) & b).sum()
    n = m.only_a + m.only_b
    want = stats.binomtest(m.only_a, n).pvalue if n else 1.0
    assert m.p == pytest.approx(want, rel=1e-9)


def test_mcnemar_on_a_published_table_and_on_many() -> None:
    # Agresti, Categorical Data Analysis: 150 against 86 discordant; z squared is 17.36
    a = np.repeat([1, 0], [150, 86])
    m = mcnemar(a, 1 - a)
    assert m.p == pytest.approx(stats.binomtest(150, 236).pvalue, rel=1e-12)
    assert 1e-5 < m.p < 1e-4
    a = np.repeat([1, 0], [30_000, 29_000])
    assert mcnemar(a, 1 - a).p == pytest.approx(stats.binomtest(30_000, 59_000).pvalue, rel=1e-9)


def test_the_bootstrap_on_a_case_that_can_be_counted() -> None:
    a, b = np.array([1.0, 0, 3]), np.array([0.0, 1, 0.5])
    d = a - b
    all_means = sorted(np.mean(pick) for pick in itertools.product(d, repeat=3))
    got = paired_bootstrap(a, b, np.random.default_rng(0), draws=200_000, level=0.8)
    assert got.difference == pytest.approx(d.mean())
    assert got.low == pytest.approx(np.quantile(all_means, 0.1), abs=1e-9)
    assert got.high == pytest.approx(np.quantile(all_means, 0.9), abs=1e-9)
    beyond = min(np.mean(np.array(all_means) <= 0), np.mean(np.array(all_means) >= 0))
    assert got.p == pytest.approx(2 * beyond, abs=0.01)


@settings(max_examples=10, deadline=None)
@given(st.integers(30, 200), seeds)
def test_the_bootstrap_agrees_with_scipys(N: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=N), rng.normal(0.1, 1, N)
    got = paired_bootstrap(a, b, rng, draws=20_000)
    theirs = stats.bootstrap(
        (a - b,), np.mean, n_resamples=20_000, method="percentile", random_state=rng, batch=1000
    ).confidence_interval
    width = theirs.high - theirs.low
    assert abs(got.low - theirs.low) < 0.06 * width and abs(got.high - theirs.high) < 0.06 * width


def test_groups_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 40, 25)
    groups = np.repeat(np.arange(25), sizes)
    per_group = rng.normal(size=25)
    a, b = per_group[groups] + 0.1 * rng.normal(size=len(groups)), np.zeros(len(groups))
    got = paired_bootstrap(a, b, rng, groups=[f"file {g}" for g in groups], draws=4_000)
    means = []
    for _ in range(4_000):
        picked = rng.integers(0, 25, 25)
        means.append(np.concatenate([a[groups == g] for g in picked]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    assert abs(got.low - low) < 0.1 * (high - low) and abs(got.high - high) < 0.1 * (high - low)
    alone = paired_bootstrap(a, b, rng, draws=4_000)
    assert high - low > 2 * (alone.high - alone.low)


def test_comparisons_refuse() -> None:
    rng, a = np.random.default_rng(0), np.ones(4)
    bad: list[tuple[Any, Any, dict[str, Any]]] = [
        (a, a[:3], {}),
        (a[:1], a[:1], {}),
        (a[None], a[None], {}),
        (a * np.nan, a, {}),
        (a, a, {"draws": 0}),
        (a, a, {"level": 1.0}),
        (a, a, {"groups": [1, 2]}),
        (a, a, {"groups": [1, 1, 1, 1]}),
    ]
    for one, two, how in bad:
        with pytest.raises(ValueError, match=r"must|one group"):
            paired_bootstrap(one, two, rng, **how)
    for pair in (([1, 0], [1]), ([2, 0], [1, 0]), ([], []), ([0.5, 1], [1, 1])):
        with pytest.raises(ValueError, match=r"need|0 and 1"):
            mcnemar(*pair)
    same_models = paired_bootstrap(a, a, rng)
    assert same_models.p == 1 and same_models.low == same_models.high == 0
