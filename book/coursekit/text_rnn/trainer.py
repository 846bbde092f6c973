"""The loop: what stops it at any moment costs at most the batches since the last checkpoint.

A run that was killed and goes on ends in the same weights, bit for bit, as one that was not: the
checkpoint holds everything the next update depends on, and the order of batches follows from seed
and epoch alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from seqmodels.data import batches
from seqmodels.text_rnn import TextRNN, TRNNConfig, to_batch
from seqmodels.training import (
    BatchOrder,
    EarlyStopping,
    load_checkpoint,
    random_states,
    save_checkpoint,
    set_random_states,
    set_seed,
)

POOL = 50  # batches whose texts are sorted by length together
READS_PADDING = ("last-position", "mean-all")  # poolings for which each text is padded to the end


class Stopped(Exception):
    """Somebody asked the run to stop, and its checkpoint is written."""


class TrainingError(ValueError):
    """A run that cannot go on: one line that says why."""


class Data(NamedTuple):
    """Texts as symbols, N arrays (T_n,), and their labels (N,)."""

    sequences: list[np.ndarray]
    labels: np.ndarray


class Round(NamedTuple):
    """What one epoch brought."""

    train_loss: float  # nats, mean over the texts, while it learned
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    norm: float  # largest norm of a gradient before clipping
    updates: int  # so far


class Watcher(Protocol):
    """Who is told how far a run is."""

    def begin(self, updates: int, total: int, rounds: list[Round]) -> None: ...
    def update(self, updates: int, epoch: int) -> None: ...
    def line(self, updates: int, epoch: int, loss: float, accuracy: float) -> None: ...
    def points(self, updates: int, values: dict[str, float]) -> None: ...
    def epoch(self, number: int, row: Round, best: bool) -> None: ...


class Buckets(BatchOrder):
    """Deal batches of texts that are about equally long, in a new order in each epoch."""

    def __init__(self, lengths: Sequence[int], size: int, seed: int, pool: int = POOL) -> None:
        super().__init__(len(lengths), size, seed)
        self.lengths, self.pool = np.asarray(lengths), pool
        self._cut: tuple[int, list[np.ndarray], np.ndarray] | None = None

    def deal(self) -> np.ndarray:
        """Return the next batch: the numbers of its texts."""
        if self._cut is None or self._cut[0] != self.epoch:
            rng = np.random.default_rng((self.seed, self.epoch))
            found = batches(self.lengths, self.size, rng, self.pool)
            self._cut = self.epoch, found, np.cumsum([len(batch) for batch in found])
        _, found, ends = self._cut
        batch = found[int(np.searchsorted(ends, self.place, side="right"))]
        self.place += len(batch)
        if self.place == self.N:
            self.epoch, self.place = self.epoch + 1, 0
        return batch


def pads_fully(config: TRNNConfig) -> bool:
    """Return whether what comes out depends on padding, so that all texts get the same."""
    return config.pooling in READS_PADDING


def alike(lengths: np.ndarray, size: int, fixed: bool) -> Iterator[np.ndarray]:
    """Yield batches of texts to be judged: equally long ones, so that no neighbour matters."""
    order = np.argsort(lengths, kind="stable")
    cuts = np.flatnonzero(np.diff(lengths[order])) + 1
    for part in [order] if fixed else np.split(order, cuts):
        for start in range(0, len(part), size):
            yield part[start : start + size]


def log_probabilities(
    model: TextRNN,
    sequences: Sequence[np.ndarray],
    pause: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Return log p(label | text), (N, C) float64, in eval mode; pause is called between batches."""
    config, device = model.config, model.output.weight.device
    fixed = pads_fully(config)
    lengths = np.minimum([len(x) for x in sequences], config.seq_length)
    found = np.zeros((len(sequences), config.num_classes))
    model.eval()
    with torch.no_grad():
        for part in alike(lengths, config.batch_size, fixed):
            pause()
            tokens, n = to_batch([sequences[i] for i in part], config, fixed)
            scores = model(tokens.to(device), n).double()
            found[part] = torch.log_softmax(scores, dim=1).cpu().numpy()
    return found


