"""IMDB film reviews, 25,000 to train and 25,000 to test on: the original archive or Keras' indices.

Nothing is unpacked: the archive is read as a stream, only the reviews are looked at, and a member
that would lie outside its folder is reason enough to refuse the whole file.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from coursekit.corpora import download
from coursekit.corpora.form import Corpus, CorpusError, assemble, divide, linked, same
from coursekit.corpora.indices import read_npz
from coursekit.corpora.tables import Source
from coursekit.corpora.text import read_bytes

LABELS = ("neg", "pos")
MAX_TOTAL = 2 * 2**30  # the published archive unpacks to less than 0.6 GB
MAX_ONCE = 64 * 2**20  # and no single part of it is longer
MAX_REVIEW = 2**20
MAX_MEMBERS = 300_000
_REVIEW = re.compile(r"(train|test)/(neg|pos)/(\d+)_\d+\.txt")
_URLS = re.compile(r"train/urls_(neg|pos)\.txt")
_ADVICE = "download it again (python -m coursekit.corpora fetch imdb)"


class _Bounded(io.RawIOBase):
    """A stream that ends in an error where an archive unpacks to more than it may."""

    def __init__(self, stream: gzip.GzipFile | BinaryIO, path: Path) -> None:
        self.stream, self.path = stream, path

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_ONCE or self.stream.tell() + size > MAX_TOTAL:
            raise CorpusError(f"{self.path} unpacks to far more than IMDB has: refused")
        return self.stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence != 0 or offset > MAX_TOTAL:
            raise CorpusError(f"{self.path} unpacks to far more than IMDB has: refused")
        return self.stream.seek(offset)

    def tell(self) -> int:
        return self.stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def imdb(
    source: Source | None = None, *, validation: float = 0.1, seed: int = 0, fetch: bool = False
) -> Corpus:
    """Return IMDB's reviews as words: labels neg 0 and pos 1, the published test set.

    source: aclImdb_v1.tar.gz or the folder aclImdb unpacked from it; default: the copy in the
    cache, downloaded if it is not there and fetch is True. validation: the share of the training
    reviews held out, all reviews of a film and all copies of a text on one side; both parts are
    shuffled by seed. The reviews are as they were written, with
    their `<br />`. Raises CorpusError for what is missing, cut off, hostile or something else.
    """
    path = Path(source) if source is not None else download.need("imdb", fetch)[0]
    if path.is_dir():
        members = _folder_members(path)
        version = f"folder {path.name}"
    else:
        members = _archive_members(path)
        version = download.named(path)
    reviews: dict[tuple[str, str, int], str] = {}
    urls: dict[str, list[str]] = {}
    for name, data in members:
        if match := _REVIEW.fullmatch(name):
            part, label, number = match.groups()
            if not data.strip():
                raise CorpusError(f"{path}: {name} is empty; {_ADVICE}")
            reviews[part, label, int(number)] = _utf8(data, f"{path}: {name}")
        elif match := _URLS.fullmatch(name):
            urls[match[1]] = _utf8(data, f"{path}: {name}").split()
    count = {
        (p, c): sum(k[:2] == (p, c) for k in reviews) for p in ("train", "test") for c in LABELS
    }
    empty = [f"{part}/{label}" for (part, label), n in count.items() if not n]
    if empty:
        raise CorpusError(
            f"{path} has no reviews in {', '.join(empty)}: not the original IMDB; give "
            "aclImdb_v1.tar.gz or the folder aclImdb"
        )
    keys = sorted(reviews)
    films = [_film(key, urls) for key in keys]
    rows = [(reviews[key], LABELS.index(key[1])) for key in keys]
    notes = (
        () if set(count.values()) == {12_500} else ("not all of IMDB: 12,500 a label and split",)
    )
    return _corpus("IMDB", version, rows, [k[0] for k in keys], films, validation, seed, notes)


def imdb_keras(
    source: Source | None = None,
    word_index: Source | None = None,
    *,
    index_from: int = 0,
    validation: float = 0.1,
    seed: int = 0,
    fetch: bool = False,
) -> Corpus:
    """Return IMDB's reviews from Keras' imdb.npz and imdb_word_index.json, as words.

    The file holds ranks of words, lower-case and without punctuation; a text is its words with one
    space between. source, word_index: the two files; word_index defaults to
    imdb_word_index.json beside source; both default to the cache, as in `imdb`. index_from: 0 for
    the published file; 3 for what Keras' load_data returned, saved again (1 starts a review, 2
    stands for words left out, here "?"). Raises CorpusError, also for an index without a word.
    """
    if source is None:
        path, words = download.need("imdb-keras", fetch)
    else:
        path = Path(source)
        words = path.with_name("imdb_word_index.json")
    words = Path(word_index) if word_index is not None else words
    names = _words(words)
    arrays = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
    lists = [row for part in ("train", "test") for row in arrays[f"x_{part}"]]
    if index_from == 0 and len(lists) >= 20 and all(row and row[0] == 1 for row in lists if row):
        raise CorpusError(
            f"{path}: every review begins with index 1, so Keras' load_data has shifted the "
            "indices; pass index_from=3"
        )
    rows: list[tuple[str, int]] = []
    parts: list[str] = []
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if len(x) != len(y) or set(y) - {0, 1} or not x:
            raise CorpusError(
                f"{path}: {len(x):,} reviews and {len(y):,} labels in {part}; expected as many of "
                "each, labels 0 and 1"
            )
        for i, row in enumerate(x):
            rows.append((_sentence(row, names, index_from, f"{path}: x_{part}[{i}]"), y[i]))
            parts.append(part)
    films = [""] * len(rows)
    notes = () if len(rows) == 50_000 else ("not all of IMDB: 25,000 reviews a split",)
    version = f"{download.named(path)}, {download.named(words)}"
    return _corpus("IMDB (Keras)", version, rows, parts, films, validation, seed, notes)


def _corpus(
    name: str,
    version: str,
    rows: list[tuple[str, int]],
    parts: list[str],
    films: list[str],
    validation: float,
    seed: int,
    notes: tuple[str, ...],
) -> Corpus:
    """Cut the validation reviews from the training ones, film by film, and shuffle."""
    split = np.array([2 if part == "test" else 0 for part in parts])
    train = np.flatnonzero(split == 0)
    groups = linked([films[i] for i in train], [same(rows[i][0]) for i in train])
    split[train] = divide(groups, [rows[i][1] for i in train], validation, 0.0, seed)
    cut = assemble(rows, split, np.random.default_rng(seed))
    return Corpus(name, version, "word", LABELS, *cut, notes)


def _film(key: tuple[str, str, int], urls: dict[str, list[str]]) -> str:
    """Return what names the film of a training review, "" where the archive does not say."""
    part, label, number = key
    lines = urls.get(label, []) if part == "train" else []
    return lines[number] if number < len(lines) else ""


def _utf8(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{where}: line {line} is not UTF-8; {_ADVICE}") from error


def _folder_members(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what matters in an unpacked archive; links are not followed."""
    for path in sorted(folder.glob("t*/*/*.txt")) + sorted(folder.glob("train/urls_*.txt")):
        name = path.relative_to(folder).as_posix()
        if _REVIEW.fullmatch(name) or _URLS.fullmatch(name):
            if path.is_symlink() or path.parent.is_symlink():
                raise CorpusError(f"{path} is a link; give the folder as it was unpacked")
            yield name, read_bytes(path, MAX_REVIEW if "urls" not in name else MAX_ONCE)


