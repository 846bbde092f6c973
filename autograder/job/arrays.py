"""Arrays, tensors, dates and random generators as plain bytes: more kinds for the codec.

NumPy and PyTorch are looked up among the imported modules, so that a notebook without them does not
pay for them. Raw bytes are checked where a wrong pattern would not be a value (a bool of 7).
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import importlib
import math
import pathlib
import random
import re
import sys
from array import array
from typing import Any

from autograder.job.codec import FINDERS, KINDS, READERS, CodecError, Decoder, Encoder, Kind

_DTYPE = re.compile(r"[<>|=][biufcSUVmM]\d{0,9}(\[\d{0,9}[a-zA-Z]{1,7}(/\d{1,9})?\])?\Z")
MAX_NDIM = 32


def module(name: str) -> Any:
    """Return numpy or torch; the names are ours, never the other side's."""
    found = sys.modules.get(name)
    return importlib.import_module(name) if found is None else found


# ---- NumPy


def put_dtype(out: Encoder, dtype: Any) -> None:
    """Write a dtype: plain, with fields, or with a shape."""
    if dtype.names is not None:
        out.tag(b"f", len(dtype.names))
        for name in dtype.names:
            out.text(name)
            put_dtype(out, dtype.fields[name][0])
    elif dtype.subdtype is not None:
        out.tag(b"s")
        _put_shape(out, dtype.subdtype[1])
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
        shape = _get_shape(source)
        return np.dtype((get_dtype(source, depth + 1), shape))
    if kind == b"o":
        return np.dtype(object)
    text = source.text()
    if kind != b"p" or not _DTYPE.match(text):
        raise CodecError("no dtype of this name")
    return np.dtype(text)


def _put_shape(out: Encoder, shape: tuple[int, ...]) -> None:
    out.out += bytes([len(shape)])
    for size in shape:
        out.out += int(size).to_bytes(8, "little")


def _get_shape(source: Decoder) -> tuple[int, ...]:
    ndim = source.byte()
    if ndim > MAX_NDIM:
        raise CodecError(f"{ndim} axes")
    return tuple(int.from_bytes(source.take(8), "little") for _ in range(ndim))


def put_array(out: Encoder, value: Any) -> None:
    """Write an array: its dtype, its shape and its bytes in C order."""
    np = module("numpy")
    value = value.view(np.ndarray) if type(value) is not np.ndarray else value
    out.tag(b"a")
    put_dtype(out, value.dtype)
    _put_shape(out, value.shape)
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
    dtype, shape = get_dtype(source), _get_shape(source)
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
        return value
    if not isinstance(into, np.ndarray) or into.shape != shape or into.dtype != dtype:
        raise CodecError("an array that both sides hold has changed its shape or dtype")
    writable = into.flags.writeable
    if not writable:
        into.flags.writeable = True
    into[...] = value
    into.flags.writeable = writable
    return into


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


# ---- PyTorch


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
    _put_shape(out, tuple(value.shape))
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
    shape = _get_shape(source)
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
    _put_shape(out, value) if len(value) < 256 else out.tag(b"\0")


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


# ---- dates, exact numbers, paths, views of dicts, arrays of the standard library


def _put_text_of(tag: bytes, name: str) -> Any:
    def put(out: Encoder, value: Any) -> None:
        text = str(value) if name in ("Decimal", "Path", "Fraction") else _date_text(value)
        out.tag(b"p" + tag)
        out.text(text)

    return put


def _date_text(value: Any) -> str:
    if type(value) is datetime.timedelta:
        return f"{value.days} {value.seconds} {value.microseconds}"
    zone = getattr(value, "tzinfo", None)
    if zone is not None and type(zone) is not datetime.timezone:
        raise CodecError(
            f"a time in the zone {zone!r} cannot be handed over; use datetime.timezone"
        )
    return str(value.isoformat())


def _timedelta(text: str) -> datetime.timedelta:
    days, seconds, micro = text.split(" ")
    return datetime.timedelta(int(days), int(seconds), int(micro))


def _fraction(text: str) -> fractions.Fraction:
    if len(text) > 10_000:
        raise CodecError("a fraction of more than 10,000 digits")
    over, _, under = text.partition("/")
    return fractions.Fraction(int(over), int(under or 1))


_TEXTS: dict[bytes, tuple[type, Any]] = {
    b"d": (datetime.date, datetime.date.fromisoformat),
    b"t": (datetime.time, datetime.time.fromisoformat),
    b"D": (datetime.datetime, datetime.datetime.fromisoformat),
    b"w": (datetime.timedelta, _timedelta),
    b"c": (decimal.Decimal, decimal.Decimal),
    b"r": (fractions.Fraction, _fraction),
    b"p": (type(pathlib.Path()), pathlib.Path),
}


def _get_text_of(source: Decoder) -> Any:
    row = _TEXTS.get(source.take(1))
    if row is None:
        raise CodecError("unknown kind of text")
    return row[1](source.text())


_VIEWS: dict[bytes, type] = {b"k": type({}.keys()), b"v": type({}.values()), b"i": type({}.items())}


def _put_view(tag: bytes) -> Any:
    def put(out: Encoder, value: Any) -> None:
        out.tag(b"V" + tag)
        out.items(value, len(value))

    return put


def _get_view(source: Decoder) -> Any:
    kind = source.take(1)
    items = source.items()
    if kind == b"k":
        return dict.fromkeys(items).keys()
    if kind == b"v":
        return dict(enumerate(items)).values()
    if kind != b"i":
        raise CodecError("no view of this kind")
    return dict(items).items()


