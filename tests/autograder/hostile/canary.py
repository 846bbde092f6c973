"""Things outside of the sandbox that an attack would like to reach, and that tell if it did."""

import contextlib
import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

# a process with a secret in its memory; says on stdout where it is, and what signals it gets
VICTIM = """
import ctypes, os, signal, sys
secret = ctypes.create_string_buffer(sys.stdin.readline().strip().encode())
libc = ctypes.CDLL(None, use_errno=True)
segment = libc.shmget(0, 4096, 0o1666)  # IPC_PRIVATE: others know it by its number
libc.shmat.restype = ctypes.c_void_p
address = libc.shmat(segment, None, 0)
ctypes.memmove(address, secret, len(secret))
libc.shmctl(segment, 0, None)  # gone with the last process that holds it
def note(number, frame):
    os.write(1, b"signal %d\\n" % number)
for number in map(int, sys.argv[1:]):
    signal.signal(number, note)
os.write(1, b"%d %d %d\\n" % (os.getpid(), ctypes.addressof(secret), segment))
while True:
    signal.pause()
"""


class Canary:
    """Servers, a process and a folder; `with` starts and ends them."""

    def __init__(self, folder: Path, memory_secret: str, file_secret: str, hears_all: bool) -> None:
        self.folder = folder
        self.signals = [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]
        if hears_all:  # what an attack without protection sends to everybody reaches other tests
            self.signals.append(signal.SIGURG)
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        (folder / "secret.txt").write_text(file_secret)
        (folder / "secret.txt").chmod(0o666)
        self.memory_secret = memory_secret
        self.got: list[bytes] = []
        self.sockets: list[socket.socket] = []

    def __enter__(self) -> "Canary":
        self.abstract = f"canary-{secrets.token_hex(6)}"
        self.tcp = self._listen(socket.AF_INET, ("127.0.0.1", 0))[1]
        self.tcp6 = 0
        with contextlib.suppress(OSError):
            self.tcp6 = self._listen(socket.AF_INET6, ("::1", 0))[1]
        self._listen(socket.AF_UNIX, f"\0{self.abstract}")
        self.path = str(self.folder / "s")
        self._listen(socket.AF_UNIX, self.path)
        os.chmod(self.path, 0o777)
        self.udp = self._listen(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM)[1]
        self.victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, *(str(int(number)) for number in self.signals)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.victim.stdin and self.victim.stdout
        self.victim.stdin.write(self.memory_secret.encode() + b"\n")
        self.victim.stdin.flush()
        self.pid, self.address, self.segment = map(int, self.victim.stdout.readline().split())
        os.set_blocking(self.victim.stdout.fileno(), False)
        self.before = self._state()
        self.heard = ""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.victim.kill()
        self.victim.communicate()
        for server in self.sockets:
            server.close()

    def _listen(
        self, family: int, address: object, kind: int = socket.SOCK_STREAM
    ) -> tuple[str, int]:
        server = socket.socket(family, kind)
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen(200)
        self.sockets.append(server)
        threading.Thread(target=self._serve, args=(server, kind), daemon=True).start()
        return server.getsockname()

    def _serve(self, server: socket.socket, kind: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                if kind == socket.SOCK_DGRAM:
                    self.got.append(server.recv(1000))
                    continue
                connection = server.accept()[0]
                connection.settimeout(5)
                with connection, contextlib.suppress(OSError):
                    self.got.append(connection.recv(1000))

    def _state(self) -> str:
        files = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        nice = os.getpriority(os.PRIO_PROCESS, self.pid)
        return f"limits {files}, priority {nice}, cores {sorted(os.sched_getaffinity(self.pid))}"

    def felt(self) -> str:
        """What happened to the process since the last call."""
        assert self.victim.stdout
        if self.victim.poll() is not None:
            return f"killed by {self.victim.returncode}"
        said = (self.victim.stdout.read() or b"").decode()
        now = self._state()
        changed = "" if now == self.before else f"changed from {self.before} to {now}"
        self.before = now
        return said + changed

    def places(self) -> dict[str, object]:
        """Where an attack finds everything: what stands for @NAME@ in its text."""
        return {
            "TCP": self.tcp,
            "TCP6": self.tcp6,
            "UDP": self.udp,
            "ABSTRACT": self.abstract,
            "UNIX": self.path,
            "PID": self.pid,
            "ADDRESS": self.address,
            "SEGMENT": self.segment,
            "OUTSIDE": self.folder,
        }
