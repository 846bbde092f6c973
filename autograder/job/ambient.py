"""What a process has one of, shared as if two were one: random states, modes, printing."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import random
import sys
from collections.abc import Iterator
from typing import Any

from autograder.job.arrays import set_state, state_of
from autograder.job.codec import CodecError

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
    def digest(self) -> int:
        return hash(random.getstate())

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


def modes() -> int:
    """Return PyTorch's modes as a small number: gradients on or off, the default dtype."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "is_grad_enabled"):
        return 1
    return int(torch.is_grad_enabled()) + 2 * (torch.get_default_dtype() is torch.float64)


@contextlib.contextmanager
def in_modes(number: int) -> Iterator[None]:
    """Run in the modes that the caller has."""
    torch = sys.modules.get("torch")
    before = modes()
    if torch is None or number == before:
        yield
        return
    try:
        _set_modes(torch, number)
        yield
    finally:
        _set_modes(torch, before)


def _set_modes(torch: Any, number: int) -> None:
    torch.set_grad_enabled(bool(number & 1))
    torch.set_default_dtype(torch.float64 if number & 2 else torch.float32)


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
