"""Which class stands for a class of the other side, and which of a library's it is one of."""

from __future__ import annotations

import enum
import sys
import types
from collections.abc import Iterable
from typing import Any

from autograder.job.codec import CodecError
from autograder.job.handles import METHODS, Handle, HandleType, make_handle

# Classes that a stand-in may say it is an instance of, though it cannot inherit from them.
FACADES: dict[tuple[str, str], type] = {
    ("builtins", str(kind.__name__)): kind
    for kind in (types.FunctionType, types.GeneratorType, types.MethodType, types.ModuleType,
                 types.BuiltinFunctionType, types.CodeType, types.CoroutineType)
}  # fmt: skip
_BY_IDENTITY = (
    types.CodeType,
    types.GeneratorType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
)


def by_identity(kind: type) -> bool:
    """Tell whether objects of a class are equal only if they are the same."""
    return issubclass(kind, (*_BY_IDENTITY, enum.Enum))


def library_class(module: str, qualname: str) -> type | None:
    """Return a class that is already imported here from a library, by its own name; else None."""
    if module.partition(".")[0] in ("__main__", "autograder"):
        return None
    place: Any = sys.modules.get(module)
    if not isinstance(place, types.ModuleType):
        return None
    for part in qualname.split("."):
        space = vars(place) if isinstance(place, (types.ModuleType, type)) else {}
        place = space.get(part)
    if not isinstance(place, type) or isinstance(place, HandleType):
        return None
    same = place.__module__ == module and place.__qualname__ == qualname
    return place if same else None


BUILT_IN = frozenset(FACADES.values())


def is_own(kind: type) -> bool:
    """Tell whether a class is a notebook's own, not to be found by its name in a library."""
    if isinstance(kind, HandleType) or kind in BUILT_IN:
        return False
    return library_class(plain_text(kind.__module__), plain_text(kind.__qualname__)) is not kind


def plain_text(value: Any) -> str:
    """Return a string as it is, whatever its class does; anything else is empty."""
    return str.__str__(value) if isinstance(value, str) else ""


def make_class(
    link: Any,
    number: int,
    names: tuple[str, str, str],
    doc: str,
    specials: Iterable[str],
    own: tuple[type, ...],
    library: Iterable[type],
    identity: bool,
    facade: type | None,
) -> type:
    """Make the local class that stands for a class of the other side."""
    name, module, qualname = names
    space: dict[str, Any] = {
        "__slots__": (), "_link_": link, "_number_": number, "_identity_": identity,
        "_facade_": facade, "_shown_": name, "__module__": module, "__qualname__": qualname,
        "__doc__": doc or None,
    }  # fmt: skip
    space.update({special: METHODS[special] for special in specials})
    bases = own or (Handle,)
    for extra in (*[(*bases, base) for base in library if can_inherit(base)], bases):
        try:
            made = HandleType.__new__(HandleType, name, extra, dict(space))
            type.__setattr__(made, "__abstractmethods__", frozenset())
            make_handle(made, number)
            return made
        except TypeError:  # another memory layout or another metaclass: do without this base
            continue
    raise CodecError(f"no class can stand for {name}")


def can_inherit(base: type) -> bool:
    """Tell whether a class is plain Python: C code would look for its own memory in a stand-in."""
    for kind in base.__mro__[:-1]:
        space = vars(kind)
        if not kind.__flags__ & _HEAP_TYPE or "__del__" in space:
            return False
        if any(isinstance(value, _OF_C) for value in space.values()):
            return False
    return True


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_OF_C = (types.MethodDescriptorType, types.WrapperDescriptorType, types.MemberDescriptorType)
