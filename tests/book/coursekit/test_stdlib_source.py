"""The tagged source of the standard library: exact on hand-tagged lines, whole on the real text."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from coursekit import stdlib_source as source

LETTER = dict(zip("_nkdsc+", source.KINDS, strict=True))  # one letter for each kind


def tagged(text: str) -> str:
    """Return the tags of text, one letter for each character."""
    letters = list(LETTER)
    return "".join(letters[k] for k in source.tag(text))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("if x:  # hot\n", "kk_n+__ccccc_"),
        ("y = 3.5 + n2\n", "n_+_ddd_+_nn_"),
        ("s = 'a # b'\n", "n_+_sssssss_"),
        ('d = """one\ntwo"""\n', "n_+_sssssssssssss_"),
        ("def f():\n    return None\n", "kkk_n+++_____kkkkkk_kkkk_"),
        ("a = b'x' \\\n    'y'\n", "n_+_ssss" + "_" * 7 + "sss_"),
        ("π = 1\n", "n_+_d_"),
    ],
)
def test_hand_tagged_lines(text: str, tags: str) -> None:
    assert len(tags) == len(text)
    assert tagged(text) == tags


def test_text_of_an_f_string_is_string_and_only_new_pythons_see_inside() -> None:
    tags = tagged("f'a{b}{{c}}'\n")
    assert tags[:3] == "sss" and tags[-2:] == "s_"
    inside = "+n+" if sys.version_info >= (3, 12) else "sss"
    assert tags == "sss" + inside + "ssssss" + "_"


def test_what_is_not_python_is_refused() -> None:
    with pytest.raises((SyntaxError, source.tokenize.TokenError)):
        source.tag("x = (1,\n")


def test_the_installed_library_is_tagged_without_gaps() -> None:
    files = source.load(min_chars=2_000, max_chars=8_000)
    assert len(files) > 10
    assert [file.name for file in files] == sorted(file.name for file in files)
    for file in files:
        assert len(file.text) == len(file.kinds) == len(file.symbols)
        assert 2_000 <= len(file.text) <= 8_000
        # all that is no token is white space or the backslash that joins two lines
        rest = {c for c, k in zip(file.text, file.kinds, strict=True) if k == source.SPACE}
        assert rest <= set(" \n\t\\"), (file.name, rest)
        assert file.symbols.min() >= 0 and file.symbols.max() < source.V
    everything = np.concatenate([file.kinds for file in files])
    assert set(everything) == set(range(len(source.KINDS)))


def test_fingerprint_names_the_text() -> None:
    one = source.SourceFile("a", "x = 1\n", source.tag("x = 1\n"))
    two = source.SourceFile("a", "x = 2\n", source.tag("x = 2\n"))
    assert source.fingerprint([one]).startswith("1 files, 6 characters, sha256 ")
    assert source.fingerprint([one]) != source.fingerprint([two])
    assert source.fingerprint([one, two]) != source.fingerprint([two, one])


def test_a_batch_is_time_first_and_padded() -> None:
    texts = ["x = 1\n", "y\n"]
    x, z, lengths = source.batch([source.SourceFile("a", t, source.tag(t)) for t in texts])
    assert x.shape == z.shape == (6, 2) and lengths.tolist() == [6, 2]
    assert x[0, 0] == source.ALPHABET.index("x") and z[4, 0] == source.NUMBER
    assert (x[2:, 1] == -1).all() and (z[2:, 1] == -1).all()
