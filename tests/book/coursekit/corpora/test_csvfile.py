"""CSV: the csv module of Python and pandas write the files, quotes and line ends included."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.corpora import CorpusError, cnews, from_csv, thucnews

ALL = {"validation": 0, "test": 0}
HARD = ['say "no", twice', "two\nlines", "semi;colon | bar\ttab", "  spaces  ", "中文，逗号", "'"]


def write(path: Path, rows: list[list[str]], **options: object) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, **options).writerows(rows)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_was_written_is_read(tmp_path: Path, sep: str, end: str) -> None:
    rows = [["id", "text", "label"]] + [[str(i), t, "ab"[i % 2]] for i, t in enumerate(HARD)]
    path = write(tmp_path / "t.csv", rows, delimiter=sep, lineterminator=end)
    data = from_csv(path, **ALL)
    assert data.train.texts == HARD
    assert data.label_names == ("a", "b") and data.train.labels.tolist() == [0, 1] * 3


text = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1)


@given(st.lists(text.filter(lambda t: t.strip() != ""), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_text_that_pandas_writes_is_read(tmp_path_factory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    frame = pd.DataFrame({"label": ["x"] * len(texts), "text": texts})
    frame.to_csv(path, index=False)
    assert from_csv(path, **ALL).train.texts == texts


def test_columns_by_name_or_number_with_or_without_header(tmp_path: Path) -> None:
    rows = [["3", "a title", "first text"], ["4", "b title", "second text"]]
    path = write(tmp_path / "t.csv", rows)
    data = from_csv(path, text=2, label=0, header=False, **ALL)
    assert data.train.texts == ["first text", "second text"] and data.label_names == ("3", "4")
    assert from_csv(path, text=2, label=0, **ALL).train.texts == ["second text"]
    with pytest.raises(CorpusError, match="numbers from 0"):
        from_csv(path, header=False)


def test_a_missing_column_names_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [["review", "sentiment"], ["good", "pos"]])
    with pytest.raises(CorpusError, match="'review', 'sentiment'"):
        from_csv(path)
    with pytest.raises(CorpusError, match="lacks a column"):
        from_csv(path, text="review", label=2)
    assert from_csv(path, "review", "sentiment", **ALL).label_names == ("pos",)
    twice = write(tmp_path / "u.csv", [["text", "text", "label"], ["a", "b", "c"]])
    with pytest.raises(CorpusError, match="twice"):
        from_csv(twice)


def test_a_split_column_is_believed_and_what_it_lacks_is_cut(tmp_path: Path) -> None:
    rows = [["text", "label", "part"]]
    rows += [[f"t{i}", "ab"[i % 2], "Train" if i % 4 else "test"] for i in range(80)]
    path = write(tmp_path / "t.csv", rows)
    data = from_csv(path, split="part", validation=0.2)
    assert len(data.test.texts) == 20 and all(int(t[1:]) % 4 == 0 for t in data.test.texts)
    assert len(data.validation.texts) == 12 and len(data.train.texts) == 48
    rows[5][2] = "holdout"
    with pytest.raises(CorpusError, match="line 6: split 'holdout'"):
        from_csv(write(path, rows), split="part")


def test_copies_do_not_face_each_other(tmp_path: Path) -> None:
    rows = [["text", "label"]] + [[f"row {i % 100}", "ab"[i % 2]] for i in range(400)]
    data = from_csv(write(tmp_path / "t.csv", rows), validation=0.2, test=0.2)
    assert data.leaks() == {"validation": 0, "test": 0}
    assert [len(s.texts) for s in data.splits.values()] == [240, 80, 80]


def test_bad_rows_have_the_line_they_begin_on(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'text,label\n"two\nlines",a\nshort\n,a\n"x\n\xff",b\nfine,\nok,b\n\n')
    with pytest.raises(CorpusError) as caught:
        from_csv(path)
    for piece in (
        "4 rows of 6",
        "line 4: 1 fields",
        "line 5: empty text",
        "line 6: byte 1 (0xff)",
        "line 8: empty label",
    ):
        assert piece in str(caught.value)
    data = from_csv(path, bad="skip", **ALL)
    assert data.train.texts == ["two\nlines", "ok"] and "left out 4 rows" in data.notes[0]


def test_a_quote_that_is_not_closed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('text,label\nfine,a\n"open,b\nc,d\n')
    with pytest.raises(CorpusError, match="row from line 3.*quote"):
        from_csv(path)


def test_a_lone_carriage_return_is_a_space_and_a_broken_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'text,label\none\rtwo,a\n"x\ry",b\n')
    assert from_csv(path, **ALL).train.texts == ["one two", "x y"]
    path.write_bytes(b'"text"x,label\na,b\n')
    with pytest.raises(CorpusError, match="lacks a column|quote"):
        from_csv(path)


def test_random_bytes_end_in_a_corpus_or_in_one_line(tmp_path: Path) -> None:
    pieces = [
        "财经".encode(),
        "体育".encode("gb18030"),
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b",",
        b"text,label\n",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\0",
        b"abc",
        b"\xe9",
        b";",
        b"1",
    ]
    path = tmp_path / "t.txt"
    rng = random.Random(0)
    for _ in range(400):
        path.write_bytes(b"".join(rng.choices(pieces, k=rng.randrange(40))))
        for load in (cnews, thucnews, from_csv):
            for bad in ("refuse", "skip"):
                try:
                    load(path, bad=bad, **ALL)  # type: ignore[operator]
                except CorpusError as error:
                    assert "\n" not in str(error)


def test_long_fields_are_read_and_the_csv_module_keeps_its_limit(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = "word " * 50_000
    path = write(tmp_path / "t.csv", [["text", "label"], [long, "a"]])
    assert from_csv(path, **ALL).train.texts == [long] and csv.field_size_limit() == limit


def test_several_files_and_other_encodings(tmp_path: Path) -> None:
    for part in ("train", "test"):
        rows = io.StringIO()
        csv.writer(rows).writerows(
            [["标题", "类别"], [f"{part} 股市上涨", "财经"], ["球赛", "体育"]]
        )
        (tmp_path / f"{part}.csv").write_bytes(rows.getvalue().encode("gb18030"))
    files = {part: tmp_path / f"{part}.csv" for part in ("train", "test")}
    data = from_csv(files, "标题", "类别", unit="character", validation=0)
    assert data.test.texts[0] == "test 股市上涨" and data.leaks()["test"] == 1
    assert "1 texts of test also stand" in str(data)


@pytest.mark.parametrize("separator", ["", ",,", '"', "\n"])
def test_a_separator_is_one_character(tmp_path: Path, separator: str) -> None:
    path = write(tmp_path / "t.csv", [["text", "label"], ["a", "b"]])
    with pytest.raises(CorpusError, match="one character"):
        from_csv(path, separator=separator)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("")
    with pytest.raises(CorpusError, match="is empty"):
        from_csv(path)
    path.write_text("text,label\n")
    with pytest.raises(CorpusError, match="no usable row"):
        from_csv(path)
