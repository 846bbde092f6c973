"""seqmodels.data against torch.nn.utils.rnn, scikit-learn, pandas, RapidFuzz and brute force."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import TimeSeriesSplit
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from seqmodels import data
from seqmodels.hmm import MISSING

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 9)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


def some_lengths(B: int, seed: int, most: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, most + 1, B)


def sequences(B: int, D: int | None, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = () if D is None else (D,)
    return [rng.normal(size=(n, *shape)) for n in some_lengths(B, seed)]


# normalise, words, Vocabulary


@given(texts, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.booleans())
def test_normalised_text_is_in_its_form_and_stays_so(text: str, form: str, fold: bool) -> None:
    once = data.normalise(text, form, fold)
    assert data.normalise(once, form, fold) == once
    assert unicodedata.is_normalized(form, once)
    assert once == " ".join(once.split())
    if fold:
        assert data.normalise(text.upper().lower(), form) == data.normalise(
            data.normalise(text.upper().lower(), form), form
        )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("cafe\u0301", "café"), ("ＡＢＣ１２", "abc12"), ("ﬁle", "file"), ("Straße", "strasse"),
     ("x²", "x2"), ("a \t\n b\u3000c", "a b c"), ("", "")],
)  # fmt: skip
def test_normalise_on_known_text(text: str, wanted: str) -> None:
    assert data.normalise(text) == wanted


def test_normalise_refuses() -> None:
    with pytest.raises(ValueError, match="NFKC"):
        data.normalise("a", "nfc")
    with pytest.raises(TypeError, match="decode"):
        data.normalise(b"a")  # type: ignore[arg-type]


def test_words_keeps_everything_but_white_space() -> None:
    assert data.words("don't, 3.14 汉字!") == ["don", "'", "t", ",", "3", ".", "14", "汉字", "!"]
    assert data.words(" ") == []


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=8), max_size=6),
       st.none() | st.integers(2, 7), st.integers(1, 3))  # fmt: skip
def test_vocabulary_holds_the_most_frequent(
    corpus: list[list[str]], limit: int | None, min_count: int
) -> None:
    v = data.build_vocabulary(corpus, limit, min_count)
    counts = Counter(itertools.chain(*corpus))
    wanted = sorted(w for w in counts if counts[w] >= min_count)
    wanted.sort(key=lambda w: -counts[w])  # stable: ties stay in the alphabet's order
    assert list(v.tokens[2:]) == wanted[: None if limit is None else limit - 2]
    assert v == data.build_vocabulary(corpus[::-1], limit, min_count)
    for text in corpus:
        x = v.encode(text)
        assert x.dtype == np.int64 and x.shape == (len(text),)
        back = [w if w in v.tokens[2:] else "<unknown>" for w in text]
        assert v.decode(x) == back


def test_vocabulary_refuses() -> None:
    with pytest.raises(TypeError, match="cut"):
        data.build_vocabulary(["abc"])
    with pytest.raises(ValueError, match="limit"):
        data.build_vocabulary([["a"]], limit=1)
    v = data.build_vocabulary([["a", "<pad>"]])
    assert v.tokens == ("<pad>", "<unknown>", "a")
    with pytest.raises(TypeError, match="list"):
        v.encode("a")
    for x in ([3], [-1], [[1]], [1.0]):
        with pytest.raises(ValueError, match=r"\[0, 3\)"):
            v.decode(x)


# pad, mask, last_step, pack


@given(sizes, st.none() | sizes, seeds, st.none() | st.integers(1, 15))
def test_padding_after_is_pad_sequence(B: int, D: int | None, seed: int, T: int | None) -> None:
    rows = sequences(B, D, seed)
    x, lengths = data.pad(rows, T, fill=7)
    most = max(map(len, rows)) if T is None else T
    cut = [torch.tensor(row[:most]) for row in rows]
    theirs = pad_sequence(cut, padding_value=7).numpy()
    assert np.array_equal(x[: len(theirs)], theirs) and (x[len(theirs) :] == 7).all()
    assert len(x) == most and lengths.tolist() == [len(row) for row in cut]


@given(sizes, seeds, st.integers(1, 15), st.sampled_from(["start", "end"]))
def test_padding_and_cut_by_loop(B: int, seed: int, T: int, cut: str) -> None:
    rows = [np.arange(1, n + 1) for n in some_lengths(B, seed)]
    x, lengths = data.pad(rows, T, "before", cut)
    assert x.dtype == np.int64 and x.shape == (T, B)
    for b, row in enumerate(rows):
        kept = row.tolist()
        while len(kept) > T:
            kept.pop(0 if cut == "start" else -1)
        assert x[:, b].tolist() == [data.PAD] * (T - len(kept)) + kept
    assert np.array_equal(data.mask(lengths, T, "before"), x > 0)


def test_pad_refuses() -> None:
    with pytest.raises(ValueError, match="empty"):
        data.pad([np.array([1]), np.array([], dtype=int)])
    with pytest.raises(ValueError, match="at least one"):
        data.pad([])
    with pytest.raises(ValueError, match="same D"):
        data.pad([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="numbers"):
        data.pad([np.array(["a"])])
    with pytest.raises(ValueError, match="before"):
        data.pad([np.ones(2)], where="left")
    for T in (0, 2.5):
        with pytest.raises(ValueError, match="T must"):
            data.pad([np.ones(2)], T=T)  # type: ignore[arg-type]


@given(sizes, seeds, st.integers(0, 4))
def test_mask_and_last_step_by_loop(B: int, seed: int, more: int) -> None:
    lengths = some_lengths(B, seed)
    T = int(lengths.max()) + more
    for where in ("after", "before"):
        m = data.mask(lengths, T, where)
        for t, b in itertools.product(range(T), range(B)):
            real = t < lengths[b] if where == "after" else t >= T - lengths[b]
            assert m[t, b] == real
    z = np.random.default_rng(seed).normal(size=(T, B, 3))
    assert np.array_equal(data.last_step(z, lengths), [z[n - 1, b] for b, n in enumerate(lengths)])


def test_lengths_that_are_none() -> None:
    for wrong in ([0, 2], [1.5], [[1]], [], [3]):
        with pytest.raises(ValueError, match="lengths"):
            data.mask(wrong, 2)
    with pytest.raises(ValueError, match="where"):
        data.mask([1], 2, "left")
    with pytest.raises(ValueError, match="match lengths"):
        data.last_step(np.ones((3, 2)), [1])


@given(sizes, st.none() | sizes, seeds)
def test_packing_is_torchs_and_unpacking_undoes_it(B: int, D: int | None, seed: int) -> None:
    x, lengths = data.pad(sequences(B, D, seed), T=14)
    ours = data.pack(x, lengths)
    theirs = pack_padded_sequence(
        torch.tensor(x[:, ours.order]), torch.tensor(lengths[ours.order])
    )  # sorted by us: the order of equal lengths is free
    assert np.array_equal(ours.data, theirs.data) and np.array_equal(ours.sizes, theirs.batch_sizes)
    loose = pack_padded_sequence(torch.tensor(x), torch.tensor(lengths), enforce_sorted=False)
    back, n = data.unpack(ours)
    their_back, their_n = pad_packed_sequence(loose)
    assert np.array_equal(back, their_back) and np.array_equal(n, their_n)
    assert np.array_equal(n, lengths) and np.array_equal(back, x[: lengths.max()])


def test_pack_refuses() -> None:
    with pytest.raises(ValueError, match="time first"):
        data.pack([1, 2], [2])
    with pytest.raises(ValueError, match="each sequence"):
        data.pack(np.ones((3, 2)), [1])
    with pytest.raises(ValueError, match="up to 3"):
        data.pack(np.ones((3, 1)), [4])


# batches, wasted


@given(st.integers(1, 60), sizes, st.integers(1, 20), seeds)
def test_batches_hold_each_sequence_once(N: int, B: int, pool: int, seed: int) -> None:
    lengths = some_lengths(N, seed)
    found = data.batches(lengths, B, np.random.default_rng(seed), pool)
    assert sorted(np.concatenate(found)) == list(range(N))
    assert sorted(map(len, found))[1:] == [B] * (len(found) - 1) and len(found) == -(-N // B)
    computed = real = 0
    for part in found:
        for i in part:
            computed += max(lengths[j] for j in part)
            real += lengths[i]
    assert np.isclose(data.wasted(lengths, found), (computed - real) / computed, atol=1e-12)


def test_a_full_sort_wastes_least() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        n = rng.integers(1, 20, 6)
        least = min(
            data.wasted(n, [np.array(p[i : i + 2]) for i in (0, 2, 4)])
            for p in itertools.permutations(range(6))
        )
        assert np.isclose(data.wasted(n, data.batches(n, 2, rng, pool=3)), least, atol=1e-12)


def test_batches_refuse() -> None:
    rng = np.random.default_rng(0)
    for B, pool in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="1 or more"):
            data.batches([1], B, rng, pool)
    with pytest.raises(ValueError, match="at least one"):
        data.wasted([1], [])


# windows, one_hot, align


@given(st.integers(1, 30), sizes, sizes, st.integers(0, 5), seeds)
def test_windows_by_loop(T: int, size: int, stride: int, ahead: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(T, 2))
    wanted = [s for s in range(0, T, stride) if s + size - 1 + ahead < T]
    if not wanted:
        with pytest.raises(ValueError, match="need"):
            data.sliding_windows(x, size, stride, ahead)
        return
    found, starts = data.sliding_windows(x, size, stride, ahead)
    assert starts.tolist() == wanted
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=0)  # (T - size + 1, 2, size)
    assert np.array_equal(found, view[wanted].transpose(2, 0, 1))


def test_windows_refuse() -> None:
    for size, stride, ahead in ((0, 1, 0), (1, 0, 0), (1, 1, -1)):
        with pytest.raises(ValueError, match="1 or more"):
            data.sliding_windows(np.ones(5), size, stride, ahead)


@given(sizes, sizes, sizes, seeds)
def test_one_hot_is_torchs_and_a_product_is_a_look_up(T: int, B: int, V: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, W = rng.integers(MISSING, V, (T, B)), rng.normal(size=(V, 3))
    rows = data.one_hot(x, V)
    theirs = torch.nn.functional.one_hot(torch.tensor(x + 1), V + 1)[..., 1:]
    assert np.array_equal(rows, theirs)
    assert np.allclose((rows @ W)[x >= 0], W[x[x >= 0]], rtol=1e-12, atol=0)
    for wrong in ([V], [-2], [0.0]):
        with pytest.raises(ValueError, match="integers"):
            data.one_hot(wrong, V)


@settings(deadline=None)
@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_edit_distance_by_recursion_and_rapidfuzz(a: str, b: str) -> None:
    @cache
    def slow(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        beside = slow(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(beside, slow(i - 1, j) + 1, slow(i, j - 1) + 1)

    distance, pairs = data.align(a, b)
    assert distance == slow(len(a), len(b)) == Levenshtein.distance(a, b)
    assert [i for i, _ in pairs if i >= 0] == list(range(len(a)))
    assert [j for _, j in pairs if j >= 0] == list(range(len(b)))
    cost = sum(i < 0 or j < 0 or a[i] != b[j] for i, j in pairs)
    assert cost == distance and pairs.shape == (len(pairs), 2)


# statistics


@given(sizes, sizes, seeds)
def test_masked_statistics_are_those_of_what_is_real(B: int, D: int, seed: int) -> None:
    rows = sequences(B, D, seed)
    x, lengths = data.pad(rows, fill=np.nan)
    real = data.mask(lengths)
    everything = np.concatenate(rows)
    scale, theirs = data.fit_scale(x, real), StandardScaler().fit(everything)
    assert np.allclose(scale.mean, theirs.mean_, rtol=0, atol=1e-12)
    assert np.allclose(scale.std, theirs.scale_, rtol=1e-9, atol=1e-12)
    assert np.allclose(scale.apply(everything), theirs.transform(everything), rtol=1e-9, atol=1e-9)
    assert np.allclose(scale.undo(scale.apply(everything)), everything, rtol=0, atol=1e-12)
    each = data.masked_mean(x, real)
    assert np.allclose(each, [row.mean(axis=0) for row in rows], rtol=0, atol=1e-12)
    whole = np.ma.array(x[..., 0], mask=~real)
    assert np.isclose(data.masked_mean(x[..., 0], real, None), whole.mean(), rtol=0, atol=1e-12)
    assert np.allclose(data.masked_mean(x[..., 0], real, 1), whole.mean(axis=1), rtol=0, atol=1e-12)


def test_a_feature_that_never_changes_is_not_divided_by_zero() -> None:
    scale = data.fit_scale(np.full((3, 2, 1), 4.0), np.ones((3, 2), dtype=bool))
    assert scale.std.tolist() == [1.0] and (scale.apply(np.full((2, 1), 4.0)) == 0).all()


def test_statistics_refuse() -> None:
    x = np.ones((3, 2))
    with pytest.raises(ValueError, match="bools"):
        data.masked_mean(x, np.ones((3, 2)))
    with pytest.raises(ValueError, match="bools"):
        data.masked_mean(x, np.ones((2, 3), dtype=bool))
    with pytest.raises(ValueError, match="no real step"):
        data.masked_mean(x, np.zeros((3, 2), dtype=bool))
    with pytest.raises(ValueError, match="axis"):
        data.masked_mean(x, np.ones((3, 2), dtype=bool), 2)


@given(st.integers(0, 20), st.none() | sizes, seeds)
def test_filling_forward_is_pandas(T: int, D: int | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(T,) if D is None else (T, D))
    x[rng.random(x.shape) < 0.5] = np.nan
    filled, age = data.fill_forward(x, first=9)
    assert np.array_equal(filled, pd.DataFrame(x).ffill().fillna(9).to_numpy().reshape(x.shape))
    for place in np.ndindex(x.shape):
        t, rest = place[0], place[1:]
        seen = [s for s in range(t + 1) if not np.isnan(x[(s, *rest)])]
        assert age[place] == (t - seen[-1] if seen else t + 1)
    with pytest.raises(ValueError, match="time first"):
        data.fill_forward(1.0)


# folds, classes, groups


@given(st.integers(1, 60), st.integers(1, 8), st.none() | sizes, st.integers(0, 6))
def test_forward_chain_is_time_series_split(N: int, k: int, test: int | None, gap: int) -> None:
    size = N // (k + 1) if test is None else test
    if size < 1 or N - k * size - gap < 1:
        with pytest.raises(ValueError, match=r"1 or more|no row"):
            data.forward_chain(N, k, test, gap)
        return
    ours = data.forward_chain(N, k, test, gap)
    if k > 1:  # theirs has two folds at least
        theirs = TimeSeriesSplit(k, test_size=test, gap=gap).split(np.zeros(N))
        for (a, b), (c, d) in zip(ours, theirs, strict=True):
            assert np.array_equal(a, c) and np.array_equal(b, d)
    for past, ahead in ours:
        assert past[-1] + gap + 1 == ahead[0]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), seeds)
def test_weights_are_sklearns_and_resampling_balances(labels: list[int], seed: int) -> None:
    y = np.unique(labels, return_inverse=True)[1]
    C = int(y.max()) + 1
    theirs = compute_class_weight("balanced", classes=np.arange(C), y=y)
    assert np.allclose(data.class_weights(y, C), theirs, rtol=1e-12, atol=0)
    count = np.bincount(y)
    for kind, n in (("over", count.max()), ("under", count.min())):
        rows = data.resample(y, C, np.random.default_rng(seed), kind)
        assert (np.bincount(y[rows]) == n).all()
        if kind == "over":
            assert set(rows) == set(range(len(y)))
        else:
            assert len(set(rows)) == len(rows)


def test_labels_refused() -> None:
    for y, C, why in (([0, 2], 3, "never"), ([0, 3], 3, "lie in"), ([0.5], 1, "integers"),
                      ([-1, 0], 1, "lie in"), ([], 1, "at least 1")):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            data.class_weights(y, C)
    with pytest.raises(ValueError, match="kind"):
        data.resample([0], 1, np.random.default_rng(0), "more")


@settings(deadline=None)
@given(st.lists(st.text("ab", max_size=9), max_size=10), st.integers(1, 4), st.floats(0.05, 1))
def test_near_duplicates_by_all_pairs(rows: list[str], n: int, share: float) -> None:
    cut = [list(row) for row in rows]
    found = data.near_duplicates(cut, n, share)
    runs = []
    for row in cut:
        inside = {tuple(row[i : i + n]) for i in range(len(row) - n + 1)}
        runs.append(inside or {tuple(row)})
    near = np.array([[len(a & b) >= share * len(a | b) for b in runs] for a in runs], dtype=bool)
    if rows:
        group = connected_components(near, directed=False)[1]
        wanted = [int(np.flatnonzero(group == g)[0]) for g in group]
        assert found.tolist() == wanted
    else:
        assert found.shape == (0,)


def test_near_duplicates_refuse() -> None:
    for n, share in ((0, 0.5), (2, 0.0), (2, 1.5)):
        with pytest.raises(ValueError, match="share"):
            data.near_duplicates([["a"]], n, share)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.floats(0.2, 0.8), seeds)
def test_groups_stay_whole(groups: list[int], share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    if len(set(groups)) < 2:
        with pytest.raises(ValueError, match="2 or more"):
            data.group_split(groups, share, rng)
        return
    try:
        test = data.group_split(groups, share, rng)
    except ValueError as error:
        assert "too few" in str(error)
        assert max(Counter(groups).values()) > 0.2 * len(groups)
        return
    assert test.shape == (len(groups),) and 0 < test.sum() < len(groups)
    inside = {g for g, t in zip(groups, test, strict=True) if t}
    assert not inside & {g for g, t in zip(groups, test, strict=True) if not t}
    assert abs(test.sum() - share * len(groups)) <= max(Counter(groups).values())


def test_group_split_refuses_a_share() -> None:
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match="share"):
            data.group_split([1, 2, 3], share, np.random.default_rng(0))
