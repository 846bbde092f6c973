"""Generators of random numbers: their state travels, so that a draw on one side counts on both."""

from __future__ import annotations

import random
import sys
from typing import Any

from autograder.job.arrays import module
from autograder.job.codec import FINDERS, KINDS, READERS, CodecError, Decoder, Encoder, Kind


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


KINDS[random.Random] = Kind(_put_rng, shared=True)
FINDERS.insert(0, _find_rng)
READERS[ord("G")] = _get_rng
