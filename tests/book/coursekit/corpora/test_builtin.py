"""The two built-in corpora: tagged exactly, masked, and split so that nothing leaks."""

from __future__ import annotations

import re

import numpy as np
import pytest

from coursekit import stdlib_source
from coursekit.corpora import CorpusError, code_string_comment, docstrings
from coursekit.corpora.builtin import KINDS, SUBPACKAGES, _paragraphs


@pytest.fixture(scope="module")
def files():
    return stdlib_source.load(2_000, 100_000)


@pytest.fixture(scope="module")
def code():
    return code_string_comment()


@pytest.fixture(scope="module")
def paragraphs():
    return docstrings()


def test_each_window_stands_before_a_letter_of_its_kind(code, files) -> None:
    assert code.label_names == KINDS
    rng = np.random.default_rng(0)
    kinds = {"code": {"name", "keyword", "number"}, "string": {"string"}, "comment": {"comment"}}
    for texts, labels in code.splits.values():
        assert all(len(t) == 160 for t in texts)
        for i in rng.permutation(len(texts))[:25]:
            found = set()
            for file in files:
                at = file.text.find(texts[i])
                while at >= 0:
                    end = at + 160
                    if end < len(file.text) and file.text[end].isalpha():
                        found.add(stdlib_source.KINDS[file.kinds[end]])
                    at = file.text.find(texts[i], at + 1)
            assert found & kinds[KINDS[labels[i]]]


def test_kinds_are_about_equally_frequent_and_files_are_on_one_side(code, files) -> None:
    for _, labels in code.splits.values():
        assert len(labels) > 500 and np.bincount(labels).max() / len(labels) < 0.40
    home: dict[str, set[str]] = {}
    for part, (texts, _) in code.splits.items():
        for text in texts[:60]:
            homes = [file.name for file in files if text in file.text]
            if len(homes) == 1:
                home.setdefault(homes[0], set()).add(part)
    assert home and all(len(parts) == 1 for parts in home.values())


def test_the_same_seed_gives_the_same_corpus(code, paragraphs) -> None:
    assert code.sha256 == code_string_comment().sha256
    assert paragraphs.sha256 == docstrings().sha256
    few = code_string_comment(5, seed=1)
    assert len(few.train.texts) < len(code.train.texts) / 5
    with pytest.raises(CorpusError, match="at least 1"):
        code_string_comment(0)


def test_paragraphs_are_masked_and_from_ten_subpackages(paragraphs) -> None:
    assert paragraphs.label_names == tuple(SUBPACKAGES) and "SciPy" in paragraphs.version
    texts = [t for s in paragraphs.splits.values() for t in s.texts]
    words = {w for t in texts for w in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", t)}
    import scipy.signal
    import scipy.stats

    public = {"scipy", *SUBPACKAGES, *scipy.stats.__all__, *scipy.signal.__all__}
    # the distributions f and t share their names with every other variable
    assert not words & {name for name in public if len(name) > 1}
    assert not any(">>>" in t or "\n" in t for t in texts)
    for texts, labels in paragraphs.splits.values():
        assert len(texts) > 300 and set(labels) == set(range(10))


def test_no_paragraph_is_there_twice_unless_asked_for(paragraphs) -> None:
    assert paragraphs.leaks() == {"validation": 0, "test": 0}
    raw = docstrings(deduplicate=False)
    assert raw.leaks()["test"] / len(raw.test.texts) > 0.05
    assert "not deduplicated" in raw.notes


def test_a_linear_model_beats_the_majority_by_far(paragraphs) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    vectors = TfidfVectorizer(sublinear_tf=True)
    model = LinearSVC().fit(vectors.fit_transform(paragraphs.train.texts), paragraphs.train.labels)
    right = model.score(vectors.transform(paragraphs.test.texts), paragraphs.test.labels)
    often = np.bincount(paragraphs.train.labels).argmax()
    assert right > 2 * (paragraphs.test.labels == often).mean()


def test_a_docstring_is_cut_into_what_says_something() -> None:
    text = (
        "Do a thing.\n\nParameters\n----------\nx : array\n    Input.\n\n"
        "See Also\n--------\nother\n\n"
        "Notes\n-----\nIt is\nfast.\n\n.. math:: x^2\n\n>>> f(1)\n1\n\nReferences\n----------\n"
        ".. [1] Me\n\nmore of it\n\nExamples\n--------\nText between.\n\n>>> f(2)"
    )
    assert _paragraphs(text) == ["Do a thing.", "x : array Input.", "It is fast."]
