"""The npz reader: NumPy's own files of every protocol come back, and nothing in a pickle is run."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.corpora import CorpusError, indices
from coursekit.corpora.indices import read_npz

RAGGED = [[1, 300, 70_000], [2**31 - 1, -5], [], list(range(600))]


def objects(rows: list) -> np.ndarray:
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


def npz(path: Path, pickled: bytes, shape: str = "(1,)") -> Path:
    """Write an npz whose member x is an array of objects with this pickle."""
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    body = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickled
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", body)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_ragged_rows_come_back(tmp_path: Path, save) -> None:
    save(tmp_path / "t.npz", x=objects(RAGGED), y=np.array([0, 1, 1, 0]))
    found = read_npz(tmp_path / "t.npz", ("x", "y"))
    assert found == {"x": RAGGED, "y": [0, 1, 1, 0]}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    array = objects(RAGGED)
    path = npz(tmp_path / "t.npz", pickle.dumps(array, protocol=protocol), "(4,)")
    assert read_npz(path, ("x",))["x"] == RAGGED
    # Python 2 and NumPy before 2 called the module by its older name
    old = pickle.dumps(array, protocol=2).replace(
        b"numpy._core.multiarray", b"numpy.core.multiarray"
    )
    assert read_npz(npz(path, old, "(4,)"), ("x",))["x"] == RAGGED


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_lists_of_numbers_come_back(tmp_path_factory, rows: list[list[int]]) -> None:
    path = tmp_path_factory.mktemp("npz") / "t.npz"
    np.savez(path, x=objects(rows))
    assert read_npz(path, ("x",))["x"] == rows


def test_other_arrays_that_people_save_come_back(tmp_path: Path) -> None:
    even = [[1, 2, 3], [4, 5, 6]]
    inner = objects([np.array([1, 2], dtype=np.int32), np.array([70_000], dtype=np.int64)])
    scalars = objects([[np.int64(7), np.int32(-8)], [9]])
    np.savez(
        tmp_path / "t.npz", a=np.array(even, dtype=object), b=np.array(even),
        c=np.asfortranarray(even), d=inner, e=scalars, f=np.array([1, 2], dtype=">i4"),
    )  # fmt: skip
    found = read_npz(tmp_path / "t.npz", tuple("abcdef"))
    assert found["a"] == found["b"] == found["c"] == even
    assert (
        found["d"] == [[1, 2], [70_000]] and found["e"] == [[7, -8], [9]] and found["f"] == [1, 2]
    )


class Evil:
    def __init__(self, call: object, *args: object) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> tuple:
        return self.call, self.args


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_calls_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    flag = tmp_path / "ran"
    calls = [
        Evil(exec, f"open({str(flag)!r}, 'w')"),
        Evil(open, str(flag), "w"),
        Evil(__import__, "this"),
    ]
    for evil in calls:
        for content in (evil, objects([[1], evil]), [evil]):
            path = npz(tmp_path / "t.npz", pickle.dumps(content, protocol=protocol), "(2,)")
            with pytest.raises(CorpusError, match="nothing of it was run"):
                read_npz(path, ("x",))
            assert not flag.exists()


def test_what_is_no_list_of_numbers_is_refused(tmp_path: Path) -> None:
    loop: list = [1]
    loop.append(loop)
    for rows in ([["word"]], [[1.5]], [[True]], [{1: 2}], [[[1]]], [None], [loop], [(1, 2)]):
        with pytest.raises(CorpusError, match="lists of numbers"):
            read_npz(npz(tmp_path / "t.npz", pickle.dumps(objects(rows))), ("x",))


def test_one_list_named_a_million_times_is_counted_before_it_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(indices, "MAX_NUMBERS", 10_000)
    row = [1] * 100
    path = npz(tmp_path / "t.npz", pickle.dumps(objects([row] * 1000)), "(1000,)")
    with pytest.raises(CorpusError, match="more than 10,000"):
        read_npz(path, ("x",))


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(indices, "MAX_ARRAY_BYTES", 100_000)
    np.savez_compressed(tmp_path / "t.npz", x=np.zeros(10**6, dtype=np.int64))
    with pytest.raises(CorpusError, match="unpacks to more"):
        read_npz(tmp_path / "t.npz", ("x",))


def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.zeros(1000, dtype=np.int64))
    data = out.getvalue().replace(b"(1000,), }" + b" " * 9, b"(10000000000000,), }")[
        : len(out.getvalue())
    ]
    assert b"10000000000000" in data
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("x.npy", data)
    with pytest.raises(CorpusError, match="no word numbers"):
        read_npz(tmp_path / "t.npz", ("x",))


def test_every_truncation_and_many_flips_end_in_one_clear_error(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    np.savez(good, x=objects([[1, 2, 300], [4] * 40]), y=np.array([0, 1]))
    data = good.read_bytes()
    bad = tmp_path / "bad.npz"
    for end in range(0, len(data), 7):
        bad.write_bytes(data[:end])
        with pytest.raises(CorpusError, match="bad.npz"):
            read_npz(bad, ("x", "y"))
    rng = np.random.default_rng(0)
    for _ in range(300):
        flipped = bytearray(data)
        flipped[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        bad.write_bytes(flipped)
        try:
            # a flip in a time stamp or the like does no harm
            assert read_npz(bad, ("x", "y")) == {"x": [[1, 2, 300], [4] * 40], "y": [0, 1]}
        except CorpusError as error:
            assert "\n" not in str(error)


def test_damaged_pickles_never_end_in_another_error(tmp_path: Path) -> None:
    data = pickle.dumps(objects(RAGGED[:3]))
    rng = np.random.default_rng(1)
    for _ in range(2_000):
        flipped = bytearray(data)
        for place in rng.integers(len(data), size=2):
            flipped[place] = rng.integers(256)
        try:
            rows = indices._objects(bytes(flipped[: rng.integers(1, len(data) + 1)]), "x")
            assert all(isinstance(row, (int, list)) for row in rows)
        except CorpusError:
            pass


def test_a_file_without_the_arrays_names_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", images=np.zeros(3))
    with pytest.raises(CorpusError, match=r"lacks x_train.*images.npy"):
        read_npz(tmp_path / "t.npz", ("x_train",))
    with pytest.raises(CorpusError, match="is not there"):
        read_npz(tmp_path / "none.npz", ("x",))
