"""The one form in which all labelled text comes, whatever file it was read from."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

SPLITS = ("train", "validation", "test")
_TOKEN = {"character": re.compile(r".", re.S), "word": re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")}


class CorpusError(ValueError):
    """A corpus that is not there, is broken, or is not what it was said to be: one line."""


class Split(NamedTuple):
    """Texts and their labels, N of each."""

    texts: list[str]
    labels: np.ndarray  # (N,), int64, in [0, C)


def same(text: str) -> str:
    """Return what two texts have in common that count as the same: white space and case aside."""
    return " ".join(text.split()).casefold()


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """Labelled text: three splits, the names of the C labels, and where it all came from.

    name, version: what it is and which one, to be printed. unit: what `tokens` cuts a text into,
    "character" or "word". notes: what the loader left out or did, one line each.
    """

    name: str
    version: str
    unit: str
    label_names: tuple[str, ...]  # (C,)
    train: Split
    validation: Split
    test: Split
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not in the form. Raises CorpusError."""
        if self.unit not in _TOKEN:
            raise CorpusError(f'unit must be "character" or "word"; got {self.unit!r}')
        for part, (texts, labels) in self.splits.items():
            if labels.shape != (len(texts),):
                raise CorpusError(f"{part}: {len(texts)} texts, but labels are {labels.shape}")
            if len(labels) and not 0 <= labels.min() <= labels.max() < self.C:
                raise CorpusError(
                    f"{part}: labels must lie in [0, {self.C}), the number of label names; "
                    f"got {labels.min()} to {labels.max()}"
                )

    @property
    def C(self) -> int:
        """Return the number of labels."""
        return len(self.label_names)

    @property
    def splits(self) -> dict[str, Split]:
        """Return the three splits by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @cached_property
    def sha256(self) -> str:
        """Return the hash of label names, texts, labels and splits, 64 hex digits.

        The same text read from another kind of file has the same hash.
        """
        digest = hashlib.sha256(repr(self.label_names).encode())
        for part, (texts, labels) in self.splits.items():
            digest.update(f"\0{part}\0".encode() + np.asarray(labels, dtype="<i8").tobytes())
            for text in texts:
                data = text.encode("utf-8", "surrogatepass")
                digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()

    def tokens(self, text: str) -> list[str]:
        """Return text cut into the corpus's unit: characters, or words and punctuation marks."""
        return _TOKEN[self.unit].findall(text)

    def leaks(self) -> dict[str, int]:
        """Return how many texts of validation and of test also stand in a split before them.

        Case and the amount of white space are not looked at, labels neither.
        """
        seen = {same(text) for text in self.train.texts}
        found = {}
        for part in ("validation", "test"):
            texts = [same(text) for text in self.splits[part].texts]
            found[part] = sum(text in seen for text in texts)
            seen.update(texts)
        return found

    def without_leaks(self) -> Corpus:
        """Return the corpus less each training or validation text that a later split also holds.

        Test stays as it is, so that scores on it stay comparable with other people's.
        """
        later = {same(text) for text in self.test.texts}
        parts = []
        dropped = 0
        for part in ("validation", "train"):
            texts, labels = self.splits[part]
            keep = np.array([same(text) not in later for text in texts], dtype=bool)
            parts.append(Split([t for t, k in zip(texts, keep, strict=True) if k], labels[keep]))
            later.update(same(text) for text in texts)
            dropped += len(texts) - int(keep.sum())
        note = f"dropped {dropped:,} texts that a later split also holds"
        notes = (*self.notes, note)
        return dataclasses.replace(self, validation=parts[0], train=parts[1], notes=notes)

    def subset(self, train: int, seed: int = 0) -> Corpus:
        """Return the corpus with `train` training texts drawn at random, the rest as it is.

        Raises CorpusError if there are not so many.
        """
        n = len(self.train.texts)
        if not 0 < train <= n:
            raise CorpusError(f"train must be 1 to {n:,}, the number of texts; got {train:,}")
        pick = np.random.default_rng(seed).permutation(n)[:train]
        part = Split([self.train.texts[i] for i in pick], self.train.labels[pick])
        note = f"{train:,} of {n:,} training texts, seed {seed}"
        return dataclasses.replace(self, train=part, notes=(*self.notes, note))

    def __str__(self) -> str:
        """Return a few lines: name, version, hash, and for each split its size and labels."""
        lines = [f"{self.name}, {self.version}, sha256 {self.sha256[:12]}"]
        for part, (texts, labels) in self.splits.items():
            counts = np.bincount(labels, minlength=self.C)
            often = np.argsort(-counts, kind="stable")[:12]
            shown = ", ".join(f"{self.label_names[c]} {counts[c]:,}" for c in often)
            more = f" and {self.C - 12} more" if self.C > 12 else ""
            lines.append(
                f"  {part:<10} {len(texts):>7,} texts: {shown}{more}"
                if texts
                else f"  {part:<10} {0:>7} texts"
            )
        doubled = {part: n for part, n in self.leaks().items() if n}
        for part, n in doubled.items():
            lines.append(f"  {n:,} texts of {part} also stand in a split before it")
        return "\n".join(lines + [f"  {note}" for note in self.notes])

    __repr__ = __str__


