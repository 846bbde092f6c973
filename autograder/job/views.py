"""Arrays and tensors that lie in the memory of another one that both sides hold.

`x[1:]` and `x.T` go back as what they are, a window into x, so that a test which writes into a
result sees what it has done to the argument, as it would in one process.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from autograder.job.arrays import get_shape, put_shape
from autograder.job.codec import READERS, CodecError, Decoder, Encoder


class Window(NamedTuple):
    """Where a view lies, in items of the flat array: number of that array, offset, shape, steps."""

    number: int
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]
    writable: bool


def find(value: Any, twins: Iterable[tuple[int, Any]]) -> Window | None:
    """Return the window that a new array or tensor is of one of the twins, or None."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and type(value) is numpy.ndarray:
        if value.base is None or value.dtype.hasobject or not value.itemsize or not value.size:
            return None
        start, kind = value.__array_interface__["data"][0], numpy.ndarray
        steps, writable = value.strides, bool(value.flags.writeable)
    elif torch is not None and type(value) is torch.Tensor:
        if value.layout is not torch.strided or value.requires_grad or not value.numel():
            return None
        if value.is_conj() or value.is_neg() or value.device.type != "cpu":
            return None
        start, kind, writable = value.data_ptr(), torch.Tensor, True
        steps = tuple(step * value.element_size() for step in value.stride())
    else:
        return None
    size = value.dtype.itemsize
    for number, twin in twins:
        if type(twin) is not kind or twin.dtype != value.dtype or twin is value:
            continue
        if kind is not (numpy and numpy.ndarray):
            whole = not twin.requires_grad and twin.is_contiguous() and twin.device.type == "cpu"
            first, items = twin.data_ptr(), twin.numel()
        else:
            whole, first = twin.flags.c_contiguous, twin.__array_interface__["data"][0]
            items = twin.size
        at, odd = divmod(start - first, size)
        if not whole or odd or not 0 <= at < items or any(step % size for step in steps):
            continue
        found = Window(number, at, tuple(value.shape), tuple(s // size for s in steps), writable)
        if _inside(found, items):
            return found
    return None


def _inside(window: Window, items: int) -> bool:
    """Tell whether every item of a window lies in the array, and it shows no more than there is."""
    spans = [(n - 1) * step for n, step in zip(window.shape, window.steps, strict=True)]
    low = window.offset + sum(min(0, span) for span in spans)
    high = window.offset + sum(max(0, span) for span in spans)
    return low >= 0 and high < items and 0 < math.prod(window.shape) <= items


def put(out: Encoder, window: Window) -> None:
    """Write a window."""
    out.out += b"w" + window.number.to_bytes(8, "little") + window.offset.to_bytes(8, "little")
    put_shape(out, window.shape)
    for step in window.steps:
        out.out += step.to_bytes(8, "little", signed=True)
    out.out.append(window.writable)
    out.marks += 1  # the content is another one than these bytes


def _get(source: Decoder) -> Any:
    """Open the window here: a view where the array's memory is in order, else a copy."""
    number, offset = source.int64(), source.int64()
    shape = get_shape(source)
    steps = tuple(source.int64() for _ in shape)
    window = Window(number, offset, shape, steps, bool(source.byte()))
    if source.link is None or source.number is None or source.into is not None:
        raise CodecError("no place for a view")
    twin = source.link.of(number, None)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and isinstance(twin, numpy.ndarray):
        if twin.dtype.hasobject or not _inside(window, twin.size):
            raise CodecError("a view reaches beyond its array")
        flat = numpy.ascontiguousarray(twin).reshape(-1).view(numpy.uint8)
        strides = [step * twin.itemsize for step in steps]
        value = numpy.ndarray(shape, twin.dtype, flat, offset * twin.itemsize, strides)
        value = value if twin.flags.c_contiguous else value.copy()
        if not window.writable:
            value.flags.writeable = False
    elif torch is not None and isinstance(twin, torch.Tensor):
        plain = twin.layout is torch.strided and twin.device.type == "cpu"
        if min(steps, default=0) < 0 or not plain or not _inside(window, twin.numel()):
            raise CodecError("a view reaches beyond its tensor")
        shared = twin.is_contiguous() and not twin.requires_grad
        base = twin if shared else twin.detach().clone().contiguous()
        value = torch.as_strided(base, shape, steps, base.storage_offset() + offset)
        value = value if shared else value.clone()
    else:
        raise CodecError("a view of what is no array")
    number, source.number = source.number, None
    source.link.born(number, value)
    return value


READERS[ord("w")] = _get
