"""From --data to a corpus: what it is, read from what it looks like, and said."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit import corpora
from coursekit.corpora import Corpus, CorpusError
from coursekit.corpora.indices import read_npz
from coursekit.corpora.tables import files_of
from coursekit.corpora.text import decode, read_bytes
from coursekit.text_rnn.settings import UsageError, nearest

FORMATS = ("auto", "label-text", "text-label", "csv", "imdb", "imdb-npz")
BUILT_IN: dict[str, Callable[[], Corpus]] = {
    "code": corpora.code_string_comment,
    "docstrings": corpora.docstrings,
}
CACHED: dict[str, Callable[[], Corpus]] = {
    "imdb": corpora.imdb,
    "imdb-keras": corpora.imdb_keras,
    "thucnews": corpora.thucnews,
}
TEXT_NAMES = (
    *("text", "review", "content", "sentence", "title", "headline", "comment", "body", "question"),
    *("message", "tweet", "news", "document", "description", "review_text", "review_body"),
    *("文本", "内容", "标题", "评论", "新闻", "句子"),
)
LABEL_NAMES = (
    *("label", "labels", "class", "category", "sentiment", "target", "topic", "polarity"),
    *("rating", "stars", "score", "y", "cat", "label_name", "标签", "类别", "分类", "情感"),
)
SPLIT_NAMES = ("split", "part", "subset", "fold_name")
SEPARATORS = ",\t;|"
LOOK = 5_000  # lines that are looked at


@dataclass
class Given:
    """What the command line says about the data."""

    data: str
    format: str = "auto"
    text: str | None = None
    label: str | None = None
    encoding: str | None = None
    skip_bad: bool = False
    word_index: str | None = None


@dataclass
class Found:
    """A format, what gave it away, and what the loader must be told."""

    format: str
    why: str
    path: Path
    options: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)  # of a folder of tables


def load(given: Given, known: Sequence[str] = ()) -> tuple[Corpus, list[str]]:
    """Return the corpus, splits as the data have them, and lines that say what was found.

    What the data have no validation or test texts for is empty. known: labels that are expected.
    Raises CorpusError, UsageError.
    """
    path = Path(given.data).expanduser()
    if not path.exists():
        return _by_name(given.data)
    found = sniff(path, given, known)
    said = [f"{found.path}: {found.format}, {found.why}"]
    try:
        return _read(found, given, said), said
    except CorpusError as error:
        raise CorpusError(_for_flags(str(error))) from error


def _by_name(name: str) -> tuple[Corpus, list[str]]:
    """Return a built-in corpus, or one of the cache."""
    makers = BUILT_IN | CACHED
    if name in makers:
        where = "built in" if name in BUILT_IN else "from the cache"
        return makers[name](), [f"{name}: {where}"]
    hint = nearest(name, makers)
    if hint or "/" in name or "." in name:
        raise UsageError(f"{name} is not there{hint}; --data takes a file, a folder or a name")
    raise UsageError(f"{name} is no file, no folder and none of {', '.join(makers)}")


def sniff(path: Path, given: Given, known: Sequence[str] = ()) -> Found:
    """Return what a file or folder holds. Raises UsageError if it cannot be told."""
    if given.format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}; got {given.format!r}")
    if path.is_dir():
        return _folder(path, given, known)
    head = _head(path)
    if given.format != "auto" and given.format != "csv":
        return Found(given.format, "as --format says", path)
    if given.format == "auto":
        if head.startswith(b"\x1f\x8b"):
            return Found("imdb", "a gzip archive", path)
        if head.startswith(b"PK\x03\x04") and path.suffix.lower() == ".npz":
            return Found("imdb-npz", "an .npz file", path)
    return _text(path, given, known)


def _folder(path: Path, given: Given, known: Sequence[str]) -> Found:
    """Return what a folder holds: IMDB's reviews, its archive, its indices, or tables."""
    any_, asked = given.format == "auto", given.format
    for folder in (path, path / "aclImdb"):
        if (any_ or asked == "imdb") and (folder / "train" / "pos").is_dir():
            return Found("imdb", "it has train/pos and train/neg", folder)
    for name, what in (("aclImdb_v1.tar.gz", "imdb"), ("imdb.npz", "imdb-npz")):
        if (any_ or asked == what) and (path / name).is_file():
            return Found(what, f"the folder holds {name}", path / name)
    files: dict[str, Path] = {}
    for suffix in (".csv", ".tsv"):
        for part, names in _CSV_FILES.items():
            for name in names:
                if part not in files and (path / f"{name}{suffix}").is_file():
                    files[part] = path / f"{name}{suffix}"
    if "train" not in files and asked not in ("imdb", "imdb-npz"):
        try:
            files = files_of(path)
        except CorpusError as error:
            raise UsageError(
                f"{path} holds nothing that is known (train/pos and train/neg, aclImdb_v1.tar.gz, "
                f"imdb.npz, train.csv, cnews.train.txt or train.txt); give the file itself"
            ) from error
    if "train" not in files:
        raise UsageError(f"{path} holds nothing of the format {asked}; give the file itself")
    found = sniff(files["train"], given, known)
    found.files = files
    names_ = ", ".join(file.name for file in files.values())
    return Found(found.format, f"{found.why} ({names_})", path, found.options, files)


