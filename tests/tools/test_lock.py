"""The lock is complete, and it is what is installed."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tools import lock

ROOT = Path(__file__).resolve().parents[2]
CUDA = ("nvidia-", "triton", "cuda-")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)


def name(raw: str) -> str:
    return re.sub(r"[-_.]+", "-", raw).lower()


def pins() -> dict[str, str]:
    return {name(n): v for n, v in PIN.findall((ROOT / "requirements.txt").read_text())}


def test_every_direct_dependency_has_a_reason_and_a_pin() -> None:
    for line in (ROOT / "requirements.in").read_text().splitlines():
        if line and not line.startswith("#"):
            requirement, _, reason = line.partition("#")
            direct = name(re.split(r"[=<>~ ]", requirement.strip())[0])
            assert direct in pins(), f"{direct} is not in requirements.txt: run make lock"
            assert reason.strip() or direct in {
                "numpy", "matplotlib", "pytest", "ruff", "mypy", "pre-commit"
            }, f"{direct} needs a reason in requirements.in"  # fmt: skip


def test_installed_is_exactly_what_the_lock_says() -> None:
    # asked in a process of its own: packages that bring others inside them change what is seen here
    done = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=json"], capture_output=True, text=True
    )
    installed = {name(d["name"]): d["version"].split("+")[0] for d in json.loads(done.stdout)}
    installed.pop("unrolled", None)
    # a CUDA torch brings its own libraries, at versions that it pins itself
    extra = {n for n in installed if n not in pins() and not n.startswith(CUDA)}
    assert not extra, (
        f"not in the lock: {sorted(extra)}: add the direct ones to requirements.in, make lock"
    )
    assert {n: installed.get(n) for n in pins()} == pins()


def test_dependencies_agree_with_each_other() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_lock_names_no_address_and_no_local_build() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert text.startswith("# GENERATED from requirements.in by `make lock`")
    assert not re.search(r"://|@ |--index|--find-links|\+cpu|\+cu", text)


def test_what_only_a_cuda_build_needs_is_left_to_torch() -> None:
    raw = (
        "torch==2.13.0+cpu\n    # via -r x\ntriton==3.4.0\n    # via torch\nzipp==1\n    # via x\n"
    )
    text = lock.clean(raw)
    assert text == lock.HEADER + "torch==2.13.0\n    # via -r x\nzipp==1\n    # via x\n"
