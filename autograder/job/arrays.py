"""NumPy's arrays, scalars and dtypes as plain bytes: more kinds for the codec.

Raw bytes are checked where a wrong pattern would not be a value (a bool of 7). NumPy is looked up
among the imported modules, so that a notebook without it does not pay for it.
"""

from __future__ import annotations

import importlib
import math
import re
import sys
from typing import Any

from autograder.job.codec import FINDERS, READERS, CodecError, Decoder, Encoder, Kind, plain

_DTYPE = re.compile(r"[<>|=][biufcSUVmM]\d{0,9}(\[\d{0,9}[a-zA-Z]{1,7}(/\d{1,9})?\])?\Z")
MAX_NDIM = 32


def module(name: str) -> Any:
    """Return numpy or torch; the names are ours, never the other side's."""
    found = sys.modules.get(name)
    return importlib.import_module(name) if found is None else found


def put_dtype(out: Encoder, dtype: Any) -> None:
    """Write a dtype: plain, with fields, or with a shape."""
    if dtype.names is not None:
        out.tag(b"f", len(dtype.names))
        for name in dtype.names:
            out.text(name)
            put_dtype(out, dtype.fields[name][0])
    elif dtype.subdtype is not None:
        out.tag(b"s")
        put_shape(out, dtype.subdtype[1])
        put_dtype(out, dtype.subdtype[0])
    elif dtype.hasobject:
        out.tag(b"o")
    elif dtype.kind in "biufcSUVmM":
        out.tag(b"p")
        out.text(dtype.str)
    else:
        raise CodecError(f"arrays of {dtype} cannot be handed over")


def get_dtype(source: Decoder, depth: int = 0) -> Any:
    """Read a dtype."""
    np = module("numpy")
    kind = source.take(1)
    if depth > 8:
        raise CodecError("a dtype is nested too deeply")
    if kind == b"f":
        return np.dtype(
            [(source.text(), get_dtype(source, depth + 1)) for _ in range(source.count())]
        )
    if kind == b"s":
        shape = get_shape(source)
        return np.dtype((get_dtype(source, depth + 1), shape))
    if kind == b"o":
        return np.dtype(object)
    text = source.text()
    if kind != b"p" or not _DTYPE.match(text):
        raise CodecError("no dtype of this name")
    return np.dtype(text)


def put_shape(out: Encoder, shape: tuple[int, ...]) -> None:
    out.out += bytes([len(shape)])
    for size in shape:
        out.out += int(size).to_bytes(8, "little")


def get_shape(source: Decoder) -> tuple[int, ...]:
    ndim = source.byte()
    if ndim > MAX_NDIM:
        raise CodecError(f"{ndim} axes")
    shape = tuple(source.int64() for _ in range(ndim))
    if min(shape, default=0) < 0:
        raise CodecError("an axis of negative length")
    return shape


def put_array(out: Encoder, value: Any) -> None:
    """Write an array: its dtype, its shape and its bytes in C order."""
    np = module("numpy")
    value = value.view(np.ndarray) if type(value) is not np.ndarray else value
    out.tag(b"a")
    out.out.append(value.flags.writeable)
    put_dtype(out, value.dtype)
    put_shape(out, value.shape)
    _put_content(out, value)


def _put_content(out: Encoder, value: Any) -> None:
    if value.dtype.names is not None:
        for name in value.dtype.names:
            _put_content(out, value[name])
    elif value.dtype.hasobject:
        out.items(value.ravel().tolist(), value.size)
    else:
        if value.nbytes > out.limit:
            raise CodecError(f"an array of {value.nbytes >> 20} MiB is too large to hand over")
        out.raw(value.tobytes())


def get_array(source: Decoder) -> Any:
    """Read an array, or new content for a known one."""
    np = module("numpy")
    writable = bool(source.byte())
    dtype, shape = get_dtype(source), get_shape(source)
    into, source.into = source.into, None
    if dtype.hasobject:  # it may hold itself, so it must be known before its items are
        if dtype.names is None and math.prod(shape) > len(source.data) - source.at:
            raise CodecError("an array has more items than there are bytes")
        if math.prod(shape) * dtype.itemsize > 16 * len(source.data):
            raise CodecError("an array has more items than there are bytes")
        value = np.empty(shape, dtype)
        if into is None and source.number is not None and source.link is not None:
            number, source.number = source.number, None
            source.link.born(number, value)
        _fill(source, value)
    else:
        value = _content(source, dtype, shape)
        if into is None and source.number is not None and source.link is not None:
            number, source.number = source.number, None
            source.link.born(number, value)
    if into is None:
        if not writable:
            value.flags.writeable = False
        return value
    if not isinstance(into, np.ndarray) or into.shape != shape or into.dtype != dtype:
        raise CodecError("an array that both sides hold has changed its shape or dtype")
    _write(into, value)
    into.flags.writeable = writable
    return into