def divide(
    groups: Sequence[Hashable],
    labels: Sequence[int],
    validation: float,
    test: float,
    seed: int = 0,
) -> np.ndarray:
    """Return the split of each row, (N,) int64: 0 train, 1 validation, 2 test; groups stay whole.

    groups (N,): rows with equal entries go to the same side (the function a paragraph is from, the
    film a review is about, or the text itself, so that copies never face each other). labels (N,):
    each label is cut by itself, by the first row of its groups. validation, test: the share of
    rows, met to within a group. Raises CorpusError for shares that leave no training row.
    """
    if min(validation, test) < 0 or validation + test >= 1:
        raise CorpusError(
            f"validation and test must be shares from 0 whose sum is below 1; "
            f"got {validation} and {test}"
        )
    names: dict[Hashable, int] = {}
    group = np.array([names.setdefault(g, len(names)) for g in groups], dtype=np.int64)  # (N,)
    if not len(group):
        return group
    first = np.unique(group, return_index=True)[1]
    stratum = np.asarray(labels)[first]  # (groups,)
    size = np.bincount(group)
    order = np.random.default_rng(seed).permutation(len(size))
    side = np.zeros(len(size), dtype=np.int64)
    for label in np.unique(stratum):
        line = order[stratum[order] == label]
        # the middle of each group in the line of rows decides: a share of 0 takes nobody
        middle = (np.cumsum(size[line]) - size[line] / 2) / size[line].sum()
        side[line] = np.where(middle < test, 2, np.where(middle < test + validation, 1, 0))
    if not (side == 0).any():
        raise CorpusError(
            f"{len(size)} different texts or groups are too few to cut into three; "
            "pass validation=0 and test=0, or the splits as files"
        )
    return side[group]


def linked(*keys: Sequence[Hashable]) -> list[int]:
    """Return the group of each row, (N,): rows with an equal entry in any of keys share one.

    Each of keys is (N,); an empty entry links nothing.
    """
    above: dict[int, int] = {}
    group = list(range(len(keys[0])))

    def root(i: int) -> int:
        while i in above:
            above[i] = i = above.get(above[i], above[i])
        return i

    for column in keys:
        first: dict[Hashable, int] = {}
        for i, key in enumerate(column):
            one, two = root(i), root(first.setdefault(key, i))
            if key and one != two:
                above[max(one, two)] = min(one, two)
    return [root(i) for i in group]


def assemble(
    rows: Sequence[tuple[str, int]], split: np.ndarray, order: np.random.Generator | None = None
) -> tuple[Split, Split, Split]:
    """Return train, validation and test of (text, label) rows; shuffled if order is given."""
    parts = []
    for s in range(len(SPLITS)):
        found = np.flatnonzero(split == s)
        where = (found if order is None else order.permutation(found)).tolist()
        labels = np.array([rows[i][1] for i in where], dtype=np.int64)
        parts.append(Split([rows[i][0] for i in where], labels))
    return parts[0], parts[1], parts[2]
