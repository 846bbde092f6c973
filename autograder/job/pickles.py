"""Copies of a library's objects, from the checker to the student's process and never back."""

from __future__ import annotations

import io
import pickle
import sys
import types
from typing import Any

from autograder.job import gradients
from autograder.job.handles import HandleType

_KEEP_HERE = (types.MethodType, types.GeneratorType, types.CoroutineType, types.MethodWrapperType)


def stays(value: Any) -> bool:
    """Tell whether an object of the checker's must not be copied: its state is what matters."""
    kind = type(value)
    if kind is gradients.Graph:
        return True
    if isinstance(value, types.FunctionType):
        return value.__module__ == "__main__" or value.__name__ == "<lambda>"
    if kind is types.BuiltinFunctionType:  # a method of an object, or a library's function
        return not isinstance(value.__self__, (types.ModuleType, type(None)))
    if kind is types.SimpleNamespace:
        return True
    if kind in _KEEP_HERE or hasattr(kind, "__next__") or issubclass(kind, io.IOBase):
        return True
    return getattr(kind, "__module__", "__main__") == "__main__"


_ALONE = ("logging.", "matplotlib.", "torch.optim.")


def kept_here(value: Any) -> bool:
    """Tell whether a copy of a library's object would be no use: what is done to it would be lost.

    Colours, markers and the like of matplotlib are values.
    """
    kind = type(value)
    name = getattr(kind, "__module__", "") + "."
    return name.startswith(_ALONE) and hasattr(value, "__dict__")


class Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, root: Any, extras: list[Any]) -> None:
        super().__init__(file, protocol=5)
        self.root, self.extras = root, extras

    def persistent_id(self, value: Any) -> int | None:
        """Keep out of the pickle what the codec shares: arrays, tensors, objects of either side."""
        kind = type(value)
        if value is not self.root and self._apart(value, kind):
            self.extras.append(value)
            return len(self.extras) - 1
        return None

    def _apart(self, value: Any, kind: type) -> bool:
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None and kind is numpy.ndarray:
            return True
        if torch is not None and isinstance(value, torch.Tensor):
            return True
        if isinstance(value, type):
            return isinstance(value, HandleType) or value.__module__ == "__main__"
        if isinstance(value, (types.FunctionType, types.MethodType)):
            return stays(value)
        return isinstance(kind, HandleType) or kind.__module__ != "builtins" and stays(value)


class Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, extras: list[Any]) -> None:
        super().__init__(file)
        self.extras = extras

    def persistent_load(self, pid: Any) -> Any:
        """Return an object that came beside the pickle."""
        return self.extras[pid]
