"""Grade one notebook: drive a student process and a checker through its cells, in order.

A cell that ends its process, or cannot be stopped when its time is over, costs itself: both
processes are killed and the notebook starts again without it. Each new start leaves out at least
one cell more, so it ends.
"""

import base64
import contextlib
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder import outputs, split, watch
from autograder.blame import Blame
from autograder.forks import Zygote
from autograder.plan import Plan
from autograder.process import Gone, Process
from autograder.scoring import DEAD, TIMEOUT
from autograder.submission import grade_id

WALL = 5  # a cell may take so many times its processor seconds on the wall
IDLE_SHARE = 0.05  # what uses less of a processor than this is waiting, not computing
BROKEN = "PeerError"  # the checker could not make sense of what the student's process sent
GRACE_S = 2.0  # how long an interrupted cell has to come to its end
FIRST_LOOK_S, LOOK_S = 0.05, 0.2
PIECE = 4 * 2**20  # bytes of a file sent at once
START_S = 60.0


class SessionFault(Exception):
    """The grader could not do its part; no mark may come of it."""


class _Culprit(Exception):
    """A cell that must be left out when the notebook starts again."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.error = _error(name, text)


class Session:
    """The run of one notebook."""

    def __init__(
        self,
        zygote: Zygote,
        plan: Plan,
        files: Mapping[Path, Path],
        shipped: Mapping[Path, Path],
        stopped: Callable[[], bool] = lambda: False,
        learn: bool = False,
        granted: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.zygote, self.plan, self.files, self.shipped = zygote, plan, files, shipped
        self.stopped, self.learn = stopped, learn
        self.without = zygote.protection.without
        self.student: Process | None = None
        self.checker: Process | None = None
        self.modules: list[str] = []
        # by test cell: verdicts that the reference answer's objects were asked for
        self.granted: dict[str, Collection[str]] = dict(granted or {})
        self.spent_s = 0.0
        self.seconds: dict[str, float] = {}  # by the clock, of each cell that has a name
        self.bound: set[str] = set()  # by the student's cells since the checker ran one
        self.lingering: list[int] = []  # cells after which more threads or processes were left

    def run(self, nb: NotebookNode) -> NotebookNode:
        """Run a notebook and return it with its outputs; SessionFault if the grader failed."""
        blame = Blame()
        while True:
            work = _own_cells(nb)
            try:
                self._start()
                lost = self._run_cells(work, blame.left_out)
                if lost is None:
                    if self.learn:
                        self._note_modules()
                    return work
                blame.add(*lost, self.lingering)
            finally:
                self.end()

    def _run_cells(
        self, work: NotebookNode, culprits: Mapping[int, dict[str, Any]]
    ) -> tuple[int, dict[str, Any]] | None:
        """Run all cells but the culprits; returns the next culprit when a process is lost."""
        self.bound.clear()
        count, self.lingering, tasks = 0, [], 2  # the reaper and the student's own process
        for index, cell in enumerate(work.cells):
            cell.metadata.get("autograder", {}).pop("message", None)  # only ours may stand there
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            if not cell.source.strip():
                continue
            count += 1
            cell.execution_count = count
            if index in culprits:
                cell.outputs = [nbformat.v4.new_output("error", **culprits[index])]
                continue
            if self.spent_s > self.plan.budget_s:  # or one notebook could hold up a class for days
                text = f"the notebook had used up its {self.plan.budget_s:.0f} s before this cell"
                cell.outputs = [nbformat.v4.new_output("error", **_error(TIMEOUT, text))]
                continue
            begin = time.monotonic()
            try:
                self._run_cell(cell)
                self._still_there()
            except _Culprit as culprit:
                return index, culprit.error
            finally:
                if name := grade_id(cell):
                    self.seconds[name] = round(time.monotonic() - begin, 3)
            before, tasks = tasks, watch.tasks(self._processes())
            if tasks > before:
                self.lingering.append(index)
        return None

    def _processes(self) -> list[int]:
        assert self.student is not None
        return self.student.processes()

    def _still_there(self) -> None:
        """Notice a process that answered and ended: that is the cell's doing too."""
        assert self.student is not None
        try:
            self.student.poll(0)
        except Gone as gone:
            raise _Culprit(DEAD, f"the process ended after this cell ({gone})") from None

    def _run_cell(self, cell: NotebookNode) -> None:
        name = grade_id(cell) or ""
        limit_s = self.plan.limit_s(cell)
        if name in self.plan.tests:
            source = self.plan.sources[name]
            message = self._message(source, "test") | {"seed": zlib.crc32(name.encode())}
            message["granted"] = None if self.learn else list(self.granted.get(name, ()))
            reply, late = self._ask(self.checker, message, limit_s)
            if self.learn:
                self.granted[name] = reply.get("judged") or []
            self._keep(cell, reply, late)
            return
        reply, late = self._ask(self.student, {"do": "run", "source": cell.source}, limit_s)
        reply.pop("public", None)  # a student's process has no say in messages
        self._keep(cell, reply, late)
        self.bound |= set(self.plan.bound.get(name, ()))
        if name in self.plan.helpers:  # what it gives is for later tests; nobody sees how it went
            self._ask(self.checker, self._message(self.plan.sources[name], "helper"), limit_s)

    def _message(self, source: str, kind: str) -> dict[str, Any]:
        bound, self.bound = sorted(self.bound), set()
        hidden = split.hidden_ranges(source)
        return {"do": "run", "source": source, "kind": kind, "hidden": hidden, "rebound": bound}

    def _keep(self, cell: NotebookNode, reply: dict[str, Any], late: str) -> None:
        error = reply.get("error")
        if late:
            error = _error(TIMEOUT, late)
        items = list(reply.get("outputs") or ()) if isinstance(reply.get("outputs"), list) else []
        if isinstance(error, dict):
            items.append({"output_type": "error", **error})
        cell.outputs = outputs.clean(items)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
        if isinstance(public := reply.get("public"), str) and error and not late:
            cell.metadata.setdefault("autograder", {})["message"] = public

    def _ask(
        self, who: Process | None, message: dict[str, Any], limit_s: float
    ) -> tuple[dict[str, Any], str]:
        """Send a request and watch until it is answered; returns the answer, and why it is late."""
        assert who is not None and self.student is not None and self.checker is not None
        both = [self.student, self.checker] if who is self.checker else [self.student]
        begin, used_s, late, told = time.monotonic(), 0.0, "", 0.0
        first_s: float | None = None
        look = FIRST_LOOK_S
        try:
            who.send(message)
            while (reply := who.poll(look)) is None:
                if self.stopped():
                    raise SessionFault("the run was stopped")
                look = LOOK_S
                pids = [pid for process in both for pid in process.processes()]
                cpu = watch.cpu_s(pids)
                first_s = cpu if first_s is None else first_s
                used_s = cpu - first_s
                self._check_size(both)
                if who is self.checker:
                    self._check_alive(self.student)
                wall_s = time.monotonic() - begin
                if not late and (late := self._late(used_s, wall_s, limit_s)):
                    told = time.monotonic()
                    for process in both:
                        process.interrupt()
                if late and time.monotonic() - told > GRACE_S:
                    raise _Culprit(TIMEOUT, f"{late} and would not stop")
        except Gone as gone:
            raise _Culprit(TIMEOUT if late else DEAD, late or self._why(gone, who)) from None
        finally:
            self.spent_s += max(used_s, (time.monotonic() - begin) / WALL)
        if who is self.checker:
            self._check_peer(reply, late)
            if late:
                self._settle(late)
        return reply, late

    def _settle(self, late: str) -> None:
        """Wait until the student's process, too, is done with a cell that was interrupted."""
        assert self.student is not None
        end = time.monotonic() + GRACE_S
        try:
            self.student.send({"do": "ping"})
            while self.student.poll(LOOK_S) is None:
                if time.monotonic() > end:
                    raise _Culprit(TIMEOUT, f"{late} and would not stop")
        except Gone:
            raise _Culprit(TIMEOUT, late) from None

    def _late(self, used_s: float, wall_s: float, limit_s: float) -> str:
        if "cpu" in self.without:
            return ""
        if used_s > limit_s:
            return f"not done after {limit_s:g} s of computing"
        if wall_s > WALL * limit_s:
            return f"not done after {wall_s:.0f} s"
        if wall_s > limit_s and used_s < IDLE_SHARE * wall_s:
            return f"not done after {limit_s:g} s of waiting"
        return ""

    def _check_size(self, both: list[Process]) -> None:
        if "disk" not in self.without:
            room = self.plan.limits.disk_mib
            if any(process.disk_mib() > room for process in both):
                raise _Culprit(DEAD, f"it wrote more than {room} MiB of files")
        if "memory" in self.without:
            return
        most = self.plan.limits.memory_mib
        for process in both:
            used = watch.memory_mib(process.processes(), self.zygote.shared_mib, most)
            if used > most:
                raise _Culprit(DEAD, f"it used more than {most} MiB of memory")

    def _check_alive(self, student: Process) -> None:
        """Notice that the student's process is gone while a test waits for it."""
        student.poll(0)

    def _check_peer(self, reply: dict[str, Any], late: str) -> None:
        """Raise the culprit if a test ended because the student's process died or lied."""
        error = reply.get("error")
        name = error.get("ename") if isinstance(error, dict) else None
        if name == BROKEN:
            assert isinstance(error, dict)
            raise _Culprit(BROKEN, str(error.get("evalue")))
        if name != DEAD:
            return
        assert self.student is not None
        with contextlib.suppress(Gone):
            self.student.poll(0.2)
            return
        raise _Culprit(TIMEOUT if late else DEAD, late or "the process died in a call of the test")

    def _why(self, gone: Gone, who: Process) -> str:
        if who is self.checker:
            return f"the test or what it called ended its process ({gone})"
        return f"the process ended while this cell ran ({gone})"

    def _start(self) -> None:
        self.student, self.checker = self.zygote.start_pair(self.plan.limits)
        for process, files in ((self.student, self.files), (self.checker, self.shipped)):
            for name, path in files.items():
                for piece in _pieces(path):
                    self._must(process, {"do": "files", "files": {str(name): piece}})
            start = {"do": "start", "seed": 0, "imports": dict(self.plan.imports)}
            start["shadows"] = sorted(set().union(*self.plan.bound.values()))
            self._must(process, start | {"rung": self.zygote.protection.rung})

    def _must(self, process: Process, message: dict[str, Any]) -> dict[str, Any]:
        """Send a request that no student has a part in."""
        try:
            process.send(message)
            end = time.monotonic() + START_S
            while (reply := process.poll(1.0)) is None:
                if time.monotonic() > end or self.stopped():
                    raise SessionFault(f"the {process.name} process did not start")
        except Gone as gone:
            raise SessionFault(f"the {process.name} process did not start: {gone}") from None
        if "fault" in reply:
            raise SessionFault(f"the {process.name} process: {reply['fault']}")
        return reply

    def _note_modules(self) -> None:
        """Remember what was imported: for the reference answer, the only one that is believed."""
        names: set[str] = set()
        for process in (self.student, self.checker):
            with contextlib.suppress(SessionFault):
                assert process is not None
                found = self._must(process, {"do": "modules"}).get("modules")
                if isinstance(found, list):
                    names |= {name for name in found if isinstance(name, str)}
        self.modules = sorted(names)

    def end(self) -> None:
        """Kill both processes and everything that they started."""
        both = [process for process in (self.student, self.checker) if process is not None]
        for process in both:
            process.kill(whole_tree="reap" not in self.without and not self._dies_whole())
        for process in both:
            process.wait()
        self.student = self.checker = None

    def _dies_whole(self) -> bool:
        """Whether the kernel ends a job's processes with its first one."""
        return self.zygote.protection.rung == 1 and "pids" not in self.without


def _own_cells(nb: NotebookNode) -> NotebookNode:
    """Copy a notebook as far as a run changes it."""
    work = NotebookNode(nb)
    work.cells = [NotebookNode(cell) for cell in nb.cells]
    for cell in work.cells:
        cell.metadata = NotebookNode(cell.metadata)
        if "autograder" in cell.metadata:
            cell.metadata.autograder = NotebookNode(cell.metadata.autograder)
    return work


def _error(name: str, text: str) -> dict[str, Any]:
    return {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}


def _pieces(path: Path) -> list[str]:
    content = path.read_bytes()
    cuts = range(0, max(len(content), 1), PIECE)
    return [base64.b64encode(content[i : i + PIECE]).decode() for i in cuts]
