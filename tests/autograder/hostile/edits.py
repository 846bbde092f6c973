"""Ways to change what is handed in, beyond the answers in its cells."""

import json
import os
import py_compile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile_course import HostileCourse

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
