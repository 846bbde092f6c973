"""Which cells to leave out when a notebook starts again after a process was lost.

The cell that ran when it happened is left out, and as a rule that is that. But a cell can leave a
thread or a process behind that ends everything later, in the middle of somebody else's cell. So
when a second cell is struck, the cells that left something running are tried: if without one of
them all that were struck run through, it alone is to blame.
"""

from collections.abc import Sequence
from typing import Any

Error = dict[str, Any]


class Blame:
    """The cells of one notebook that have to be left out, by index, each with its error output."""

    def __init__(self) -> None:
        self.left_out: dict[int, Error] = {}
        self.struck: dict[int, Error] = {}  # put aside while a suspect is tried
        self.tried: set[int] = set()
        self.suspect: int | None = None

    def add(self, index: int, error: Error, lingering: Sequence[int]) -> None:
        """Note that a process was lost in a cell; lingering: cells that left something running."""
        if (
            self.suspect is not None and index in self.struck
        ):  # the suspect has nothing to do with it
            self.left_out, self.struck, self.suspect = self.struck, {}, None
        self.left_out[index] = error
        if len(self.left_out) < 2 or self.suspect is not None:
            return
        first = min(self.left_out)
        for cell in lingering:
            if cell < first and cell not in self.tried:
                self._try(cell, error)
                return

    def _try(self, cell: int, error: Error) -> None:
        self.tried.add(cell)
        self.suspect, self.struck = cell, self.left_out
        name = error["ename"]
        text = "it left something running that ended the process later"
        self.left_out = {cell: {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}}
