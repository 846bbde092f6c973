"""Encodings: Python's own codecs write the files, the loader must find out which it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.corpora import CorpusError
from coursekit.corpora.text import decode

HERE = Path("news.txt")
NEWS = "体育\t国足今晚主场迎战，主帅称“没有退路”\n财经\t沪指震荡回升 新能源板块走强\n"
WEST = "label\ttext\nfilm\tA na\u00efve caf\u00e9 comedy\u2014not bad\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_chinese_comes_back_from_every_encoding_and_line_end(encoding: str, end: str) -> None:
    found = decode(NEWS.replace("\n", end).encode(encoding), HERE)
    assert found.lines == NEWS.splitlines() and not found.bad


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_western_text_comes_back(encoding: str) -> None:
    assert decode(WEST.encode(encoding), HERE).lines == WEST.splitlines()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), min_size=1))
@settings(max_examples=200, deadline=None)
def test_any_utf8_text_comes_back_line_for_line(text: str) -> None:
    if not text.encode().startswith((b"PK\x03\x04", b"Rar!", b"%PDF")):
        found = decode(text.encode(), HERE)
        assert found.encoding == "utf-8" and not found.bad
        assert found.lines == (text[:-1] if text.endswith("\n") else text).split("\n")


def test_only_line_ends_end_a_line() -> None:
    text = "体育\ta\u2028b\x85c\x0bd\x1ce\n财经\tf"
    assert decode(text.encode(), HERE).lines == text.split("\n")


def test_a_bad_byte_is_reported_with_its_line_and_the_rest_stays_utf8() -> None:
    lines = NEWS.encode().split(b"\n")
    lines[1] = lines[1][:-1]  # the last character is cut in two
    data = NEWS.encode() + b"\n".join(lines) + NEWS.encode()
    found = decode(data, HERE)
    assert found.encoding == "utf-8" and list(found.bad) == [4]
    assert (
        "is not utf-8" in found.bad[4]
        and found.lines[:3] == decode(NEWS.encode() * 2, HERE).lines[:3]
    )


def test_latin_1_is_not_taken_for_chinese_and_works_when_named() -> None:
    data = "film\tun caf\u00e9 tr\u00e8s na\u00eff\nok\tplain\n".encode("latin-1")
    found = decode(data, HERE)
    assert found.encoding == "utf-8" and list(found.bad) == [1] and "0xe9" in found.bad[1]
    assert decode(data, HERE, "latin-1").lines[0] == "film\tun caf\u00e9 tr\u00e8s na\u00eff"


def test_bad_lines_of_gb18030_and_utf16_have_numbers_too() -> None:
    lines = [line.encode("gb18030") for line in NEWS.splitlines() * 10]
    lines[6] += b"\xff\xff"
    found = decode(b"\r\n".join(lines) + b"\r\n", HERE)
    assert found.encoding == "gb18030" and list(found.bad) == [7] and len(found.lines) == 20
    data = "a\tb\nc\td".encode("utf-16") + b"\x00\xd8\n\x00e\x00"
    assert list(decode(data, HERE).bad) == [2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04abc", "zip archive"),
        (b"\x1f\x8b\x08abc", "gzip archive"),
        (bytes(range(256)) * 3, "not a text file"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        decode(data, HERE)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(CorpusError, match="'klingon' is no encoding"):
        decode(b"a", HERE, "klingon")


def test_an_empty_file_has_no_lines() -> None:
    assert decode(b"", HERE).lines == [] and decode(b"\xef\xbb\xbf", HERE).lines == []
