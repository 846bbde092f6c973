"""The warm process that jobs are forked from, as the coordinator sees it."""

import contextlib
import fcntl
import json
import os
import queue
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.process import Process
from autograder.sandbox import Limits, Protection

HEAD = struct.Struct("!I")
START_S = 300.0  # a cold disk can take minutes over torch
FORK_S = 60.0
ROOT = Path(__file__).resolve().parents[1]
SCRATCH, YOUNG_S = "autograder-run-", 60.0


Pair = tuple[Process, Process]


class ForksError(Exception):
    """The zygote failed: the grader's fault, never a student's."""


class Zygote:
    """One zygote, started when it is first needed, safe to use from several threads."""

    def __init__(
        self, protection: Protection, hide: Sequence[Path], preload: Sequence[str]
    ) -> None:
        self.protection, self.hide, self.preload = protection, list(hide), list(preload)
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.sock: socket.socket | None = None
        self.shared_mib = 0.0
        self.started = 0
        self.closed = False
        _sweep()
        self.scratch = Path(tempfile.mkdtemp(prefix=SCRATCH))
        self.held = _lock(self.scratch)
        self.spare: tuple[Limits, Pair] | None = None  # started ahead, for whoever comes next
        self.wanted: queue.SimpleQueue[Limits | None] = queue.SimpleQueue()
        self.ahead = threading.Thread(target=self._start_ahead, daemon=True)
        self.ahead.start()

    def start(self) -> None:
        """Start the process, if it does not run."""
        with self.lock:
            self._ensure()

    def start_pair(self, limits: Limits) -> Pair:
        """Fork a student and a checker that can talk to each other, or take those that wait."""
        with self.lock:
            self._ensure()
            pair = self._take_spare(limits) or self._start_pair(limits)
        self.wanted.put(limits)
        return pair

    def _start_ahead(self) -> None:
        """Start the next pair while its notebook's predecessor runs."""
        while (limits := self.wanted.get()) is not None:
            with contextlib.suppress(ForksError, OSError), self.lock:
                if self.spare is None and not self.closed and self.wanted.empty():
                    self._ensure()
                    self.spare = limits, self._start_pair(limits)

    def _take_spare(self, limits: Limits) -> Pair | None:
        spare, self.spare = self.spare, None
        if spare is None or spare[0] == limits:
            return spare and spare[1]
        self._end(spare[1])
        return None

    def _end(self, pair: Pair) -> None:
        for process in pair:
            process.kill(self.protection.rung > 1)

    def _start_pair(self, limits: Limits) -> Pair:
        ends = [socket.socketpair() for _ in range(3)]  # student, checker, between them
        (s_near, s_far), (c_near, c_far), (s_peer, c_peer) = ends
        started: list[Process] = []
        try:
            for name, near, fds in (
                ("student", s_near, (s_far, s_peer)),
                ("checker", c_near, (c_far, c_peer)),
            ):
                self.started += 1
                label = f"{name}-{self.started}"
                request: dict[str, Any] = {"do": "start", "name": name, "label": label}
                request["limits"] = asdict(limits)
                reply, pidfds = self._ask(request, [fd.fileno() for fd in fds], FORK_S)
                pidfd = pidfds[0] if pidfds else None
                job = Process(name, near, reply["pid"], pidfd, self.scratch / "jobs", label)
                started.append(job)
        except BaseException:
            for process in started:
                process.kill(self.protection.rung > 1)
            raise
        finally:
            for sock in (s_far, c_far, s_peer, c_peer):
                sock.close()
        return started[0], started[1]

    def learn(self, modules: Sequence[str]) -> None:
        """Import what the reference answer turned out to import, for all forks to come."""
        with self.lock:
            self._drop_spare()
            new = [name for name in modules if name not in self.preload]
            self.preload += new
            if new and self.process is not None:
                reply, _ = self._ask({"do": "preload", "modules": new}, [], START_S)
                self.shared_mib = reply["anonymous_mib"]

    def _ensure(self) -> None:
        if self.closed:
            raise ForksError("the run is over")
        if self.process is not None and self.process.poll() is None:
            return
        self._drop()
        near, far = socket.socketpair()
        log = (self.scratch / "zygote.log").open("ab")
        with far, log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "autograder.job.zygote", str(far.fileno())],
                cwd=ROOT,
                env=_environment(self.scratch),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[far.fileno()],
                start_new_session=True,  # Ctrl-C reaches the coordinator alone; it ends us in order
            )
        self.sock = near
        jobs = self.scratch / "jobs"
        jobs.mkdir(exist_ok=True)
        reply, _ = self._ask(
            {
                "preload": self.preload,
                "protection": {
                    "rung": self.protection.rung,
                    "landlock_abi": self.protection.landlock_abi,
                },
                "without": sorted(self.protection.without),
                "hide": [str(folder) for folder in self.hide],
                "scratch": str(jobs),
            },
            [],
            START_S,
        )
        self.shared_mib = reply["anonymous_mib"]

    def _ask(
        self, message: dict[str, Any], fds: Sequence[int], patience_s: float
    ) -> tuple[dict[str, Any], list[int]]:
        assert self.sock is not None
        self.sock.settimeout(patience_s)
        body = json.dumps(message).encode()
        try:
            socket.send_fds(self.sock, [HEAD.pack(len(body)) + body], list(fds))
            head, got, _, _ = socket.recv_fds(self.sock, HEAD.size, 1)
            reply = b""
            if len(head) == HEAD.size:
                (size,) = HEAD.unpack(head)
                while len(reply) < size and (part := self.sock.recv(size - len(reply))):
                    reply += part
            if not reply:
                raise OSError("it ended")
        except OSError as error:
            words = self._last_words()
            self._drop()
            raise ForksError(f"the process that jobs are forked from: {error}; {words}") from None
        answer = json.loads(reply)
        if "fault" in answer:
            raise ForksError(f"a job could not be started: {answer['fault']}")
        return answer, list(got)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.scratch / "zygote.log").read_text(errors="replace").strip().splitlines()
            return f"its last words: {lines[-1][:300]}" if lines else "it said nothing"
        return "it said nothing"

    def _drop_spare(self) -> None:
        if self.spare is not None:
            self._end(self.spare[1])
            self.spare = None

    def _drop(self) -> None:
        self._drop_spare()
        if self.sock is not None:
            self.sock.close()
            self.sock = None
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=1)
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self) -> None:
        """End the zygote; jobs that still run end with it."""
        if self.closed:
            return
        self.closed = True
        self.wanted.put(None)
        with self.lock:
            self._drop()
        shutil.rmtree(self.scratch, ignore_errors=True)
        os.close(self.held)


def _sweep() -> None:
    """Remove what coordinators left behind that were killed: they could not do it themselves.

    A living one holds a lock on its folder.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            state = folder.lstat()
            young = time.time() - state.st_mtime < YOUNG_S  # perhaps not locked yet
            if state.st_uid != os.getuid() or not stat.S_ISDIR(state.st_mode) or young:
                continue
            held = _lock(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _lock(folder: Path) -> int:
    """Lock a folder and return its descriptor; OSError if somebody else holds the lock."""
    held = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


def _environment(scratch: Path) -> dict[str, str]:
    """A small environment: nobody's settings change a mark, and no secret is handed on."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TZ") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "PYTHONPATH": str(ROOT),
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",  # the order of a set must not decide a mark
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "IPYTHONDIR": str(scratch / "ipython"),
        "MPLCONFIGDIR": str(_font_cache(scratch)),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "CUDA_VISIBLE_DEVICES": "",
        "NBGRADER_EXECUTION": "autograde",
    }
    return kept | threads | own


def _font_cache(scratch: Path) -> Path:
    """Where matplotlib keeps its list of fonts, which takes seconds to make; no settings in it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "unrolled-autograder" / "matplotlib"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError:
        return scratch / "matplotlib"
