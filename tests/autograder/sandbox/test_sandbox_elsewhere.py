"""The parts that this machine does not use: another processor, macOS, Windows, an old kernel."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from jail_harness import SMALL, attack, linux_root, protection

from autograder.sandbox import Protection, compact_memory, folder, kernel, people, seccomp

ROOT = Path(__file__).resolve().parents[3]
READ = {"x86_64": 0, "aarch64": 63}


def decide(code: list[seccomp.Instruction], number: int, *args: int, arch: int) -> int:
    """Run a filter as the kernel would and return its verdict."""
    words = {0: number, 4: arch}
    for at in range(6):
        value = args[at] if at < len(args) else 0
        words[16 + 8 * at], words[20 + 8 * at] = value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF
    here = held = 0
    while True:
        op, yes, no, operand = code[here]
        here += 1
        if op == seccomp.LOAD:
            held = words[operand]
        elif op == seccomp.AND:
            held &= operand
        elif op == seccomp.RETURN:
            return operand
        else:
            true = {
                seccomp.EQUAL: held == operand,
                seccomp.ABOVE: held > operand,
                seccomp.ANY_BIT: held & operand != 0,
            }[op]
            here += yes if true else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_on_each_machine(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MACHINE", machine)
    arch = seccomp.ARCHITECTURE[machine]
    refused, missing = seccomp.FAIL | errno.EPERM, seccomp.FAIL | errno.ENOSYS

    def verdict(name: str, *args: int, **how: bool | tuple[int, ...]) -> int:
        number = kernel.number(name)
        assert number is not None
        return decide(seccomp.program(**how), number, *args, arch=arch)  # type: ignore[arg-type]

    for name in " ".join(seccomp.REFUSED.values()).split():
        if kernel.number(name) is not None:
            assert verdict(name) == refused, name
    assert verdict("clone3") == missing
    assert verdict("clone", signal.SIGCHLD) == seccomp.ALLOW
    assert verdict("clone", kernel.CLONE_NEWUSER | signal.SIGCHLD) == refused
    assert verdict("prlimit64", 0) == seccomp.ALLOW
    assert verdict("prlimit64", 1) == refused
    assert verdict("ioctl", 0, 0x5401) == seccomp.ALLOW
    assert verdict("ioctl", 0, 0x5412) == refused
    assert verdict("ioctl", 0, 1 << 32 | 0x5412) == refused  # the kernel reads the low word
    assert verdict("personality", 0) == verdict("personality", 0xFFFFFFFF) == seccomp.ALLOW
    assert verdict("personality", 0x40000) == refused
    for name in ("socket", "socketpair"):
        assert verdict(name, socket.AF_UNIX, socket.SOCK_DGRAM) == seccomp.ALLOW
        assert verdict(name, socket.AF_UNIX, socket.SOCK_DGRAM, connect=False) == refused
        stream = socket.SOCK_STREAM | socket.SOCK_CLOEXEC
        assert verdict(name, socket.AF_UNIX, stream, connect=False) == seccomp.ALLOW
        for connect in (True, False):
            assert verdict(name, socket.AF_INET, stream, connect=connect) == refused
        assert verdict(name, socket.AF_INET, stream, network=False) == seccomp.ALLOW
    assert verdict("setsockopt", 0, 1, 7) == verdict("setsockopt", 0, 1, 33) == seccomp.FAIL
    assert verdict("setsockopt", 0, 1, 2) == verdict("setsockopt", 0, 6, 7) == seccomp.ALLOW
    assert verdict("connect", connect=False) == refused
    assert verdict("connect") == verdict("connect", network=False, connect=False) == seccomp.ALLOW
    assert verdict("kill", 77) == seccomp.ALLOW
    assert verdict("kill", 77, signals=(0, 5)) == verdict("tkill", 6, signals=(0, 5)) == refused
    assert verdict("kill", 5, signals=(0, 5)) == verdict("kill", 0, signals=(0, 5)) == seccomp.ALLOW
    assert decide(seccomp.program(), READ[machine], arch=arch) == seccomp.ALLOW
    assert decide(seccomp.program(), 10_000, arch=arch) == missing
    assert decide(seccomp.program(), READ[machine], arch=0x40000003) == seccomp.KILL
    assert all(
        jump < 256 for _, yes, no, _ in seccomp.program(signals=(0, 5)) for jump in (yes, no)
    )


@linux_root
def test_another_unix(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: no system calls of our own, limits only."""
    monkeypatch.setattr(kernel, "SUPPORTED", False)
    weak = Protection(3)
    assert attack(os.getcwd, weak).value.endswith("/work")
    assert attack(os.getuid, weak).value != 0
    assert attack(lambda: os.write(50, b"x"), weak, before=lambda: os.dup2(2, 50)).held

    def big() -> None:
        with open("big", "wb") as file:
            file.truncate((SMALL.file_mib + 1) << 20)

    assert attack(big, weak).held