_CSV_FILES = {
    "train": ("train",),
    "validation": ("val", "dev", "valid", "validation"),
    "test": ("test",),
}


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _text(path: Path, given: Given, known: Sequence[str]) -> Found:
    """Return which table a text file holds, from its first lines."""
    lines = decode(read_bytes(path), path, given.encoding).lines
    lines = [line for line in lines if line.strip()][:LOOK]
    if not lines:
        raise UsageError(f"{path} is empty")
    if lines[0].startswith("{") and given.format == "auto":
        try:
            keys = ", ".join(map(str, json.loads(lines[0])))
        except (ValueError, TypeError, RecursionError):
            keys = ""
        if keys:
            raise UsageError(
                f"{path} holds JSON ({keys:.60}), which is not read; write a CSV file of it"
            )
    columns = _columns(path, lines, given)
    if columns:
        return columns
    tabs = Counter(line.count("\t") for line in lines)
    if given.format == "csv":
        raise UsageError(
            f"{path}: which columns hold the texts and the labels? Its first line is "
            f"{lines[0][:60]!r}; pass --text and --label, by name or by number from 0"
        )
    if len(lines) - tabs[0] < 0.5 * len(lines):
        raise UsageError(
            f"{path}: no tab in {tabs[0]:,} of {len(lines):,} lines and no columns with known "
            f"names; its first line is {lines[0][:60]!r}; pass --format, for csv --text and --label"
        )
    return _tabbed(path, [line for line in lines if "\t" in line], known)


def _tabbed(path: Path, lines: list[str], known: Sequence[str]) -> Found:
    """Return whether labels stand before or after their texts: there are fewer of them."""
    first = Counter(line.partition("\t")[0].strip() for line in lines)
    last = Counter(line.rpartition("\t")[2].strip() for line in lines)
    length = [sum(len(cell) * n for cell, n in side.items()) for side in (first, last)]
    expected = [sum(side[label] for label in known) for side in (first, last)]
    before = (-expected[0], len(first), length[0]) < (-expected[1], len(last), length[1])
    few = first if before else last
    if not max(expected) and len(few) > 1 and len(few) > 0.5 * len(lines) > 2:
        raise UsageError(
            f"{path}: {len(first):,} different entries before the tab and {len(last):,} after it "
            f"in {len(lines):,} lines: labels should repeat; pass --format label-text or text-label"
        )
    shown = ", ".join(name[:12] for name, _ in few.most_common(3))
    where = "before" if before else "after"
    why = f"{len(few)} different labels {where} the tab ({shown}{' ...' if len(few) > 3 else ''})"
    return Found("label-text" if before else "text-label", why, path)


def _columns(path: Path, lines: list[str], given: Given) -> Found | None:
    """Return which columns of a table are texts and labels; None if that cannot be told."""
    asked = {"text": given.text, "label": given.label}
    table = None
    for sep in SEPARATORS:
        try:
            rows = list(csv.reader((line + "\n" for line in lines[:LOOK]), delimiter=sep))
        except csv.Error:
            continue
        widths = Counter(map(len, rows))
        width, often = widths.most_common(1)[0]
        head = [cell.strip() for cell in rows[0]]
        lower = [cell.lower() for cell in head]
        names = {
            "text": next((i for n in TEXT_NAMES for i, c in enumerate(lower) if c == n), None),
            "label": next((i for n in LABEL_NAMES for i, c in enumerate(lower) if c == n), None),
        }
        where: dict[str, int] = {}
        for role, column in asked.items():
            at = names[role]
            if column is not None:
                at = head.index(column) if column in head else None
                if at is None and column.isdecimal() and int(column) < width:
                    at = int(column)
            if at is not None:
                where[role] = at
        if len(where) == 2 and where["text"] != where["label"]:
            header = any(c in head for c in asked.values() if c) or any(
                lower[i] in TEXT_NAMES + LABEL_NAMES for i in where.values() if i < len(lower)
            )
            return _csv_found(path, sep, head, where, header)
        if table is None and 1 < width <= 50 and often > 0.9 * len(rows):
            table = sep, width, [row for row in rows if len(row) == width]
    lacking = [c for c in asked.values() if c is not None]
    if lacking:
        raise UsageError(
            f"{path} has no columns {' and '.join(map(repr, lacking))}, or which is the other one "
            f"is not clear; its first line is {lines[0][:80]!r}; pass both --text and --label"
        )
    if table is None or (given.format != "csv" and table[0] == "\t" and table[1] == 2):
        return None
    return _guess(path, *table)


