# GENERATED from book/12_text_rnn.md by `make export`: change that, not this file.
"""Text-RNN: the code of book/12_text_rnn.md."""

# --- book/12_text_rnn.md: What you need (#what-you-need)
import dataclasses
import math
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqmodels.data import PAD, check_lengths, pad
from seqmodels.training import BatchOrder, Epoch, fit, set_seed

Side = Literal["before", "after"]
POOLINGS = (
    "last-position",
    "last-token",
    "ends",
    "mean-all",
    "mean",
    "max",
    "attention",
)


# --- book/12_text_rnn.md: One configuration, every field of it (#text-rnn-config)
@dataclasses.dataclass(frozen=True)
class TRNNConfig:
    """Hold every choice of a Text-RNN: a tutorial's fields, then ours.

    Raises ValueError, TypeError for a value that has no meaning.
    """

    embedding_dim: int = 64
    seq_length: int = 600  # tokens of a text that are kept; all are padded to it
    num_classes: int = 10
    vocab_size: int = 5000  # symbols at most, PAD and UNKNOWN among them
    num_layers: int = 2
    hidden_dim: int = 128  # units of one layer and direction
    rnn: str = "gru"  # or "lstm"
    dropout_keep_prob: float = 0.8  # of each layer's output
    learning_rate: float = 1e-3
    batch_size: int = 128
    num_epochs: int = 10
    print_per_batch: int = 100  # a line on the screen every so many batches
    save_per_batch: int = 10  # TensorBoard and a checkpoint every so many
    # what the tutorial leaves open
    bidirectional: bool = True
    pooling: str = "mean"  # one of POOLINGS
    pad_side: Side = "after"
    truncate_side: Side = "after"  # the side that a longer text loses
    packed: bool = False  # the recurrent layers never see padding
    hidden_layer: int = 0  # units of a dense layer before the last; 0: none
    clip_norm: float = 5.0  # largest norm of a gradient; inf: any
    patience: int = 0  # epochs without a better validation loss; 0: never stop
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        least = {"num_classes": 2, "vocab_size": 3}
        least |= {"hidden_layer": 0, "patience": 0, "seed": 0}
        for field in dataclasses.fields(self):
            name, value = field.name, getattr(self, field.name)
            if field.type is int:
                if isinstance(value, bool) or not hasattr(value, "__index__"):
                    raise TypeError(f"{name} must be an integer; got {value!r}")
                object.__setattr__(self, name, operator.index(value))
                if value < least.get(name, 1):
                    low = least.get(name, 1)
                    raise ValueError(f"{name} must be {low} or more; got {value}")
            elif field.type is bool and not isinstance(value, bool):
                raise TypeError(f"{name} must be True or False; got {value!r}")
            elif field.type is float:
                number = isinstance(value, int | float | np.number)
                if isinstance(value, bool) or not number or math.isnan(value):
                    raise TypeError(f"{name} must be a number; got {value!r}")
        choices = {"rnn": ("gru", "lstm"), "pooling": POOLINGS}
        choices |= dict.fromkeys(("pad_side", "truncate_side"), ("before", "after"))
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name} must be one of {known}; got {value!r}")
        if not 0 < self.dropout_keep_prob <= 1:
            came = f"got {self.dropout_keep_prob}"
            raise ValueError(f"dropout_keep_prob must lie in (0, 1]; {came}")
        if not 0 < self.learning_rate < math.inf or not self.clip_norm > 0:
            came = f"{self.learning_rate} and {self.clip_norm}"
            raise ValueError(f"learning_rate, clip_norm must be positive: {came}")
        if self.seed >= 2**32:
            raise ValueError(f"seed must lie below 2**32; got {self.seed}")


# --- book/12_text_rnn.md: Seven ways to make one vector of many (#text-rnn-pool)
def real_steps(lengths: torch.Tensor, T: int, side: Side = "after") -> torch.Tensor:
    """Return (B, T) bools, True at real tokens; lengths (B,), padding at `side`."""
    step = torch.arange(T, device=lengths.device)
    n = lengths[:, None]  # (B, 1)
    return step < n if side == "after" else step >= T - n


