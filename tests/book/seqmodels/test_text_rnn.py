"""seqmodels.text_rnn against loops over single texts, PyTorch's layers, published choices."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqmodels.data import PAD, mask
from seqmodels.text_rnn import (
    POOLINGS,
    Classifier,
    MeanEmbedding,
    TextCNN,
    TextRNN,
    TRNNConfig,
    attention_weights,
    pool,
    predict,
    real_steps,
    to_batch,
    train_text_rnn,
)

SMALL: dict[str, Any] = {
    "embedding_dim": 5,
    "seq_length": 9,
    "num_classes": 3,
    "vocab_size": 12,
    "hidden_dim": 4,
    "batch_size": 4,
    "num_epochs": 2,
    "dropout_keep_prob": 1.0,
}


def config(**changes: Any) -> TRNNConfig:
    return TRNNConfig(**{**SMALL, **changes})


def texts(lengths: list[int], seed: int = 0, V: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(1, V, n) for n in lengths]


def model_of(cfg: TRNNConfig, seed: int = 0) -> TextRNN:
    torch.manual_seed(seed)
    return TextRNN(cfg).double().eval()


# --- the configuration ---------------------------------------------------------------------------


def test_the_defaults_are_the_tutorial_s_in_its_order() -> None:
    source = {
        "embedding_dim": 64,
        "seq_length": 600,
        "num_classes": 10,
        "vocab_size": 5000,
        "num_layers": 2,
        "hidden_dim": 128,
        "rnn": "gru",
        "dropout_keep_prob": 0.8,
        "learning_rate": 1e-3,
        "batch_size": 128,
        "num_epochs": 10,
        "print_per_batch": 100,
        "save_per_batch": 10,
    }
    found = dataclasses.asdict(TRNNConfig())
    assert list(found.items())[: len(source)] == list(source.items())
    with pytest.raises(dataclasses.FrozenInstanceError):
        TRNNConfig().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"embedding_dim": 0}, ValueError, "embedding_dim must be 1 or more; got 0"),
        ({"hidden_dim": 1.5}, TypeError, "hidden_dim must be an integer; got 1.5"),
        ({"num_layers": True}, TypeError, "num_layers must be an integer"),
        ({"num_classes": 1}, ValueError, "num_classes must be 2 or more"),
        ({"vocab_size": 2}, ValueError, "vocab_size must be 3 or more"),
        ({"hidden_layer": -1}, ValueError, "hidden_layer must be 0 or more"),
        ({"rnn": "GRU"}, ValueError, "rnn must be one of .*gru.*lstm"),
        ({"pooling": "average"}, ValueError, "pooling must be one of .*attention"),
        ({"pad_side": "left"}, ValueError, "pad_side must be one of .*before.*after"),
        ({"truncate_side": 1}, ValueError, "truncate_side must be one of"),
        ({"dropout_keep_prob": 0.0}, ValueError, r"must lie in \(0, 1\]; got 0.0"),
        ({"dropout_keep_prob": 1.2}, ValueError, r"must lie in \(0, 1\]"),
        ({"dropout_keep_prob": "0.8"}, TypeError, "dropout_keep_prob must be a number"),
        ({"learning_rate": 0.0}, ValueError, "must be positive"),
        ({"learning_rate": float("nan")}, TypeError, "must be a number"),
        ({"clip_norm": -1.0}, ValueError, "must be positive"),
        ({"packed": 1}, TypeError, "packed must be True or False; got 1"),
        ({"seed": 2**32}, ValueError, "seed must lie below"),
    ],
)
def test_what_has_no_meaning_is_refused(
    change: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        TRNNConfig(**change)


def test_numbers_of_other_types_are_taken() -> None:
    cfg = TRNNConfig(hidden_dim=np.int64(3), learning_rate=1, clip_norm=float("inf"))  # type: ignore[arg-type]
    assert type(cfg.hidden_dim) is int and cfg.hidden_dim == 3


@pytest.mark.parametrize("rnn", ["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sizes_cell_layers_and_directions_are_as_configured(rnn: str, bidirectional: bool) -> None:
    cfg = config(rnn=rnn, num_layers=3, bidirectional=bidirectional, hidden_layer=7)
    net = TextRNN(cfg)
    assert type(net.recurrent) is {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[rnn]
    assert (net.recurrent.num_layers, net.recurrent.bidirectional) == (3, bidirectional)
    gates, directions = (3 if rnn == "gru" else 4), (2 if bidirectional else 1)
    H, D, F = 4, 5, 4 * directions
    layers = [D, F, F]
    recurrent = directions * sum(gates * H * (inputs + H + 2) for inputs in layers)
    dense = F * 7 + 7 + 7 * 3 + 3
    assert sum(w.numel() for w in net.parameters()) == 12 * D + recurrent + dense
    assert net(torch.ones(2, 9, dtype=torch.long), torch.tensor([9, 1])).shape == (2, 3)


def test_hidden_layer_0_is_none_and_attention_adds_one_vector() -> None:
    plain, dense = TextRNN(config()), TextRNN(config(hidden_layer=6))
    assert not hasattr(plain, "hidden") and dense.hidden.out_features == 6
    attending = TextRNN(config(pooling="attention"))
    extra = {n: w.numel() for n, w in attending.named_parameters() if n.startswith("attend")}
    assert extra == {"attend.weight": 8}


def test_fewer_symbols_than_the_limit_and_no_more() -> None:
    assert TextRNN(config(), 7).embedding.num_embeddings == 7
    assert TextRNN(config()).embedding.num_embeddings == 12
    with pytest.raises(ValueError, match="num_symbols must be 3 to vocab_size, 12; got 13"):
        TextRNN(config(), 13)


def test_dropout_keeps_the_stated_share_of_a_layer_s_output() -> None:
    cfg = config(dropout_keep_prob=0.25, num_layers=2)
    net = TextRNN(cfg)
    assert net.recurrent.dropout == 0.75 and net.dropout.p == 0.75
    seen: list[torch.Tensor] = []
    net.dropout.register_forward_hook(lambda _m, _i, out: seen.append(out))
    x = torch.ones(400, 9, dtype=torch.long)
    net.train()(x, torch.full((400,), 9))
    kept = (seen[0] != 0).double().mean().item()
    assert abs(kept - 0.25) < 0.01  # 28,800 draws: standard deviation .0026
    net.eval()(x, torch.full((400,), 9))
    assert (seen[1] != 0).all()
    assert TextRNN(config(num_layers=1, dropout_keep_prob=0.5)).recurrent.dropout == 0


# --- batches -------------------------------------------------------------------------------------


def test_length_and_sides_of_a_batch() -> None:
    rows = [np.array([2, 3]), np.arange(1, 7)]
    want = {
        ("after", "after"): [[2, 3, 0, 0], [1, 2, 3, 4]],
        ("after", "before"): [[2, 3, 0, 0], [3, 4, 5, 6]],
        ("before", "after"): [[0, 0, 2, 3], [1, 2, 3, 4]],
        ("before", "before"): [[0, 0, 2, 3], [3, 4, 5, 6]],
    }
    for (pad_side, truncate_side), expected in want.items():
        cfg = config(seq_length=4, pad_side=pad_side, truncate_side=truncate_side)
        tokens, n = to_batch(rows, cfg)
        assert tokens.tolist() == expected and n.tolist() == [2, 4]
        assert tokens.dtype == n.dtype == torch.int64
    cfg = config(seq_length=600)
    assert to_batch(rows, cfg)[0].shape == (2, 600)
    assert to_batch(rows, cfg, fixed=False)[0].shape == (2, 6)
    assert to_batch(rows, config(seq_length=3), fixed=False)[0].shape == (2, 3)


@pytest.mark.parametrize("rows", [[], [np.array([], dtype=int)], [np.ones(3)], [np.ones((3, 2))]])
def test_texts_of_no_use_are_refused(rows: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="sequence|text|integer"):
        to_batch(rows, config())


@pytest.mark.parametrize("side", ["before", "after"])
def test_real_steps_is_the_mask_of_chapter_10(side: Any) -> None:
    n = np.array([1, 4, 7, 3])
    assert np.array_equal(real_steps(torch.tensor(n), 7, side).numpy(), mask(n, 7, side).T)


# --- pooling -------------------------------------------------------------------------------------


def one_by_one(states: np.ndarray, real: np.ndarray, how: str, directions: int, a: np.ndarray):
    """Return the pooled vectors, each computed from a text cut out of its padding."""
    rows = []
    for b in range(len(states)):
        h = states[b][real[b]]  # (n, F): no padding any more
        F = h.shape[1]
        if how == "last-position":
            rows.append(states[b][-1])
        elif how == "last-token" or how == "ends" and directions == 1:
            rows.append(h[-1])
        elif how == "ends":
            rows.append(np.concatenate([h[-1, : F // 2], h[0, F // 2 :]]))
        elif how == "mean-all":
            rows.append(states[b].mean(axis=0))
        elif how == "mean":
            rows.append(h.mean(axis=0))
        elif how == "max":
            rows.append(h.max(axis=0))
        else:
            e = np.exp(a[b][real[b]])
            rows.append(e @ h / e.sum())
    return np.stack(rows)


@pytest.mark.parametrize("how", POOLINGS)
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("directions", [1, 2])
def test_pooling_equals_a_loop_over_texts_without_padding(
    how: str, side: Any, directions: int
) -> None:
    rng = np.random.default_rng([POOLINGS.index(how), len(side), directions])
    for _ in range(8):
        B, L, F = (int(n) for n in rng.integers(1, [7, 12, 5]))
        F *= 2
        states, a = rng.normal(size=(B, L, F)), rng.normal(size=(B, L))
        real = mask(rng.integers(1, L + 1, B), L, side).T
        got = pool(
            torch.tensor(states),
            torch.tensor(real),
            how,
            directions=directions,
            scores=torch.tensor(a),
        )
        want = one_by_one(states, real, how, directions, a)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("how", ["last-token", "ends", "mean", "max", "attention"])
def test_what_stands_at_padding_does_not_matter_not_even_nan(how: str) -> None:
    rng = np.random.default_rng(1)
    states = torch.tensor(rng.normal(size=(3, 6, 4)))
    scores = torch.tensor(rng.normal(size=(3, 6)))
    real = real_steps(torch.tensor([2, 6, 1]), 6)
    want = pool(states, real, how, directions=2, scores=scores)
    dirty = states.masked_fill(~real[:, :, None], float("nan")).requires_grad_()
    got = pool(dirty, real, how, directions=2, scores=scores.masked_fill(~real, 1e9))
    assert torch.equal(got, want)
    (slope,) = torch.autograd.grad(got.sum(), dirty)
    assert (slope[~real] == 0).all() and (slope[real].abs().sum() > 0)


def test_attention_weights_are_a_distribution_over_real_tokens() -> None:
    real = real_steps(torch.tensor([3, 5]), 5, "before")
    w = attention_weights(torch.randn(2, 5, generator=torch.Generator().manual_seed(0)), real)
    assert torch.allclose(w.sum(dim=1), torch.ones(2)) and (w[~real] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool), "mean"), "states must be"),
        ((torch.zeros(2, 3, 4), torch.ones(2, 3), "mean"), "bools"),
        ((torch.zeros(2, 3, 4), torch.ones(3, 2, dtype=torch.bool), "mean"), "states must be"),
        ((torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool), "mean"), "no real step"),
        ((torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool), "median"), "one of"),
        ((torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool), "attention"), "scores"),
    ],
)
def test_pool_says_what_is_wrong(arguments: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        pool(*arguments)


# --- the model -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", POOLINGS)
@pytest.mark.parametrize("rnn", ["gru", "lstm"])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_packed_equals_each_text_alone_without_padding(
    how: str, rnn: str, side: Any, bidirectional: bool
) -> None:
    if how == "mean-all" or (how == "last-position" and side == "after"):
        pytest.skip("reads padding on purpose")
    cfg = config(pooling=how, rnn=rnn, pad_side=side, bidirectional=bidirectional, packed=True)
    net, rows = model_of(cfg), texts([3, 9, 1, 5])
    tokens, n = to_batch(rows, cfg)
    got = net(tokens, n)
    for b, row in enumerate(rows):
        alone = net(torch.tensor(row)[None], torch.tensor([len(row)]))
        assert torch.allclose(got[b], alone[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("how", ["last-token", "ends", "mean", "max", "attention"])
def test_one_direction_with_padding_after_needs_no_packing(how: str) -> None:
    cfg = config(pooling=how, bidirectional=False)
    packed = dataclasses.replace(cfg, packed=True)
    tokens, n = to_batch(texts([3, 9, 1, 5]), cfg)
    one, two = model_of(cfg), model_of(packed)
    assert torch.allclose(one(tokens, n), two(tokens, n), rtol=1e-10, atol=1e-12)


def test_the_ends_of_a_packed_batch_are_pytorch_s_final_states() -> None:
    cfg = config(pooling="ends", packed=True)
    net = model_of(cfg)
    tokens, n = to_batch(texts([3, 9, 1, 5]), cfg)
    data = torch.nn.utils.rnn.pack_padded_sequence(
        net.embedding(tokens), n, batch_first=True, enforce_sorted=False
    )
    h_n = net.recurrent(data)[1]
    want = net.output(torch.cat([h_n[-2], h_n[-1]], dim=1))
    assert torch.allclose(net(tokens, n), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("packed", [False, True])
def test_last_position_is_what_public_code_reads(packed: bool) -> None:
    cfg = config(pooling="last-position", packed=packed)
    net = model_of(cfg)
    tokens, n = to_batch(texts([3, 9]), cfg)
    out = net.recurrent(net.embedding(tokens))[0][:, -1]
    if packed:
        out = out * torch.tensor([[0.0], [1.0]])  # no state there for the short text
        assert torch.allclose(net(tokens, n)[0], net.output(out)[0], rtol=1e-10, atol=1e-12)
    else:
        assert torch.allclose(net(tokens, n), net.output(out), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("how", ["ends", "mean", "max", "attention", "last-token"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_no_gradient_reaches_padding_when_packed(how: str, side: Any) -> None:
    cfg = config(pooling=how, pad_side=side, packed=True)
    net = model_of(cfg)
    tokens, n = to_batch(texts([3, 9, 1]), cfg)
    x = net.embedding(tokens).detach().requires_grad_()
    (slope,) = torch.autograd.grad(net.classify(x, n).square().sum(), x)
    real = real_steps(n, 9, side)
    assert (slope[~real] == 0).all() and (slope[real] != 0).any(dim=1).all()


def test_without_packing_the_backward_direction_reads_padding_first() -> None:
    cfg = config(pooling="mean")
    net = model_of(cfg)
    tokens, n = to_batch(texts([3, 9]), cfg)
    x = net.embedding(tokens).detach().requires_grad_()
    (slope,) = torch.autograd.grad(net.classify(x, n).square().sum(), x)
    assert (slope[0, 3:] != 0).any()
    net.classify(net.embedding(tokens), n).square().sum().backward()
    assert net.embedding.weight.grad is not None
    assert (net.embedding.weight.grad[PAD] == 0).all()  # but the vector of PAD stays 0
    assert (net.embedding.weight[PAD] == 0).all()


def test_gradients_of_the_model_equal_finite_differences() -> None:
    cfg = config(pooling="attention", packed=True, hidden_layer=3, rnn="lstm", num_layers=1)
    net = model_of(cfg)
    tokens, n = to_batch(texts([3, 5]), cfg, fixed=False)
    x = net.embedding(tokens).detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: net.classify(x, n), (x,))


def test_lengths_that_do_not_fit_are_refused() -> None:
    net = model_of(config())
    for bad in ([0, 3], [3, 10], [3]):
        with pytest.raises(ValueError, match="lengths must be"):
            net(torch.ones(2, 9, dtype=torch.long), torch.tensor(bad))


# --- training ------------------------------------------------------------------------------------


def corpus(N: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return texts whose label is whether a 5 comes before any 7: the order decides."""
    rng = np.random.default_rng(seed)
    rows, y = [], rng.integers(0, 2, N)
    for label in y:
        row = rng.integers(8, 12, rng.integers(4, 9))
        one, two = sorted(rng.choice(len(row), 2, replace=False))
        row[one], row[two] = (5, 7) if label else (7, 5)
        rows.append(row)
    return rows, y


