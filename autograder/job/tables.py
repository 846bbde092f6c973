"""Data frames, series and indexes of pandas, by value and in step, if pandas is imported at all.

A column goes over as an array, or as a list with the name of its type; nothing is pickled.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from autograder.job.arrays import module
from autograder.job.codec import FINDERS, READERS, CodecError, Decoder, Encoder, Kind

_TYPE_NAME = re.compile(r"[A-Za-z0-9_\[\]:, /+-]{1,60}\Z")
FRAME, SERIES, INDEX = b"fsi"


def _parts(values: Any) -> tuple[Any, ...]:
    """Take a column, or an index that is one, apart: the name of its type and its values."""
    pandas = module("pandas")
    kind = values.dtype
    if isinstance(kind, pandas.CategoricalDtype):
        categories = kind.categories.tolist()
        return "category", _plain_list(values), categories, bool(kind.ordered)
    if isinstance(kind, module("numpy").dtype) and kind.kind in "biufcmM":
        return "", values.to_numpy()
    return str(kind), _plain_list(values)


def _plain_list(values: Any) -> list[Any]:
    missing = module("pandas").NA
    return [None if value is missing else value for value in values.astype(object).tolist()]


def _column(parts: Any) -> Any:
    """Put a column together again, as an array of pandas or of NumPy."""
    pandas = module("pandas")
    name, values, *rest = parts
    if type(name) is not str or not (name == "" or _TYPE_NAME.match(name)):
        raise CodecError("no type of a column")
    if name == "category":
        categories, ordered = rest
        return pandas.Categorical(values, categories=categories, ordered=ordered is True)
    if name == "":
        if type(values) is not module("numpy").ndarray or values.ndim != 1:
            raise CodecError("no column of numbers")
        return values
    if type(values) is not list:
        raise CodecError("no list of values")
    if name == "object":
        column = module("numpy").empty(len(values), dtype=object)
        column[:] = values
        return column
    return pandas.array(values, dtype=name)


def _index_parts(index: Any) -> tuple[Any, ...]:
    pandas = module("pandas")
    if type(index) is pandas.RangeIndex:
        return "range", (index.start, index.stop, index.step), index.name
    if isinstance(index, pandas.MultiIndex):
        return "multi", index.tolist(), list(index.names)
    return "one", _parts(index), index.name


def _index(parts: Any) -> Any:
    pandas = module("pandas")
    kind, values, name = parts
    if kind == "range":
        return pandas.RangeIndex(*values, name=name)
    if kind == "multi":
        return pandas.MultiIndex.from_tuples(values, names=name)
    return pandas.Index(_column(values), name=name)


def _frame_parts(frame: Any) -> tuple[Any, ...]:
    columns = [_parts(frame.iloc[:, i]) for i in range(frame.shape[1])]
    return _index_parts(frame.index), _index_parts(frame.columns), columns


def _frame(parts: Any) -> Any:
    index, columns, values = _index(parts[0]), _index(parts[1]), [_column(c) for c in parts[2]]
    pandas = module("pandas")
    if len(columns) != len(values) or any(len(column) != len(index) for column in values):
        raise CodecError("a table whose columns differ in length")
    made = pandas.DataFrame(dict(enumerate(values)), index=index, columns=range(len(values)))
    made.columns = columns
    return made


def _series_parts(series: Any) -> tuple[Any, ...]:
    return _index_parts(series.index), _parts(series), series.name


def _series(parts: Any) -> Any:
    return module("pandas").Series(_column(parts[1]), index=_index(parts[0]), name=parts[2])


_TAKE_APART: dict[int, Callable[[Any], Any]] = {
    FRAME: _frame_parts,
    SERIES: _series_parts,
    INDEX: _index_parts,
}


def _put(sort: int) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        out.tag(bytes((ord("U"), sort)))
        out.body(_TUPLE, _TAKE_APART[sort](value))

    return put


_TUPLE = Kind(lambda out, value: out.items(value, len(value)))


def _get(source: Decoder) -> Any:
    sort = source.byte()
    if sort == INDEX:
        source.plain()
        return _index(source.items())
    if sort not in (FRAME, SERIES):
        raise CodecError("no table of this kind")
    pandas = module("pandas")
    target = source.start(
        pandas.DataFrame if sort == FRAME else lambda: pandas.Series([], dtype=int)
    )
    made = (_frame if sort == FRAME else _series)(source.items())
    target._update_inplace(made)
    if sort == SERIES:
        target.name = made.name
    return target


def _find_table(value: Any, kind: type) -> Kind | None:
    pandas = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "Index"):  # not, or half imported
        return None
    if kind is pandas.DataFrame:
        return Kind(_put(FRAME), shared=True)
    if kind is pandas.Series:
        return Kind(_put(SERIES), shared=True)
    return Kind(_put(INDEX)) if issubclass(kind, pandas.Index) else None


FINDERS.insert(0, _find_table)
READERS[ord("U")] = _get