def loss_and_accuracy(log_p: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the mean loss in nats and the share that is right."""
    loss = -log_p[np.arange(len(labels)), labels].mean()
    return float(loss), float((log_p.argmax(axis=1) == labels).mean())


class Trainer:
    """One seed's training: its model, its state, its checkpoint."""

    def __init__(
        self,
        config: TRNNConfig,
        train: Data,
        validation: Data,
        num_symbols: int,
        path: Path,
        watch: Watcher,
        device: str = "cpu",
        asked: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the data, and the checkpoint at path if there is one.

        asked: whether to save and stop. Raises TrainingError for a checkpoint that is broken or of
        another run.
        """
        set_seed(config.seed)
        if device != "cpu":  # a GPU's operation without an exact order is no reason to stop
            torch.use_deterministic_algorithms(True, warn_only=True)
        self.config, self.train_data, self.validation = config, train, validation
        self.path, self.watch, self.device, self.asked = path, watch, device, asked
        self.model = TextRNN(config, num_symbols).to(device)
        self.adam = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        lengths = [min(len(x), config.seq_length) for x in train.sequences]
        self.order = Buckets(lengths, config.batch_size, config.seed)
        self.stop = EarlyStopping(config.patience or 10**9)
        self.labels = torch.as_tensor(train.labels)
        self.rounds: list[Round] = []
        self.updates = 0
        self.of_epoch = [0.0, 0, 0, 0.0]  # loss, right, texts, largest norm
        self.of_line = [0.0, 0, 0]
        if path.exists():
            self._load()

    def run(self) -> TextRNN:
        """Train to the end; return the model with its best weights.

        Best: fewest validation texts wrong; of equals, the smallest loss. Raises Stopped,
        TrainingError.
        """
        config, patience = self.config, self.stop.patience
        total = config.num_epochs * len(self.order)
        self.watch.begin(self.updates, total, self.rounds)
        while len(self.rounds) < config.num_epochs and self.stop.waited < patience:
            if self.order.epoch > len(self.rounds):
                self._end_epoch()
                self.save()
                continue
            self._pause()
            self._update()
            if self.updates % config.print_per_batch == 0:
                loss, right, n = self.of_line
                epoch = self.updates / len(self.order)
                self.watch.line(self.updates, math.ceil(epoch), loss / n, right / n)
                self.of_line = [0.0, 0, 0]
            if self.updates % config.save_per_batch == 0:
                self.save()
        try:
            self.stop.restore(self.model)
        except ValueError as error:
            raise TrainingError(f"{error}; lower --learning-rate") from error
        self.model.eval()
        return self.model

    def _pause(self) -> None:
        if self.asked():
            self.save()
            raise Stopped

    def _update(self) -> None:
        """Change the weights once."""
        config = self.config
        self.model.train()
        batch = self.order.deal()
        y = self.labels[torch.as_tensor(batch)].to(self.device)
        part = [self.train_data.sequences[i] for i in batch]
        tokens, n = to_batch(part, config, pads_fully(config))
        scores = self.model(tokens.to(self.device), n)
        loss = torch.nn.functional.cross_entropy(scores, y)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        parameters = self.model.parameters()
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, config.clip_norm))
        value = loss.item()
        if not math.isfinite(value) or not math.isfinite(norm):
            raise TrainingError(
                f"update {self.updates + 1}: loss {value:g}, norm of the gradient {norm:g}; "
                "lower --learning-rate or --clip-norm and start another run"
            )
        try:
            self.adam.step()
        except RuntimeError as error:
            if "overflow" not in str(error):
                raise
            raise TrainingError(f"{str(error)[:80]}; lower --learning-rate") from error
        self.updates += 1
        right = int((scores.argmax(dim=1) == y).sum())
        for k, more in enumerate((value * len(batch), right, len(batch))):
            self.of_epoch[k] += more
            self.of_line[k] += more
        self.of_epoch[3] = max(self.of_epoch[3], norm)
        self.watch.update(self.updates, len(self.rounds) + 1)
        if self.updates % config.save_per_batch == 0:
            share = right / len(batch)
            values = {"loss/train": value, "accuracy/train": share, "gradient norm": norm}
            self.watch.points(self.updates, values)

    def _end_epoch(self) -> None:
        """Judge by the validation texts; a stop during this judges again later."""
        log_p = log_probabilities(self.model, self.validation.sequences, self._pause)
        loss, accuracy = loss_and_accuracy(log_p, self.validation.labels)
        total, right, n, norm = self.of_epoch
        row = Round(total / n, right / n, loss, accuracy, norm, self.updates)
        self.rounds.append(row)
        wrong = int((log_p.argmax(axis=1) != self.validation.labels).sum())
        # the number wrong, and the loss squeezed into [0, 1) to choose between equals
        self.stop.look(wrong + loss / (1 + loss), self.model)
        self.of_epoch = [0.0, 0, 0, 0.0]
        best = self.stop.best_look == len(self.rounds) - 1
        self.watch.epoch(len(self.rounds), row, best)

    def save(self) -> None:
        """Write the checkpoint: all that the next update depends on."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimiser": self.adam.state_dict(),
            "order": self.order.state(),
            "stop": self.stop.state(),
            "rounds": [tuple(row) for row in self.rounds],
            "updates": self.updates,
            "of_epoch": self.of_epoch,
            "of_line": self.of_line,
            "random": random_states(),
        }
        save_checkpoint(self.path, state)

    def _load(self) -> None:
        """Take up the checkpoint's state."""
        try:
            saved = load_checkpoint(self.path)
            self.model.load_state_dict(saved["model"])
            self.adam.load_state_dict(saved["optimiser"])
            self.order.load(saved["order"])
            self.stop.load({**saved["stop"], "patience": self.stop.patience})
            self.rounds = [Round(*row) for row in saved["rounds"]]
            self.updates = int(saved["updates"])
            self.of_epoch, self.of_line = list(saved["of_epoch"]), list(saved["of_line"])
            set_random_states(saved["random"])  # last: nothing after it may draw
        except (ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError) as error:
            short = (str(error).splitlines() or [type(error).__name__])[0]
            raise TrainingError(
                f"{self.path} cannot be gone on from ({short[:200]}); delete it to train this "
                "seed from the start"
            ) from error


def load_model(path: Path, config: TRNNConfig, num_symbols: int, device: str) -> TextRNN:
    """Return the model of finished weights. Raises TrainingError where they do not fit."""
    try:
        model = TextRNN(config, num_symbols)
        model.load_state_dict(load_checkpoint(path)["model"])
        return model.to(device).eval()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        short = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainingError(f"{path} holds no weights for this run: {short[:200]}") from error


def load_rounds(path: Path) -> tuple[list[Round], int]:
    """Return a finished seed's epochs and the number of the best. Raises TrainingError."""
    try:
        saved = load_checkpoint(path)
        rounds = [Round(*map(float, row)) for row in saved["rounds"]]  # type: ignore[arg-type]
        best = int(saved["best"])
        if not 0 <= best < len(rounds):
            raise ValueError("no best epoch")
        return rounds, best
    except (OSError, ValueError, KeyError, TypeError) as error:
        short = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise TrainingError(f"{path} cannot be used ({short}); delete it to train again") from error
