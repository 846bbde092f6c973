"""Run the cells of a notebook in this process: IPython without a kernel around it.

The shell is made once, in the process that all jobs are forked from; each job takes it over with a
namespace of its own. Outputs come back as nbformat has them, untrusted: the coordinator cleans
them.
"""

import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import traceback
from types import FrameType, ModuleType, TracebackType
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

MOST_TEXT = 2**20  # characters of printed text kept of one cell
MOST_OUTPUTS = 500
CELL_NAME = "<cell {}>"  # what a cell is called in tracebacks
# IPython may change these even in valid Python: a blank beginning, white lines, pasted prompts
UNCERTAIN = re.compile(r"\A\s|\A(?:.*\n)?\s*(?:\.\.\.|In \[|\[)|^[ \t]+$|^\s*>>>", re.M)
PARSE_ONLY = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Outputs:
    """The outputs of one cell in the order in which they came, with a bound on their size."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.room = MOST_TEXT
        self.dropped = 0

    def text(self, name: str, text: str) -> None:
        """Add printed text; what goes beyond the bound is counted and dropped."""
        kept = text[: self.room]
        self.dropped += len(text) - len(kept)
        self.room -= len(kept)
        if not kept:
            return
        last = self.items[-1] if self.items else {}
        if last.get("output_type") == "stream" and last.get("name") == name:
            last["parts"].append(kept)
        elif len(self.items) < MOST_OUTPUTS:
            self.items.append({"output_type": "stream", "name": name, "parts": [kept]})

    def add(self, output: dict[str, Any]) -> None:
        """Add a figure, a table or a result."""
        if len(self.items) < MOST_OUTPUTS:
            self.items.append(output)

    def take(self) -> list[dict[str, Any]]:
        """Return what has come and begin anew."""
        items, dropped = self.items, self.dropped
        self.__init__()  # type: ignore[misc]
        for item in items:
            if item["output_type"] == "stream":
                item["text"] = "".join(item.pop("parts"))
        if dropped:
            note = f"\n[{dropped} more characters were printed and not kept]\n"
            items.append({"output_type": "stream", "name": "stderr", "text": note})
        return items


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell."""

    def __init__(self, outputs: Outputs, name: str) -> None:
        self.outputs, self._name = outputs, name

    encoding = "utf-8"
    errors = "replace"

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self._name == "stdout" else 2

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.outputs.text(self._name, str(text))
        return len(text)


class _Publisher(DisplayPublisher):
    outputs = AnyTrait()

    def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
        self.outputs.add({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.items.clear()


class _Hook(DisplayHook):
    outputs: Outputs

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.outputs.add(
            {
                "output_type": "execute_result",
                "data": format_dict,
                "metadata": md_dict or {},
                "execution_count": 1,
            }
        )

    def update_user_ns(self, result: Any) -> None:
        # no history of results: it would keep every large array alive
        self.shell.user_ns["_"] = result

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Compiler(CachingCompiler):
    number = 0

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return CELL_NAME.format(self.number)


class _Shell(InteractiveShell):
    """InteractiveShell that keeps outputs for us and asks nobody anything."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)
    compiler_class = Type(_Compiler)
    failure: BaseException | None = None

    def init_virtualenv(self) -> None:
        pass

    def init_io(self) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        pass

    def ask_exit(self) -> None:
        raise SystemExit("exit() in a notebook ends its cell")

    def transform_cell(self, raw_cell: str) -> str:
        """Return the cell as Python, as IPython does, which may look up a name in a single line."""
        several = "\n" in raw_cell.rstrip()
        return self.without_magics(raw_cell) if several else super().transform_cell(raw_cell)

    def without_magics(self, source: str) -> str:
        """Return a cell with its magics as calls; what is Python already is not tokenized."""
        if not UNCERTAIN.search(source):
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                compile(source, CELL_NAME, "exec", PARSE_ONLY)
                return source if source.endswith("\n") else source + "\n"
        return str(self.input_transformer_manager.transform_cell(source))

    def should_run_async(self, raw_cell: str, **known: Any) -> bool:
        """Tell whether a cell awaits anything; without these words it cannot."""
        words = "await" in raw_cell or "async" in raw_cell
        return words and super().should_run_async(raw_cell, **known)

    def system(self, cmd: str) -> None:
        """Run a shell command (`!`), with its output among the cell's."""
        done = subprocess.run(
            ["/bin/sh", "-c", self.var_expand(cmd, depth=1)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        sys.stdout.write(done.stdout.decode(errors="replace"))
        self.user_ns["_exit_code"] = done.returncode

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        self.failure = error

    showsyntaxerror = showtraceback  # type: ignore[assignment]
    showindentationerror = showtraceback

    def show_usage_error(self, exc: BaseException) -> None:
        self.failure = exc


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
        out, err = _Stream(self.outputs, "stdout"), _Stream(self.outputs, "stderr")
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


def warm() -> _Shell:
    """Make the shell, or return the one that is there."""
    if _Shell.initialized():
        return _Shell.instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    return _Shell.instance(config=config)


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