def test_it_learns_what_no_bag_of_words_can() -> None:
    cfg = config(
        num_classes=2,
        num_layers=1,
        hidden_dim=16,
        num_epochs=12,
        batch_size=20,
        learning_rate=1e-2,
        packed=True,
    )
    net, history = train_text_rnn(cfg, corpus(400, 0), corpus(100, 1), fixed=False)
    rows, y = corpus(300, 2)
    log_p = predict(net, rows)
    assert log_p.shape == (300, 2)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-10, atol=0)
    assert (log_p.argmax(axis=1) == y).mean() > 0.95
    assert len(history) == 12


def run(changes: dict[str, Any] | None = None, **arguments: Any) -> tuple[TextRNN, list, list]:
    shown: list[int] = []
    cfg = config(num_classes=2, num_layers=1, **(changes or {}))
    net, history = train_text_rnn(
        cfg, corpus(30, 0), corpus(10, 1), show=lambda k, loss: shown.append(k), **arguments
    )
    return net, history, shown


def test_epochs_batches_printing_and_saving_are_as_configured(tmp_path: Path) -> None:
    logged: list[tuple[str, int]] = []
    changes = {"num_epochs": 3, "batch_size": 7, "print_per_batch": 4, "save_per_batch": 6}
    _, history, shown = run(changes, log=lambda name, value, k: logged.append((name, k)))
    assert len(history) == 3
    assert shown == [4, 8, 12]  # 5 batches an epoch
    assert [k for name, k in logged if name == "loss/train"] == [6, 12]
    assert [k for name, k in logged if name == "loss/validation"] == [5, 10, 15]


