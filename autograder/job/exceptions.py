"""Exceptions and warnings of one process, rebuilt in the other from a class that exists there."""

from __future__ import annotations

import contextlib
import types
from typing import Any

from autograder.job.classes import is_own, library_class, plain_text
from autograder.job.codec import Decoder, Encoder
from autograder.job.handles import like_a_method

_FRAMEWORKS = ("unittest", "_pytest", "pytest", "doctest", "IPython", "bdb", "pdb", "traitlets")
MAX_TEXT = 20_000


def allowed_exception(kind: type | None) -> bool:
    """Tell whether the other side may raise a library's exception: none that skips a test."""
    return (
        kind is not None
        and issubclass(kind, BaseException)
        and kind.__module__.partition(".")[0] not in _FRAMEWORKS
    )


def names_of(kind: type) -> list[tuple[str, str]]:
    """List a class and its ancestors by module and name."""
    mro = type.__dict__["__mro__"].__get__(kind)
    return [(plain_text(part.__module__), plain_text(part.__qualname__)) for part in mro[:-1]]


def put_names(out: Encoder, names: list[tuple[str, str]]) -> None:
    """Write what `names_of` lists."""
    out.tag(b"", len(names))
    for module, qualname in names:
        out.text(module)
        out.text(qualname)


def get_names(source: Decoder) -> list[tuple[str, str]]:
    return [(source.text(), source.text()) for _ in range(source.count())]


def warning_names(note: Any) -> tuple[list[tuple[str, str]], str]:
    """Return the category and the text of a recorded warning."""
    return names_of(note.category), safe_text(note.message)


def get_warning(source: Decoder) -> type[Warning]:
    """Read a category of warnings, the nearest that is a library's."""
    for kind in (library_class(*parts) for parts in get_names(source)):
        if kind is not None and issubclass(kind, Warning):
            return kind
    return UserWarning


def rebuild(
    kind: type[BaseException], args: tuple[Any, ...], text: str, attributes: dict[Any, Any]
) -> BaseException | None:
    try:
        if kind.__module__ == "builtins":
            error: BaseException = kind(*args)
        else:
            error = kind.__new__(kind, *args)
            error.args = args
        for name, value in attributes.items():
            if type(name) is not str or name.startswith("__") or like_a_method(name, value):
                continue
            slot = next((vars(k)[name] for k in type(error).__mro__ if name in vars(k)), None)
            if slot is None:
                error.__dict__[name] = value
            elif isinstance(slot, types.MemberDescriptorType):
                object.__setattr__(error, name, value)
        if kind.__module__ == "__main__":
            error.__dict__["_text"] = text
        str(error)
    except Exception:
        return None
    return error if isinstance(error, BaseException) else None


def mirror_text(self: BaseException) -> str:
    text = self.__dict__.get("_text")
    return text if type(text) is str else BaseException.__str__(self)


def attributes_of(error: BaseException) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        found.update(vars(error))
    if not is_own(type(error)) and type(error).__module__ != "builtins":
        for kind in type(error).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, types.MemberDescriptorType):
                    with contextlib.suppress(Exception):
                        found[name] = value.__get__(error)
    return {name: value for name, value in found.items() if name[:2] != "__" and name != "_text"}


def safe_text(value: Any) -> str:
    try:
        return plain_text(str(value))[:MAX_TEXT]
    except BaseException as error:
        return f"<no text: {type(error).__name__}>"
