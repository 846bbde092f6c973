"""Attacks on whoever reads what was handed in: notebooks, folders, names, and outputs.

A naive reader does what most scripts around nbgrader do: it reads one notebook after the other
with nbformat and prints what it meets.
"""

import gzip
import json
from collections.abc import Callable
from typing import Any

from attack import (
    NAIVE,
    ONE_PROCESS,
    Attack,
    attack,
    earned,
    hurts_others,
)
from edits import (
    bytes_of,
    change,
    folder_as_notebook,
    pipe,
    pipe_as_data,
)

ALL = ("double-tests", "mean-tests", "apply-tests")
UNREADABLE = dict.fromkeys(ALL, "error")
NO_POINTS = {"double-tests": "failed error"}

READ = """
    import nbformat, sys
    for folder in sys.argv[1:]:
        nb = nbformat.read(folder + "/num.ipynb", 4)
        for cell in nb.cells:
            cell.source.upper()
            cell.metadata.get("nbgrader", {}).get("grade_id", "").upper()
            str(cell.get("outputs", []))
        nbformat.validate(nb)
        nbformat.writes(nb).encode()
"""


def unreadable(name: str, make: Callable[[bytes], bytes], naive: str = READ) -> Attack:
    """A file that is no notebook."""
    return attack(
        name,
        "one unreadable notebook stops nobody else",
        hurts_others,
        NAIVE,
        UNREADABLE,
        edit=bytes_of(make),
        naive=naive,
    )


def odd(
    name: str,
    make: Callable[[dict[str, Any], dict[str, dict[str, Any]]], None],
    expect: dict[str, str] | None = None,
    naive: str = READ,
) -> Attack:
    """A notebook with something in it that has the wrong shape."""
    return attack(
        name,
        "a notebook of any shape is read or refused",
        hurts_others,
        NAIVE,
        dict.fromkeys(ALL, "passed error") if expect is None else expect,
        edit=change(make),
        naive=naive,
    )


