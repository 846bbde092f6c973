"""Execute notebooks in worker processes.

This is the stage that knows how code is run; the rest of the grader hands notebooks to a
`Pool` and gets each back with its outputs. For now a worker holds an ordinary Jupyter kernel, a
new one for each notebook.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
from nbformat import NotebookNode

PROTECTION = (
    "This version runs student code WITHOUT protection, with your own rights: "
    "grade only code you trust."
)
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """A notebook to execute, and the files that lie beside it."""

    student: str
    name: str
    notebook: NotebookNode
    files: Mapping[Path, Path]  # path beside the notebook -> where to copy it from


@dataclass(frozen=True)
class Ran:
    """An executed notebook, or what went wrong in the grader itself."""

    job: Job
    notebook: NotebookNode | None
    fault: str = ""


class Pool:
    """Some workers, started when there is something to do.

    However the `with` block is left, no worker, no kernel and no scratch folder stays behind.
    """

    def __init__(self, workers: int, course_root: Path) -> None:
        self.workers = workers
        self.course_root = course_root

    def __enter__(self) -> "Pool":
        self.scratch = tempfile.mkdtemp(prefix="autograder-")
        self.team = [
            _Worker(Path(self.scratch) / f"worker-{n}", self.course_root)
            for n in range(self.workers)
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.team:
            worker.end()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def execute(self, jobs: Sequence[Job]) -> Iterator[Ran]:
        """Execute notebooks, several at a time; yields them as they are done."""
        todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
        done: queue.SimpleQueue[Ran] = queue.SimpleQueue()
        for job in jobs:
            todo.put(job)
        for worker in self.team[: len(jobs)]:
            threading.Thread(target=worker.serve, args=(todo, done), daemon=True).start()
        for _ in jobs:
            yield done.get()


class _Worker:
    """One worker process, started again when it dies, and the kernel it last spoke of."""

    def __init__(self, scratch: Path, course_root: Path) -> None:
        self.scratch = scratch
        self.course_root = course_root
        self.process: subprocess.Popen[str] | None = None
        self.kernel: int | None = None
        self.over = threading.Event()
        self.lock = threading.Lock()  # no process may start once the run is over
        (scratch / "tmp").mkdir(parents=True)

    def serve(self, todo: "queue.SimpleQueue[Job]", done: "queue.SimpleQueue[Ran]") -> None:
        """Run jobs until there are no more."""
        with contextlib.suppress(queue.Empty):
            while not self.over.is_set():
                job = todo.get_nowait()
                try:
                    done.put(self._run(job))
                except Exception as error:  # a full disk, a process limit: this job's fault alone
                    done.put(Ran(job, None, f"{type(error).__name__}: {error}"))

    def _run(self, job: Job) -> Ran:
        folder = Path(tempfile.mkdtemp(dir=self.scratch))  # nobody finds what another left
        for name, origin in job.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, folder / name)
        if self.process is None or self.process.poll() is not None:
            self._start()
        reply = self._ask({"notebook": job.notebook, "folder": str(folder)})
        self.kernel = None
        shutil.rmtree(folder, ignore_errors=True)
        if "notebook" in reply:
            return Ran(job, nbformat.from_dict(reply["notebook"]))
        return Ran(job, None, reply["fault"])

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self.process and self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                reply = json.loads(line)
                if "kernel" not in reply:
                    return reply
                self.kernel = reply["kernel"]
        except (OSError, ValueError) as error:
            return {"fault": f"the worker process cannot be reached: {error}"}
        code = self.process.wait()
        self._end_kernel()
        return {"fault": f"the worker process ended with status {code}; {self._last_words()}"}

    def _start(self) -> None:
        own = {  # nobody's settings or start-up files may change a mark
            "TMPDIR": str(self.scratch / "tmp"),
            "IPYTHONDIR": str(self.scratch / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(self.scratch / "runtime"),
            "NBGRADER_EXECUTION": "autograde",
        }
        threads = {name: os.environ.get(name, "1") for name in ONE_THREAD}
        with self.lock, (self.scratch / "stderr").open("w") as stderr:
            if self.over.is_set():
                raise RuntimeError("the run is over")
            self.process = subprocess.Popen(
                [sys.executable, "-m", "autograder.worker", str(self.course_root)],
                cwd=Path(__file__).resolve().parents[1],
                env=os.environ | own | threads,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C reaches the coordinator alone; it ends us in order
            )

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.scratch / "stderr").read_text(errors="replace").strip().splitlines()
            return f"its last words: {lines[-1][:200]}" if lines else "it said nothing"
        return "it said nothing"

    def _end_kernel(self) -> None:
        if self.kernel is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.kernel, signal.SIGKILL)  # a kernel leads a group of its own
            self.kernel = None

    def end(self) -> None:
        """Kill the worker and its kernel."""
        with self.lock:
            self.over.set()
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        self._end_kernel()
