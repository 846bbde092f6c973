"""Labelled text in lines: Chinese news, `label<tab>text` or `text<tab>label`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from coursekit.corpora import download
from coursekit.corpora.form import SPLITS, Corpus, CorpusError, assemble, divide, same
from coursekit.corpora.text import Lines, Problem, decode, read_bytes, settle

Source = str | PathLike[str]
Row = tuple[str, str]  # text, name of the label
NAMES = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation"}
_FILES = {
    "train": ("cnews.train.txt", "train.txt"),
    "validation": ("cnews.val.txt", "val.txt", "dev.txt", "valid.txt", "validation.txt"),
    "test": ("cnews.test.txt", "test.txt"),
}


def cnews(source: Source | Mapping[str, Source], **options: object) -> Corpus:
    """Return Chinese news from `label<tab>text` lines, by character; the options of `tabbed`.

    source: the folder of cnews.train.txt, cnews.val.txt and cnews.test.txt, or as in `tabbed`.
    """
    return tabbed(source, "label-text", **{"name": "cnews", **options})  # type: ignore[arg-type]


def thucnews(
    source: Source | Mapping[str, Source] | None = None, *, fetch: bool = False, **options: object
) -> Corpus:
    """Return THUCNews headlines from `text<tab>label` lines, by character; options of `tabbed`.

    source: the folder of train.txt, dev.txt, test.txt and class.txt (its line i names label i), or
    as in `tabbed`; default: the cache, downloaded if it is not there and fetch is True.
    """
    if source is None:
        source = download.need("thucnews", fetch)[0].parent
    options = {"name": "THUCNews titles", **options}
    return tabbed(source, "text-label", **options)  # type: ignore[arg-type]


def tabbed(
    source: Source | Mapping[str, Source],
    order: str,
    *,
    name: str | None = None,
    unit: str = "character",
    label_names: Sequence[str] | None = None,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
    encoding: str | None = None,
    bad: str = "refuse",
) -> Corpus:
    """Return a corpus from lines of a label, a tab and a text, or of a text, a tab and a label.

    source: a file (cut into three splits, equal texts on one side), a folder, or a mapping of
    "train", "validation" and "test" to files; a split that is missing is cut from train.
    order: "label-text" (the text is all after the first tab) or "text-label" (all before the
    last). label_names: what labels 0, 1, ... are called, default: class.txt beside the files, or
    the sorted labels. bad: "refuse" rows without a tab, text, label or valid bytes, or "skip" them;
    blank lines do not count. Raises CorpusError, naming file, lines and what to do.
    """
    if order not in ("label-text", "text-label"):
        raise CorpusError(f'order must be "label-text" or "text-label"; got {order!r}')
    files = files_of(source)
    parts: dict[str, list[Row]] = {}
    notes: list[str] = []
    for part, path in files.items():
        lines = decode(read_bytes(path), path, encoding)
        rows, problems = _tabbed_rows(lines, order)
        notes += [f"{path.name} {note}" for note in lines.notes]
        notes += settle(path, problems, len(rows), bad)
        if sum(len(label) for _, label in rows) > sum(len(text) for text, _ in rows):
            other = "text<tab>label" if order == "label-text" else "label<tab>text"
            raise CorpusError(
                f"{path}: what should be labels is longer than what should be texts "
                f"({rows[0][1][:20]!r}); the lines look like {other}"
            )
        parts[part] = rows
    classes = next(iter(files.values())).with_name("class.txt")
    if label_names is None and order == "text-label" and classes.is_file():
        label_names = decode(read_bytes(classes), classes, encoding).lines
        label_names = [line.strip() for line in label_names if line.strip()]
    return build(name, files, parts, unit, label_names, (validation, test), seed, notes)


def files_of(source: Source | Mapping[str, Source]) -> dict[str, Path]:
    """Return the file of each split that has one, train first."""
    if isinstance(source, Mapping):
        given = {NAMES.get(part, part): Path(path) for part, path in source.items()}
        if "train" not in given or set(given) - set(SPLITS):
            raise CorpusError(f"splits are train, validation and test; got {sorted(source)}")
        return {part: given[part] for part in SPLITS if part in given}
    path = Path(source)
    if not path.is_dir():
        return {"train": path}
    for folder in (path, path / "data"):
        found = {
            part: next((folder / n for n in names if (folder / n).is_file()), None)
            for part, names in _FILES.items()
        }
        if found["train"]:
            return {part: file for part, file in found.items() if file}
    raise CorpusError(f"{path} holds no {' or '.join(_FILES['train'])}; give the file itself")


def _tabbed_rows(lines: Lines, order: str) -> tuple[list[Row], list[Problem]]:
    """Return (text, label) of each line that has both, and the lines that have not."""
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines.lines, 1):
        if not line.strip():
            continue
        if number in lines.bad:
            problems.append(Problem(number, lines.bad[number]))
            continue
        first, tab, last = line.partition("\t") if order == "label-text" else line.rpartition("\t")
        label, text = (first, last) if order == "label-text" else (last, first)
        why = "no tab" if not tab else "empty text" if not text.strip() else ""
        why = why or ("" if label.strip() else "empty label")
        if why:
            problems.append(Problem(number, why))
        else:
            rows.append((text.strip(), label.strip()))
    return rows, problems


def build(
    name: str | None,
    files: Mapping[str, Path],
    parts: Mapping[str, list[Row]],
    unit: str,
    label_names: Sequence[str] | None,
    shares: tuple[float, float],
    seed: int,
    notes: list[str],
) -> Corpus:
    """Give labels numbers, cut what is not cut, and say which files it was."""
    if not parts.get("train"):
        raise CorpusError(f"no training row in {', '.join(str(f) for f in files.values())}")
    names = _label_names(parts, label_names)
    number = {label: c for c, label in enumerate(names)}
    number |= {str(c): c for c in range(len(names)) if label_names is not None}
    train = [(text, number[label]) for text, label in parts.get("train", [])]
    validation, test = (
        0.0 if part in parts else share for part, share in zip(SPLITS[1:], shares, strict=True)
    )
    texts = [same(text) for text, _ in train]
    split = divide(texts, [label for _, label in train], validation, test, seed)
    cut = list(assemble(train, split))
    for s, part in enumerate(SPLITS):
        if s and part in parts:
            rows = [(text, number[label]) for text, label in parts[part]]
            cut[s] = assemble(rows, np.zeros(len(rows)))[0]
    unseen = {label for rows in parts.values() for _, label in rows}
    unseen -= {label for _, label in parts.get("train", [])}
    if unseen:
        notes = [*notes, f"labels that no training text has: {', '.join(sorted(unseen)[:5])}"]
    digest = hashlib.sha256(
        b"".join(hashlib.sha256(f.read_bytes()).digest() for f in files.values())
    )
    version = f"{' + '.join(f.name for f in files.values())} (files {digest.hexdigest()[:12]})"
    title = name or next(iter(files.values())).stem
    return Corpus(title, version, unit, tuple(names), cut[0], cut[1], cut[2], tuple(notes))


def _label_names(parts: Mapping[str, list[Row]], given: Sequence[str] | None) -> list[str]:
    """Return the names of the labels; raise CorpusError if a label is not among those given."""
    found = {label for rows in parts.values() for _, label in rows}
    if given is not None:
        names = list(given)
        if len(set(names)) != len(names):
            raise CorpusError(f"label names must differ; got {names}")
        strange = sorted(found - set(names) - {str(c) for c in range(len(names))})
        if strange:
            raise CorpusError(
                f"label {strange[0]!r} is neither one of {', '.join(names[:12])} nor a number "
                f"below {len(names)}; pass the right label_names"
            )
        return names
    if all(label.isdecimal() for label in found):
        return sorted(found, key=lambda label: (int(label), label))
    return sorted(found)
