"""Small headlines, and a call of the command line that is quick."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from coursekit.text_rnn.cli import main

NAMES = ("体育", "财经", "科技")
OWN = ("球队赢比赛员", "股市银行涨跌", "手机电脑芯片")
TINY = [
    *("--hidden-dim", "6", "--embedding-dim", "5", "--num-layers", "1", "--batch-size", "32"),
    *("--num-epochs", "2", "--learning-rate", "0.02", "--no-baseline"),
    *("--device", "cpu", "--threads", "1"),
]


@pytest.fixture(autouse=True)
def one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run in an empty folder, with one thread, and leave no mode of PyTorch behind."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def rows() -> Callable[..., list[tuple[str, str]]]:
    """Return a maker of n different (label, headline): most characters are of the label."""

    def make(n: int, seed: int = 0) -> list[tuple[str, str]]:
        rng = random.Random(seed)
        found = {}
        while len(found) < n:
            c = len(found) % 3
            text = "".join(rng.choices(OWN[c] + "的了在是和有", k=rng.randint(6, 14)))
            found.setdefault(text, NAMES[c])
        return [(label, text) for text, label in found.items()]

    return make


@pytest.fixture
def headlines(tmp_path: Path, rows) -> Path:
    """Return a file of 240 lines label<tab>text."""
    path = tmp_path / "headlines.txt"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in rows(240)), encoding="utf-8")
    return path


@pytest.fixture
def tiny(capsys):
    """Return a call of `text-rnn train` with a tiny model: (status, out, err)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main(["train", *TINY, *map(str, arguments)])
        return status, *capsys.readouterr()

    return call