def _put_stdlib_array(out: Encoder, value: Any) -> None:
    out.tag(b"A" + value.typecode.encode())
    out.raw(value.tobytes())


def _get_stdlib_array(source: Decoder) -> Any:
    code = source.take(1).decode("ascii", "replace")
    if code not in "bBhHiIlLqQfd":
        raise CodecError("no array of this type")
    data = source.raw()
    target = source.start(lambda: array(code))
    if target.typecode != code:
        raise CodecError("an array cannot become another type")
    del target[:]
    target.frombytes(data)
    return target


# ---- generators of random numbers: their state travels, so that a draw on one side counts on both


def state_of(rng: Any) -> Any:
    """Return the state of a generator as a plain value."""
    if isinstance(rng, random.Random):
        return rng.getstate()
    if hasattr(rng, "get_state") and hasattr(rng, "initial_seed"):  # torch.Generator
        return rng.get_state().numpy().tobytes()
    if hasattr(rng, "bit_generator"):
        return rng.bit_generator.state
    return rng.get_state(legacy=False)


def set_state(rng: Any, state: Any) -> None:
    """Put a generator into a state that may come from a hostile side."""
    if isinstance(rng, random.Random):
        rng.setstate(state)
    elif hasattr(rng, "get_state") and hasattr(rng, "initial_seed"):
        torch = module("torch")
        if type(state) is not bytes or len(state) != rng.get_state().numel():
            raise CodecError("no state of a torch generator")
        rng.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8).clone())
    else:
        _check_numpy_state(state)
        if hasattr(rng, "bit_generator"):
            rng.bit_generator.state = state
        else:
            rng.set_state(state)


def _check_numpy_state(state: Any) -> None:
    """Refuse positions outside a buffer, which NumPy itself believes."""
    np = module("numpy")
    if type(state) is not dict or type(state.get("state")) is not dict:
        raise CodecError("no state of a generator")
    inner = state["state"]
    for key, most in (("pos", 624), ("buffer_pos", 4)):
        for place in (state, inner):
            if key in place and not (type(place[key]) is int and 0 <= place[key] <= most):
                raise CodecError("no state of a generator")
    for part in (*inner.values(), *state.values()):
        if isinstance(part, np.ndarray) and (part.dtype.hasobject or part.ndim != 1):
            raise CodecError("no state of a generator")
    if state.get("bit_generator") == "MT19937":
        key = inner.get("key")
        if not isinstance(key, np.ndarray) or key.shape != (624,) or "pos" not in inner:
            raise CodecError("no state of a generator")


def _put_rng(out: Encoder, value: Any) -> None:
    state = state_of(value)
    name = type(value.bit_generator).__name__ if hasattr(value, "bit_generator") else ""
    link, out.link = out.link, None  # a state is one plain value
    out.tag(b"G")
    out.text(type(value).__name__ + ":" + name)
    out.put(state)
    out.link = link


def _get_rng(source: Decoder) -> Any:
    kind, _, bits = source.text().partition(":")
    link, number, into = source.link, source.number, source.into
    source.link = source.number = source.into = None
    state = source.get()
    source.link = link
    if into is not None:
        if type(into).__name__ != kind:
            raise CodecError("a generator cannot become another type")
        set_state(into, state)
        return into
    made: Any
    if kind == "Random":
        made = random.Random()
    elif kind == "Generator" and not bits:
        made = module("torch").Generator()
    elif kind in ("Generator", "RandomState"):
        np = module("numpy")
        if kind == "Generator" and bits in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
            made = np.random.Generator(getattr(np.random, bits)(0))
        elif kind == "RandomState":
            made = np.random.RandomState(0)
        else:
            raise CodecError("no generator of this name")
    else:
        raise CodecError("no generator of this name")
    set_state(made, state)
    if number is not None and link is not None:
        link.born(number, made)
    return made


def _find_rng(value: Any, kind: type) -> Kind | None:
    rng, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    if rng is not None and kind is rng.Generator:
        known = type(value.bit_generator).__module__.startswith("numpy.random.")
        return Kind(_put_rng, shared=True) if known else None
    if rng is not None and kind is rng.RandomState:
        return Kind(_put_rng, shared=True)
    if torch is not None and kind is getattr(torch, "Generator", None):
        return Kind(_put_rng, shared=True)
    return None


KINDS.update({kind: Kind(_put_text_of(tag, kind.__name__)) for tag, (kind, _) in _TEXTS.items()})
KINDS[type(pathlib.Path())] = Kind(_put_text_of(b"p", "Path"))
KINDS.update({kind: Kind(_put_view(tag)) for tag, kind in _VIEWS.items()})
KINDS[array] = Kind(_put_stdlib_array, shared=True)
KINDS[random.Random] = Kind(_put_rng, shared=True)
FINDERS.extend([_find_numpy, _find_torch, _find_rng])


def _plain(read: Any) -> Any:
    def get(source: Decoder) -> Any:
        source.plain()
        return read(source)

    return get


READERS.update(
    {
        ord("a"): get_array,
        ord("n"): _get_scalar,
        ord("m"): _get_matrix,
        ord("k"): _get_masked,
        ord("y"): _plain(get_dtype),
        ord("g"): _get_tensor,
        ord("Z"): _plain(lambda source: module("torch").Size(_get_shape(source))),
        ord("h"): _plain(_get_torch_name),
        ord("v"): _plain(_get_device),
        ord("p"): _plain(_get_text_of),
        ord("V"): _plain(_get_view),
        ord("A"): _get_stdlib_array,
        ord("G"): _get_rng,
    }
)