def test_rate_seed_clipping_and_dropout_change_the_run() -> None:
    base = run()[1]
    assert run()[1] == base
    assert base[0].lr == 1e-3
    for change in ({"seed": 1}, {"clip_norm": 1e-3}, {"dropout_keep_prob": 0.5}):
        assert run(change)[1] != base
    assert run({"learning_rate": 0.25})[1][0].lr == 0.25


def test_patience_stops_and_0_does_not() -> None:
    changes = {"learning_rate": 0.5, "num_epochs": 12, "clip_norm": 1e9}
    assert len(run(changes)[1]) == 12
    assert len(run({**changes, "patience": 1})[1]) < 12


def test_a_checkpoint_goes_on_bit_for_bit(tmp_path: Path) -> None:
    changes = {"num_epochs": 4, "dropout_keep_prob": 0.7, "save_per_batch": 3}
    whole, history, _ = run(changes)

    class Cut(Exception):
        pass

    def stop(k: int, loss: float) -> None:
        if k == 19:
            raise Cut

    cfg = config(num_classes=2, num_layers=1, print_per_batch=1, **changes)
    path = tmp_path / "run.pt"
    with pytest.raises(Cut):
        train_text_rnn(cfg, corpus(30, 0), corpus(10, 1), show=stop, path=path)
    again, after = train_text_rnn(cfg, corpus(30, 0), corpus(10, 1), path=path)
    assert after == history
    for one, two in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2], [0, -1, 1], [0.0, 1.0, 0.0], []])