def attention_weights(scores: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return softmax of scores (B, T) over the real steps, exactly 0 elsewhere."""
    return torch.softmax(scores.masked_fill(~real, -math.inf), dim=1)


def pool(
    states: torch.Tensor,
    real: torch.Tensor,
    how: str,
    *,
    directions: int = 1,
    scores: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return one vector for each text, (B, F), of states (B, T, F).

    real: (B, T) bools, False at padding. how: "last-position" (step T - 1, padding
    or not), "last-token" (the last real step), "ends" (each direction's own last
    real step: the second half of F, if directions is 2, at the first token),
    "mean-all" (over all T steps), "mean", "max" (over the real steps),
    "attention" (a mean weighted by softmax of scores (B, T)). Raises ValueError on
    other shapes, or a text without any real step.
    """
    fits = states.ndim == 3 and real.shape == states.shape[:2]
    if not fits or real.dtype != torch.bool:
        came = f"got {tuple(states.shape)} and {tuple(real.shape)} {real.dtype}"
        raise ValueError(f"states must be (B, T, F), real (B, T) bools; {came}")
    if not bool(real.any(dim=1).all()):
        raise ValueError("a text has no real step: give it one UNKNOWN")
    B, T, F = states.shape
    if directions not in (1, 2) or F % directions:
        raise ValueError(f"directions must be 1 or 2, and divide {F}")
    rows = torch.arange(B, device=states.device)
    last = T - 1 - real.flip(1).int().argmax(dim=1)  # (B,)
    inside = real[:, :, None]  # (B, T, 1)
    if how == "last-position":
        return states[:, -1]
    if how == "last-token" or (how == "ends" and directions == 1):
        return states[rows, last]
    if how == "ends":
        first = real.int().argmax(dim=1)  # (B,)
        there, back = states[rows, last], states[rows, first]
        return torch.cat([there[:, : F // 2], back[:, F // 2 :]], dim=1)
    if how == "mean-all":
        return states.mean(dim=1)
    if how == "mean":
        return states.masked_fill(~inside, 0).sum(dim=1) / inside.sum(dim=1)
    if how == "max":
        return states.masked_fill(~inside, -math.inf).amax(dim=1)
    if how == "attention":
        if scores is None or scores.shape != real.shape:
            raise ValueError(f"attention needs scores {tuple(real.shape)}")
        weights = attention_weights(scores, real)  # (B, T)
        return (weights[:, :, None] * states.masked_fill(~inside, 0)).sum(dim=1)
    raise ValueError(f"how must be one of {POOLINGS}; got {how!r}")


# --- book/12_text_rnn.md: The model (#text-rnn-network)
class Classifier(nn.Module):
    """Hold what all classifiers here share: embedding, dropout, last layer.

    num_symbols: rows of the embedding, config.vocab_size where None. The vector of
    PAD is zero and stays so. F: inputs of the last layer: a subclass makes a vector
    of a text, (F,), in `vectors`.
    """

    def __init__(self, config: TRNNConfig, num_symbols: int | None, F: int) -> None:
        super().__init__()
        V = config.vocab_size if num_symbols is None else num_symbols
        if not 2 < V <= config.vocab_size:
            known = f"3 to vocab_size, {config.vocab_size}"
            raise ValueError(f"num_symbols must be {known}; got {V}")
        self.config = config
        self.embedding = nn.Embedding(V, config.embedding_dim, padding_idx=PAD)
        self.dropout = nn.Dropout(1 - config.dropout_keep_prob)
        if config.hidden_layer:
            self.hidden = nn.Linear(F, config.hidden_layer)
        self.output = nn.Linear(config.hidden_layer or F, config.num_classes)

    def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return scores (B, C) of tokens (B, T) int64 with lengths (B,)."""
        return self.classify(self.embedding(tokens), lengths)

    def classify(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return scores (B, C) of embedded tokens x (B, T, D)."""
        n = check_lengths(lengths.cpu().numpy(), x.shape[1])
        if len(n) != len(x):
            raise ValueError(f"lengths must be ({len(x)},); got {n.shape}")
        z = self.vectors(x, torch.as_tensor(n))  # (B, F)
        if self.config.hidden_layer:
            z = self.dropout(torch.relu(self.hidden(z)))
        return self.output(z)

    def vectors(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return one vector for each text, (B, F), of tokens' x (B, T, D)."""
        raise NotImplementedError

    def real(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (B, T) bools: which steps of x (B, T, D) are no padding."""
        return real_steps(lengths.to(x.device), x.shape[1], self.config.pad_side)


class TextRNN(Classifier):
    """Embed tokens, read them in one or both directions, pool, classify."""

    def __init__(self, config: TRNNConfig, num_symbols: int | None = None) -> None:
        directions = 2 if config.bidirectional else 1
        super().__init__(config, num_symbols, directions * config.hidden_dim)
        self.directions = directions
        several = config.num_layers > 1  # with one layer PyTorch's dropout warns
        self.recurrent = {"gru": nn.GRU, "lstm": nn.LSTM}[config.rnn](
            config.embedding_dim,
            config.hidden_dim,
            config.num_layers,
            batch_first=True,
            dropout=self.dropout.p if several else 0.0,  # between layers
            bidirectional=config.bidirectional,
        )
        if config.pooling == "attention":
            self.attend = nn.Linear(directions * config.hidden_dim, 1, bias=False)

    def vectors(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the pooled outputs (B, F) of embedded tokens x (B, T, D)."""
        states, how = self.dropout(self.states(x, lengths)), self.config.pooling
        scores = self.attention_scores(states) if how == "attention" else None
        real = self.real(x, lengths)
        return pool(states, real, how, directions=self.directions, scores=scores)

    def states(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the last layer's outputs (B, T, F) of embedded tokens x (B, T, D).

        If config.packed, no state depends on padding, and the outputs there are 0.
        """
        if not self.config.packed:
            return self.recurrent(x)[0]
        n, T = lengths.cpu(), x.shape[1]
        shift = T - n if self.config.pad_side == "before" else 0 * n
        data = pack_padded_sequence(
            roll(x, shift), n, batch_first=True, enforce_sorted=False
        )
        out, _ = pad_packed_sequence(self.recurrent(data)[0], True, 0.0, T)
        return roll(out, -shift)

    def attention_scores(self, states: torch.Tensor) -> torch.Tensor:
        """Return (B, T) of states (B, T, F), before the softmax over real steps."""
        return self.attend(torch.tanh(states)).squeeze(2)


def roll(x: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Return x (B, T, D) with row b moved shift[b] (B,) steps towards the start."""
    T, shift = x.shape[1], shift.to(x.device)
    step = (torch.arange(T, device=x.device) + shift[:, None]) % T  # (B, T)
    return x.gather(1, step[:, :, None].expand(-1, -1, x.shape[2]))


# --- book/12_text_rnn.md: Batches (#text-rnn-batches)
def to_batch(
    sequences: Sequence[ArrayLike], config: TRNNConfig, fixed: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens (B, T) int64, padded and cut as config says, and lengths (B,).

    sequences: B arrays (T_b,) of symbols, none empty. T is config.seq_length, or,
    if not fixed, the longest that is left. Raises ValueError on bad input.
    """
    cut = "start" if config.truncate_side == "before" else "end"
    T = config.seq_length
    if not fixed and len(sequences):
        T = min(T, max(map(np.size, sequences)))
    x, n = pad(sequences, T, config.pad_side, cut)  # (T, B), time first
    if x.ndim != 2 or x.dtype.kind != "i":
        raise ValueError(f"a text must be (T,) integers; got {x.shape} {x.dtype}")
    return torch.as_tensor(np.ascontiguousarray(x.T)), torch.as_tensor(n)


# --- book/12_text_rnn.md: What to beat (#text-rnn-baselines)
class MeanEmbedding(Classifier):
    """Average the vectors of a text's tokens: no order at all."""

    def __init__(self, config: TRNNConfig, num_symbols: int | None = None) -> None:
        super().__init__(config, num_symbols, config.embedding_dim)

    def vectors(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the mean of the real rows, (B, D), of x (B, T, D)."""
        return self.dropout(pool(x, self.real(x, lengths), "mean"))


class TextCNN(Classifier):
    """Slide windows of 3 and 5 tokens over a text, take the largest response.

    Each width has config.hidden_dim filters. Order counts within a window only.
    """

    def __init__(self, config: TRNNConfig, num_symbols: int | None = None) -> None:
        super().__init__(config, num_symbols, 2 * config.hidden_dim)
        self.windows = nn.ModuleList(
            nn.Conv1d(config.embedding_dim, config.hidden_dim, w, padding="same")
            for w in (3, 5)
        )

    def vectors(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the largest response of each filter, (B, 2 H), of x (B, T, D)."""
        real, across = self.real(x, lengths), x.transpose(1, 2)  # (B, D, T)
        found = torch.cat([window(across) for window in self.windows], dim=1)
        return self.dropout(pool(torch.relu(found).transpose(1, 2), real, "max"))


# --- book/12_text_rnn.md: Training (#text-rnn-training)
def train_text_rnn(
    config: TRNNConfig,
    train: tuple[Sequence[ArrayLike], ArrayLike],
    validation: tuple[Sequence[ArrayLike], ArrayLike],
    *,
    device: str = "cpu",
    fixed: bool = True,
    path: str | Path | None = None,
    show: Callable[[int, float], None] | None = None,
    log: Callable[[str, float, int], None] | None = None,
    num_symbols: int | None = None,
    build: Callable[[TRNNConfig, int | None], Classifier] = TextRNN,
) -> tuple[Classifier, list[Epoch]]:
    """Return a trained model, with the weights of its best epoch, and the epochs.

    train, validation: sequences of symbols, as for `to_batch`, and labels (N,).
    fixed: pad to config.seq_length, else to the longest of each batch. path: a
    checkpoint, written every config.save_per_batch updates, from which a second
    call goes on. show(update, loss) every config.print_per_batch updates; log(name,
    value, update) every config.save_per_batch: TensorBoard's add_scalar fits.
    build: what makes the model. Seeds every generator with config.seed. Raises
    ValueError on bad input.
    """
    labels = []
    for texts, y in (train, validation):
        y = np.asarray(y)
        if y.shape != (len(texts),) or y.dtype.kind not in "iu" or not len(y):
            came = f"got {y.shape} {y.dtype} for {len(texts)} texts"
            raise ValueError(f"labels must be one integer for each text; {came}")
        if y.min() < 0 or y.max() >= config.num_classes:
            raise ValueError(f"labels must lie in [0, {config.num_classes})")
        labels.append(torch.as_tensor(y.astype(np.int64), device=device))
    set_seed(config.seed, deterministic=False)
    model = build(config, num_symbols).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    order = BatchOrder(len(labels[0]), config.batch_size, config.seed)

    def loss(texts: Sequence[ArrayLike], y: torch.Tensor) -> torch.Tensor:
        tokens, n = to_batch(texts, config, fixed)
        return nn.functional.cross_entropy(model(tokens.to(device), n), y)

    def batch_loss(b: np.ndarray) -> torch.Tensor:
        value = loss([train[0][i] for i in b], labels[0][torch.as_tensor(b)])
        # the batch was dealt: its number, from 1
        k = order.epoch * len(order) + -(-order.place // order.size)
        if show is not None and k % config.print_per_batch == 0:
            show(k, value.item())
        if log is not None and k % config.save_per_batch == 0:
            log("loss/train", value.item(), k)
        return value

    def validate() -> float:
        texts, y = validation[0], labels[1]
        total = 0.0
        for start in range(0, len(texts), config.batch_size):
            part = slice(start, start + config.batch_size)
            total += float(loss(texts[part], y[part])) * len(y[part])
        if log is not None:
            log("loss/validation", total / len(y), order.epoch * len(order))
        return total / len(y)

    history = fit(
        model,
        adam,
        order,
        batch_loss,
        validate,
        epochs=config.num_epochs,
        patience=config.patience or 10**9,
        limit=config.clip_norm,
        path=path,
        save_every=config.save_per_batch,
    )
    return model, history


def predict(
    model: Classifier, sequences: Sequence[ArrayLike], fixed: bool = True
) -> np.ndarray:
    """Return log probabilities (N, C) of texts, in eval mode, batch by batch."""
    config, device = model.config, model.output.weight.device
    was, found = model.training, []
    model.eval()
    with torch.no_grad():
        for start in range(0, len(sequences), config.batch_size):
            part = sequences[start : start + config.batch_size]
            tokens, n = to_batch(part, config, fixed)
            scores = model(tokens.to(device), n).double()
            found.append(torch.log_softmax(scores, dim=1).cpu().numpy())
    model.train(was)
    return np.concatenate(found)
