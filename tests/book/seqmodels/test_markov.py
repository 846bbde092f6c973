"""seqmodels.markov, the count models: against plain dictionaries, hand counts, all sequences."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import markov as M

RULES = {
    "add-one": M.additive(1),
    "add a little": M.additive(0.01),
    "interpolation": M.interpolated(np.linspace(0.95, 0.1, 12)),
    "Witten-Bell": M.witten_bell(),
    "Witten-Bell, s = 7.5": M.witten_bell(7.5),
}


class Dictionary:
    """Count models once more, with dictionaries and recursion: nothing shared with the chapter."""

    def __init__(self, sequences: list[list[int]], V: int, end: bool) -> None:
        self.V, self.end = V, end
        self.after: dict[tuple, Counter] = defaultdict(Counter)
        for sequence in sequences:
            outcomes = [*sequence, "end"] if end else list(sequence)
            for t, outcome in enumerate(outcomes):
                for n in range(len(sequence) + 20):
                    self.after[self.context(sequence[:t], n)][outcome] += 1

    @staticmethod
    def context(past: list[int], n: int) -> tuple:
        """Return the last n symbols, with "begin" as often as the past is too short."""
        return ("begin",) * (n - len(past)) + tuple(past[len(past) - min(n, len(past)) :])

    def p(self, past: list[int], n: int, rule: str) -> dict:
        """Return {outcome: probability} after past at order n."""
        outcomes = [*range(self.V), "end"] if self.end else list(range(self.V))
        W = len(outcomes)
        if n < 0:
            return dict.fromkeys(outcomes, 1 / W)
        seen = self.after[self.context(past, n)]
        N, R = seen.total(), len(seen)
        lower = self.p(past, n - 1, rule)
        if rule.startswith("add"):
            k = 1 if rule == "add-one" else 0.01
            return {v: (seen[v] + k) / (N + k * W) for v in outcomes}
        if N == 0:
            return lower
        if rule == "interpolation":
            w = np.linspace(0.95, 0.1, 12)[n]
            return {v: w * seen[v] / N + (1 - w) * lower[v] for v in outcomes}
        s = 1 if rule == "Witten-Bell" else 7.5
        return {v: (seen[v] + s * R * lower[v]) / (N + s * R) for v in outcomes}


SEQUENCES = st.integers(1, 4).flatmap(
    lambda V: st.tuples(
        st.just(V),
        st.lists(st.lists(st.integers(0, V - 1), max_size=9), min_size=1, max_size=6),
        st.lists(st.lists(st.integers(0, V - 1), max_size=9), min_size=1, max_size=4),
    )
)


@settings(max_examples=80, deadline=None)
@given(data=SEQUENCES, order=st.integers(0, 6), end=st.booleans(), name=st.sampled_from([*RULES]))
def test_everything_agrees_with_dictionaries(data, order: int, end: bool, name: str) -> None:
    V, train, test = data
    if not end and not any(train):
        train = [[0]]
    slow = Dictionary(train, V, end)
    counts = M.count_ngrams([np.array(s, dtype=int) for s in train], V, order, end=end)
    assert counts.order == order and V + end == counts.W
    scored = M.log_q([np.array(s, dtype=int) for s in test], counts, RULES[name])
    assert len(scored) == len(test)
    total = np.zeros(order + 1)
    for past, found in zip(test, scored, strict=True):
        outcomes = [*past, "end"] if end else list(past)
        assert found.shape == (len(outcomes),)
        for t, outcome in enumerate(outcomes):
            by_order = [slow.p(past[:t], n, name)[outcome] for n in range(order + 1)]
            total -= np.log(by_order)
            assert math.isclose(math.exp(found[t]), by_order[-1], rel_tol=1e-9)
        whole = slow.p(past, order, name)
        given_rows = M.predict([np.array(past, dtype=int)], counts, RULES[name])
        assert given_rows.shape == (1, counts.W)
        assert np.allclose(given_rows[0], list(whole.values()), rtol=1e-9, atol=0)
        assert math.isclose(given_rows.sum(), 1, rel_tol=1e-12)
    n_outcomes = sum(map(len, scored))
    if n_outcomes:
        by_order = M.loss_by_order([np.array(s, dtype=int) for s in test], counts, RULES[name])
        assert np.allclose(by_order, total / n_outcomes, rtol=1e-9, atol=1e-12)
        for n in range(order + 1):  # a shorter model is the longer one, cut
            short = M.log_q([np.array(s, dtype=int) for s in test], counts.upto(n), RULES[name])
            assert math.isclose(-np.concatenate(short).mean(), by_order[n], rel_tol=1e-9)


def test_counts_of_a_hand_counted_word() -> None:
    words = [np.array(["abn".index(c) for c in w]) for w in ("banana", "ban", "nab")]
    counts = M.count_ngrams(words, 3, order=2, end=True)
    table = M.predict([[0], [1], [2]], counts.upto(1), M.additive(0))
    assert np.allclose(
        table,
        [[0, 1 / 5, 3 / 5, 1 / 5], [2 / 3, 0, 0, 1 / 3], [3 / 4, 0, 0, 1 / 4]],
        rtol=1e-15,
        atol=0,
    )
    first = M.predict([np.array([], dtype=int)], counts, M.additive(0))
    assert np.allclose(first, [[0, 2 / 3, 1 / 3, 0]], rtol=1e-15, atol=0)
    # an a, b, n each, then two of each: "an" was followed by a, a and the end
    assert np.allclose(
        M.predict([[0, 2]], counts, M.additive(0)), [[2 / 3, 0, 0, 1 / 3]], rtol=1e-15, atol=0
    )
    # begin, b is another context than a, b
    assert np.allclose(
        M.predict([[1], [0, 1]], counts, M.additive(0)), [[1, 0, 0, 0], [0, 0, 0, 1]], atol=0
    )


def test_additive_smoothing_has_the_value_of_the_formula_where_nothing_was_seen() -> None:
    counts = M.count_ngrams([np.array([0, 0, 0])], 3, order=2)
    for k in (0, 0.5):
        p = M.predict([[2, 2]], counts, M.additive(k))
        assert np.allclose(p, 1 / 3, rtol=1e-15, atol=0)
    assert M.log_q([np.array([1])], counts, M.additive(0))[0][0] == -np.inf
    assert M.loss_by_order([np.array([1])], counts, M.additive(0))[0] == np.inf


@pytest.mark.parametrize("order", [0, 1, 3])
def test_with_an_end_all_sequences_together_have_probability_one(order: int) -> None:
    rng = np.random.default_rng(order)
    train = [rng.integers(0, 2, n) for n in (0, 1, 1, 2, 3)]
    counts = M.count_ngrams(train, 2, order, end=True)
    mass, rule = [], M.witten_bell()
    for T in range(13):
        every = [np.array(w, dtype=int) for w in itertools.product(range(2), repeat=T)]
        mass.append(sum(np.exp(p.sum()) for p in M.log_q(every, counts, rule)))
        still = sum(np.exp(p[:-1].sum()) for p in M.log_q(every, counts, rule))
        # what has not ended after T symbols is what is left
        assert math.isclose(sum(mass) - mass[-1] + still, 1, rel_tol=1e-9)
    assert sum(mass) > 0.95


def test_no_count_crosses_a_border_and_lengths_are_respected() -> None:
    x = np.array([[0, 1], [1, 0], [-1, 2]])  # (T, B); column 0 ends after 2
    counts = M.count_ngrams(x, 3, order=1, lengths=[2, 3])
    listed = M.count_ngrams([np.array([0, 1]), np.array([1, 0, 2])], 3, order=1)
    for one, two in zip(counts.levels, listed.levels, strict=True):
        assert all((a == b).all() for a, b in zip(one, two, strict=True))
    # 1 then 1, across the border, was never seen
    assert M.predict([[1]], counts, M.additive(0))[0].tolist() == [1, 0, 0]
    scored = M.log_q(x, counts, M.witten_bell(), lengths=[2, 3])
    assert [len(s) for s in scored] == [2, 3]


def test_long_orders_and_large_vocabularies_do_not_overflow() -> None:
    V, T = 50_000, 60
    x = np.random.default_rng(0).integers(0, V, T)
    counts = M.count_ngrams([x], V, order=40)
    # every context of one symbol or more is new, and so are the pairs
    by_order = M.loss_by_order([x], counts, M.additive(0))
    assert by_order[0] > 3 and np.allclose(by_order[3:], 0, atol=1e-12)
    assert len(counts.levels[40].keys) == T


def test_the_largest_vocabulary_is_counted_like_a_small_one() -> None:
    V = 2**31 - 1
    small = np.random.default_rng(0).integers(0, 5, 40)
    names = np.array([0, 7, 2**30, V - 2, V - 1])
    counts = M.count_ngrams([names[small]], V, 6, end=True)
    wanted = M.count_ngrams([small], 5, 6, end=True)
    for ours, few in zip(counts.levels, wanted.levels, strict=True):
        assert sorted(ours.pair_count) == sorted(few.pair_count)
        assert sorted(ours.distinct) == sorted(few.distinct)
    rule = M.additive(0)  # does not look at V where something was seen
    assert np.allclose(
        M.loss_by_order([names[small]], counts, rule),
        M.loss_by_order([small], wanted, rule),
        rtol=1e-12,
        atol=1e-15,
    )


def test_the_same_in_torch() -> None:
    import torch

    rng = np.random.default_rng(1)
    x = rng.integers(0, 5, (400, 3))
    counts = M.count_ngrams(x, 5, order=1)
    table = torch.zeros(6, 5, dtype=torch.float64)
    before = torch.tensor(np.vstack([np.full((1, 3), 5), x[:-1]])).flatten()
    now = torch.tensor(x).flatten()
    table.index_put_((before, now), torch.ones(len(now), dtype=torch.float64), accumulate=True)
    logits = torch.log((table + 0.3) / (table.sum(dim=1, keepdim=True) + 1.5))
    loss = torch.nn.functional.cross_entropy(logits[before], now)
    assert np.isclose(M.loss_by_order(x, counts, M.additive(0.3))[1], float(loss), rtol=1e-12)


# ---- maximum likelihood, and the weights of interpolation


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), V=st.integers(2, 4), order=st.integers(0, 2))
def test_no_other_table_has_a_higher_likelihood(seed: int, V: int, order: int) -> None:
    rng = np.random.default_rng(seed)
    x = [rng.integers(0, V, n) for n in (12, 5, 30)]
    counts = M.count_ngrams(x, V, order)
    best = -M.loss_by_order(x, counts, M.additive(0))[-1]

    assert best >= -M.loss_by_order(x, counts, M.additive(0.2))[-1]
    assert best >= -M.loss_by_order(x, counts, M.interpolated(np.full(order + 1, 0.9)))[-1]
    assert best >= -M.loss_by_order(x, counts, M.witten_bell())[-1]


@pytest.mark.parametrize("seed", range(4))
def test_fitted_weights_are_the_best_on_a_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain = rng.dirichlet(np.ones(4), 4)
    train, valid = (M.sample_chain(T, 3, chain, rng) for T in (60, 80))
    counts = M.count_ngrams(train, 4, order=3)
    fitted = M.fit_weights(valid, counts)
    assert fitted.shape == (4,) and (fitted >= 0).all() and (fitted <= 0.999).all()
    for n in range(4):
        grid = []
        for w in np.linspace(0, 0.999, 200):
            weights = [*fitted[:n], w]
            grid.append(
                M.loss_by_order(valid, counts.upto(n), M.interpolated(weights))[-1],
            )
        ours = M.loss_by_order(valid, counts.upto(n), M.interpolated(fitted[: n + 1]))[-1]
        assert ours <= min(grid) + 1e-9


# ---- sampling


@pytest.mark.parametrize("order", [0, 1, 2])
def test_samples_have_the_probabilities_that_the_model_says(order: int) -> None:
    rng = np.random.default_rng(order)
    train = [rng.integers(0, 2, n) for n in (1, 2, 3, 2, 4)]
    counts, rule = M.count_ngrams(train, 2, order, end=True), M.witten_bell()
    drawn = M.generate(3, 20_000, counts, rule, np.random.default_rng(9))
    frequency = Counter(tuple(s.tolist()) for s in drawn)
    every = [w for T in range(4) for w in itertools.product(range(2), repeat=T)]
    assert set(frequency) <= set(every)
    scored = M.log_q([np.array(w, dtype=int) for w in every], counts, rule)
    for w, p in zip(every, scored, strict=True):
        # one of three symbols may have been cut before its end came
        expected = np.exp(p.sum() if len(w) < 3 else p[:-1].sum())
        error = np.sqrt(expected * (1 - expected) / 20_000)
        assert abs(frequency[w] / 20_000 - expected) < 5 * error + 1e-9


def test_samples_begin_with_start_and_without_an_end_all_have_length_T() -> None:
    counts = M.count_ngrams([np.array([0, 1, 2, 0, 1, 2])], 3, order=2)
    drawn = M.generate(7, 5, counts, M.additive(0), np.random.default_rng(0), start=[1, 2])
    assert [s.tolist() for s in drawn] == [[1, 2, 0, 1, 2, 0, 1]] * 5
    again = M.generate(7, 5, counts, M.witten_bell(), np.random.default_rng(0))
    assert [len(s) for s in again] == [7] * 5
    assert [s.tolist() for s in M.generate(2, 1, counts, M.additive(1), None, [1, 2])] == [[1, 2]]


# ---- what is wrong is said

LIST = [np.array([0, 1])]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: M.count_ngrams([], 2, 1), "no sequence"),
        (lambda: M.count_ngrams([np.array([], dtype=int)], 2, 1), "nothing to count"),
        (lambda: M.count_ngrams(np.array([0, 1]), 2, 1), r"for one sequence write \[x\]"),
        (lambda: M.count_ngrams([0, 1], 2, 1), r"for one sequence write \[x\]"),
        (lambda: M.count_ngrams([np.zeros((2, 2), int)], 2, 1), "must be 1-D"),
        (lambda: M.count_ngrams([np.array([0.0, 1.0])], 2, 1), "integers"),
        (lambda: M.count_ngrams(LIST, 1, 1), "position 1: 1 is no symbol; expected 0 to 0"),
        (lambda: M.count_ngrams([np.array([0, -1])], 2, 1), "pass the lengths"),
        (lambda: M.count_ngrams(LIST, 2, -1), "order must be"),
        (lambda: M.count_ngrams(LIST, 2, 1.5), "order must be"),
        (lambda: M.count_ngrams(LIST, 0, 1), "V must be"),
        (lambda: M.count_ngrams(LIST, 2, 1, lengths=[2]), "a list has its own"),
        (lambda: M.count_ngrams(np.zeros((3, 2), int), 2, 1, lengths=[3]), "lengths must be"),
        (lambda: M.count_ngrams(np.zeros((3, 2), int), 2, 1, lengths=[3, 4]), "lie in"),
        (lambda: M.count_ngrams(LIST, 2, 1).upto(2), "order must lie in"),
        (lambda: M.additive(-1), "k must be"),
        (lambda: M.additive(np.nan), "k must be"),
        (lambda: M.additive(1e308), "k must be"),
        (lambda: M.witten_bell(1e308), "s must be"),
        (lambda: M.count_ngrams([[0, 1]], 2**61, 1), "V must be"),
        (lambda: M.count_ngrams([[0, 1]], 2**64, 1), "V must be"),
        *[
            (
                lambda start=start: M.generate(
                    3, 1, M.count_ngrams(LIST, 2, 1), M.additive(1), None, start
                ),
                "must hold integers",
            )
            for start in ([0.7], [np.nan], [True], ["0"])
        ],
        (lambda: M.witten_bell(0), "s must be"),
        (lambda: M.interpolated([0.5, 1.5]), "weights must be"),
        (lambda: M.interpolated([]), "weights must be"),
        (
            lambda: M.loss_by_order(LIST, M.count_ngrams(LIST, 2, 1), M.interpolated([0.5])),
            "1 weights serve",
        ),
        (
            lambda: M.loss_by_order([[]], M.count_ngrams(LIST, 2, 1), M.witten_bell()),
            "nothing to judge",
        ),
        (lambda: M.fit_weights([[]], M.count_ngrams(LIST, 2, 1)), "nothing to fit"),
        (
            lambda: M.generate(1, 1, M.count_ngrams(LIST, 2, 1), M.additive(1), None, [0, 1]),
            "T at least 2",
        ),
    ],
)
def test_bad_input_is_refused_with_a_reason(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
