"""The task generators of seqmodels.rnn against loops, exact laws and what no window can do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.rnn import MISSING, adding, counting, delayed_copy, parity

sizes = st.integers(1, 12)
seeds = st.integers(0, 2**32 - 1)


@given(sizes, sizes, seeds)
def test_counting_goes_up_by_one(T: int, n: int, seed: int) -> None:
    starts = np.random.default_rng(seed).integers(0, n, 5)
    x = counting(T, starts, n)
    for b, start in enumerate(starts):
        digit = int(start)
        for t in range(T):
            assert x[t, b] == digit
            digit = 0 if digit == n - 1 else digit + 1


@given(sizes, sizes, st.booleans(), seeds)
def test_parity_by_xor(T: int, B: int, every_step: bool, seed: int) -> None:
    x, y = parity(T, B, np.random.default_rng(seed), every_step)
    assert x.shape == y.shape == (T, B)
    for b in range(B):
        odd = 0
        for t in range(T):
            odd ^= int(x[t, b])
            wanted = odd if every_step or t == T - 1 else MISSING
            assert y[t, b] == wanted


def test_no_window_knows_the_parity() -> None:
    """All 2^6 inputs: given the last 5 bits, the answer is 1 in exactly half of the cases."""
    every = np.array(list(itertools.product(range(2), repeat=6)))
    answer = every.sum(axis=1) % 2
    for last in itertools.product(range(2), repeat=5):
        match = (every[:, 1:] == last).all(axis=1)
        assert answer[match].mean() == 0.5


def test_bits_are_fair_and_independent() -> None:
    x, _ = parity(3, 40_000, np.random.default_rng(0))
    seen = np.bincount(x[0] * 4 + x[1] * 2 + x[2], minlength=8)
    assert ((seen - 5_000) ** 2 / 5_000).sum() < 30  # 7 degrees of freedom: 99.99 % lie below


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), sizes, seeds)
def test_a_reader_with_a_tape_solves_delayed_copy(
    n: int, shortest: int, extra: int, V: int, B: int, seed: int
) -> None:
    longest = shortest + extra
    x, y = delayed_copy(n, longest, V, B, np.random.default_rng(seed), min_delay=shortest)
    assert x.shape == y.shape == (2 * n + longest, B)
    for b in range(B):
        tape: list[int] = []
        heard, pause = False, 0
        for x_t, y_t in zip(x[:, b], y[:, b], strict=True):
            if x_t < V:
                assert not heard
                tape.append(int(x_t))
            heard = heard or x_t == V + 1
            pause += x_t == V and not heard
            if heard and tape:
                assert y_t == tape.pop(0)
            else:
                assert y_t == MISSING
        assert heard and not tape and shortest <= pause <= longest
        assert (x[:, b] == V + 1).sum() == 1


def test_every_delay_comes_about_equally_often() -> None:
    x, _ = delayed_copy(2, 4, 3, 50_000, np.random.default_rng(0))
    pauses = (x == 4).argmax(axis=0) - 2
    seen = np.bincount(pauses, minlength=5)
    assert len(seen) == 5 and ((seen - 10_000) ** 2 / 10_000).sum() < 28


@given(st.integers(2, 12), sizes, seeds)
def test_adding_adds_what_is_marked(T: int, B: int, seed: int) -> None:
    x, y = adding(T, B, np.random.default_rng(seed))
    assert x.shape == (T, B, 2) and y.shape == (B,)
    for b in range(B):
        marked = np.flatnonzero(x[:, b, 1])
        assert len(marked) == 2 and marked[0] < T // 2 <= marked[1]
        np.testing.assert_allclose(y[b], x[marked, b, 0].sum(), rtol=1e-15, atol=0)
    assert ((x[:, :, 0] >= 0) & (x[:, :, 0] < 1)).all()
    assert set(np.unique(x[:, :, 1])) <= {0.0, 1.0}


def test_saying_1_costs_a_sixth() -> None:
    _, y = adding(9, 200_000, np.random.default_rng(0))
    # the sum of two uniforms is triangular: variance 1/6, of the squares 1/15 - 1/36
    error = 5 * np.sqrt((1 / 15 - 1 / 36) / len(y))
    assert abs(((y - 1) ** 2).mean() - 1 / 6) < error


def test_one_generator_one_result() -> None:
    for make in (
        lambda rng: parity(5, 3, rng),
        lambda rng: delayed_copy(2, 3, 4, 3, rng),
        lambda rng: adding(5, 3, rng),
    ):
        first, second, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert np.array_equal(first.x, second.x) and np.array_equal(first.y, second.y)
        assert not np.array_equal(first.x, other.x)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_counting_takes_any_integers_and_does_not_overflow(dtype: type) -> None:
    x = counting(300, np.array([0, 99], dtype=dtype), 100)
    assert x.dtype == np.int64
    assert np.array_equal(x[:, 1], (99 + np.arange(300)) % 100)
    assert counting(3, np.empty(0, dtype=dtype), 9).shape == (3, 0)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: counting(5, np.array([9]), 9), r"starts must lie in \[0, 9\)"),
        (lambda: counting(5, np.array([-1]), 9), r"starts must lie in \[0, 9\)"),
        (lambda: counting(5, np.array([0.5]), 9), r"\(B,\) integers"),
        (lambda: counting(5, np.array([[1]]), 9), r"\(B,\) integers"),
        (lambda: counting(0, np.array([1]), 9), "1 or more"),
        (lambda: parity(0, 3, RNG), "1 or more"),
        (lambda: delayed_copy(0, 3, 4, 2, RNG), "1 or more"),
        (lambda: delayed_copy(2, 3, 4, 2, RNG, min_delay=4), "min_delay <= max_delay"),
        (lambda: delayed_copy(2, -1, 4, 2, RNG), "min_delay <= max_delay"),
        (lambda: adding(1, 3, RNG), "T must be 2 or more"),
    ],
)
def test_bad_sizes_are_named(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        call()
