"""Say how far a run is: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from autograder.journal import Entry

EVERY_S = 5.0  # between two plain lines


class Progress:
    """Counts, rate and time left of a run over submissions; written to stderr."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.total = self.done = self.troubles = 0
        self.started = self.spoken = time.monotonic()
        self.console = Console(stderr=True)
        self.bar: Bar | None = None
        if self.console.is_terminal:
            self.bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=self.console,
            )

    def __enter__(self) -> "Progress":
        return self

    def say(self, text: str) -> None:
        """Write a line before counting starts."""
        print(f"{self.title}: {text}", file=sys.stderr, flush=True)

    def begin(self, total: int) -> None:
        """Start counting."""
        self.total = total
        self.started = self.spoken = time.monotonic()
        if self.bar and total:
            self.bar.start()
            self.task = self.bar.add_task(self.title, total=total, rate="")

    def advance(self, entry: Entry) -> None:
        """Count one submission."""
        self.done += 1
        self.troubles += bool(entry.unreadable) or not entry.settled
        now = time.monotonic()
        rate = self.done / max(now - self.started, 1e-9)
        troubles = f", {self.troubles} in trouble" if self.troubles else ""
        if self.bar:
            self.bar.update(self.task, advance=1, rate=f"{rate:.1f} a second{troubles}")
        elif now - self.spoken > EVERY_S or self.done == self.total:
            self.spoken = now
            left = (self.total - self.done) / rate
            print(
                f"{self.title}: {self.done} of {self.total} submissions, {rate:.1f} a second, "
                f"{left:.0f} s left{troubles}",
                file=sys.stderr,
                flush=True,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar:
            self.bar.stop()
        if isinstance(error, KeyboardInterrupt):
            kept = f"{self.done} of {self.total} submissions are graded and kept, the others"
            kept = kept if self.total else "nothing was graded, the submissions"
            print(
                f"autograder: stopped; {kept} are as they were; the same command goes on from here",
                file=sys.stderr,
                flush=True,
            )