def test_labels_that_do_not_fit_are_refused(labels: list) -> None:
    rows = texts([2, 3, 4]) if labels else []
    with pytest.raises(ValueError, match="labels must"):
        train_text_rnn(config(num_classes=2), (rows, labels), corpus(4, 0))


# --- baselines -----------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [MeanEmbedding, TextCNN])
@pytest.mark.parametrize("side", ["before", "after"])
def test_baselines_do_not_see_padding(build: type[Classifier], side: Any) -> None:
    cfg, rows = config(pad_side=side, seq_length=14), texts([3, 9, 1, 5])
    torch.manual_seed(0)
    net = build(cfg, None).double().eval()  # type: ignore[arg-type]
    tokens, n = to_batch(rows, cfg)
    got = net(tokens, n)
    assert got.shape == (4, 3)
    for b, row in enumerate(rows):
        alone = net(torch.tensor(row)[None], torch.tensor([len(row)]))
        assert torch.allclose(got[b], alone[0], rtol=1e-10, atol=1e-12)


def test_a_mean_embedding_is_a_mean_and_knows_no_order() -> None:
    cfg = config()
    torch.manual_seed(0)
    net = MeanEmbedding(cfg).double().eval()
    (row,) = texts([6])
    z = net.embedding.weight[row].mean(dim=0)
    n = torch.tensor([6])
    assert torch.allclose(net(torch.tensor(row)[None], n)[0], net.output(z), rtol=1e-12, atol=0)
    other = torch.tensor(row[::-1].copy())[None]
    assert torch.allclose(net(other, n), net(torch.tensor(row)[None], n), rtol=1e-10, atol=0)
    assert not torch.allclose(model_of(cfg)(other, n), model_of(cfg)(torch.tensor(row)[None], n))


def test_a_convolution_looks_at_windows_of_3_and_5() -> None:
    cfg = config()
    torch.manual_seed(0)
    net = TextCNN(cfg).double().eval()
    (row,) = texts([7])
    x = net.embedding.weight[row]  # (7, D)
    found = []
    for w, window in zip((3, 5), net.windows, strict=True):
        zeros = x.new_zeros(w // 2, 5)
        ext = torch.cat([zeros, x, zeros])
        rows = [
            torch.einsum("wd,hdw->h", ext[t : t + w], window.weight) + window.bias for t in range(7)
        ]
        found.append(torch.relu(torch.stack(rows)).amax(dim=0))
    want = net.output(torch.cat(found))
    got = net(torch.tensor(row)[None], torch.tensor([7]))[0]
    assert torch.allclose(got, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("build", [MeanEmbedding, TextCNN])
def test_baselines_train_with_the_same_loop(build: type[Classifier]) -> None:
    cfg = config(num_classes=2, num_layers=1, num_epochs=3)
    net, history = train_text_rnn(cfg, corpus(30, 0), corpus(10, 1), build=build)  # type: ignore[arg-type]
    assert type(net) is build and len(history) == 3
    assert predict(net, corpus(7, 2)[0]).shape == (7, 2)
