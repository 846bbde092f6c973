"""Each rung works for each kind of user, with ordinary Python in it."""

import importlib
import os
import sys
import tempfile
from pathlib import Path

import pytest
from jail_harness import MACHINES, Machine, attack, linux_root

from autograder.sandbox import Protection, kernel

pytestmark = linux_root


def ordinary() -> dict[str, object]:
    """Do what ordinary notebooks do."""
    import asyncio
    import multiprocessing
    import subprocess
    import tempfile
    import threading

    context = multiprocessing.get_context("fork")
    near, far = context.Pipe()
    child = context.Process(target=lambda: near.send(sum(range(10))))
    child.start()
    child.join()
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("kept")
    queue = context.Queue()
    queue.put("queued")
    os.makedirs("a/b")
    with open("data.txt", "w") as file:
        file.write("x")
    os.rename("data.txt", "data2.txt")
    return {
        "sent": far.recv(),
        "queue": queue.get(),
        "shell": subprocess.run(
            "echo $((6*7)); ls", shell=True, capture_output=True
        ).stdout.decode(),
        "loop": asyncio.run(asyncio.sleep(0, "slept")),
        "home": os.path.isdir(os.path.expanduser("~")),
        "user": os.environ["USER"],
        "uid": os.getuid(),
        "lock": multiprocessing.Lock().acquire(),
    }


@pytest.mark.parametrize("machine", MACHINES, ids=str)
@pytest.mark.parametrize("rung", [1, 2, 3])
def test_ordinary_work_is_possible(machine: Machine, rung: int) -> None:
    if rung == 1 and not machine.root and not machine.user_namespaces:
        pytest.skip("there is no rung 1 for an ordinary user without user namespaces")
    result = attack(ordinary, Protection(rung), machine=machine)
    assert not result.error, result
    assert result.status == 0, result
    assert result.value["sent"] == 45
    assert result.value["queue"] == "queued"
    assert result.value["shell"].split() == ["42", "a", "data2.txt"]
    assert result.value["loop"] == "slept"
    assert result.value["home"] and result.value["user"] == "student" and result.value["lock"]
    assert result.value["uid"] != 0


@pytest.mark.parametrize("rung", [1, 2])
@pytest.mark.parametrize("machine", MACHINES[::2], ids=str)
def test_python_may_lie_below_tmp(
    rung: int, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="venv-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        Path(folder, "module.py").write_text("answer = 42\n")
        monkeypatch.setattr("sys.prefix", folder)

        def use() -> int:
            sys.path.append(folder)
            answer: int = importlib.import_module("module").answer
            return answer

        def spoil() -> None:
            Path(folder, "module.py").write_text("answer = 41\n")

        assert attack(use, Protection(rung), machine=machine).value == 42
        assert attack(spoil, Protection(rung), machine=machine).held


@pytest.mark.parametrize("rung", [1, 2, 3])
def test_python_may_be_for_root_alone(rung: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="venv-", dir="/var/tmp") as folder:
        Path(folder, "module.py").write_text("answer = 42\n")
        Path(folder, "module.py").chmod(0o600)
        monkeypatch.setattr("sys.prefix", folder)

        def use() -> list[int]:
            sys.path.append(folder)
            return [importlib.import_module("module").answer, os.getuid()]

        answer, uid = attack(use, Protection(rung)).value
        assert answer == 42 and uid != 0


@pytest.mark.parametrize("rung", [1, 2, 3])
def test_root_of_a_namespace_of_one_user(rung: int) -> None:
    result = attack(ordinary, Protection(rung), machine=Machine(root=False, own_root=True))
    assert not result.error, result
    assert result.value["sent"] == 45


@pytest.mark.parametrize("rung", [1, 2])
def test_a_container_that_covers_parts_of_proc(rung: int) -> None:
    """As Docker does: then no user namespace may mount a /proc, but root itself may."""

    def cover() -> None:
        kernel.syscall("unshare", kernel.CLONE_NEWNS)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("tmpfs", "/proc/acpi" if os.path.isdir("/proc/acpi") else "/proc/fs", "tmpfs")
        kernel.mount("/dev/null", "/proc/timer_list", flags=kernel.MS_BIND)

    result = attack(ordinary, Protection(rung), before=cover)
    assert not result.error, result
