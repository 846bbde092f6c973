"""From texts to symbols: characters or words, by the script; the vocabulary of training texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from coursekit.text_rnn.settings import UsageError
from seqmodels.data import UNKNOWN, Vocabulary, build_vocabulary, normalise, words
from seqmodels.text_rnn import TRNNConfig

UNITS = ("auto", "character", "word")
# scripts without spaces between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_BREAK = re.compile(r"<br\s*/?>", re.I)  # IMDB's reviews hold these
MAX_BYTES = 64 * 2**20  # of a vocabulary file


class Reading(NamedTuple):
    """How a text is cut: into which unit, and whether case, width and spaces are kept."""

    unit: str  # "character" or "word"
    raw: bool

    def cut(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        if not self.raw:
            text = normalise(_BREAK.sub(" ", text))
        return list(text) if self.unit == "character" else words(text)


def choose(texts: Sequence[str], unit: str, raw: bool, known: str | None) -> tuple[Reading, str]:
    """Return how to cut texts like these, and why.

    known: the unit of a built-in corpus, taken as it is. unit: "auto" looks at the script.
    """
    if known is not None and unit == "auto":
        return Reading(known, raw or known == "character"), f"by {known}: the corpus's own unit"
    if unit != "auto":
        return Reading(unit, raw), f"by {unit}: as --unit says"
    some = texts[:: max(1, len(texts) // 2000)]
    seen = sum(c.isalpha() for text in some for c in text)
    dense = sum(len(_NO_SPACES.findall(text)) for text in some)
    share = dense / max(seen, 1)
    if share > 0.3:
        return Reading(
            "character", raw
        ), f"by character: {share:.0%} of the letters are Chinese or the like"
    return Reading("word", raw), "by word: the script has spaces between words"


def vocabulary(texts: Iterable[str], reading: Reading, config: TRNNConfig) -> Vocabulary:
    """Return the most frequent tokens of the training texts. Raises UsageError for none."""
    found = build_vocabulary((reading.cut(text) for text in texts), config.vocab_size)
    if len(found.tokens) < 3:
        raise UsageError("the training texts hold no token: are they empty?")
    return found


def encode(
    texts: Iterable[str], reading: Reading, vocabulary: Vocabulary, config: TRNNConfig
) -> list[np.ndarray]:
    """Return the symbols of each text, int32, cut to seq_length; one UNKNOWN for an empty one."""
    found = []
    for text in texts:
        tokens = reading.cut(text) or [""]
        if config.truncate_side == "after":
            tokens = tokens[: config.seq_length]
        else:
            tokens = tokens[-config.seq_length :]
        found.append(vocabulary.encode(tokens).astype(np.int32))
    return found


def unknown_share(sequences: Sequence[np.ndarray]) -> float:
    """Return the share of tokens that the vocabulary does not hold."""
    total = sum(map(len, sequences))
    return sum(int((x == UNKNOWN).sum()) for x in sequences) / max(total, 1)


def to_json(vocabulary: Vocabulary) -> str:
    """Return a vocabulary as a JSON list of its tokens."""
    return json.dumps(vocabulary.tokens, ensure_ascii=True, indent=0) + "\n"


def from_json(path: Path) -> Vocabulary:
    """Return the vocabulary of a file. Raises UsageError where it cannot be one."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is too large for a vocabulary")
        tokens: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is broken: {error}") from error
    if not isinstance(tokens, list) or not all(isinstance(t, str) for t in tokens):
        raise UsageError(f"{path} is no vocabulary: expected a list of strings")
    if tokens[:2] != ["<pad>", "<unknown>"] or len(set(tokens)) != len(tokens) or len(tokens) < 3:
        raise UsageError(f"{path} is no vocabulary: <pad>, <unknown>, then different tokens")
    return Vocabulary(tuple(tokens), {token: v for v, token in enumerate(tokens)})
