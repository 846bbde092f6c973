"""Two corpora that need no download: the standard library's own text, and SciPy's docstrings.

Both differ from version to version of Python and SciPy: print the corpus, which names version and
hash, and judge a model against a baseline of the same run.
"""

from __future__ import annotations

import importlib
import inspect
import platform
import re

import numpy as np

from coursekit import stdlib_source
from coursekit.corpora.form import Corpus, CorpusError, assemble, divide, same

KINDS = ("code", "string", "comment")
WINDOW = 160
_KIND_OF = np.full(len(stdlib_source.KINDS), -1)
_KIND_OF[[stdlib_source.NAME, stdlib_source.KEYWORD, stdlib_source.NUMBER]] = 0
_KIND_OF[stdlib_source.STRING] = 1
_KIND_OF[stdlib_source.COMMENT] = 2

SUBPACKAGES = {
    "fft": ("fft",),
    "integrate": ("integrate",),
    "interpolate": ("interpolate",),
    "linalg": ("linalg",),
    "ndimage": ("ndimage",),
    "optimize": ("optimize",),
    "signal": ("signal",),
    "sparse": ("sparse", "sparse.linalg", "sparse.csgraph"),
    "special": ("special",),
    "stats": ("stats",),
}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADING = re.compile(r"\A[^\n]+\n[-=~^]{3,}(?:\n|\Z)")


def code_string_comment(
    per_kind: int = 40, *, validation: float = 0.1, test: float = 0.2, seed: int = 0
) -> Corpus:
    """Return the 160 characters before a letter; the label: is it code, in a string, in a comment.

    From each module of the standard library (top level, 2,000 to 100,000 characters, tagged exactly
    by `tokenize`) at most per_kind letters of each kind are drawn, so that the labels are about
    equally frequent; split by file. The letter itself is not shown. Which it is depends on the
    order of what comes before: a quote or a # that was opened and not closed. Raises CorpusError.
    """
    if per_kind < 1:
        raise CorpusError(f"per_kind must be at least 1; got {per_kind}")
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, int]] = []
    names: list[str] = []
    for file in stdlib_source.load(2_000, 100_000):
        letter = np.array([c.isascii() and c.isalpha() for c in file.text])  # (n,)
        letter[:WINDOW] = False
        kinds = np.where(letter, _KIND_OF[file.kinds], -1)  # (n,)
        for kind in range(len(KINDS)):
            places = rng.permutation(np.flatnonzero(kinds == kind))[:per_kind]
            rows += [(file.text[i - WINDOW : i], kind) for i in np.sort(places)]
            names += [file.name] * len(places)
    split = divide(names, [0] * len(rows), validation, test, seed)
    version = f"Python {platform.python_version()}, {len(set(names))} files"
    cut = assemble(rows, split, rng)
    return Corpus("Code, string or comment", version, "character", KINDS, *cut)


def docstrings(
    deduplicate: bool = True, *, validation: float = 0.1, test: float = 0.2, seed: int = 0
) -> Corpus:
    """Return paragraphs of SciPy's docstrings; the label: the subpackage, one of ten.

    Public names of SciPy are masked by `_`; examples, references and lists of related functions are
    left out, and what has fewer than 40 letters. All paragraphs of a function are on one side.
    Functions share paragraphs word for word: deduplicate keeps each once, where it comes first in
    a random order of functions, so that no text stands on both sides; without it `leaks` counts
    what stands on both. Raises CorpusError where there is no SciPy.
    """
    documents, names, scipy_version = _documents()
    rows: list[tuple[str, int]] = []
    functions: list[str] = []
    seen: set[str] = set()
    order = np.random.default_rng(seed).permutation(len(documents))
    for function, label, text in (documents[i] for i in order):
        for paragraph in _paragraphs(text):
            masked = _WORD.sub(lambda m: "_" if m[0] in names else m[0], paragraph)
            if sum(c.isalpha() for c in masked) < 40 or deduplicate and same(masked) in seen:
                continue
            seen.add(same(masked))
            rows.append((masked, label))
            functions.append(function)
    split = divide(functions, [label for _, label in rows], validation, test, seed)
    cut = assemble(rows, split, np.random.default_rng(seed))
    version = f"SciPy {scipy_version}, {len(set(functions)):,} functions"
    notes = () if deduplicate else ("not deduplicated",)
    return Corpus("Docstrings", version, "word", tuple(SUBPACKAGES), *cut, notes)


def _documents() -> tuple[list[tuple[str, int, str]], set[str], str]:
    """Return (function, label, docstring) sorted by name, SciPy's public names, its version."""
    try:
        import scipy
    except ImportError as error:
        raise CorpusError(
            "the docstrings are SciPy's, and it is not here: pip install scipy"
        ) from error
    documents: dict[int, tuple[str, int, str]] = {}
    public = {"scipy"}
    for label, modules in enumerate(SUBPACKAGES.values()):
        for module in modules:
            public.update(module.split("."))
            found = importlib.import_module(f"scipy.{module}")
            for name in sorted(found.__all__):
                public.add(name)
                value = getattr(found, name, None)
                text = inspect.getdoc(value) or ""
                # a function that two subpackages offer belongs to the first
                if callable(value) and text and id(value) not in documents:
                    documents[id(value)] = (f"{module}.{name}", label, text)
    # one-letter names are variables of the text, not the names of functions
    return sorted(documents.values()), {n for n in public if len(n) > 1}, scipy.__version__


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a docstring that are prose or describe parameters, on one line."""
    kept = []
    skipping = False
    for block in re.split(r"\n[ \t]*\n", text):
        heading = _HEADING.match(block.strip())
        if heading:
            skipping = heading[0].split("\n")[0].strip() in ("References", "See Also", "Examples")
        body = _HEADING.sub("", block.strip())
        if not skipping and ">>>" not in body and not body.lstrip().startswith(".. "):
            kept.append(" ".join(body.split()))
    return [body for body in kept if body]
