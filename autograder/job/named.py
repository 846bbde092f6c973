"""Library functions and classes that go over by name, in both directions.

The checker may come to call what a student's code handed it, so the list holds only what computes:
nothing here reads a file, imports, evaluates text or unpickles. Any other function of a library
stays where it is and is called there.
"""

from __future__ import annotations

import builtins
import collections
import math
import sys
from collections.abc import Iterator
from typing import Any

_BUILTINS = """int float complex bool str bytes bytearray list tuple dict set frozenset range slice
object len sum abs min max sorted round any all divmod pow repr zip map filter enumerate reversed
print isinstance callable ord chr hash type"""
_TORCH = """abs add argmax argmin bmm cat ceil clamp cos cosh cross cumsum diag div dot einsum
eq exp eye flip floor ge gt isnan le linspace log log1p log2 logsumexp lt matmul max maximum mean
min minimum mm mul neg norm ones ones_like outer pow prod rand randn relu round rsqrt sigmoid sign
sin sinh softmax log_softmax sqrt stack std sub sum tan tanh tensor transpose tril triu var where
zeros zeros_like"""
_COLLECTIONS = ("Counter", "OrderedDict", "defaultdict", "deque")


def _of(name: str) -> Iterator[tuple[str, Any]]:
    """List the public names of a library that may go over."""
    module = sys.modules.get(name)
    space = dict(vars(module)) if module is not None else {}
    if name == "builtins":
        yield from ((key, getattr(builtins, key)) for key in _BUILTINS.split())
        for key, value in space.items():
            if isinstance(value, type) and issubclass(value, BaseException):
                yield key, value
    elif name == "collections":
        yield from ((key, getattr(collections, key)) for key in _COLLECTIONS)
    elif name == "dataclasses":
        yield from (
            (key, space[key]) for key in ("MISSING", "_FIELD", "_FIELD_CLASSVAR", "KW_ONLY")
        )
    elif name == "math":
        yield from ((key, value) for key, value in vars(math).items() if callable(value))
    elif name == "numpy" and "ufunc" in space:
        numeric = frozenset(_NUMPY.split())
        for key, value in space.items():
            scalar = isinstance(value, type) and issubclass(value, (space["generic"],))
            if type(value) is space["ufunc"] or scalar or key in numeric:
                yield key, value
    elif name == "torch":
        yield from ((key, space[key]) for key in _TORCH.split() if key in space)
    elif name == "torch.nn.functional":
        for key, value in space.items():
            own = getattr(value, "__module__", None) in ("torch.nn.functional", None)
            if key[0] != "_" and own and type(value) in (type(_of), type(len)):
                yield key, value
    elif name in ("torch.nn", "torch.optim"):
        base = space.get("Module") or space.get("Optimizer")
        for key, value in space.items():
            if base is not None and isinstance(value, type) and issubclass(value, base):
                yield key, value


_NUMPY = """sum mean std var median prod cumsum cumprod dot inner outer matmul einsum array asarray
zeros ones empty eye identity linspace arange argmax argmin argsort sort max min amax amin clip
where concatenate stack hstack vstack reshape transpose ravel round all any allclose
array_equal ndarray"""
_TORCHES = ("torch.nn.functional", "torch", "torch.nn", "torch.optim")
_MODULES = ("builtins", "collections", "dataclasses", "math", "numpy", *_TORCHES)
_BY_NAME: dict[tuple[str, str], Any] = {}
_BY_ID: dict[int, tuple[str, str]] = {}
_READ: set[str] = set()


def _read_all() -> None:
    for name in _MODULES:
        if name not in _READ and name in sys.modules:
            _READ.add(name)
            for key, value in _of(name):
                _BY_NAME[name, key] = value
                _BY_ID.setdefault(id(value), (name, key))


def name_of(value: Any) -> tuple[str, str] | None:
    """Return the module and the name under which a library's object may go over."""
    _read_all()
    found = _BY_ID.get(id(value))
    return found if found is not None and _BY_NAME[found] is value else None


def by_name(module: str, name: str) -> Any:
    """Return the library's object of this name; KeyError if it may not go over."""
    _read_all()
    return _BY_NAME[module, name]
