"""What each version of Landlock holds, on rung 2, where nothing else would.

Every line of the published table that depends on the version is tried at each version: it must be
held from the version the table says, and must get through below it. A kernel with an older version
skips what it cannot do.
"""

import fcntl
import functools
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jail_harness import SOMEBODY, Machine, attack, linux_root, protection

from autograder.sandbox import landlock

pytestmark = linux_root
USER = Machine(root=False)
RNDGETENTCNT = 0x80045200


@pytest.fixture
def mine() -> Iterator[Path]:
    """A file of the user who runs the grader."""
    file = Path("/var/tmp") / f"jail-file-{os.getpid()}"
    file.write_text("twelve bytes")
    os.chown(file, SOMEBODY, SOMEBODY)
    yield file
    file.unlink()


def read(file: Path) -> str:
    return file.read_text()


def truncate(file: Path) -> str:
    os.truncate(file, 3)
    return "truncated"


def move_between_folders(file: Path) -> str:
    os.mkdir("a")
    Path("b").write_text("x")
    os.rename("b", "a/b")
    return "moved"


def bind_a_port(file: Path) -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
    return "listening"


def ask_a_device(file: Path) -> str:
    with open("/dev/random", "rb") as device:
        fcntl.ioctl(device, RNDGETENTCNT, bytes(4))
    return "answered"


def reach_an_abstract_socket(file: Path) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(f"\0{file.stem}")
    return "connected"


HELD_FROM = [
    (read, 1),
    (truncate, 3),
    (bind_a_port, 4),
    (ask_a_device, 5),
    (reach_an_abstract_socket, 6),
]


@pytest.mark.parametrize("abi", range(1, landlock.NEWEST + 1))
@pytest.mark.parametrize(("action", "since"), HELD_FROM, ids=lambda x: getattr(x, "__name__", ""))
def test_held_from_its_version_on(
    action: Callable[[Path], str], since: int, abi: int, mine: Path
) -> None:
    _needs(abi)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"\0{mine.stem}")
        sock.listen()
        kept = protection("seccomp", rung=2, abi=abi)
        result = attack(functools.partial(action, mine), kept, machine=USER)
    assert result.held == (abi >= since), result


@pytest.mark.parametrize("abi", range(1, landlock.NEWEST + 1))
def test_signals_are_held_at_every_version(abi: int) -> None:
    _needs(abi)
    with subprocess.Popen(["sleep", "60"], user=SOMEBODY, group=SOMEBODY) as process:

        def shoot() -> str:
            os.kill(process.pid, signal.SIGTERM)
            return "shot"

        kept = attack(shoot, protection(rung=2, abi=abi), machine=USER)
        assert kept.held and process.poll() is None
        if abi < 6:  # then it was seccomp that held it
            assert not attack(shoot, protection("seccomp", rung=2, abi=abi), machine=USER).held
        process.kill()


@pytest.mark.parametrize("abi", range(1, landlock.NEWEST + 1))
def test_files_move_between_folders_from_version_2_on(abi: int, mine: Path) -> None:
    _needs(abi)
    move = functools.partial(move_between_folders, mine)
    assert attack(move, protection(rung=2, abi=abi)).held == (abi < 2)


def test_without_landlock_files_are_open(mine: Path) -> None:
    off = protection("landlock", rung=2)
    assert attack(functools.partial(read, mine), off, machine=USER).value == "twelve bytes"


def _needs(abi: int) -> None:
    if landlock.version() < abi:
        pytest.skip(f"this kernel has version {landlock.version()} of Landlock, not {abi}")
