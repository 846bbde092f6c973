"""Ordinary test cells end in two processes as they end in one."""

from pathlib import Path

import pytest
import torch
from two_processes import in_one_process, in_two_processes


def _cells(file: str) -> list[tuple[str, str, str, str | None]]:
    text = Path(__file__).with_name(file).read_text()
    rows = []
    for row in text.split("\n=== ")[1:]:
        title, _, rest = row.partition("\n")
        name, _, raises = title.partition(" -> ")
        code, _, test = rest.partition("\n---\n")
        rows.append((name, code, test, raises or None))
    return rows


CELLS = _cells("ordinary_cells.txt")
LIMITS = _cells("limits_of_the_split.txt")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # a pool of threads does not survive a fork


@pytest.mark.parametrize(("name", "code", "test", "raises"), CELLS, ids=[row[0] for row in CELLS])
def test_ordinary_cell(name: str, code: str, test: str, raises: str | None) -> None:
    stock = in_one_process(code, test)
    assert (type(stock).__name__ if stock else None) == raises, stock
    split = in_two_processes(code, test)
    if (type(split).__name__ if split else None) != raises:
        raise AssertionError(f"in two processes: {split!r}") from split


@pytest.mark.parametrize(("code", "test"), [row[1:3] for row in LIMITS], ids=[r[0] for r in LIMITS])
def test_a_limit_of_the_split_is_an_error_and_never_a_pass(code: str, test: str) -> None:
    assert in_one_process(code, test) is None
    assert isinstance(in_two_processes(code, test), Exception)


def test_the_table_is_long_and_its_names_differ() -> None:
    assert len({name for name, *_ in CELLS}) == len(CELLS) >= 40
