"""Run notebooks, several at a time: the stage between reading submissions and scoring them.

The rest of the grader hands notebooks to a `Pool` and gets each back with its outputs. Whatever a
submission does costs itself; whatever the grader does wrong is a fault of its own kind.
"""

import contextlib
import queue
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from nbformat import NotebookNode

from autograder import sandbox
from autograder.forks import ForksError, Zygote
from autograder.plan import Plan
from autograder.sandbox import Protection
from autograder.session import Session, SessionFault

# by test cell: what objects of the reference answer were asked to judge, and others may be
Granted = Mapping[str, Collection[str]]
TRIES = 2  # a fault of ours may be a passing one: a full process table, a killed zygote


@dataclass(frozen=True)
class Job:
    """A notebook to execute, and the files that lie beside it."""

    student: str
    name: str
    notebook: NotebookNode
    plan: Plan
    files: Mapping[Path, Path]  # path beside the notebook -> where to copy it from
    shipped: Mapping[Path, Path] = field(default_factory=dict)  # those that came with the source
    learn: bool = False  # a reference answer: what it imports may be imported beforehand
    granted: Granted = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """An executed notebook, or what went wrong in the grader itself."""

    job: Job
    notebook: NotebookNode | None
    fault: str = ""
    modules: Sequence[str] = ()
    granted: Granted = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)  # by the clock, by cell


class Pool:
    """Some threads that each drive one notebook at a time, over one zygote.

    However the `with` block is left, no process and no scratch folder stays behind.
    """

    def __init__(
        self,
        workers: int,
        course_root: Path,
        protection: Protection | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self.workers = workers
        self.course_root = course_root
        self.protection = protection or sandbox.best()
        self.preload = preload

    def __enter__(self) -> "Pool":
        self.over = threading.Event()
        self.zygote = Zygote(self.protection, [self.course_root], self.preload)
        self.threads: list[threading.Thread] = []
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(timeout=10)
        self.zygote.close()

    def begin(self) -> None:
        """Let the zygote start while the caller does something else."""
        thread = threading.Thread(target=self._begin, daemon=True)
        thread.start()
        self.threads.append(thread)

    def _begin(self) -> None:
        with contextlib.suppress(ForksError):  # the first job will hear of it
            self.zygote.start()

    def execute(self, jobs: Sequence[Job]) -> Iterator[Ran]:
        """Execute notebooks, several at a time; yields them as they are done."""
        todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
        done: queue.SimpleQueue[Ran] = queue.SimpleQueue()
        for job in jobs:
            todo.put(job)
        for _ in range(min(self.workers, len(jobs))):
            thread = threading.Thread(target=self._serve, args=(todo, done), daemon=True)
            thread.start()
            self.threads.append(thread)
        for _ in jobs:
            yield done.get()

    def learn(self, modules: Sequence[str]) -> None:
        """Import modules once for all notebooks to come."""
        self.zygote.learn(modules)

    def _serve(self, todo: "queue.SimpleQueue[Job]", done: "queue.SimpleQueue[Ran]") -> None:
        with contextlib.suppress(queue.Empty):
            while not self.over.is_set():
                done.put(self._run(todo.get_nowait()))

    def _run(self, job: Job) -> Ran:
        fault = ""
        for _ in range(TRIES):
            if self.over.is_set():
                break
            session = Session(
                self.zygote,
                job.plan,
                job.files,
                job.shipped,
                self.over.is_set,
                job.learn,
                job.granted,
            )
            try:
                nb = session.run(job.notebook)
            except (SessionFault, ForksError) as error:
                fault = str(error)
            except Exception as error:  # a full disk, a bug of ours: this notebook's fault alone
                fault = f"{type(error).__name__}: {error}"
            else:
                return Ran(
                    job,
                    nb,
                    modules=session.modules,
                    granted=session.granted,
                    seconds=session.seconds,
                )
        return Ran(job, None, fault or "the run was stopped")
