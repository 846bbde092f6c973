"""Random values come back equal; random bytes, and values with random bytes changed, do no harm."""

import math
import tracemalloc
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.job import crossing
from autograder.job.codec import CodecError, decode, encode

assert crossing  # kinds of values are entered by importing it

MAX_MEMORY = 64 << 20  # bytes, for messages of at most some kilobytes
relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(),
    st.text(st.characters(codec=None)), st.binary(), st.dates(), st.datetimes(), st.timedeltas(),
    st.decimals(), st.fractions(),
)  # fmt: skip
keys = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.text()))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(st.floats()), st.tuples(inner, inner),
        st.dictionaries(keys, inner), st.sets(keys), st.frozensets(keys),
    ),
    max_leaves=30,
)  # fmt: skip
records = st.builds(
    lambda first, second, shape: np.dtype([("a", first), ("b", second, shape)]),
    hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.array_shapes(max_dims=2, max_side=2),
)  # fmt: skip
numpy_arrays = hnp.arrays(
    dtype=st.one_of(
        hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes(),
        hnp.complex_number_dtypes(),
        hnp.datetime64_dtypes(), hnp.timedelta64_dtypes(), hnp.unicode_string_dtypes(max_len=5),
        hnp.byte_string_dtypes(max_len=5), records,
    ),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)  # fmt: skip


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are the same to the last bit, NaN like NaN and -0.0 unlike 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or repr(a) == repr(b)
    return repr(a) == repr(b) or a == b


@relaxed
@given(values)
def test_values_come_back(value: Any) -> None:
    assert same(decode(encode(value)), value)


@relaxed
@given(numpy_arrays)
def test_arrays_come_back(value: np.ndarray) -> None:
    got = decode(encode(value))
    assert got.dtype == value.dtype and got.shape == value.shape
    assert got.tobytes() == np.ascontiguousarray(value).tobytes()


@relaxed
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, min_side=0)))
def test_tensors_come_back(value: np.ndarray) -> None:
    got = decode(encode(torch.from_numpy(value.copy())))
    assert got.numpy().tobytes() == value.tobytes() and got.shape == value.shape


def harmless(data: bytes) -> None:
    """Read bytes: a value or a CodecError, within bounded memory."""
    tracemalloc.reset_peak()
    try:
        value = decode(data)
    except CodecError:
        value = None
    assert tracemalloc.get_traced_memory()[1] < MAX_MEMORY
    repr(value)


@relaxed
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    tracemalloc.start()
    harmless(data)
    tracemalloc.stop()


seeds = st.one_of(values, numpy_arrays).map(encode)


@settings(relaxed, max_examples=400)
@given(
    seeds, st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_changed_bytes(data: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(data)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    tracemalloc.start()
    harmless(bytes(changed))
    tracemalloc.stop()


@relaxed
@given(seeds, st.integers(0, 5000))
def test_cut_bytes(data: bytes, at: int) -> None:
    harmless(data[: at % len(data)])


TAGS = [bytes([tag]) for tag in b"ltdeqNaoWCOgGVArxIsn"]


@relaxed
@given(st.lists(st.sampled_from(TAGS), max_size=60))
def test_tags_in_any_order(tags: list[bytes]) -> None:
    harmless(b"".join(tag + b"\1\0\0\0" for tag in tags))
