"""Stand-ins for what only the other process has: objects, functions and classes.

For every class of the other side there is a local class with the same name and the same special
methods, and for each of its objects an instance of it. So `isinstance`, `callable`, `len` and
`type(x).__name__` say what they would say of the object itself; all else is asked over there.
An object that a test compares, or calculates with, could say yes to every question: where that is
not what the reference answer is asked for too, it raises (`judges`).
"""

from __future__ import annotations

import abc
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from autograder.job.operations import COMPARING, NAMES, WITH_ANOTHER

Request = Callable[..., Any]  # request(operation, *args, **kwargs) -> value


# Names that a stand-in answers itself, and names that it never has: what display and conversion
# code probes for.
_LOCAL = {
    "__array__",
    "__array_priority__",
    "__deepcopy__",
    "__copy__",
    "__reduce_ex__",
    "__reduce__",
}
_LOCAL |= {"_id_", "_link_", "__init_subclass__", "__subclasshook__", "__await__"}
_NEVER = ("__array_", "__torch_", "__cuda_", "__dlpack", "_repr_", "_ipython_", "__buffer__")
_CLASS_LOCAL = {
    "__mro__", "__name__", "__dict__", "__bases__", "__class__", "__module__", "__qualname__",
    "__abstractmethods__", "__doc__", "__subclasshook__", "_link_", "_number_", "_identity_",
    "__instancecheck__", "__subclasscheck__", "__flags__", "__weakref__", "__basicsize__",
    "__subclasses__", "__base__", "mro", "__new__", "_facade_", "__mro_entries__",
    "__prepare__", "__init_subclass__", "__reduce_ex__", "__reduce__", "__hash__", "_shown_",
    "__array_priority__", "__call__" , "__eq__", "__ne__",
}  # fmt: skip


class HandleType(abc.ABCMeta):
    """A class of the other side."""

    _link_: Any
    _number_: int
    _identity_: bool
    _facade_: type | None
    _shown_: str

    @classmethod
    def __prepare__(metacls, name: str, bases: tuple[type, ...], /, **kwargs: Any) -> Any:
        """Refuse a class statement; stand-ins are made without one."""
        if bases:
            raise TypeError(
                f"a test cannot derive {name} from a class of the student's code: its methods are "
                "in another process; hand in an object with the methods that are needed"
            )
        return {}

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._link_.request("__call__", cls, *args, **kwargs)

    def __getattribute__(cls, name: str) -> Any:
        if name in _CLASS_LOCAL or name.startswith("_abc_"):
            return super().__getattribute__(name)
        if name.startswith(_NEVER):
            raise AttributeError(name)
        link = super().__getattribute__("_link_")
        if name == "__signature__":
            return signature_from(link.request("signature", cls))
        value = link.request("getattr", cls, name)
        if name in value_methods() and callable(value):
            link.judge(name, cls)
        return value

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in _CLASS_LOCAL or name.startswith("_abc_"):
            super().__setattr__(name, value)
        else:
            cls._link_.request("setattr", cls, name, value)

    def __instancecheck__(cls, value: Any) -> bool:
        kind = type(value)
        if cls in type.__dict__["__mro__"].__get__(kind):
            return True
        if isinstance(kind, HandleType) or kind.__module__ == "builtins" and kind in _PLAIN:
            return False
        return cls._link_.request("isinstance", value, cls) is True

    def __subclasscheck__(cls, kind: type) -> bool:
        return cls in type.__dict__["__mro__"].__get__(kind)

    def __iter__(cls) -> Any:  # members of an Enum
        return iter(cls._link_.request("__iter__", cls))

    def __getitem__(cls, key: Any) -> Any:
        return cls._link_.request("__getitem__", cls, key)

    def __len__(cls) -> int:
        return int(cls._link_.request("__len__", cls))

    def __contains__(cls, item: Any) -> bool:
        cls._link_.judge("__contains__", cls)
        return cls._link_.request("__contains__", cls, item) is True

    def __bool__(cls) -> bool:
        return True

    def __repr__(cls) -> str:
        return f"<class {cls._shown_!r}>"


_PLAIN = (int, float, bool, str, bytes, complex, type(None), types.FunctionType, type)


