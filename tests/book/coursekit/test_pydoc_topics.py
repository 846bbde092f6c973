"""The text behind help(): whole, named by its hash, and split into families that share nothing."""

from __future__ import annotations

import builtins
import itertools

import numpy as np
import pytest

from coursekit import pydoc_topics as source


def test_the_installed_text_is_there_sorted_and_without_twins() -> None:
    from pydoc_data.topics import topics

    loaded = source.load()
    assert [t.name for t in loaded] == sorted(t.name for t in loaded)
    assert len({t.text for t in loaded}) == len(loaded)
    assert {t.text for t in loaded} == set(topics.values())
    assert all(topics[t.name] == t.text for t in loaded)
    assert sum(len(t.text) for t in loaded) > 300_000


def test_text_survives_the_way_to_symbols_and_back() -> None:
    text = "".join(c for c in "".join(t.text for t in source.load()) if c.isascii())
    assert source.decode(source.encode(text)) == text
    assert source.encode("\n a~\u2026").tolist() == [0, 1, 66, 95, 96]
    assert source.decode(source.encode("a\u2026b")) == "a" + source.OTHER + "b"
    assert source.decode(source.encode("\u2018a\u2019 \u2013 \u201cb\u201d")) == "'a' - \"b\""
    assert len(set(source.ALPHABET)) + 1 == source.V
    assert source.Topic("x", "ab").symbols.tolist() == source.encode("ab").tolist()


def test_letters_fold_all_else_into_single_spaces() -> None:
    spelled = [source.LETTERS[v] for v in source.letters("It's 3.5\n\nB\u00e9b\u00e9 ")]
    assert "".join(spelled) == "it s b b "
    assert source.letters("").dtype == np.int64


def test_paragraphs_hold_all_but_the_blank_lines() -> None:
    topic = source.Topic("x", "\none\ntwo\n\n   \n   three\n\n")
    assert topic.paragraphs == ["one\ntwo", "   three"]
    for topic in source.load()[:10]:
        whole = "".join(topic.text.split())
        assert "".join("".join(p.split()) for p in topic.paragraphs) == whole


def test_families_join_what_shares_a_passage_and_relatives_of_relatives() -> None:
    a, b, c = "a" * 30 + "x" * 20, "y" * 20 + "b" * 30, "x" * 20 + " " + "y" * 20
    topics = [source.Topic(str(i), t) for i, t in enumerate((a, "none", b, "q" * 50, c))]
    assert source.families(topics, shared=20).tolist() == [0, 1, 0, 2, 0]
    assert source.families(topics, shared=22).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="at least 1"):
        source.families(topics, shared=0)


def test_no_two_families_of_the_real_text_share_a_passage() -> None:
    topics = source.load()
    family = source.families(topics)
    assert family.max() > 20 and len(family) == len(topics)
    text = ["" for _ in range(family.max() + 1)]
    for topic, f in zip(topics, family, strict=True):
        text[f] += " " + " ".join(topic.text.split()) + "\0" * 100
    # another way to look: does a passage of one family occur anywhere in another
    for one, two in itertools.permutations(range(len(text)), 2):
        here = [text[one][i : i + 100] for i in range(0, len(text[one]) - 100, 997)]
        assert not any(p in text[two] for p in here if "\0" not in p)


def test_fingerprint_names_the_text() -> None:
    one, two = source.Topic("a", "x"), source.Topic("b", "y")
    assert "1 topics, 1 characters, sha256 " in source.fingerprint([one])
    assert source.fingerprint([one, two]) != source.fingerprint([two, one])


def test_a_python_without_the_text_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("pydoc_data"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="install the full Python"):
        source.load()
