"""Run the cells of a notebook in this process, one after the other.

The shell is made once, in the process that all jobs are forked from; each job takes it over with a
namespace of its own.
"""

import contextlib
import os
import sys
import traceback
from types import FrameType, ModuleType, TracebackType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from autograder.job.display import MOST_TEXT, Outputs, Stream
from autograder.job.shell import CELL_NAME, warm


def _no_input(prompt: object = "") -> str:
    """Stand in for input()."""
    raise RuntimeError("input() has nobody to ask here: give the value in the code instead")


class Cells:
    """The cells of one notebook, run one after the other."""

    def __init__(
        self, namespace: dict[str, Any] | None = None, render_figures: bool = True
    ) -> None:
        self.outputs = Outputs()
        self.exception: BaseException | None = None  # what ended the last cell
        self.number = 0
        if "" not in sys.path:
            sys.path.insert(0, "")  # modules beside the notebook, as a kernel finds them
        self.shell = shell = warm()
        if namespace is None:
            self.namespace = shell.user_ns
        else:
            self.namespace = namespace
            namespace.setdefault("__name__", "__main__")
            shell.user_module = _module_of(namespace)
            shell.user_ns = namespace
            shell.init_user_ns()
            sys.modules["__main__"] = shell.user_module
        shell.display_pub.outputs = self.outputs
        shell.displayhook.outputs = self.outputs
        shell.builtin_trap.auto_builtins["input"] = _no_input
        self.render_figures = render_figures
        self.raw = _capture_descriptors()
        if not render_figures:
            _draw_nothing(shell)

    @property
    def filename(self) -> str:
        """What the last cell is called in tracebacks."""
        return CELL_NAME.format(self.number)

    def run(self, source: str) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Run one cell; returns its outputs and the error that ended it, if one did."""
        self.number += 1
        self.shell.compile.number = self.number
        self.shell.failure = None
        out, err = Stream(self.outputs, "stdout"), Stream(self.outputs, "stderr")
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                result = self.shell.run_cell(source, store_history=False)
            error = result.error_before_exec or result.error_in_exec or self.shell.failure
        except BaseException as problem:  # a KeyboardInterrupt between two of IPython's lines
            error = problem
        self.exception = error
        self._add_raw()
        outputs = self.outputs.take()
        return outputs, None if error is None else describe(error)

    def _add_raw(self) -> None:
        """Add what was written to descriptors 1 and 2, below Python."""
        if self.raw is None:
            return
        with contextlib.suppress(OSError):
            size = os.fstat(self.raw).st_size
            if size:
                text = os.pread(self.raw, MOST_TEXT, 0).decode(errors="replace")
                self.outputs.text("stdout", text)
                self.outputs.dropped += max(0, size - MOST_TEXT)
                os.ftruncate(self.raw, 0)


def describe(error: BaseException) -> dict[str, Any]:
    """What nbformat keeps of an exception; never raises, whatever the exception's methods do."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException as problem:
        text = f"<its text cannot be had: {type(problem).__name__}>"
    try:
        lines = _own_frames(error)
    except BaseException:
        lines = [f"{name}: {text[:1000]}"]
    return {"ename": str(name), "evalue": text[:20_000], "traceback": lines}


def _own_frames(error: BaseException) -> list[str]:
    """The traceback without IPython's frames, as one string a line."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and not _is_cell(trace.tb_frame):
        trace = trace.tb_next
    text = traceback.TracebackException(type(error), error, trace, limit=-40, compact=True).format()
    return "".join(text)[-20_000:].rstrip("\n").split("\n")


def _is_cell(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith("<cell ")


def _module_of(namespace: dict[str, Any]) -> ModuleType:
    """A module object whose __dict__ is the namespace itself, which may be a subclass of dict."""

    class Main(ModuleType):
        __dict__ = namespace

        def __getattr__(self, name: str) -> Any:
            try:
                return namespace[name]
            except KeyError:
                raise AttributeError(name) from None

    return Main("__main__")


def _capture_descriptors() -> int | None:
    """Send descriptors 1 and 2 to a file and return a descriptor of it."""
    try:
        raw = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_APPEND)
    except OSError:  # a file system without such files: leave them where they lead
        return None
    os.dup2(raw, 1)
    os.dup2(raw, 2)
    return raw


def _draw_nothing(shell: InteractiveShell) -> None:
    """Let figures be shown without being drawn: nobody looks at a test's."""
    if "matplotlib.figure" in sys.modules:
        from IPython.core.pylabtools import select_figure_formats

        select_figure_formats(shell, [])
