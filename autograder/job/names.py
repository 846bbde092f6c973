"""The globals of test cells."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Mapping
from typing import Any

from autograder.job.handles import HandleType

_HOOKS = ("load_tests", "setUpModule", "tearDownModule")  # unittest would let these decide


class Names(dict[str, Any]):
    """The globals of test cells; what they lack is imported as in the source, or the student's."""

    def __init__(self, checker: Any, imports: Mapping[str, str]) -> None:
        super().__init__(__builtins__=builtins, __name__="__main__")
        self._checker = checker
        self._imports = dict(imports)
        self.shadows: frozenset[str] = frozenset()  # builtins that the source defines anew
        self.deleted: set[str] = set()
        self.known: dict[str, Any] = checker.known  # stand-ins for the student's objects, by name

    def __missing__(self, name: str) -> Any:
        if type(name) is not str or name.startswith("__") and name.endswith("__"):
            raise KeyError(name)
        if name in self.deleted:
            raise KeyError(name)
        if name in self.known:
            return self.known[name]
        statement = self._imports.get(name)
        if statement is not None:
            scratch: dict[str, Any] = {"__name__": "__main__"}
            try:
                exec(statement, scratch)
                value = self[name] = scratch[name]
                return value
            except (ImportError, KeyError):  # a module of the student's own
                pass
        if hasattr(builtins, name) and name not in self.shadows:
            raise KeyError(name)
        if keyword.iskeyword(name) or name in _HOOKS:  # IPython looks for everything
            raise KeyError(name)
        found = self._checker.request("name", name)
        if type(found) is not tuple or len(found) != 1:
            raise KeyError(name)
        if isinstance(type(found[0]), HandleType) or isinstance(found[0], HandleType):
            self.known[name] = found[0]  # until the student's process says that it is outdated
        return found[0]

    def __delitem__(self, name: str) -> None:
        """Delete a name of the test's; a student's can no longer be seen from here."""
        if super().__contains__(name) or name not in self:
            super().__delitem__(name)
        else:
            self.deleted.add(name)

    def rebind(self, name: str) -> None:
        """Let go of a value: in the source, a cell of the student's has bound the name since."""
        self.deleted.discard(name)
        self.pop(name, None)

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name) or name in self._imports:
            return True
        if (
            type(name) is not str
            or name in self.deleted
            or name.startswith("_")
            or hasattr(builtins, name)
        ):
            return False
        return self._checker.request("named", name) is True

    def get(self, name: str, default: Any = None) -> Any:
        """Return a name's value as dict does, the student's if there is no other."""
        try:
            return self[name]
        except KeyError:
            return default
