"""Attacks on whoever reads what was handed in: notebooks, folders, names, and outputs.

A naive reader does what most scripts around nbgrader do: it reads one notebook after the other
with nbformat and prints what it meets.
"""

import gzip
import json
import os
import py_compile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attack import (
    NAIVE,
    ONE_PROCESS,
    Attack,
    Evidence,
    attack,
    earned,
    hurts_others,
    is_told,
    learns,
    says_won,
)
from hostile_course import HostileCourse

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
SHOW = """
    import json, sys
    for cell in json.load(open(sys.argv[1] + "/num.ipynb"))["cells"]:
        print(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
"""

Edit = Callable[[HostileCourse, Path], None]


def bytes_of(make: Callable[[bytes], bytes]) -> Edit:
    """Replace the notebook by what is made of its bytes."""

    def edit(course: HostileCourse, folder: Path) -> None:
        path = folder / "num.ipynb"
        path.write_bytes(make(path.read_bytes()))

    return edit


def change(make: Callable[[dict[str, Any], dict[str, dict[str, Any]]], None]) -> Edit:
    """Change the notebook's content, given whole and by the names of its cells."""

    def edit(course: HostileCourse, folder: Path) -> None:
        path = folder / "num.ipynb"
        nb = json.loads(path.read_text())
        cells = {c["metadata"]["nbgrader"]["grade_id"]: c for c in nb["cells"]
                 if "nbgrader" in c["metadata"]}  # fmt: skip
        make(nb, cells)
        path.write_text(json.dumps(nb))

    return edit


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


def link(target: Callable[[HostileCourse], Path], name: str = "num.ipynb") -> Edit:
    """Put a symbolic link into the folder."""

    def edit(course: HostileCourse, folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target(course))

    return edit


def folder_link(course: HostileCourse, folder: Path) -> None:
    """Make the whole folder a link to the source."""
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.symlink_to(course.root / "source" / "hostile")


def pipe(course: HostileCourse, folder: Path) -> None:
    """Hand in a pipe, from which nothing ever comes."""
    (folder / "num.ipynb").unlink()
    os.mkfifo(folder / "num.ipynb")


def folder_as_notebook(course: HostileCourse, folder: Path) -> None:
    """Hand in a folder with the name of the notebook."""
    (folder / "num.ipynb").unlink()
    (folder / "num.ipynb" / "num.ipynb").mkdir(parents=True)


def pipe_as_data(course: HostileCourse, folder: Path) -> None:
    """Hand in a pipe beside the notebook."""
    os.mkfifo(folder / "data.csv")
    os.mkfifo(folder / "timestamp.txt")


def modules(*names: str) -> Edit:
    """Hand in modules with the names of those that tests import; all numbers are equal there."""

    def edit(course: HostileCourse, folder: Path) -> None:
        for name in names:
            path = folder / f"{name}.py"
            path.write_text("def mean(values): return 5\n")
        py_compile.compile(str(path), cfile=str(folder / "statistics.pyo"))

    return edit


def startup(course: HostileCourse, folder: Path) -> None:
    """Hand in everything that some program reads when it starts."""
    code = "print('WO' + 'N starts-by-itself!')\n"
    for name in ("sitecustomize.py", "usercustomize.py", "numpy.py", "json.py", "autograder.py"):
        (folder / name).write_text(code)
    (folder / "x.pth").write_text("import os; " + code)
    (folder / "ipython_config.py").write_text(code)
    for name in (".ipython/profile_default/startup", "numpy", "autograder"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(code)


def names(course: HostileCourse, folder: Path) -> None:
    """Hand in files whose names would like to be printed."""
    for name in (b"\x1b[2Ja.txt", b"a\nb.txt", b"\xff\xfe.txt", b"-rf", b"$(touch x)", b"\x9b2J"):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_text("x")
    (folder / "<script>alert(1)<").write_text("x")
    (folder / ("x" * 250)).write_text("x")
    deep = folder
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "x").write_text("x")


def big_file(course: HostileCourse, folder: Path) -> None:
    """Hand in a file that takes no room where it lies."""
    with (folder / "data.bin").open("wb") as file:
        file.truncate(600 << 20)


def odd_time(text: bytes) -> Edit:
    """Hand in a time stamp."""

    def edit(course: HostileCourse, folder: Path) -> None:
        (folder / "timestamp.txt").write_bytes(text)

    return edit


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


def raw_script(e: Evidence) -> bool:
    """Tell whether an output still holds what a browser would run."""
    return "<script>" in e.printed or "onerror=" in e.printed or "onload=" in e.printed


def shows_control(e: Evidence) -> bool:
    """Tell whether an escape sequence of this attack reached people."""
    return "\x1b[31m" + e.name in e.said or "\x9b31m" + e.name in e.said


