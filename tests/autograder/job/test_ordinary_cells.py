"""Ordinary test cells end in two processes as they end in one."""

import pytest
import torch
from ordinary_cells import CELLS
from two_processes import in_one_process, in_two_processes


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("code", "test", "raises"), [row[1:] for row in CELLS], ids=[r[0] for r in CELLS]
)
def test_ordinary_cell(code: str, test: str, raises: str | None) -> None:
    stock = in_one_process(code, test)
    assert (type(stock).__name__ if stock else None) == raises, stock
    split = in_two_processes(code, test)
    if (type(split).__name__ if split else None) != raises:
        raise AssertionError(f"in two processes: {split!r}") from split


def test_there_are_enough_cells() -> None:
    assert len({name for name, *_ in CELLS}) == len(CELLS) >= 40
