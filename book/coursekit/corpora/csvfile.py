"""Labelled text in any CSV: quotes, line ends in fields, other separators, missing columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from coursekit.corpora.form import SPLITS, Corpus, CorpusError
from coursekit.corpora.tables import NAMES, Row, Source, build, files_of
from coursekit.corpora.text import Lines, Problem, decode, read_bytes, settle


def from_csv(
    source: Source | Mapping[str, Source],
    text: str | int = "text",
    label: str | int = "label",
    *,
    split: str | int | None = None,
    name: str | None = None,
    unit: str = "word",
    separator: str | None = None,
    header: bool = True,
    label_names: Sequence[str] | None = None,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
    encoding: str | None = None,
    bad: str = "refuse",
) -> Corpus:
    """Return a corpus from any table with a column of texts and one of labels.

    source: as in `tabbed`, but for the folder. text, label, split: names of columns, or their
    numbers from 0 (the only way where header is False). split: a column that says train,
    validation (val, valid, dev) or test; without one equal texts stay on one side of a random cut.
    separator: one character; default whichever of `,` `;` tab `|` gives the first line the columns
    asked for. Quoted fields may hold separators, doubled quotes and line ends (a lone
    CR is read as a space). bad: "refuse" rows
    with too few or many fields, no text, no label, an unknown split or invalid bytes, or "skip"
    them. Raises CorpusError, naming file, lines and what to do.
    """
    columns = {"text": text, "label": label} | ({} if split is None else {"split": split})
    if not header and not all(isinstance(c, int) for c in columns.values()):
        raise CorpusError(f"without a header columns are numbers from 0; got {columns}")
    files = {"train": Path(source)} if not isinstance(source, Mapping) else files_of(source)
    parts: dict[str, list[Row]] = {}
    notes: list[str] = []
    for part, path in files.items():
        lines = decode(read_bytes(path), path, encoding)
        # the csv module takes a lone CR for a line end in the wrong place
        lines = lines._replace(lines=[line.replace("\r", " ") for line in lines.lines])
        if not lines.lines:
            raise CorpusError(f"{path} is empty")
        sep, where = _columns(path, lines.lines, columns, separator, header)
        found, problems = _csv_rows(path, lines, sep, where, header)
        notes += [f"{path.name} {note}" for note in lines.notes]
        notes += settle(path, problems, len(found), bad)
        for row_text, row_label, row_split in found:
            parts.setdefault(row_split or part, []).append((row_text, row_label))
    return build(name, files, parts, unit, label_names, (validation, test), seed, notes)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters a field for as long as this lasts."""
    old = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(old)


def _columns(
    path: Path,
    lines: list[str],
    columns: Mapping[str, str | int],
    separator: str | None,
    header: bool,
) -> tuple[str, dict[str, int]]:
    """Return the separator and where each column stands; raise CorpusError if one is missing."""
    if separator is not None and (len(separator) != 1 or separator in '\r\n"'):
        raise CorpusError(f"separator must be one character, no quote; got {separator!r}")
    heads: dict[str, list[str]] = {}
    with _long_fields():
        for sep in [separator] if separator else [",", ";", "\t", "|"]:
            # a quoted field of the first row may go on over several lines
            reader = csv.reader((line + "\n" for line in lines), delimiter=sep)
            with suppress(csv.Error):  # this separator does not fit its quotes
                heads[sep] = [cell.strip() for cell in next(reader, [])]
    for sep, head in heads.items():
        where = {}
        for role, column in columns.items():
            if isinstance(column, int):
                if 0 <= column < len(head):
                    where[role] = column
            elif head.count(column) == 1:
                where[role] = head.index(column)
        if len(where) == len(columns):
            return sep, where
    head = max(heads.values(), key=len, default=[])
    shown = ", ".join(repr(cell[:40]) for cell in head[:20])
    raise CorpusError(
        f"{path} lacks a column (or has it twice): asked for {list(columns.values())}, its first "
        f"line has {len(head)}: {shown}; pass text= and label=" + (", or header=False" * header)
    )


def _csv_rows(
    path: Path, lines: Lines, sep: str, where: Mapping[str, int], header: bool
) -> tuple[list[tuple[str, str, str]], list[Problem]]:
    """Return (text, label, split or "") of each usable row, and the other rows."""
    rows: list[tuple[str, str, str]] = []
    problems: list[Problem] = []
    with _long_fields():
        reader = csv.reader((line + "\n" for line in lines.lines), delimiter=sep, strict=True)
        width, start = 0, 1
        try:
            if header:
                width = len(next(reader))
                start = reader.line_num + 1
            for cells in reader:
                end = reader.line_num
                cut = [lines.bad[n] for n in range(start, end + 1) if n in lines.bad]
                width = width or len(cells)
                if cells and any(cell.strip() for cell in cells):
                    row, why = _row(cells, width, where)
                    if cut or why:
                        problems.append(Problem(start, cut[0] if cut else why))
                    else:
                        rows.append(row)
                start = end + 1
        except csv.Error as error:
            raise CorpusError(
                f"{path}, row from line {start}: {error}; a quote is not closed or stands inside a "
                "field: double it, or give the separator"
            ) from error
    return rows, problems


def _row(
    cells: list[str], width: int, where: Mapping[str, int]
) -> tuple[tuple[str, str, str], str]:
    """Return (text, label, split) of a row and what is wrong with it, "" if nothing."""
    if len(cells) != width:
        return ("", "", ""), f"{len(cells)} fields where the first row has {width}"
    text, label = cells[where["text"]], cells[where["label"]].strip()
    part = cells[where["split"]].strip().lower() if "split" in where else ""
    part = NAMES.get(part, part)
    if "split" in where and part not in SPLITS:
        return ("", "", ""), f"split {part!r} is none of train, validation, test"
    why = "empty text" if not text.strip() else "" if label else "empty label"
    return (text, label, part), why