def _write(into: Any, value: Any) -> None:
    """Write into an array even if it, or one that it is a view of, is marked as read-only."""
    chain = [into]
    while isinstance(chain[-1].base, module("numpy").ndarray):
        chain.append(chain[-1].base)
    marks = [array.flags.writeable for array in chain]
    for array in reversed(chain):
        array.flags.writeable = True
    into[...] = value
    for array, mark in zip(chain, marks, strict=True):
        array.flags.writeable = mark


def _fill(source: Decoder, value: Any) -> None:
    for name in value.dtype.names or ():
        _fill(source, value[name])
    if value.dtype.names is not None:
        return
    if value.dtype.hasobject:
        items = source.items()
        if len(items) != value.size:
            raise CodecError("an array has more or fewer items than its shape says")
        flat = value.reshape(-1)
        for index, item in enumerate(items):
            flat[index] = item
        value[...] = flat.reshape(value.shape)
    else:
        value[...] = _content(source, value.dtype, value.shape)


def _content(source: Decoder, dtype: Any, shape: tuple[int, ...]) -> Any:
    np = module("numpy")
    if dtype.names is not None:
        size = math.prod(shape) * dtype.itemsize
        if size > len(source.data) - source.at + 4:
            raise CodecError("an array has more items than there are bytes")
        value = np.zeros(shape, dtype)
        _fill(source, value)
        return value
    data = source.raw()
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise CodecError("an array has more or fewer bytes than its shape says")
    if not data:
        if any(size > 1 << 40 for size in shape):
            raise CodecError("an empty array of an impossible shape")
        return np.empty(shape, dtype)
    if dtype.kind == "b":
        return (np.frombuffer(data, np.uint8) != 0).reshape(shape)
    if dtype.kind == "U":
        points = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if points.max(initial=0) > sys.maxunicode:
            raise CodecError("an array of strings holds what is no character")
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _put_scalar(out: Encoder, value: Any) -> None:
    np = module("numpy")
    out.tag(b"n")
    put_array(out, np.asarray(value))


def _get_scalar(source: Decoder) -> Any:
    source.plain()
    if source.take(1) != b"a":
        raise CodecError("not a NumPy scalar")
    value = get_array(source)
    if value.ndim or value.dtype.hasobject:
        raise CodecError("not a NumPy scalar")
    return value[()]


def _put_matrix(out: Encoder, value: Any) -> None:
    out.tag(b"m")
    put_array(out, value)


def _put_masked(out: Encoder, value: Any) -> None:
    np = module("numpy")
    out.tag(b"k")
    put_array(out, np.ma.getdata(value))
    put_array(out, np.ma.getmaskarray(value))


def _array_after(source: Decoder) -> Any:
    source.plain()
    if source.take(1) != b"a":
        raise CodecError("not an array")
    return get_array(source)


def _get_matrix(source: Decoder) -> Any:
    value = _array_after(source)
    if value.ndim != 2 or value.dtype.hasobject:
        raise CodecError("a matrix has two axes")
    return module("numpy").asmatrix(value)


def _get_masked(source: Decoder) -> Any:
    data, mask = _array_after(source), _array_after(source)
    if data.shape != mask.shape or mask.dtype.kind != "b" or data.dtype.hasobject:
        raise CodecError("not a masked array")
    return module("numpy").ma.array(data, mask=mask)


def _put_dtype_value(out: Encoder, value: Any) -> None:
    out.tag(b"y")
    put_dtype(out, value)


def _find_numpy(value: Any, kind: type) -> Kind | None:
    np = sys.modules.get("numpy")
    if np is None:
        return None
    mro = type.__dict__["__mro__"].__get__(kind)
    if np.ndarray in mro:
        ma = sys.modules.get("numpy.ma")
        if ma is not None and ma.MaskedArray in mro:
            return Kind(_put_masked)
        return Kind(_put_matrix) if kind is np.matrix else Kind(put_array, shared=True)
    if np.generic in mro and np.object_ not in mro:
        return Kind(_put_scalar)
    if np.dtype in mro:
        return Kind(_put_dtype_value)
    return None


FINDERS.insert(0, _find_numpy)  # before the base values: a np.float64 is a float too
READERS.update(
    {
        ord("a"): get_array,
        ord("n"): _get_scalar,
        ord("m"): _get_matrix,
        ord("k"): _get_masked,
        ord("y"): plain(get_dtype),
    }
)