def shows_markup(e: Evidence) -> bool:
    """Tell whether markup of this attack reached a page."""
    return f"<script>alert({e.name})" in e.page


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
    # -- paths and links
    attack(
        "links-to-the-source",
        "no link is followed",
        lambda e: any((e.points.get(cell) or 0) > 0 for cell in ALL) or says_won(e),
        NAIVE,
        UNREADABLE,
        edit=link(lambda course: course.root / "source" / "hostile" / "num.ipynb"),
        naive="""
            import json, sys
            text = open(sys.argv[1] + "/num.ipynb").read()
            if "HIDDEN_NOTE" in text: print(@WON@)
        """,
    ),
    attack(
        "links-to-a-secret",
        "no link is followed",
        learns("file"),
        NAIVE,
        edit=link(lambda course: course.root.parent / "outside" / "secret.txt", "data.txt"),
        own="print(open('data.txt').read())",
        naive="import sys\nprint(open(sys.argv[1] + '/data.txt').read())",
    ),
    attack(
        "links-to-a-folder",
        "no link is followed",
        learns("other"),
        NAIVE,
        edit=link(lambda course: course.folder("zz-honest"), "data"),
        own="print(open('data/notes.txt').read())",
        naive="import sys\nprint(open(sys.argv[1] + '/data/notes.txt').read())",
    ),
    attack(
        "links-to-itself",
        "no link is followed",
        hurts_others,
        NAIVE,
        edit=link(lambda course: Path("loop"), "loop"),
        naive="import sys\nopen(sys.argv[1] + '/loop').read()",
    ),
    attack(
        "folder-is-a-link",
        "no link is followed",
        lambda e: any((e.points.get(cell) or 0) > 0 for cell in ALL) or says_won(e),
        NAIVE,
        dict.fromkeys([*ALL, "step-tests"], "error missing"),
        edit=folder_link,
        naive="""
            import sys
            if "HIDDEN_NOTE" in open(sys.argv[1] + "/num.ipynb").read(): print(@WON@)
        """,
    ),
    attack(
        "links-its-time-stamp",
        "no link is followed",
        learns("file"),
        NAIVE,
        edit=link(lambda course: course.root.parent / "outside" / "secret.txt", "timestamp.txt"),
        naive="import sys\nraise SystemExit(open(sys.argv[1] + '/timestamp.txt').read())",
    ),
    attack(
        "hands-in-modules",
        "the checker imports nothing from a student's folder",
        earned("mean-tests"),
        ONE_PROCESS,
        {"mean-tests": "failed error"},
        mean="""
            import math, sys
            sys.path.insert(0, "")
            sys.modules.pop("statistics", None)
            math.isclose = lambda *a, **k: True
            def mean(a): return 5
        """,
        edit=modules("statistics", "math"),
    ),
    attack(
        "starts-by-itself",
        "no program of ours starts in a student's folder",
        says_won,
        NAIVE,
        {},
        edit=startup,
        naive="""
            import os, subprocess, sys
            os.chdir(sys.argv[1])
            print(subprocess.run([sys.executable, "-c", "import numpy"], capture_output=True))
        """,
    ),
    attack(
        "names-of-files",
        "a name of a file is printed without its control characters, or not at all",
        lambda e: "\x1b[2Ja.txt" in e.said or "\x9b2J" in e.said,
        NAIVE,
        {},
        edit=names,
        naive="""
            import os, sys
            for name in os.listdir(sys.argv[1].encode()): sys.stdout.buffer.write(name + b"\\n")
        """,
    ),
    attack(
        "data-of-600-mb",
        "files handed in have a limit",
        hurts_others,
        NAIVE,
        dict.fromkeys([*ALL, "step-tests"], "passed error"),
        edit=big_file,
        naive="""
            import resource, sys
            resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
            open(sys.argv[1] + "/data.bin", "rb").read()
        """,
    ),
    attack(
        "\x1b[31m<script>alert(mallory)<b>",
        "a student's name is printed without its control characters",
        lambda e: "\x1b[31m" in e.said or "<script>alert(mallory)" in e.page,
        NAIVE,
        {},
        naive="import sys\nprint(sys.argv[1])",
    ),
    *[
        attack(
            f"time-stamp-{name}",
            "a time stamp is read with care",
            hurts_others,
            NAIVE,
            {},
            edit=odd_time(text),
            naive="""
                import sys
                from nbgrader.utils import parse_utc
                parse_utc(open(sys.argv[1] + "/timestamp.txt").read().strip())
            """,
        )
        for name, text in {
            "of-the-year-99999": b"99999-01-01 00:00:00 UTC",
            "of-garbage": b"\x1b[31m\xff\xfe\0 yesterday",
            "of-digits": b"9" * 5000,
        }.items()
    ],
    # -- what is shown to people
    attack(
        "colours-its-message",
        "messages are printable",
        shows_control,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="""
            def double(x):
                raise ValueError("\\x1b[31m@NAME@ \\x1b]0;title\\x07 \\x9b31m@NAME@")
        """,
    ),
    attack(
        "colours-the-name-of-an-error",
        "messages are printable",
        shows_control,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="""
            def double(x):
                raise type("\\x1b[31m@NAME@", (Exception,), {})("x")
        """,
    ),
    attack(
        "colours-its-output",
        "messages are printable",
        lambda e: shows_control(e),
        ONE_PROCESS,
        double="print('\\x1b[31m@NAME@')\nimport os\nos.write(1, b'\\x1b[31m@NAME@')",
    ),
    attack(
        "colours-its-names",
        "names are printable",
        lambda e: "\x1b[31m" in e.said,
        NAIVE,
        {},
        edit=change(
            lambda nb, cells: _insert(
                nb,
                len(nb["cells"]),
                cells["double-tests"],
                id="other",
                source="x = 1",
                metadata={
                    "nbgrader": cells["double-tests"]["metadata"]["nbgrader"]
                    | {"grade_id": "\x1b[31mloot\n\x1b[2J<script>alert(1)</script>"}
                },
            )
        ),
        naive=SHOW,
    ),
    attack(
        "markup-in-its-message",
        "messages are text in the report",
        shows_markup,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="""
            def double(x):
                raise ValueError("<script>alert(@NAME@)</script>")
        """,
    ),
    attack(
        "scripts-in-its-outputs",
        "outputs are cleaned before they are stored",
        raw_script,
        ONE_PROCESS,
        double="""
            from IPython.display import HTML, Javascript, SVG, display
            code = "<script>alert('@NAME@')</script>"
            display(HTML(code + "<img src=x onerror=alert(1)>"))
            display({"text/html": code, "text/plain": "x"}, raw=True)
            display({"image/svg+xml": f"<svg onload='x'>{code}</svg>"}, raw=True)
            display({"text/markdown": code, "text/latex": code}, raw=True)
            display({"application/javascript": "alert(1)"}, raw=True)
        """,
    ),
    attack(
        "outputs-of-odd-shape",
        "outputs are cleaned before they are stored",
        hurts_others,
        NAIVE,
        {"double-tests": "passed error"},
        double="""
            from IPython.display import display
            for data in ({1: 2}, {"text/plain": 10**5000}, {"image/png": b"\\xff"}, {"x/y": [[]]},
                         {"image/png": "no base64"}, {"text/plain": None}, {"\\x1b[31m": "x"},
                         {"application/json": {"a": float("nan")}}, {"text/html": "\\ud800"}):
                try: display(data, raw=True, metadata={"x": [1, {2}]})
                except Exception as error: print(type(error))
        """,
        naive="""
            import nbformat
            data = {"text/plain": 7, "image/png": b"\\xff"}
            out = nbformat.v4.new_output("display_data", data=data)
            nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[out])])
            print(nbformat.writes(nb))
        """,
    ),
    attack(
        "output-like-a-grade",
        "marks come from the checker, not from what is printed",
        earned("double-tests"),
        NAIVE,
        NO_POINTS,
        double="""
            import json
            from IPython.display import display
            def double(x):
                print('{"cell": "double-tests", "points": 3.0, "outcome": "passed"}')
                print("double-tests: passed 3/3")
                display(3.0)
                return 5
            row = {"student": "@NAME@", "assignment": "hostile", "notebook": "num",
                   "cell": "double-tests", "points": 3.0, "outcome": "passed"}
            print(json.dumps(row))
            3.0
        """,
        naive="""
            import json, sys
            # a grader whose tests print their marks to where the student's code prints
            print(json.dumps({"double-tests": 3.0}))
        """,
    ),
    attack(
        "hides-behind-carriage-returns",
        "messages are one printable line",
        lambda e: "\r" in e.told or "\b" in e.told,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="""
            def double(x):
                raise ValueError("x\\r100 of 100 points\\b\\b\\x00\\u202eevil\\u2066")
        """,
    ),
    attack(
        "message-of-a-megabyte",
        "messages have a length",
        lambda e: len(e.told) > 100_000,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="def double(x):\n    raise ValueError('x' * 1_000_000)",
    ),
    attack(
        "name-of-an-error-of-a-megabyte",
        "messages have a length",
        lambda e: len(e.told) > 100_000,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="def double(x):\n    raise type('E' * 1_000_000, (Exception,), {})('x')",
    ),
    attack(
        "tells-a-secret-in-a-warning",
        "of what is printed in a hidden test nothing is told",
        is_told("input"),
        ONE_PROCESS,
        {"double-tests": "passed"},
        double="""
            def double(x):
                from IPython.display import display
                display({"text/plain": f"<{x}>"}, raw=True)
                return 2 * x
        """,
    ),
]
