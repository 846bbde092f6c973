"""The language reference that `help()` shows, by topic: real English that every Python has.

It differs from version to version, so a page prints `fingerprint(topics)` and judges a model
against a baseline of the same run. Topics quote each other at length: a split into training and
test text is honest only if it keeps each of the `families` on one side.
"""

from __future__ import annotations

import hashlib
import itertools
import platform
import re
from dataclasses import dataclass

import numpy as np

# what a model sees of a character: newline, the printable ASCII characters, anything else
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
V = len(ALPHABET) + 1
OTHER = "\N{REPLACEMENT CHARACTER}"  # how `decode` shows "anything else"
_SYMBOL = {c: v for v, c in enumerate(ALPHABET)}
# typographic marks are read as the plain ones that other versions of Python have in their place
_SYMBOL |= {c: _SYMBOL[plain] for c, plain in zip("‘’“”–—", "''\"\"--", strict=True)}

LETTERS = "abcdefghijklmnopqrstuvwxyz "  # the space stands for any run of other characters


@dataclass(frozen=True)
class Topic:
    """One help topic: its name and its text."""

    name: str
    text: str

    @property
    def symbols(self) -> np.ndarray:
        """Return the text as symbols in [0, V), (len(text),)."""
        return encode(self.text)

    @property
    def paragraphs(self) -> list[str]:
        """Return the stretches between blank lines, none empty; a listing is cut at its gaps."""
        return [p for p in re.split(r"\n\s*\n", self.text.strip("\n")) if p.strip()]


def encode(text: str) -> np.ndarray:
    """Return text as symbols in [0, V), (len(text),) int64; V - 1 is "anything else".

    Typographic quotation marks and dashes are read as the plain ones.
    """
    return np.array([_SYMBOL.get(c, V - 1) for c in text], dtype=np.int64)


def decode(symbols: np.ndarray) -> str:
    """Return the text of symbols in [0, V)."""
    return "".join((ALPHABET + OTHER)[v] for v in symbols)


def letters(text: str) -> np.ndarray:
    """Return text as indices into LETTERS, int64: lower case, other runs as one space."""
    plain = re.sub(r"[^a-z]+", " ", text.lower())
    return np.array([LETTERS.index(c) for c in plain], dtype=np.int64)


def load() -> list[Topic]:
    """Return the topics of the installed Python, sorted by name; of equal texts the first.

    Raises ImportError where Python came without the module `pydoc_data.topics`.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise ImportError(
            "this Python has no pydoc_data.topics (the text behind help()); "
            "install the full Python, not a build without it"
        ) from error
    found: dict[str, Topic] = {}
    for name in sorted(topics):
        found.setdefault(topics[name], Topic(name, topics[name]))
    return list(found.values())


def fingerprint(topics: list[Topic]) -> str:
    """Return one line that names this text: Python, topics, characters, SHA-256 (12 digits)."""
    digest = hashlib.sha256()
    for topic in topics:
        digest.update(topic.text.encode() + b"\0")
    size = sum(len(topic.text) for topic in topics)
    name = f"Python {platform.python_version()}: {len(topics)} topics, {size:,} characters"
    return f"{name}, sha256 {digest.hexdigest()[:12]}"


def families(topics: list[Topic], shared: int = 100) -> np.ndarray:
    """Return for each topic the number of its family, (len(topics),) ints from 0.

    Two topics that have a passage of `shared` characters in common (white space counted as one
    space) belong to one family, and so do their relatives; what is left shares nothing so long.
    Raises ValueError if shared is below 1.
    """
    if shared < 1:
        raise ValueError(f"shared must be at least 1 character; got {shared}")
    passages = []
    for topic in topics:
        text = " ".join(topic.text.split())
        passages.append({text[i : i + shared] for i in range(len(text) - shared + 1)})
    family = np.arange(len(topics))
    for a, b in itertools.combinations(range(len(topics)), 2):
        if family[a] != family[b] and not passages[a].isdisjoint(passages[b]):
            one, two = family[[a, b]]
            family[(family == one) | (family == two)] = min(one, two)
    return np.unique(family, return_inverse=True)[1]
