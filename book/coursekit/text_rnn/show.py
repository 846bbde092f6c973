"""How far a run is: a bar on a terminal, plain lines elsewhere; JSON lines; TensorBoard; Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from coursekit.text_rnn.folder import Log
from coursekit.text_rnn.settings import TRNNConfig
from coursekit.text_rnn.trainer import Round

CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Write one line to standard error, above the bar if there is one."""
    CONSOLE.print(Text(text))


def left(seconds: float) -> str:
    """Return a time in words: 50 s, 12 min, 3.1 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class Board:
    """TensorBoard's event files; without the package nothing is written."""

    missing_said = False

    def __init__(self, folder: Path, updates: int) -> None:
        self.writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            if not Board.missing_said:
                say("TensorBoard is not installed (pip install tensorboard): no event files")
            Board.missing_said = True
            return
        # what was written after the checkpoint that we go on from is not to be shown
        purge = updates + 1 if updates else None
        self.writer = SummaryWriter(str(folder), purge_step=purge)

    def add(self, updates: int, values: dict[str, float]) -> None:
        """Write a point of each curve."""
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, updates)
            self.writer.flush()

    def close(self) -> None:
        """Finish the file."""
        if self.writer is not None:
            self.writer.close()


class Watch:
    """Tell screen, log and TensorBoard how far one seed is."""

    def __init__(self, config: TRNNConfig, texts: int, log: Log, board: Path) -> None:
        self.config, self.texts, self.log, self.board_path = config, texts, log, board
        self.board: Board | None = None
        self.bar: Progress | None = None
        self.started = self.first = self.total = 0.0

    def begin(self, updates: int, total: int, rounds: list[Round]) -> None:
        """Start the bar; forget what was logged after the checkpoint."""
        self.log.rewind(self.config.seed, updates, len(rounds))
        self.board = Board(self.board_path, updates)
        self.started, self.first, self.total = time.monotonic(), updates, total
        if updates:
            say(f"seed {self.config.seed}: goes on after {updates:,} of {total:,} batches")
        if CONSOLE.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                console=CONSOLE,
                transient=True,
            )
            self.bar.start()
            self.task = self.bar.add_task("", total=total, completed=updates, rate="")

    def end(self) -> None:
        """Take the bar away and close the event file."""
        if self.bar:
            self.bar.stop()
        if self.board:
            self.board.close()

    def _pace(self, updates: int) -> tuple[float, str]:
        """Return texts a second, and the time left if no epoch is spared."""
        passed = max(time.monotonic() - self.started, 1e-9)
        done = max(updates - self.first, 1)
        batches = self.total / self.config.num_epochs  # of an epoch
        rate = done * self.texts / batches / passed
        return rate, left((self.total - updates) * passed / done)

    def update(self, updates: int, epoch: int) -> None:
        """Move the bar."""
        if self.bar:
            rate, rest = self._pace(updates)
            shown = f"seed {self.config.seed}, epoch {epoch}"
            pace = f"{rate:,.0f} texts/s, {rest} left at most"
            self.bar.update(self.task, completed=updates, description=shown, rate=pace)

    def line(self, updates: int, epoch: int, loss: float, accuracy: float) -> None:
        """Print a line: mean over the batches since the last one."""
        rate, rest = self._pace(updates)
        say(
            f"seed {self.config.seed}  epoch {epoch}/{self.config.num_epochs}  "
            f"batch {updates:,}/{self.total:,.0f}  train loss {loss:.3f}  accuracy "
            f"{100 * accuracy:.1f} %  {rate:,.0f} texts/s  {rest} left at most"
        )
        row = {"seed": self.config.seed, "update": updates, "epoch": epoch}
        self.log.add(row | {"train_loss": loss, "train_accuracy": accuracy, "time": time.time()})

    def points(self, updates: int, values: dict[str, float]) -> None:
        """Give TensorBoard its points."""
        if self.board:
            self.board.add(updates, values)

    def epoch(self, number: int, row: Round, best: bool) -> None:
        """Print what the validation texts say."""
        say(
            f"seed {self.config.seed}  epoch {number}/{self.config.num_epochs} done: train "
            f"{100 * row.train_accuracy:.1f} %, validation {100 * row.validation_accuracy:.2f} %, "
            f"loss {row.validation_loss:.3f}{'  (best so far)' if best else ''}"
        )
        values = {
            "loss/validation": row.validation_loss,
            "accuracy/validation": row.validation_accuracy,
        }
        self.points(row.updates, values)
        logged = {"seed": self.config.seed, "epoch": number, **row._asdict()}
        self.log.add(logged | {"best": best, "time": time.time()})


class Asked:
    """Whether somebody pressed Ctrl-C, or the machine asked to end: noted, not obeyed at once."""

    def __init__(self) -> None:
        self.signal = 0
        self.before: dict[int, Any] = {}

    def __call__(self) -> bool:
        return bool(self.signal)

    def __enter__(self) -> Asked:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.signal:  # the second time: at once
            raise KeyboardInterrupt
        self.signal = number