def _archive_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name (below aclImdb/) and content of what matters in the archive; write nothing."""
    if not path.is_file():
        raise CorpusError(f"{path} is not there; give aclImdb_v1.tar.gz or the folder aclImdb")
    try:
        with gzip.open(path) as unpacked:
            bounded = _Bounded(unpacked, path)
            with tarfile.open(fileobj=bounded, mode="r:") as archive:
                for count, member in enumerate(archive):
                    _check(member, path, count)
                    archive.members = []  # type: ignore[attr-defined]  # 100,000 would be kept
                    name = member.name.removeprefix("./").removeprefix("aclImdb/")
                    limit = MAX_REVIEW if _REVIEW.fullmatch(name) else MAX_ONCE
                    if _REVIEW.fullmatch(name) or _URLS.fullmatch(name):
                        if member.size > limit:
                            raise CorpusError(f"{path}: {name} has {member.size:,} bytes: refused")
                        stream = archive.extractfile(member)
                        data = stream.read() if stream else b""
                        if len(data) != member.size:
                            raise EOFError(f"{name} is cut off")
                        yield name, data
            while bounded.read(2**20):  # to the end: only there is the checksum
                pass
    except CorpusError:
        raise
    # a damaged header can make tarfile seek to places that no file has, or chain headers for ever
    except (EOFError, OSError, zlib.error, tarfile.TarError, ValueError, RecursionError) as error:
        raise CorpusError(
            f"{path} is cut off, broken or no .tar.gz ({error}); {_ADVICE}"
        ) from error


def _check(member: tarfile.TarInfo, path: Path, count: int) -> None:
    """Refuse what the original archive does not hold: links, devices, ways out of the folder."""
    name = PurePosixPath(member.name)
    if not (member.isfile() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "a device or the like"
        raise CorpusError(
            f"{path} holds {kind}, {member.name!r}: not the original archive; refused"
        )
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise CorpusError(f"{path} holds {member.name!r}, outside its folder: refused")
    if count >= MAX_MEMBERS:
        raise CorpusError(f"{path} holds more than {MAX_MEMBERS:,} files: refused")


def _words(path: Path) -> dict[int, str]:
    """Return the word of each index from Keras' word index."""
    try:
        index = json.loads(read_bytes(path, MAX_ONCE))
    except (ValueError, RecursionError) as error:
        raise CorpusError(
            f"{path} is broken or no JSON file ({error}); download it again"
        ) from error
    if not isinstance(index, dict) or any(type(i) is not int or i < 1 for i in index.values()):
        raise CorpusError(f"{path}: expected one object of words and their indices from 1")
    words = {i: word for word, i in index.items()}
    if len(words) != len(index) or not words:
        raise CorpusError(f"{path}: {len(index):,} words, but {len(words):,} different indices")
    return words


def _sentence(row: object, words: dict[int, str], index_from: int, where: str) -> str:
    """Return the words of one review's indices, one space between."""
    if not isinstance(row, list):
        raise CorpusError(f"{where} is {row!r:.40}; expected a list of indices")
    found = []
    for i in row:
        if index_from and i < index_from:
            # padding and the start are no words; 2 stands for one that was left out
            found += ["?"] if i == 2 else []
            continue
        word = words.get(i - index_from)
        if word is None:
            raise CorpusError(f"{where}: index {i} is not in the word index (1 to {max(words):,})")
        found.append(word)
    return " ".join(found)