def _guess(path: Path, sep: str, width: int, rows: list[list[str]]) -> Found | None:
    """Return the columns of a table without known names: long texts, labels that repeat."""
    body = rows[1:] or rows
    mean = [sum(len(row[i]) for row in body) / len(body) for i in range(width)]
    text = max(range(width), key=lambda i: mean[i])
    kinds = [len({row[i] for row in body}) for i in range(width)]
    others = [i for i in range(width) if i != text and 1 < kinds[i] <= max(2, len(body) / 4)]
    if len(body) < 4 or len(others) != 1:
        return None
    header = rows[0][others[0]] not in {row[others[0]] for row in body}
    return _csv_found(path, sep, rows[0], {"text": text, "label": others[0]}, header)


def _csv_found(path: Path, sep: str, head: list[str], where: dict[str, int], header: bool) -> Found:
    """Return a CSV table's description, its columns by number."""
    name = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}[sep]
    shown = {role: repr(head[i]) if header else f"number {i}" for role, i in where.items()}
    options: dict[str, Any] = {**where, "separator": sep, "header": header}
    split = [i for i, cell in enumerate(head) if cell.lower() in SPLIT_NAMES] if header else []
    why = f"{name} between columns, texts in {shown['text']}, labels in {shown['label']}"
    if split:
        options["split"] = split[0]
        why += f", splits in {head[split[0]]!r}"
    return Found("csv", why + ("" if header else ", no header"), path, options)


def _read(found: Found, given: Given, said: list[str]) -> Corpus:
    """Read what was found; cut nothing that can be cut without leaks later."""
    common: dict[str, Any] = {
        "encoding": given.encoding,
        "bad": "skip" if given.skip_bad else "refuse",
        "validation": 0.0,
        "test": 0.0,
    }
    source: Any = found.files or found.path
    if found.format == "label-text":
        return corpora.tabbed(source, "label-text", **common)
    if found.format == "text-label":
        return corpora.tabbed(source, "text-label", **common)
    if found.format == "csv":
        return corpora.from_csv(source, **found.options, **common)
    if found.format == "imdb":
        return corpora.imdb(found.path)
    return _indices(found.path, given, said)


def _indices(path: Path, given: Given, said: list[str]) -> Corpus:
    """Return Keras' reviews; without the word index, words are called by their numbers."""
    words = Path(given.word_index) if given.word_index else path.with_name("imdb_word_index.json")
    if given.word_index is None and not words.exists():
        arrays = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
        rows = [row for part in ("x_train", "x_test") for row in arrays[part]]
        most = max((i for row in rows if isinstance(row, list) for i in row), default=1)
        if most > 10_000_000:
            raise CorpusError(f"{path}: index {most:,} is no number of a word")
        said.append(f"no {words.name} beside it: a word is shown by its number, as w17")
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / words.name
            made.write_text(json.dumps({f"w{i}": i for i in range(1, most + 1)}))
            return _shifted(path, made, said)
    return _shifted(path, words, said)


def _shifted(path: Path, words: Path, said: list[str]) -> Corpus:
    """Read the indices as published, or as Keras' load_data shifts them."""
    try:
        return corpora.imdb_keras(path, words)
    except CorpusError as error:
        if "index_from=3" not in str(error):
            raise
        said.append("indices shifted by 3, as Keras' load_data returns them")
        return corpora.imdb_keras(path, words, index_from=3)


def _for_flags(text: str) -> str:
    """Return an error of the corpora with flags in place of arguments."""
    for argument, instead in (
        ('pass bad="skip"', "pass --skip-bad"),
        ("pass its encoding", "pass --encoding"),
        ("pass text= and label=, or header=False", "pass --text and --label"),
        ("pass text= and label=", "pass --text and --label"),
    ):
        text = text.replace(argument, instead)
    return text