def forged(
    name: str,
    make: Callable[[dict[str, Any], dict[str, dict[str, Any]]], None],
    expect: dict[str, str] | None = None,
) -> Attack:
    """A notebook that would like to be marked by its own word; its answer is wrong."""

    def edit(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
        cells["double"]["source"] = "def double(x):\n    return 5"
        make(nb, cells)

    return attack(
        name,
        "what students may not change comes from the source",
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS if expect is None else expect,
        edit=change(edit),
    )


def _insert(nb: dict[str, Any], at: int, cell: dict[str, Any], **changes: Any) -> None:
    nb["cells"].insert(at, json.loads(json.dumps(cell)) | changes)


def _duplicate_tests(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    cells["double-tests"]["source"] = "pass"
    _insert(nb, len(nb["cells"]), cells["double-tests"], id="again")


def _free_test(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    cells["double-tests"]["source"] = "pass"
    cells["double-tests"]["metadata"]["nbgrader"] |= {"locked": False, "points": 1000}


def _helper_twice(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    cells["helper"]["source"] = "def check_close(a, b): pass"
    cells["double"]["source"] = (
        "class Yes(int):\n    def __eq__(self, other): return True\ndef double(x): return Yes(5)"
    )
    cells["double-tests"]["source"] = cells["double-tests"]["source"]


def _reordered(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    order = nb["cells"]
    order.remove(cells["double-tests"])
    cells["double-tests"]["source"] = "pass"
    order.insert(0, cells["double-tests"])


def _skipped(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    for c in nb["cells"]:
        c["metadata"] |= {"tags": ["skip-execution", "raises-exception"], "deletable": True}
    cells["double-tests"]["source"] = ""


def _made_text(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    test = cells["double-tests"]
    test["source"] = "nothing to see here"
    test["metadata"]["nbgrader"] |= {"solution": True, "checksum": "0" * 32}
    test["source"] = "'a written answer'"


def _with_results(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    data = {"data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}
    cells["double-tests"] |= {
        "outputs": [{"output_type": "execute_result"} | data],
        "execution_count": 1,
        "source": "3.0",
    }


def _no_time_limit(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    cells["double-tests"]["metadata"]["autograder"] = {"timeout_s": 10**9}
    cells["double-tests"]["metadata"]["nbgrader"]["grade"] = True
    cells["double-tests"]["source"] = "pass"


def _deleted(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
    nb["cells"] = [c for c in nb["cells"] if c not in (cells["double"], cells["helper"])]
    cells["double-tests"]["source"] = "pass"


def _source(value: Any) -> Callable[[dict[str, Any], dict[str, dict[str, Any]]], None]:
    def make(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
        cells["double"]["source"] = value

    return make


def _meta(value: Any) -> Callable[[dict[str, Any], dict[str, dict[str, Any]]], None]:
    def make(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
        cells["double"]["metadata"] = value

    return make


def _grade_id(value: Any) -> Callable[[dict[str, Any], dict[str, dict[str, Any]]], None]:
    def make(nb: dict[str, Any], cells: dict[str, dict[str, Any]]) -> None:
        cells["double"]["metadata"]["nbgrader"]["grade_id"] = value

    return make


def _top(**values: Any) -> Callable[[dict[str, Any], dict[str, dict[str, Any]]], None]:
    return lambda nb, cells: nb.update(values)


def _cell(**values: Any) -> Callable[[dict[str, Any], dict[str, dict[str, Any]]], None]:
    return lambda nb, cells: cells["double"].update(values)


ATTACKS: list[Attack] = [
    # -- files that are no notebooks
    unreadable("no-json", lambda data: b"this is no notebook"),
    unreadable("truncated", lambda data: data[: len(data) // 2]),
    unreadable("empty", lambda data: b""),
    unreadable("null-bytes", lambda data: b"\0" * 1000),
    unreadable("random-bytes", lambda data: bytes(range(256)) * 40),
    unreadable("compressed", gzip.compress),
    unreadable("latin-1", lambda data: b'{"cells": "\xe9"}'),
    unreadable("utf-16", lambda data: data.decode().encode("utf-16")),
    unreadable("list", lambda data: b"[1, 2]"),
    unreadable("number", lambda data: b"1e999"),
    unreadable("huge-number-in-json", lambda data: b'{"cells": ' + b"9" * 100_000 + b"}"),
    unreadable("deep-json", lambda data: b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    unreadable(
        "deep-objects", lambda data: b'{"cells": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
    ),
    unreadable(
        "huge-json",
        lambda data: b'{"cells": [' + b"[]," * 20_000_000 + b"[]]}",
        """
            import json, resource, sys
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            for folder in sys.argv[1:]: json.load(open(folder + "/num.ipynb"))
        """,
    ),
    unreadable("format-99", lambda data: data.replace(b'"nbformat": 4', b'"nbformat": 99')),
    unreadable("format-of-text", lambda data: data.replace(b'"nbformat": 4', b'"nbformat": "4"')),
    unreadable("format-none", lambda data: data.replace(b'"nbformat": 4', b'"nbformat": null')),
    unreadable("format-negative", lambda data: data.replace(b'"nbformat": 4', b'"nbformat": -1')),
    attack(
        "pipe-for-a-notebook",
        "nothing is opened that could block",
        hurts_others,
        NAIVE,
        UNREADABLE,
        edit=pipe,
        naive=READ,
    ),
    attack(
        "folder-for-a-notebook",
        "one unreadable notebook stops nobody else",
        hurts_others,
        NAIVE,
        UNREADABLE,
        edit=folder_as_notebook,
        naive=READ,
    ),
    attack(
        "pipe-beside-the-notebook",
        "nothing is opened that could block",
        hurts_others,
        NAIVE,
        edit=pipe_as_data,
        naive="import sys\nopen(sys.argv[1] + '/timestamp.txt').read()",
    ),
    # -- notebooks with something odd inside
    odd("cells-of-numbers", _top(cells=[7, None, "x"]), UNREADABLE),
    odd("cells-as-mapping", _top(cells={"a": 1}), UNREADABLE),
    odd("no-cells", lambda nb, cells: nb.pop("cells"), UNREADABLE),
    odd("unknown-cell-type", _cell(cell_type="evil")),
    odd("source-is-mapping", _source({"a": 1})),
    odd("source-is-mixed-list", _source(["x", 1, None])),
    odd("source-is-number", _source(10**30)),
    odd("source-with-half-surrogates", _source("'\ud800'\ndef double(x): return 2 * x")),
    odd(
        "source-with-null-bytes",
        _source("def double(x): return 2 * x\0"),
        {"double-tests": "error"},
        "import sys, json\n"
        "for cell in json.load(open(sys.argv[1] + '/num.ipynb'))['cells']:\n"
        "    compile(cell['source'], '', 'exec')",
    ),
    odd("metadata-is-list", _meta([1])),
    odd("metadata-of-nbgrader-is-text", _meta({"nbgrader": "x"}), {"double-tests": "passed error"}),
    odd("name-is-a-list", _grade_id(["double"])),
    odd("name-is-a-number", _grade_id(7)),
    odd("outputs-are-text", _cell(outputs="x", execution_count="y")),
    odd("attachments-are-odd", _cell(attachments=[1], cell_type="markdown")),
    odd("ids-are-odd", _cell(id={"a": "../../.."})),
    attack(
        "many-cells",
        "a notebook has a limit on cells",
        hurts_others,
        NAIVE,
        dict.fromkeys(ALL, "passed error"),
        edit=change(
            lambda nb, cells: nb["cells"].extend(
                [{"cell_type": "code", "metadata": {}, "source": "1", "outputs": []}] * 50_000
            )
        ),
        naive="""
            import nbclient, nbformat, sys, time
            end = time.monotonic() + 1
            for cell in nbformat.read(sys.argv[1] + "/num.ipynb", 4).cells:
                time.sleep(0.005)  # what a kernel needs for the least of cells
                if time.monotonic() > end: raise TimeoutError("the class is not graded")
        """,
    ),
    odd(
        "one-name-many-times",
        lambda nb, cells: nb["cells"].extend([cells["double"]] * 2_000),
        naive="""
            import json, sys
            seen = set()
            for cell in json.load(open(sys.argv[1] + "/num.ipynb"))["cells"]:
                while cell["id"] in seen: cell["id"] = cell["id"][:60] + "-2"
                seen.add(cell["id"])
        """,
    ),
    attack(
        "old-format",
        "an older format is read as what it is",
        hurts_others,
        NAIVE,
        {},
        edit=change(
            lambda nb, cells: (
                [c.pop("id", None) for c in nb["cells"]] and nb.update(nbformat_minor=0)
            )
        ),
        naive="""
            import json, sys
            for folder in sys.argv[1:]:
                for cell in json.load(open(folder + "/num.ipynb"))["cells"]: cell["id"]
        """,
    ),
    # -- forgeries
    forged("edited-test", lambda nb, cells: cells["double-tests"].update(source="pass")),
    forged("duplicated-test", _duplicate_tests),
    forged("freed-test-worth-1000", _free_test),
    forged("edited-helper", _helper_twice),
    forged("reordered", _reordered, {"double-tests": "failed error"}),
    forged("skipped", _skipped),
    forged("test-made-an-answer", _made_text),
    forged("results-handed-in", _with_results),
    forged("own-time-limit", _no_time_limit),
    forged("deleted-helper-and-answer", _deleted),
    attack(
        "test-made-markdown",
        "what students may not change comes from the source",
        lambda e: e.outcomes.get("double-tests", "not marked") not in ("failed", "error"),
        ONE_PROCESS,
        NO_POINTS,
        edit=change(
            lambda nb, cells: (
                cells["double-tests"].update(cell_type="markdown")
                or cells["double"].update(source="def double(x): return 5")
            )
        ),
    ),
]
