"""The Keras index file of IMDB, read without unpickling: it holds lists of numbers, no more.

`np.load(..., allow_pickle=True)` runs whatever a pickle says. Here the few pickle instructions that
a list of lists of whole numbers needs are followed one by one, and any other is refused.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from coursekit.corpora.form import CorpusError

MAX_ARRAY_BYTES = 512 * 2**20  # the published file's largest array has less than 20 MB
MAX_NUMBERS = 50_000_000  # and it holds some 12 million word numbers
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_ALLOWED = {(m, n) for m in _MULTIARRAY for n in ("_reconstruct", "scalar")} | {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _Call:
    """What a pickle wants to be called, never called; `state` is what it would be set to."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self.name, self.args = name, args
        self.state: Any = None


class _Mark:
    pass


def read_npz(path: Path, wanted: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the named arrays of an .npz file as lists: rows of ints, or ints.

    Raises CorpusError where the file is no npz, is cut off or damaged, lacks an array, declares
    more than it may hold, or its pickle asks for anything but numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            lacking = [name for name in wanted if f"{name}.npy" not in members]
            if lacking:
                held = ", ".join(sorted(members)[:8]) or "nothing"
                raise CorpusError(
                    f"{path} lacks {', '.join(lacking)} (it holds {held}): not Keras' imdb.npz"
                )
            found = {}
            for name in wanted:
                info = members[f"{name}.npy"]
                with archive.open(info) as stream:
                    data = stream.read(MAX_ARRAY_BYTES + 1)
                if len(data) > MAX_ARRAY_BYTES:
                    raise CorpusError(
                        f"{path}: {name} unpacks to more than {MAX_ARRAY_BYTES:,} bytes"
                    )
                found[name] = _array(data, f"{path}: {name}")
            return found
    except CorpusError:
        raise
    except FileNotFoundError as error:
        raise CorpusError(f"{path} is not there; give the path of imdb.npz") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise CorpusError(
            f"{path} is broken or no npz file ({error}); download it again"
        ) from error
    except (NotImplementedError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error


def _array(data: bytes, where: str) -> list[Any]:
    """Return the contents of one .npy file as a list; `where` begins the error."""
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise CorpusError(f"{where}: npy version {version} is not known; save it again with NumPy")
    shape, fortran, dtype = read(stream)
    body = data[stream.tell() :]
    if dtype.hasobject:
        values = _objects(body, where)
        flat = values if len(shape) == 1 else _folded(values, shape, where)
        if len(flat) != shape[0]:
            raise CorpusError(f"{where} says {shape[0]:,} rows and holds {len(flat):,}")
        return flat
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize  # exact: no overflow
    if dtype.kind not in "iub" or len(shape) not in (1, 2) or size != len(body):
        raise CorpusError(f"{where}: {dtype} {shape} in {len(body):,} bytes are no word numbers")
    array = np.frombuffer(body, dtype)
    return array.reshape(shape, order="F" if fortran else "C").tolist()


def _folded(values: list[Any], shape: tuple[int, ...], where: str) -> list[Any]:
    """Return the rows of a two-dimensional array of objects: lists that were all equally long."""
    if len(shape) != 2 or shape[0] * shape[1] != len(values):
        raise CorpusError(f"{where} says shape {shape} and holds {len(values):,} entries")
    return [values[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0])]


def _objects(data: bytes, where: str) -> list[Any]:
    """Return the list in a pickled array of objects; each entry an int or a list of ints."""
    try:
        top = _follow(data)
        if not isinstance(top, _Call) or top.name != "_reconstruct":
            raise ValueError("it is no NumPy array")
        rows = top.state[4]
        if type(rows) is not list:
            raise ValueError("its data is no list")
        # before a number is looked at: a short pickle can name one long list a million times
        if len(rows) + sum(len(row) for row in rows if isinstance(row, list)) > MAX_NUMBERS:
            raise ValueError(f"more than {MAX_NUMBERS:,} numbers")
        return [_plain(row) for row in rows]
    except (IndexError, KeyError, TypeError, ValueError, struct.error, AttributeError) as error:
        raise CorpusError(
            f"{where} is a pickle that holds more, or less, than lists of numbers ({error}): "
            "refused, nothing of it was run"
        ) from error


def _plain(row: Any) -> Any:
    """Return an int, or a list of ints, from what a pickle held; raise ValueError else."""
    if type(row) is list:
        return row if all(type(x) is int for x in row) else [_whole(x) for x in row]
    if isinstance(row, _Call) and row.name == "_reconstruct":
        _, shape, dtype, _, data = row.state
        numbers = _numbers(dtype, data)
        if shape != (len(numbers),):
            raise ValueError("an inner array has more than one axis")
        return numbers
    return _whole(row)


def _whole(entry: Any) -> int:
    """Return an int or a NumPy integer as an int; raise ValueError else."""
    if type(entry) is int:
        return entry
    if isinstance(entry, _Call) and entry.name == "scalar":
        return _numbers(*entry.args)[0]
    raise ValueError("an entry that is no whole number")


def _numbers(dtype: Any, data: Any) -> list[int]:
    """Return the ints in bytes of a pickled integer dtype."""
    if not isinstance(dtype, _Call) or dtype.name != "dtype" or not isinstance(data, bytes):
        raise ValueError("an array without its numbers")
    kind = dtype.args[0]
    if kind not in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        raise ValueError(f"numbers of kind {kind!r}")
    swapped = isinstance(dtype.state, tuple) and dtype.state[1] == ">"
    return np.frombuffer(data, (">" if swapped else "<") + kind).tolist()


def _follow(data: bytes) -> Any:
    """Return what a pickle builds, calls as `_Call`; raise ValueError for other instructions."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    at = 0

    def take(form: str) -> Any:
        nonlocal at
        (value,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return value

    def chunk(length: int) -> bytes:
        nonlocal at
        if length < 0 or at + length > len(data):
            raise ValueError("cut off")
        at += length
        return data[at - length : at]

    def since_mark() -> list[Any]:
        for i in range(len(stack) - 1, -1, -1):
            if isinstance(stack[i], _Mark):
                items = stack[i + 1 :]
                del stack[i:]
                return items
        raise ValueError("no mark")

    while True:
        if at >= len(data):
            raise ValueError("cut off")
        op = data[at]
        at += 1
        # nearly all of the file: a number of one, two or four bytes
        if op == 0x4B:  # K
            stack.append(data[at])
            at += 1
        elif op == 0x4D:  # M
            stack.append(data[at] | data[at + 1] << 8)
            at += 2
        elif op == 0x4A:  # J
            stack.append(take("<i"))
        elif op == 0x8A:  # LONG1
            stack.append(int.from_bytes(chunk(take("<B")), "little", signed=True))
        elif op == 0x28:  # (
            stack.append(_Mark())
        elif op == 0x5D:  # ]
            stack.append([])
        elif op in (0x65, 0x61):  # e, a
            items = since_mark() if op == 0x65 else [stack.pop()]
            if type(stack[-1]) is not list:
                raise ValueError("an append to no list")
            stack[-1].extend(items)
        elif op in (0x71, 0x72):  # q, r
            memo[take("<B" if op == 0x71 else "<I")] = stack[-1]
        elif op == 0x94:  # MEMOIZE
            memo[len(memo)] = stack[-1]
        elif op in (0x68, 0x6A):  # h, j
            stack.append(memo[take("<B" if op == 0x68 else "<I")])
        elif op in (0x80, 0x95):  # PROTO, FRAME
            chunk(1 if op == 0x80 else 8)
        elif op in (0x29, 0x85, 0x86, 0x87, 0x74):  # empty tuple, of 1, 2, 3, since the mark
            n = {0x29: 0, 0x85: 1, 0x86: 2, 0x87: 3}.get(op)
            parts = since_mark() if n is None else stack[len(stack) - n :]
            if n is not None:
                del stack[len(stack) - n :]
                if len(parts) != n:
                    raise ValueError("too short a stack")
            stack.append(tuple(parts))
        elif op in (0x4E, 0x88, 0x89):  # None, True, False
            stack.append({0x4E: None, 0x88: True, 0x89: False}[op])
        elif op in (0x8C, 0x58):  # text
            stack.append(chunk(take("<B" if op == 0x8C else "<I")).decode())
        elif op in (0x55, 0x54):  # Python 2's str
            stack.append(chunk(take("<B" if op == 0x55 else "<i")).decode("latin-1"))
        elif op in (0x43, 0x42):  # bytes
            stack.append(chunk(take("<B" if op == 0x43 else "<I")))
        elif op in (0x63, 0x93):  # a name to import: only looked at
            if op == 0x63:
                end = data.index(b"\n", data.index(b"\n", at) + 1)
                pair = tuple(data[at:end].decode().split("\n"))
                at = end + 1
            else:
                pair = tuple(stack[-2:])
                del stack[-2:]
            if pair not in _ALLOWED:
                raise ValueError(f"it asks for {'.'.join(map(str, pair))[:60]}")
            stack.append(_Call(pair[1], ()))
        elif op == 0x52:  # R
            args, function = stack.pop(), stack.pop()
            if not isinstance(function, _Call) or type(args) is not tuple:
                raise ValueError("a call of no function")
            if function.name == "encode":
                stack.append(str(args[0]).encode("latin-1"))
            else:
                stack.append(_Call(function.name, args))
        elif op == 0x62:  # b
            state = stack.pop()
            if not isinstance(stack[-1], _Call):
                raise ValueError("a state for no object")
            stack[-1].state = state
        elif op == 0x2E:  # .
            return stack[-1]
        else:
            raise ValueError(f"instruction 0x{op:02x}")
