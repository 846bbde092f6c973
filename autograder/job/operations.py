"""What one process can ask of an object in the other: special methods, attributes, conversions."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any


def _as_array(value: Any, *args: Any) -> Any:
    import numpy as np

    array = np.asarray(value, *args)
    if array.dtype.hasobject:
        raise TypeError(f"no array can be made of a {type(value).__name__}")
    return array


def _exit(value: Any, error: BaseException | None) -> Any:
    kind = None if error is None else type(error)
    return type(value).__exit__(value, kind, error, None if error is None else error.__traceback__)


def _signature(value: Any) -> tuple[list[tuple[str, int, bool, Any, bool, Any]], Any]:
    empty = inspect.Parameter.empty
    signature = inspect.signature(value)
    result = signature.return_annotation
    return [
        (p.name, int(p.kind), p.default is not empty, None if p.default is empty else p.default,
         p.annotation is not empty, None if p.annotation is empty else p.annotation)
        for p in signature.parameters.values()
    ], () if result is empty else (result,)  # fmt: skip


def _copy(value: Any, deep: bool) -> Any:
    import copy

    return copy.deepcopy(value) if deep else copy.copy(value)


_BINARY = "add sub mul truediv floordiv mod pow lshift rshift and or xor matmul"
_UNARY = "neg pos abs invert"
_VALUE: dict[str, Callable[..., Any]] = {
    "len": len,
    "float": float,
    "int": int,
    "complex": complex,
    "index": operator.index,
}
_VALUE |= {"iter": iter, "next": next, "reversed": reversed, "round": round}

# Special methods that a stand-in has if the class has them, with what the other side does for each.
SPECIAL: dict[str, Callable[..., Any]] = {
    "__call__": lambda value, /, *args, **kwargs: value(*args, **kwargs),
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__contains__": lambda value, item: item in value,
    "__enter__": lambda value: type(value).__enter__(value),
    "__exit__": _exit,
    "__divmod__": divmod,
    "__missing__": lambda value, key: value[key],
    "__length_hint__": operator.length_hint,
    "__bytes__": bytes,
    **{f"__{name}__": function for name, function in _VALUE.items()},
}
for _name in _UNARY.split():
    SPECIAL[f"__{_name}__"] = getattr(operator, f"__{_name}__")
for _name in _BINARY.split():
    _forward = getattr(operator, f"__{_name}__")
    SPECIAL[f"__{_name}__"] = _forward
    SPECIAL[f"__r{_name}__"] = lambda value, other, _forward=_forward: _forward(other, value)
    if _name != "divmod":
        SPECIAL[f"__i{_name}__"] = getattr(operator, f"__i{_name}__")

# Operations that tell an object something else, which it may judge as it likes.
WITH_ANOTHER = {"__contains__", "__divmod__"}
WITH_ANOTHER |= {f"__{side}{name}__" for name in _BINARY.split() for side in ("", "r", "i")}

COMPARING: dict[str, Callable[..., Any]] = {
    **{f"__{name}__": getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    "__bool__": bool,
    "__hash__": hash,
}

ALWAYS: dict[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "repr": lambda value: str(repr(value))[:10_000],
    "str": lambda value: str(value),
    "format": lambda value, spec: format(value, spec),
    "dir": lambda value: [name for name in dir(value) if type(name) is str],
    "array": _as_array,
    "copy": _copy,
    "signature": _signature,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "source": lambda value: inspect.getsource(value),
}
OPERATIONS = ALWAYS | SPECIAL | COMPARING

NAMES = sorted(SPECIAL | COMPARING)


def specials_of(kind: type) -> list[int]:
    """List the special methods of a class, as numbers."""
    mro = type.__dict__["__mro__"].__get__(kind)
    found = []
    for index, name in enumerate(NAMES):
        for base in mro if name not in COMPARING else mro[:-1]:
            if name in vars(base):
                if vars(base)[name] is not None:
                    found.append(index)
                break
    return found
