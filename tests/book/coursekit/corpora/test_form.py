"""The one form: splits that share nothing, hashes that name the text, leaks that are counted."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.corpora import Corpus, CorpusError, Split, divide
from coursekit.corpora.form import assemble, linked


def corpus(train: list[str], validation: list[str], test: list[str], **more: object) -> Corpus:
    parts = [Split(t, np.arange(len(t), dtype=np.int64) % 2) for t in (train, validation, test)]
    options: dict = {"name": "x", "version": "1", "unit": "word", "label_names": ("a", "b"), **more}
    return Corpus(
        options["name"], options["version"], options["unit"], options["label_names"], *parts
    )


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole_and_shares_are_met_in_every_label(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 300, size=2_000).tolist()
    labels = [g % 4 for g in groups]
    split = divide(groups, labels, 0.1, 0.2, seed=seed)
    for g in set(groups):
        assert len(set(split[np.array(groups) == g])) == 1
    for label in range(4):
        mine = split[np.array(labels) == label]
        # a group has some 7 of 500 rows
        assert abs((mine == 2).mean() - 0.2) < 0.03 and abs((mine == 1).mean() - 0.1) < 0.03
    assert (split == divide(groups, labels, 0.1, 0.2, seed=seed)).all()
    assert (split != divide(groups, labels, 0.1, 0.2, seed=seed + 1)).any()


@pytest.mark.parametrize("seed", range(20))
def test_linked_rows_are_the_components_of_a_graph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    one, two = rng.integers(0, 40, n), rng.integers(0, 40, n)  # 0 links nothing
    near = (
        (one[:, None] == one) & (one > 0)
        | (two[:, None] == two) & (two > 0)
        | np.eye(n, dtype=bool)
    )
    for _ in range(6):
        near = near @ near
    group = np.array(linked(one.tolist(), two.tolist()))
    assert ((group[:, None] == group) == near).all()


def test_a_share_of_nothing_takes_nobody_and_bad_shares_are_refused() -> None:
    assert divide(list("abcdefgh"), [0] * 8, 0.0, 0.0).tolist() == [0] * 8
    assert divide([], [], 0.1, 0.1).shape == (0,)
    assert divide(["a"], [0], 0.1, 0.1).tolist() == [0]
    for shares in ((-0.1, 0.1), (0.5, 0.5), (0.1, 1.0)):
        with pytest.raises(CorpusError, match="sum is below 1"):
            divide(["a", "b"], [0, 0], *shares)
    with pytest.raises(CorpusError, match="too few"):
        divide(["a", "a"], [0, 0], 0.45, 0.45)


def test_a_hash_names_texts_labels_and_splits() -> None:
    one = corpus(["a", "b"], ["c"], ["d"])
    assert one.sha256 == corpus(["a", "b"], ["c"], ["d"], name="y", version="2").sha256
    assert len(one.sha256) == 64 and one.sha256[:12] in str(one)
    others = [
        corpus(["b", "a"], ["c"], ["d"]),
        corpus(["a", "b"], ["d"], ["c"]),
        corpus(["ab", ""], ["c"], ["d"]),
        corpus(["a", "b", "c"], [], ["d"]),
        corpus(["a", "b"], ["c"], ["d"], label_names=("b", "a")),
    ]
    assert len({one.sha256, *(o.sha256 for o in others)}) == 6


def test_leaks_are_counted_named_and_dropped_on_the_training_side() -> None:
    data = corpus(["One two", "three", "four"], ["THREE", "five"], ["one  two", "five", "six"])
    assert data.leaks() == {"validation": 1, "test": 2}
    assert "2 texts of test also stand" in str(data)
    clean = data.without_leaks()
    assert clean.leaks() == {"validation": 0, "test": 0}
    assert clean.train.texts == ["four"] and clean.train.labels.tolist() == [0]
    assert clean.validation.texts == ["THREE"] and clean.test.texts == data.test.texts
    assert "dropped 3 texts" in str(clean)


def test_a_subset_keeps_texts_with_their_labels() -> None:
    data = corpus([f"t{i}" for i in range(50)], [], ["x"])
    part = data.subset(20, seed=3)
    assert len(set(part.train.texts)) == 20 and part.test.texts == ["x"]
    for text, label in zip(*part.train, strict=True):
        assert int(text[1:]) % 2 == label
    for n in (0, 51):
        with pytest.raises(CorpusError, match="1 to 50"):
            data.subset(n)


def test_tokens_are_characters_or_words_and_marks() -> None:
    words = corpus(["a"], [], [])
    assert words.tokens("Don't stop, 2.5!") == ["Don't", "stop", ",", "2", ".", "5", "!"]
    letters = corpus(["a"], [], [], unit="character")
    text = "股市\u2028 a\n𠀀"
    assert letters.tokens(text) == list(text)


def test_what_is_not_in_the_form_is_refused() -> None:
    with pytest.raises(CorpusError, match="unit"):
        corpus(["a"], [], [], unit="byte")
    with pytest.raises(CorpusError, match=r"labels must lie in \[0, 1\)"):
        corpus(["a", "b"], [], [], label_names=("a",))
    with pytest.raises(CorpusError, match="2 texts"):
        Corpus(
            "x",
            "1",
            "word",
            ("a",),
            Split(["a", "b"], np.zeros(1, int)),
            *[Split([], np.zeros(0, int))] * 2,
        )


def test_assembled_rows_keep_their_labels_when_shuffled() -> None:
    rows = [(str(i), i % 3) for i in range(30)]
    parts = assemble(rows, np.arange(30) % 3, np.random.default_rng(0))
    assert [len(p.texts) for p in parts] == [10, 10, 10]
    assert all(int(t) % 3 == label for p in parts for t, label in zip(*p, strict=True))
    assert parts[0].texts != sorted(parts[0].texts, key=int)
