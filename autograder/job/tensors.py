"""PyTorch's tensors, with their gradients, sizes, dtypes and devices: kinds for the codec."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

from autograder.job.arrays import get_shape, module, put_shape
from autograder.job.codec import FINDERS, READERS, CodecError, Decoder, Encoder, Kind, plain


def _torch_names(torch: Any) -> dict[str, Any]:
    names = "float16 float32 float64 bfloat16 complex64 complex128 uint8 int8 int16 int32 int64"
    found = {name: getattr(torch, name) for name in names.split()}
    return found | {"bool": torch.bool, "complex32": torch.complex32}


_DTYPES: dict[str, Any] = {}
_DTYPE_NAMES: dict[Any, str] = {}


def torch_dtypes() -> dict[str, Any]:
    """Return PyTorch's dtypes by name."""
    if not _DTYPES:
        _DTYPES.update(_torch_names(module("torch")))
        _DTYPE_NAMES.update({dtype: name for name, dtype in _DTYPES.items()})
    return _DTYPES


def put_tensor_data(out: Encoder, value: Any) -> None:
    """Write dtype, shape and bytes of a tensor."""
    torch = module("torch")
    torch_dtypes()
    name = _DTYPE_NAMES.get(value.dtype)
    if name is None or value.layout is not torch.strided:
        raise CodecError(f"a tensor of {value.dtype}, {value.layout} cannot be handed over")
    if value.device.type == "meta":
        raise CodecError("a tensor on the meta device holds no numbers")
    value = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    out.text(name)
    put_shape(out, tuple(value.shape))
    if value.numel() * value.element_size() > out.limit:
        raise CodecError("a tensor is too large to hand over")
    if value.dtype is torch.bfloat16:
        value = value.view(torch.int16)
    elif value.dtype is torch.complex32:
        value = torch.view_as_real(value)
    out.raw(value.numpy().tobytes())


def get_tensor_data(source: Decoder) -> Any:
    """Read a tensor that needs no gradient."""
    torch = module("torch")
    dtype = torch_dtypes().get(source.text())
    shape = get_shape(source)
    data = source.raw()
    if dtype is None or len(data) != math.prod(shape) * dtype.itemsize:
        raise CodecError("a tensor has more or fewer bytes than its shape says")
    if not data:
        if any(size > 1 << 40 for size in shape):
            raise CodecError("an empty tensor of an impossible shape")
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool:
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape).clone()


LEAF, GRADED, PARAMETER = 1, 2, 4  # flags of a tensor


def _put_tensor(out: Encoder, value: Any) -> None:
    torch = module("torch")
    flags = LEAF * value.is_leaf + GRADED * value.requires_grad
    flags += PARAMETER * isinstance(value, torch.nn.Parameter)
    out.tag(b"g" + bytes([flags]))
    put_tensor_data(out, value)
    grad = value.grad if value.is_leaf and value.requires_grad else None
    if grad is None:
        out.tag(b"0")
    else:
        out.tag(b"1")
        put_tensor_data(out, grad)


def _get_tensor(source: Decoder) -> Any:
    torch = module("torch")
    flags = source.byte()
    value = get_tensor_data(source)
    grad = get_tensor_data(source) if source.byte() == ord("1") else None
    graded = bool(flags & GRADED)
    if graded and not (value.dtype.is_floating_point or value.dtype.is_complex):
        raise CodecError("only tensors of floats can require a gradient")
    if grad is not None and (grad.shape != value.shape or not graded):
        raise CodecError("a gradient has another shape than its tensor")
    into, source.into = source.into, None
    if into is None:
        if flags & PARAMETER:
            value = torch.nn.Parameter(value, requires_grad=graded)
        elif graded and not flags & LEAF and source.link is not None:
            value = source.link.graph(source.number, value)
        elif graded:
            value.requires_grad_()
        if grad is not None:
            value.grad = grad.to(value.dtype)
        if source.number is not None and source.link is not None:
            number, source.number = source.number, None
            source.link.born(number, value)
        return value
    if not isinstance(into, torch.Tensor):
        raise CodecError("a tensor cannot become another type")
    with torch.no_grad():
        if into.shape == value.shape and into.dtype == value.dtype:
            into.data.copy_(value)  # as gradcheck does: no new version of what a graph has kept
        else:
            into.data = value
        if into.is_leaf and into.requires_grad != graded:
            into.requires_grad_(graded)
        if into.is_leaf and graded:
            old = into.grad
            if grad is not None and old is not None and old.dtype == grad.dtype:
                old.data.copy_(grad)
            else:
                into.grad = None if grad is None else grad.to(into.dtype)
    return into


def _put_torch_name(out: Encoder, value: Any) -> None:
    out.tag(b"h")
    out.text(str(value).removeprefix("torch."))


def _get_torch_name(source: Decoder) -> Any:
    found = torch_dtypes().get(source.text())
    if found is None:
        raise CodecError("no dtype of this name")
    return found


def _put_size(out: Encoder, value: Any) -> None:
    out.tag(b"Z")
    out.items(map(int, tuple.__iter__(value)), len(value))


def _get_size(source: Decoder) -> Any:
    sizes = source.items()
    if not all(type(size) is int and -(1 << 63) <= size < 1 << 63 for size in sizes):
        raise CodecError("no torch.Size")
    return module("torch").Size(sizes)


def _put_device(out: Encoder, value: Any) -> None:
    out.tag(b"v")
    out.text(str(value))


def _get_device(source: Decoder) -> Any:
    text = source.text()
    if not re.match(r"[a-z]{1,12}(:\d{1,3})?\Z", text):
        raise CodecError("no device of this name")
    return module("torch").device(text)


def _find_torch(value: Any, kind: type) -> Kind | None:
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "Tensor"):
        return None
    mro = type.__dict__["__mro__"].__get__(kind)
    if torch.Tensor in mro:
        return Kind(_put_tensor, shared=True)
    if kind is torch.Size:
        return Kind(_put_size)
    if kind is torch.dtype:
        return Kind(_put_torch_name)
    return Kind(_put_device) if kind is torch.device else None


FINDERS.insert(0, _find_torch)
READERS.update(
    {
        ord("g"): _get_tensor,
        ord("Z"): plain(_get_size),
        ord("h"): plain(_get_torch_name),
        ord("v"): plain(_get_device),
    }
)
