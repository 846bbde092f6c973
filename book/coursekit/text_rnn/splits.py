"""Validation and test texts: the data's own, or cut so that no text faces a copy of itself."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np

from coursekit.corpora import Corpus
from coursekit.corpora.form import assemble, divide, linked, same
from coursekit.text_rnn.settings import UsageError
from seqmodels.data import near_duplicates, normalise

SHARE = 0.1  # of all rows, for each part that the data lack
SEED = 0  # of the cut: every seed of training sees the same one
# looking for texts that are nearly alike takes longer than it is worth in more, or in longer ones
MAX_TEXTS, MAX_LETTERS = 60_000, 3_000_000
ALIKE = 0.7  # share of the runs of three characters that two texts have in common
_NO_LETTER = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """Return letters and digits in one form: what is left of a text copied with small changes."""
    return _NO_LETTER.sub("", normalise(text))


def divided(corpus: Corpus, drop_leaks: bool = False) -> tuple[Corpus, list[str]]:
    """Return the corpus with three splits, and lines that say where they come from.

    A part that is missing is cut from the training texts, a tenth of them; texts that are alike
    stay together. Test texts that the data themselves repeat are counted, or dropped from the
    other splits. Raises UsageError where too little is left to learn from or to judge by.
    """
    lacking = [part for part in ("validation", "test") if not corpus.splits[part].texts]
    said = []
    if lacking:
        corpus, how = _cut(corpus, lacking)
        said.append(f"{' and '.join(lacking)} texts: {how}")
    elif corpus.name.startswith("IMDB"):
        said.append(
            "validation texts: a tenth of the training reviews, those of one film together; "
            "test texts: the data's own"
        )
    else:
        said.append("validation and test texts: the data's own")
    if drop_leaks:
        corpus = corpus.without_leaks()
        said += corpus.notes[-1:]
    for part, n in corpus.leaks().items():
        if n:
            before = "training" if part == "validation" else "training or validation"
            said.append(
                f"{n:,} of {len(corpus.splits[part].texts):,} {part} texts also stand in {before}: "
                f"--drop-leaks drops them there"
            )
    _check(corpus)
    return corpus, said


def _cut(corpus: Corpus, lacking: list[str]) -> tuple[Corpus, str]:
    """Cut the parts that are lacking from the training texts."""
    texts, labels = corpus.train
    plain = [letters(text) for text in texts]
    keys: list[list[object]] = [[same(text) for text in texts], list(plain)]
    how = f"{SHARE:.0%} each" if len(lacking) > 1 else f"{SHARE:.0%}"
    if len(texts) <= MAX_TEXTS and sum(map(len, plain)) <= MAX_LETTERS:
        keys.append([f"near {g}" for g in near_duplicates(plain, 3, ALIKE)])
        how += " cut from the training texts, those nearly alike kept together"
    else:
        how += " cut from the training texts, copies kept together"
    share = {part: SHARE if part in lacking else 0.0 for part in ("validation", "test")}
    groups = linked(*keys)
    side = divide(groups, labels.tolist(), share["validation"], share["test"], SEED)
    rows = list(zip(texts, labels.tolist(), strict=True))
    cut = assemble(rows, side)
    new: dict[str, Any] = {part: cut[1 + (part == "test")] for part in lacking}
    doubled = len(texts) - len(set(groups))
    how += f" ({doubled:,} such texts)" if doubled else ""
    return dataclasses.replace(corpus, train=cut[0], **new), how


def _check(corpus: Corpus) -> None:
    """Refuse what cannot be learned from or judged by."""
    sizes = {part: len(split.texts) for part, split in corpus.splits.items()}
    shown = ", ".join(f"{n:,} {part}" for part, n in sizes.items())
    if max(10, sizes["train"] / 2) < corpus.C:
        raise UsageError(
            f"{corpus.C:,} different labels for {sizes['train']:,} training texts: are texts and "
            "labels exchanged? pass --format, or --text and --label"
        )
    if min(sizes.values()) < 1:
        raise UsageError(f"too few texts ({shown}): give more, or validation and test files")
    there = len(np.unique(corpus.train.labels))
    if there < 2:
        raise UsageError("all training texts have the same label: there is nothing to learn")
