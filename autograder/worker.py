"""Execute notebooks in kernels: the program that `run` starts several times.

One JSON object a line comes in ({"notebook": ..., "folder": ...}), and for each one goes out
({"notebook": ...} or {"fault": ...}), after one that names the kernel ({"kernel": pid}) so that
the coordinator can end it. Nothing protects this process from the student's code.
"""

import copy
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from autograder import start

start.quickly()

import nbformat  # noqa: E402
from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: E402
from nbformat import NotebookNode  # noqa: E402
from nbgrader.preprocessors import Execute, IgnorePattern, LimitOutput  # noqa: E402
from traitlets.config import Config  # noqa: E402

from autograder import course  # noqa: E402
from autograder.scoring import DEAD, TIMEOUT  # noqa: E402

MAX_RESTARTS = 3
MAX_STARTS = 3


class Runner(Execute):
    """nbgrader's Execute that leaves out cells known to end the kernel."""

    def __init__(self, config: Config, announce: Callable[[int], None]) -> None:
        super().__init__(config=config, shutdown_kernel="immediate")
        self.announce = announce
        self.culprits: dict[int, NotebookNode] = {}
        self.current = -1
        self.timeout_func = self.time_limit
        self.on_notebook_start = self.say_kernel

    def time_limit(self, cell: NotebookNode) -> int | None:
        """Seconds for one cell: its metadata may hold {"autograder": {"timeout_s": ...}}."""
        return cell.metadata.get("autograder", {}).get("timeout_s", self.timeout)

    def say_kernel(self, **_: Any) -> None:
        """Tell the coordinator which process to end, should we not live to do it."""
        self.announce(self.km.provisioner.pid)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell, or write down why it is not run."""
        if index in self.culprits:
            cell.outputs = [self.culprits[index]]
            return cell, resources
        self.current = index
        return super().preprocess_cell(cell, resources, index)

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Put a cell that asked its kernel to end (exit, quit) on a level with one that killed it.

        The kernel answers first and ends a moment later, in the middle of somebody else's cell.
        """
        super().on_cell_executed(**kwargs)
        payload = kwargs["execute_reply"]["content"].get("payload") or ()
        if any(part.get("source") == "ask_exit" for part in payload):
            raise DeadKernelError("the cell asked its kernel to end")


def execute(
    nb: NotebookNode, folder: str, config: Config, announce: Callable[[int], None]
) -> NotebookNode:
    """Run a notebook in a fresh kernel and return it with its outputs.

    A cell that ends its kernel, or cannot be interrupted when its time is over, costs itself: the
    notebook starts again in a new kernel without it, at most MAX_RESTARTS times.
    """
    culprits: dict[int, NotebookNode] = {}
    starts = 0
    while True:
        work = copy.deepcopy(nb)
        runner = Runner(config, announce)
        runner.culprits = culprits
        try:
            runner.preprocess(work, {"metadata": {"path": folder}})
        except DeadKernelError:
            culprits[runner.current] = _error(DEAD, "the kernel died while this cell ran")
        except CellTimeoutError:
            limit = runner.time_limit(nb.cells[runner.current])
            culprits[runner.current] = _error(TIMEOUT, f"not done after {limit} s and not to stop")
        except RuntimeError:  # nbclient's word for a kernel that did not come up: a busy machine
            starts += 1
            if runner.current >= 0 or starts >= MAX_STARTS:
                raise
        else:
            break
        if len(culprits) > MAX_RESTARTS:  # the rest did not run, and scoring says so
            for index, output in culprits.items():
                work.cells[index].outputs = [output]
                output.evalue += f"; {len(culprits)} cells did such things, the rest did not run"
            break
    for stage in (IgnorePattern(config=config), LimitOutput(config=config)):
        work, _ = stage(work, {})
    return work


def _error(name: str, text: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def main(course_root: str, inbox: TextIO, outbox: TextIO) -> None:
    """Serve one line after the other until the inbox is closed."""
    config = course.load(Path(course_root)).config

    def say(**message: Any) -> None:
        # not in ASCII: half a surrogate pair, printed by a student, must not get any further
        outbox.write(json.dumps(message, ensure_ascii=False) + "\n")
        outbox.flush()

    for line in inbox:
        job = json.loads(line)
        try:
            nb = nbformat.from_dict(job["notebook"])
            say(notebook=execute(nb, job["folder"], config, lambda pid: say(kernel=pid)))
        except Exception as error:  # whatever it is, the coordinator must hear of it
            say(fault=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    # what a library prints must not get between the messages
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    main(sys.argv[1], sys.stdin, messages)
