"""Attacks by paths and links, and by what is shown to people: names, messages, outputs."""

import json
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
from edits import big_file, change, folder_link, link, modules, names, odd_time, startup

ALL = ("double-tests", "mean-tests", "apply-tests")
UNREADABLE = dict.fromkeys(ALL, "error")
NO_POINTS = {"double-tests": "failed error"}

SHOW = """
    import json, sys
    for cell in json.load(open(sys.argv[1] + "/num.ipynb"))["cells"]:
        print(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
"""


def _insert(nb: dict[str, Any], at: int, cell: dict[str, Any], **changes: Any) -> None:
    nb["cells"].insert(at, json.loads(json.dumps(cell)) | changes)


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
