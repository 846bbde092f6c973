"""What a process has one of, shared as if two were one: random states, modes, printing."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import importlib
import io
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from autograder.job.classes import library_class
from autograder.job.codec import CodecError
from autograder.job.generators import set_state, state_of

MAX_TEXT = 1 << 20  # characters that one call may print


class _NumPy:
    """The global state of numpy.random, looked at where it lies: NumPy's own copy is slow."""

    def __init__(self) -> None:
        self.rng = sys.modules["numpy.random"].mtrand._rand
        self.bits = self.rng._bit_generator
        self.view: Any = None
        self.gauss = True  # a cached normal draw changes nothing that the view shows
        if type(self.bits).__name__ == "MT19937":
            address = self.bits.ctypes.state_address
            self.view = (ctypes.c_ubyte * 2500).from_address(address)

    def digest(self) -> int:
        if self.view is None or self.gauss or self.rng._bit_generator is not self.bits:
            state = self.get()
            self.gauss = bool(state.get("has_gauss"))
            if self.gauss:
                return hash(str(state["gauss"]) + str(hash(bytes(self.view or b""))))
        return hash(bytes(self.view)) if self.view is not None else hash(str(self.get()))

    def get(self) -> Any:
        return state_of(self.rng)

    def set(self, state: Any) -> None:
        set_state(self.rng, state)
        self.gauss = True


class _Python:
    """The state of the random module; where CPython keeps it, for getstate() makes 625 numbers."""

    def __init__(self) -> None:
        self.rng: Any = getattr(random, "_inst", None)
        self.view: Any = None
        if type(self.rng) is random.Random and sys.implementation.name == "cpython":
            begin = object.__basicsize__  # then an index and 624 words, as in _randommodule.c
            if random.Random.__mro__[1].__basicsize__ - begin in (2500, 2504):
                self.view = (ctypes.c_ubyte * 2500).from_address(id(self.rng) + begin)

    def digest(self) -> int:
        if self.view is None:
            return hash(random.getstate())
        return hash((bytes(self.view), self.rng.gauss_next))

    def get(self) -> Any:
        return random.getstate()

    def set(self, state: Any) -> None:
        random.setstate(state)


class _Torch:
    def digest(self) -> int:
        return hash(sys.modules["torch"].get_rng_state().numpy().tobytes())

    def get(self) -> Any:
        return state_of(sys.modules["torch"].default_generator)

    def set(self, state: Any) -> None:
        set_state(sys.modules["torch"].default_generator, state)


_KINDS: dict[str, Any] = {"random": _Python, "numpy.random": _NumPy, "torch": _Torch}


class Randomness:
    """The global random states, and which of them have moved since the last message."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.digests: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Look at the states of what has been imported since."""
        for name, kind in _KINDS.items():
            if name not in self.states and name in sys.modules:
                with contextlib.suppress(AttributeError, KeyError):  # half imported
                    self.states[name] = kind()
                    self.digests[name] = 0  # not known to the other side yet

    def moved(self) -> dict[str, Any]:
        """Return the states that have changed since the last message."""
        if len(self.states) < len(_KINDS):
            self.begin()
        found = {}
        for name, state in self.states.items():
            digest = state.digest()
            if digest != self.digests[name]:
                self.digests[name] = digest
                found[name] = state.get()
        return found

    def follow(self, states: Any) -> None:
        """Take over states that the other side sent."""
        if type(states) is not dict:
            raise CodecError("no random states")
        for name, state in states.items():
            if name not in _KINDS:
                raise CodecError("no random states")
            if name not in self.states:
                importlib.import_module(name)  # NumPy imports this part of it when first used
                self.begin()
            self.states[name].set(state)
            self.digests[name] = self.states[name].digest()


_PLAIN_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_FILTERS: tuple[Any, ...] = ("always", "error", "ignore", "default")


def modes() -> dict[str, Any] | None:
    """Return the modes that the caller has chosen: gradients, dtype, NumPy's errors, warnings."""
    found: dict[str, Any] = {}
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and hasattr(torch, "is_grad_enabled"):
        if not torch.is_grad_enabled():
            found["grad"] = False
        if torch.get_default_dtype() is torch.float64:
            found["float64"] = True
    if numpy is not None and hasattr(numpy, "geterr") and numpy.geterr() != _PLAIN_ERRORS:
        found["errors"] = numpy.geterr()
    first = warnings.filters[0] if warnings.filters else None
    if first is not None and first[1] is None and first[3] is None and first[4] == 0:
        # what simplefilter() sets, as assertWarns does
        category: Any = first[2]
        found["warnings"] = (first[0], category.__module__, category.__qualname__)
    if asks_anew():
        found["input"] = True
    return found or None


def asks_anew() -> bool:
    """Tell whether a test has put something in the place of input() or of its standard input."""
    ours = ("builtins", "autograder.job.cells")
    replaced = getattr(builtins.input, "__module__", None) not in ours
    return replaced or isinstance(sys.stdin, io.StringIO)


def in_modes(
    wanted: Any, ask: Callable[[object], str]
) -> contextlib.AbstractContextManager[list[Any]]:
    """Run in the modes that the caller has; gives the list of warnings to be passed on.

    `ask` stands in for input() if the caller has replaced it.
    """
    return _in_modes(wanted, ask) if wanted else contextlib.nullcontext([])


@contextlib.contextmanager
def _in_modes(wanted: Any, ask: Callable[[object], str]) -> Iterator[list[Any]]:
    with contextlib.ExitStack() as stack:
        torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
        if torch is not None:
            if wanted.get("grad") is False:
                stack.enter_context(torch.no_grad())
            if wanted.get("float64"):
                before = torch.get_default_dtype()
                torch.set_default_dtype(torch.float64)
                stack.callback(torch.set_default_dtype, before)
        if numpy is not None and "errors" in wanted:
            stack.enter_context(numpy.errstate(**wanted["errors"]))
        if wanted.get("input"):
            stack.callback(setattr, builtins, "input", builtins.input)
            setattr(builtins, "input", ask)  # noqa: B010 - the stub's type is narrower
        log: list[Any] | None = None
        action, module, name = wanted.get("warnings") or ("", "", "")
        if action in _FILTERS:
            log = stack.enter_context(warnings.catch_warnings(record=True))
            chosen: Any = action
            warnings.simplefilter(chosen, library_class(module, name) or Warning)
        yield log if log is not None else []


class Printed(io.StringIO):
    """Standard output while a call from the other side runs: kept, bounded and sent back."""

    room = MAX_TEXT

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        kept = str(text)[: max(0, self.room)]
        self.room -= len(kept)
        super().write(kept)
        return len(text)

    def take(self) -> str:
        """Return what was printed and begin anew."""
        text = self.getvalue()
        if text:
            self.seek(0)
            self.truncate()
        return text