def test_a_system_without_fork() -> None:
    code = """
import os, signal, sys
import ctypes, tempfile, pathlib, traceback, contextlib, dataclasses, select, gc, random
for name in "fork geteuid getuid setsid".split():
    delattr(os, name)
for name in "SIGALRM SIGCHLD SIGHUP SIGKILL pthread_sigmask".split():
    delattr(signal, name)
sys.modules["resource"] = None
sys.platform = "win32"
from autograder import doctor
from autograder.sandbox import Jail, Protection, best, guarantees
assert best() == Protection(3)
assert guarantees(best())
assert doctor.report() == 1
try:
    Jail(Protection(3), [], pathlib.PurePath("."))
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "cannot fork" in done.stdout.splitlines()[-1], done


@linux_root
def test_descriptors_close_on_an_old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kernel.NUMBERS, "close_range", (9999, 9999))
    leak = lambda: os.dup2(2, 50)  # noqa: E731
    assert attack(lambda: os.write(50, b"x"), before=leak).held
    assert attack(lambda: os.write(50, b"x"), protection("fds"), before=leak).value == 1


def test_a_folder_is_removed_however_it_was_built(tmp_path: Path) -> None:
    top = tmp_path / "job"
    top.mkdir()
    kept = tmp_path / "kept"
    kept.write_text("not the job's")
    (top / "link").symlink_to(kept)
    (top / "folder-link").symlink_to(tmp_path)
    here = os.getcwd()
    try:
        os.chdir(top)
        for _ in range(3000):  # a path of 12,000 characters
            os.mkdir("deep")
            os.chdir("deep")
    finally:
        os.chdir(here)
    (top / "closed" / "inner").mkdir(parents=True)
    (top / "closed" / "inner" / "file").write_text("x")
    (top / "closed" / "inner").chmod(0)
    (top / "closed").chmod(0)
    folder.remove(str(top))
    assert not top.exists()
    assert kept.read_text() == "not the job's"


@pytest.mark.skipif(not kernel.SUPPORTED, reason="huge pages are Linux's")
def test_compact_memory_makes_huge_pages() -> None:
    def huge() -> int:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
        return int(next(x for x in lines if x.startswith("AnonHugePages")).split()[1])

    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            held = [bytes(1000) for _ in range(50_000)]
            before = huge()
            compact_memory()
            os.write(write, f"{huge() - before} {len(held)}".encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    gained = int(os.read(read, 100).split()[0])
    os.close(read)
    os.close(write)
    if gained == 0 and tuple(map(int, os.uname().release.split(".")[:2])) < (6, 1):
        pytest.skip("this kernel cannot collapse pages on request")
    assert gained >= 10_000


def test_user_numbers_are_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {people.spare_id(seed) for seed in range(1000)}
    assert len(numbers) == 1000 and all(people.is_spare(number) for number in numbers)
    monkeypatch.setattr(people, "_mapped", lambda _: [range(65536)])  # as in a container
    assert people.spare_id(7) == people.NOBODY and not people.is_spare(people.NOBODY)
    monkeypatch.setattr(people, "_mapped", lambda _: [range(1)])  # nobody but root is there
    assert people.spare_id(7) == 0
