"""Bytes to lines: which encoding a file has, and which of its lines do not fit it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from coursekit.corpora.form import CorpusError

MAX_BYTES = 2 * 2**30
_BOMS = (  # the four bytes of UTF-32 begin with the two of UTF-16: longest first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"%PDF", "a PDF"),
    (b"\x80\x04\x95", "a pickle"),
)


class Lines(NamedTuple):
    """A decoded file: its lines without their ends, the encoding, and what could not be read."""

    lines: list[str]
    encoding: str
    bad: dict[int, str]  # line number from 1 -> what is wrong with its bytes

    @property
    def notes(self) -> list[str]:
        """Return a note where the encoding is none of Unicode's: it may have been a guess."""
        return [] if self.encoding.lower().startswith("utf") else [f"read as {self.encoding}"]


class Problem(NamedTuple):
    """One row that cannot be used: its line number from 1, and why."""

    line: int
    why: str


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return a file's bytes. Raises CorpusError where there is no such file, or a huge one."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            raise CorpusError(f"{path} {what}; give the path of a file")
        if path.stat().st_size > limit:
            raise CorpusError(f"{path} has {path.stat().st_size:,} bytes, at most {limit:,} fit")
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from error


def _guess(data: bytes, path: Path) -> str:
    """Return the encoding of bytes without a byte order mark."""
    if b"\0" in data:
        # Latin characters, tabs and line ends put their zero byte first (BE) or second (LE)
        for encoding in ("utf-16-be", "utf-16-le")[:: -1 if _zeros(data) else 1]:
            try:
                if "\0" not in data.decode(encoding):
                    return encoding
            except UnicodeDecodeError:
                continue
        raise CorpusError(f"{path} holds zero bytes: it is not a text file")
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    # a few bad bytes must not turn UTF-8 into Chinese, nor Latin-1: count lines and characters
    foreign = [line for line in data.split(b"\n") if not line.isascii()]
    good = sum(_decodes(line, "utf-8") for line in foreign)
    text = "".join(c for c in data.decode("gb18030", "replace") if ord(c) > 127)
    common = sum(_common(c) for c in set(text)) / len(set(text))
    readable = sum(_decodes(line, "gb18030") for line in foreign)
    if readable > good and common > 0.5:
        return "gb18030"
    return "utf-8"


def _zeros(data: bytes) -> bool:
    """Return whether zero bytes stand more often in second place than in first."""
    return data[1::2].count(0) > data[::2].count(0)


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
        return True
    except UnicodeDecodeError:
        return False


def _common(character: str) -> bool:
    """Return whether a character is one of the 7,445 of GB2312, as Chinese news mostly are."""
    try:
        return bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def decode(data: bytes, path: Path, encoding: str | None = None) -> Lines:
    """Return the lines of a text file, whatever wrote it: CRLF, CR or LF, with or without a BOM.

    encoding None: the byte order mark decides; without one UTF-8, else GB18030 if most of the
    file is common Chinese in it, else UTF-8 with bad lines; zero bytes mean UTF-16. What cannot be
    decoded becomes U+FFFD and its line a `bad` one. Only line ends end a line: U+2028, U+0085 and
    the like are text. Raises CorpusError for what is no text, or an encoding nobody knows.
    """
    for magic, what in _BINARY:
        if data.startswith(magic):
            raise CorpusError(f"{path} is {what}, not text; unpack it and give the file inside")
    if encoding is None:
        marks = [name for mark, name in _BOMS if data.startswith(mark)]
        encoding = marks[0] if marks else _guess(data, path)
    try:
        codecs.lookup(encoding)
        text = data.decode(encoding)
        return Lines(_lines(text), encoding, {})
    except LookupError as error:
        raise CorpusError(f"{encoding!r} is no encoding that Python knows") from error
    except UnicodeDecodeError:
        pass
    lines: list[str] = []
    bad: dict[int, str] = {}
    if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        lines = _lines(data.decode(encoding, "replace"))
        wrong = [i for i, line in enumerate(lines, 1) if "\ufffd" in line]
        return Lines(lines, encoding, dict.fromkeys(wrong, f"not {encoding}"))
    data = re.sub(rb"\r\n?", b"\n", data) if b"\n" not in data else data.replace(b"\r\n", b"\n")
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            lines.append(raw.decode(encoding))
        except UnicodeDecodeError as error:
            lines.append(raw.decode(encoding, "replace"))
            bad[number] = f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not {encoding}"
    return Lines(lines[:-1] if lines[-1] == "" else lines, encoding, bad)


def _lines(text: str) -> list[str]:
    """Return text cut at its line ends, without them; no empty line after the last one."""
    text = text.replace("\r\n", "\n") if "\n" in text else text.replace("\r", "\n")
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def settle(path: Path, problems: Sequence[Problem], kept: int, bad: str) -> tuple[str, ...]:
    """Return the note about rows that were left out; none if there were none.

    bad: "refuse" or "skip". Raises CorpusError, naming the first lines and what to do, where rows
    are to be refused or none is left.
    """
    if bad not in ("refuse", "skip"):
        raise CorpusError(f'bad must be "refuse" or "skip"; got {bad!r}')
    shown = "; ".join(f"line {p.line}: {p.why}" for p in problems[:5])
    more = f"; and {len(problems) - 5:,} more" if len(problems) > 5 else ""
    if not kept:
        raise CorpusError(f"{path} has no usable row" + (f" ({shown}{more})" if problems else ""))
    if not problems:
        return ()
    rows = "1 row" if len(problems) == 1 else f"{len(problems):,} rows"
    if bad == "refuse":
        raise CorpusError(
            f"{path}: {rows} of {kept + len(problems):,} cannot be used ({shown}{more}); "
            'repair the file, pass its encoding, or pass bad="skip" to leave them out'
        )
    return (f"left out {rows} of {path.name} ({shown}{more})",)
