"""The source of the installed standard library, each character tagged exactly by `tokenize`.

Every Python has this text, so a page needs no download; it differs from version to version, so
a page prints `fingerprint(files)` and judges a model against a baseline of the same run.
"""

from __future__ import annotations

import hashlib
import io
import keyword
import sysconfig
import token
import tokenize
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = ("space", "name", "keyword", "number", "string", "comment", "operator")
SPACE, NAME, KEYWORD, NUMBER, STRING, COMMENT, OPERATOR = range(len(KINDS))

# what a model sees of a character: newline, tab, the printable ASCII characters, anything else
ALPHABET = "\n\t" + "".join(map(chr, range(32, 127)))
V = len(ALPHABET) + 1
_SYMBOL = {c: v for v, c in enumerate(ALPHABET)}

# Python 3.12 took f-strings apart (3.14 t-strings too); earlier versions give one STRING token
_OPENING = {getattr(token, n) for n in ("FSTRING_START", "TSTRING_START") if hasattr(token, n)}
_CLOSING = {getattr(token, n) for n in ("FSTRING_END", "TSTRING_END") if hasattr(token, n)}
_MIDDLE = {getattr(token, n) for n in ("FSTRING_MIDDLE", "TSTRING_MIDDLE") if hasattr(token, n)}
_KIND = {token.NUMBER: NUMBER, token.STRING: STRING, token.COMMENT: COMMENT, token.OP: OPERATOR}


@dataclass(frozen=True)
class SourceFile:
    """One module: its name, its text, and for each character the index of its kind in KINDS."""

    name: str
    text: str
    kinds: np.ndarray  # (len(text),), int8

    @property
    def symbols(self) -> np.ndarray:
        """Return the text as symbols in [0, V), (len(text),); V - 1 is "anything else"."""
        return np.array([_SYMBOL.get(c, V - 1) for c in self.text], dtype=np.int64)


def tag(text: str) -> np.ndarray:
    """Return the kind of each character of Python source text, (len(text),), int8.

    The kinds are those of `tokenize`: no guess is involved. Raises SyntaxError or
    tokenize.TokenError where text is not Python.
    """
    line_start = np.cumsum([0] + [len(line) for line in text.splitlines(keepends=True)])
    kinds = np.full(len(text), SPACE, dtype=np.int8)
    opened: list[int] = []
    for tok in tokenize.generate_tokens(io.StringIO(text).readline):
        if tok.type in (token.ENDMARKER, token.NEWLINE, token.NL, token.INDENT, token.DEDENT):
            continue
        start = line_start[tok.start[0] - 1] + tok.start[1]
        end = line_start[tok.end[0] - 1] + tok.end[1]
        if tok.type in _OPENING:
            opened.append(start)
            kinds[start:end] = STRING
        elif tok.type in _MIDDLE:
            kinds[start:end] = STRING
        elif tok.type in _CLOSING:
            opening = opened.pop()
            kinds[start:end] = STRING
            if not opened:
                # a doubled brace is one character short in its token's position
                gap = kinds[opening:end]
                brace = np.array([c in "{}" for c in text[opening:end]])
                gap[brace & (gap == SPACE)] = STRING
        elif tok.type == token.NAME:
            kinds[start:end] = KEYWORD if keyword.iskeyword(tok.string) else NAME
        else:
            kinds[start:end] = _KIND[tok.type]
    return kinds


def load(min_chars: int = 2_000, max_chars: int = 20_000) -> list[SourceFile]:
    """Return the top-level modules of the installed standard library, tagged, sorted by name.

    Only modules of min_chars to max_chars characters, so that a batch of whole files stays small.
    Raises FileNotFoundError where Python came without the source of its library.
    """
    files = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        with tokenize.open(path) as stream:
            text = stream.read()
        # splitlines() also breaks at these, tokenize does not: the positions would not agree
        if min_chars <= len(text) <= max_chars and not set(text) & set("\x0b\x0c\x1c\x1d\x1e\x85"):
            files.append(SourceFile(path.stem, text, tag(text)))
    if not files:
        raise FileNotFoundError(
            f"no source of the standard library under {sysconfig.get_path('stdlib')}; "
            "install the full Python, not a build without .py files"
        )
    return files


def fingerprint(files: list[SourceFile]) -> str:
    """Return one line that names this text: number of files, characters, SHA-256 (12 digits)."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.text.encode() + b"\0")
    size = sum(len(file.text) for file in files)
    return f"{len(files)} files, {size:,} characters, sha256 {digest.hexdigest()[:12]}"


def batch(files: list[SourceFile]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return files side by side, time first: symbols (T, B), kinds (T, B), lengths (B,).

    Positions after the end of a file hold -1.
    """
    lengths = np.array([len(file.text) for file in files])
    x = np.full((lengths.max(), len(files)), -1, dtype=np.int64)
    z = np.full_like(x, -1)
    for b, file in enumerate(files):
        x[: lengths[b], b] = file.symbols
        z[: lengths[b], b] = file.kinds
    return x, z, lengths