class Handle(metaclass=HandleType):
    """An object of the other side."""

    __slots__ = ("__weakref__", "_id_")
    _id_: int
    _link_: Any = None
    _number_ = -1
    _identity_ = False
    _facade_: type | None = None
    _shown_ = "object"
    __array_priority__ = 1e6  # let array * handle ask the handle

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Do nothing: a library's own hook must not run for a stand-in."""

    def __getattribute__(self, name: str) -> Any:
        kind = type(self)
        if name in _LOCAL:
            return object.__getattribute__(self, name)
        if name == "__class__":
            return kind._facade_ or kind
        if name.startswith(_NEVER):
            raise AttributeError(f"{kind._shown_!r} has no attribute {name!r}")
        if name == "__signature__":
            return signature_from(kind._link_.request("signature", self))
        value = kind._link_.request("getattr", self, name)
        if name in value_methods() and callable(value):
            kind._link_.judge(name, self)
        return value

    def __getattr__(self, name: str) -> Any:  # or a library's own would be tried next
        raise AttributeError(f"{type(self)._shown_!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        type(self)._link_.request("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        type(self)._link_.request("delattr", self, name)

    def __repr__(self) -> str:
        return str(type(self)._link_.request("repr", self))

    def __str__(self) -> str:
        return str(type(self)._link_.request("str", self))

    def __format__(self, spec: str) -> str:
        return str(type(self)._link_.request("format", self, spec))

    def __dir__(self) -> Iterable[str]:
        return list(type(self)._link_.request("dir", self))

    def __hash__(self) -> int:
        return id(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return type(self)._link_.request("array", self, *([] if dtype is None else [dtype]))

    def __copy__(self) -> Any:
        return type(self)._link_.request("copy", self, False)

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self)._link_.request("copy", self, True)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"a {type(self)._shown_} of the student's cannot be pickled")

    def __bool__(self) -> bool:
        kind = type(self)
        if kind._identity_ or not _defines(kind, "__len__"):
            return True
        kind._link_.judge("__bool__", self)
        return len(self) > 0

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return not self == other  # as Python does where a class has only __eq__


def _defines(kind: type, name: str) -> bool:
    return any(name in vars(base) for base in kind.__mro__)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(self)
        if name in COMPARING:
            if kind._identity_ or (args and args[0] is None):
                return _IDENTITY[name](self, *args)
            kind._link_.judge(name, self)
        elif name in WITH_ANOTHER and not isinstance(type(args[0]), HandleType):
            kind._link_.judge(name, self)  # it is told a value of the test's
        elif name == "__exit__":
            args = (args[1],)  # a class and a traceback stay here
        value = kind._link_.request(name, self, *args, **kwargs)
        return self if value is self else value

    method.__name__ = method.__qualname__ = name
    return method


_IDENTITY: dict[str, Callable[..., Any]] = {
    "__eq__": lambda self, other: self is other,
    "__ne__": lambda self, other: self is not other,
    "__bool__": lambda self: True,
    "__hash__": id,
    **dict.fromkeys(("__lt__", "__le__", "__gt__", "__ge__"), lambda self, other: NotImplemented),
}
METHODS = {name: _method(name) for name in NAMES}  # what a stand-in's class may have


_VALUES = {
    "numpy": ("ndarray", "generic"),
    "torch": ("Tensor",),
    "pandas": ("DataFrame", "Series", "Index"),
    "fractions": ("Fraction",),
    "decimal": ("Decimal",),
    "datetime": ("date", "time", "timedelta"),
}


def value_types() -> tuple[type, ...]:
    """List the types that no stand-in may say it is an instance of: those that go over by value."""
    return _value_types(tuple(name for name in _VALUES if name in sys.modules))


@functools.cache
def _value_types(libraries: tuple[str, ...]) -> tuple[type, ...]:
    found: list[type] = [int, float, complex, str, bytes, bytearray]
    for library in libraries:
        module = sys.modules[library]
        found += [getattr(module, name) for name in _VALUES[library] if hasattr(module, name)]
    return tuple(found)


def value_methods() -> frozenset[str]:
    """List what values can be asked: an object that is none may answer as it likes."""
    return _methods_of(value_types())


def like_a_method(name: str, value: Any) -> bool:
    """Tell whether something of the student's, by this name, would pass for a value's method."""
    theirs = isinstance(value, HandleType) or isinstance(type(value), HandleType)
    return theirs and name in value_methods()


@functools.cache
def _methods_of(kinds: tuple[type, ...]) -> frozenset[str]:
    return frozenset(
        name
        for kind in (*kinds, list, tuple, dict, set)
        for name in dir(kind)
        if name[0] != "_" and callable(getattr(kind, name, None))
    )


def make_handle(kind: type, number: int) -> Any:
    """Make the local object that stands for an object of the other side."""
    made: Any = object.__new__(kind)
    object.__setattr__(made, "_id_", number)
    return made


def handle_number(value: Any) -> int:
    """Return the number of the object that a stand-in stands for."""
    number: int = object.__getattribute__(value, "_id_")
    return number


def signature_from(parts: Any) -> inspect.Signature:
    """Build a signature from what the other side says it is."""
    empty = inspect.Parameter.empty
    try:
        rows, result = parts
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=default if has_default else empty,
                    annotation=annotation if annotated else empty,
                )
                for name, kind, has_default, default, annotated, annotation in rows
            ],
            return_annotation=result[0] if result else empty,
        )
    except (TypeError, ValueError) as error:
        raise TypeError(f"not a signature: {error}") from None


_getsource = inspect.getsource


def _source_of(value: Any) -> str:
    kind = value if isinstance(value, HandleType) else type(value)
    if isinstance(kind, HandleType):
        return str(kind._link_.request("source", value))
    return _getsource(value)


def find_sources() -> None:
    """Let inspect.getsource ask the other side for the text of its functions."""
    setattr(inspect, "getsource", _source_of)  # noqa: B010 - the stub allows no other function
