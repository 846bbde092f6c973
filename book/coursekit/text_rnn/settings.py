"""The fields of TRNNConfig in TOML and as flags: one list of names, taken from the class itself."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seqmodels.text_rnn import TRNNConfig

MAX_BYTES = 2**20  # of a configuration file
# where a plain run differs from the class, whose defaults are the sources': named in the output
OURS: dict[str, Any] = {"patience": 3}
# what changes no weight, so that a run may go on with another value
FREE = ("print_per_batch", "save_per_batch")


class UsageError(ValueError):
    """A call that cannot be carried out: one line that says what to do."""


def fields() -> dict[str, type]:
    """Return the name of each field of TRNNConfig and its type: bool, int, float or str."""
    hints = typing.get_type_hints(TRNNConfig)
    found = {f.name: hints[f.name] for f in dataclasses.fields(TRNNConfig)}
    return {name: kind if kind in (bool, int, float) else str for name, kind in found.items()}


def nearest(name: str, names: Iterable[str]) -> str:
    """Return "; did you mean X?" for the name most like this one, "" if none is."""
    found = difflib.get_close_matches(name, list(names), 1, 0.6)
    return f"; did you mean {found[0]}?" if found else ""


def check(name: str, value: Any, where: str) -> Any:
    """Return a value in the type of its field. Raises UsageError for another name or type."""
    kinds = fields()
    if name not in kinds:
        hint = nearest(name, kinds) or f"; there are {', '.join(kinds)}"
        raise UsageError(f"{where}: no field is called {name!r}{hint}")
    kind = kinds[name]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{where}: {name} must be {_A[kind]}; got {value!r:.60}")
    return value


_A = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the fields that a TOML file sets. Raises UsageError where it cannot be one."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is longer than {MAX_BYTES:,} bytes: no configuration")
    try:
        found = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML
        raise UsageError(f"{path} is no TOML file: {str(error) or 'nested too deep'}") from error
    return {name: check(name, value, str(path)) for name, value in found.items()}


def flag(name: str) -> str:
    """Return the flag of a field: hidden_dim is --hidden-dim."""
    return "--" + name.replace("_", "-")


ABOUT = {
    "embedding_dim": "numbers for each token",
    "seq_length": "tokens read of a text; longer ones are cut",
    "num_classes": "labels; default: as many as the data have",
    "vocab_size": "tokens known, padding and unknown included",
    "num_layers": "recurrent layers",
    "hidden_dim": "units of a layer, in each direction",
    "rnn": "gru or lstm",
    "dropout_keep_prob": "share that dropout keeps; 1 is no dropout",
    "learning_rate": "of Adam",
    "batch_size": "texts in a batch",
    "num_epochs": "times through the training texts, at most; more for few texts",
    "print_per_batch": "batches between two lines of progress",
    "save_per_batch": "batches between two checkpoints and points for TensorBoard",
    "bidirectional": "read in both directions",
    "pooling": "how the states of all steps become one",
    "pad_side": "where padding stands: before or after",
    "truncate_side": "what a long text loses: what comes before or after",
    "packed": "compute no step of padding",
    "hidden_layer": "units of a dense layer before the softmax; 0 is none",
    "clip_norm": "largest norm of the gradient",
    "patience": "epochs without a better validation score until it stops; 0 never",
    "seed": "of the first run",
}


def add_flags(parser: argparse._ArgumentGroup) -> None:
    """Give a parser one flag for each field; what is not given stays out of the namespace."""
    default = TRNNConfig()
    for name, kind in fields().items():
        value = OURS.get(name, getattr(default, name))
        about = ABOUT.get(name, name)
        if name != "num_classes":
            about += f" ({str(value).lower() if kind is bool else value})"
        options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": about}
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options |= {"type": kind, "metavar": {int: "N", float: "X", str: "NAME"}[kind]}
        parser.add_argument(flag(name), **options)


def make(*layers: Mapping[str, Any]) -> TRNNConfig:
    """Return the configuration of OURS and each layer over it. Raises UsageError if it is none."""
    values = dict(OURS)
    for layer in layers:
        values |= layer
    try:
        return TRNNConfig(**values)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the configuration: {error}") from error


def as_dict(config: TRNNConfig) -> dict[str, Any]:
    """Return the fields and their values."""
    return {name: getattr(config, name) for name in fields()}


def to_toml(config: TRNNConfig, about: str) -> str:
    """Return a configuration as TOML, after a comment."""
    rows = [f"{name} = {json.dumps(value)}" for name, value in as_dict(config).items()]
    return "\n".join([f"# {about}", *rows]).replace("Infinity", "inf") + "\n"
