"""The public files that can be fetched: addresses, and the checksums that others published.

A checksum is here only if its source is named. For a file without one `check` says what the file
must look like, and download.py holds later downloads to the hash of the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coursekit.corpora.form import CorpusError
from coursekit.corpora.text import decode


@dataclass(frozen=True)
class Published:
    """A public file: name, address, checksum ("kind:hex" or ""), size in bytes or 0."""

    name: str
    url: str
    checksum: str = ""
    size: int = 0
    check: Callable[[Path], None] | None = None


def _headlines(path: Path) -> None:
    """Refuse what is not lines of text, tab, number. Raises CorpusError."""
    lines = decode(path.read_bytes(), path)
    if lines.bad or not all(line.rpartition("\t")[2].strip().isdecimal() for line in lines.lines):
        raise CorpusError(f"{path.name} is not text<tab>label")


def _names(path: Path) -> None:
    """Refuse what is not a short list of names. Raises CorpusError."""
    lines = decode(path.read_bytes(), path)
    if lines.bad or not 2 <= len(lines.lines) <= 100 or any("<" in line for line in lines.lines):
        raise CorpusError(f"{path.name} is not one name a line")


_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_THUC = (
    "https://raw.githubusercontent.com/649453932/Chinese-Text-Classification-Pytorch/"
    "master/THUCNews/data/"
)
FILES: dict[str, tuple[Published, ...]] = {
    "imdb": (
        Published(
            "aclImdb_v1.tar.gz",
            "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            "md5:7c2ac02c03563afcf9b574c7e56c153a",  # torchtext, datasets/imdb.py
            84_125_825,
        ),
    ),
    "imdb-keras": (
        Published(
            "imdb.npz",
            _KERAS + "imdb.npz",  # both checksums: keras, datasets/imdb.py
            "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        ),
        Published(
            "imdb_word_index.json",
            _KERAS + "imdb_word_index.json",
            "md5:bfafd718b763782e994055a2d397834f",
        ),
    ),
    "thucnews": (
        Published("train.txt", _THUC + "train.txt", check=_headlines),
        Published("dev.txt", _THUC + "dev.txt", check=_headlines),
        Published("test.txt", _THUC + "test.txt", check=_headlines),
        Published("class.txt", _THUC + "class.txt", check=_names),
    ),
}
