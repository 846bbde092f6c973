"""IPython without a kernel and without a person: the shell that runs the cells of a job."""

import ast
import contextlib
import re
import subprocess
import sys
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from autograder.job.display import Hook, Publisher

CELL_NAME = "<cell {}>"  # what a cell is called in tracebacks
# IPython may change these even in valid Python: a blank beginning, white lines, pasted prompts
UNCERTAIN = re.compile(r"\A\s|\A(?:.*\n)?\s*(?:\.\.\.|In \[|\[)|^[ \t]+$|^\s*>>>", re.M)
PARSE_ONLY = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class _Compiler(CachingCompiler):
    number = 0

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return CELL_NAME.format(self.number)


class Shell(InteractiveShell):
    """InteractiveShell that keeps outputs for us and asks nobody anything."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(Hook)
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


def warm() -> Shell:
    """Make the shell, or return the one that is there."""
    if Shell.initialized():
        return Shell.instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    return Shell.instance(config=config)
