"""What a student's code may do with an object that a test handed it.

The tests' functions can be called and their iterators advanced; of an object of a class that the
test defines, public attributes and methods can be used. Nothing leads on to a frame, a module, a
global or a private name.
"""

from __future__ import annotations

import io
import sys
import types
from typing import Any

from autograder.job.handles import HandleType
from autograder.job.operations import ALWAYS

_STREAMS = (io.StringIO, io.BytesIO)
_CALLS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.BuiltinMethodType)
_VALUES = (int, float, complex, str, bytes, bool, type(None), list, tuple, dict, set)
_ITERATION = ("__next__", "__iter__", "__len__", "__length_hint__")
_NAMES = ("__name__", "__doc__", "__qualname__")


def of_test(kind: type) -> bool:
    """Tell whether a class was defined by a test or a helper cell."""
    return getattr(kind, "__module__", None) == "__main__" and not isinstance(kind, HandleType)


def open_to_student(value: Any) -> bool:
    """Tell whether public attributes of an object may be used from over there."""
    kind = type(value)
    if isinstance(value, type):
        return of_test(value)
    return of_test(kind) or kind in (*_STREAMS, types.SimpleNamespace)


def permit(operation: str, args: list[Any]) -> None:
    """Raise TypeError unless the student's code may do this."""
    if not args:
        raise TypeError("nothing to work on")
    value = args[0]
    kind = type(value)
    if isinstance(kind, HandleType) or isinstance(value, HandleType):
        raise TypeError("this object is not the test's")
    if operation in ("getattr", "setattr", "delattr"):
        _permit_attribute(operation, args)
    elif operation in ("isinstance", "issubclass"):
        target = args[1] if len(args) == 2 else None
        if not (isinstance(target, type) and of_test(target)):
            raise TypeError("only classes of the test can be asked for")
    elif operation in ("repr", "str", "dir", "format"):
        if not open_to_student(value) or kind in _STREAMS:
            raise TypeError("an object of the test does not show itself")
    elif operation in ALWAYS:
        raise TypeError(f"{operation} is not possible on an object of the test")
    elif operation == "__call__":
        allowed = kind in _CALLS or open_to_student(value) or _is_mock(kind)
        if not (allowed or kind.__module__ == "functools"):
            raise TypeError("this object of the test cannot be called")
    elif operation not in _ITERATION and not open_to_student(value):
        raise TypeError(f"{operation} is not possible on this object of the test")


def _is_mock(kind: type) -> bool:
    mock = sys.modules.get("unittest.mock")
    return mock is not None and issubclass(kind, mock.NonCallableMock)


def _permit_attribute(operation: str, args: list[Any]) -> None:
    value = args[0]
    name = args[1] if len(args) > 1 else None
    if type(name) is not str or len(args) > 3 or (operation == "getattr" and len(args) > 2):
        raise TypeError("no name of an attribute")
    if operation == "getattr" and name in _NAMES and (callable(value)):
        return
    if name.startswith("_") or not open_to_student(value):
        raise AttributeError(f"an object of the test has no attribute {name!r} for other code")
    if operation != "getattr":
        if isinstance(value, type) or name not in getattr(value, "__dict__", ()):
            raise AttributeError(f"attribute {name!r} of an object of the test cannot be set")
        held = value.__dict__[name]
        if not (_is_stand_in(held) or isinstance(held, _VALUES) or _is_data(held)):
            raise AttributeError(f"attribute {name!r} of an object of the test cannot be set")


def _is_stand_in(held: Any) -> bool:
    return isinstance(type(held), HandleType)


def _is_data(held: Any) -> bool:
    return not callable(held) and (
        of_test(type(held)) or type(held).__module__ in ("numpy", "torch")
    )
