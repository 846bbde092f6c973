"""Fuzzing runs every target, and reports and keeps what breaks one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import fuzz

pytest.importorskip("atheris", reason="atheris has no wheel for this system")

BROKEN = """
import pathlib, sys
from tools import fuzz

def target(data):
    assert data[:1] != b"b", "a planted flaw"

fuzz.FOUND = pathlib.Path(sys.argv[1])
fuzz.TARGETS["codec"] = lambda: (target, [b"a"])
fuzz.fuzz("codec", 20)
"""


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_nothing_found_in_a_few_seconds(target: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main([target, "--seconds", "4"]) == 0
    name, inputs = capfd.readouterr().out.split()[:2]
    assert name == f"{target}:" and int(inputs) > 20


def test_a_flaw_is_found_and_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BROKEN, str(tmp_path)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=fuzz.ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0 and "a planted flaw" in done.stdout + done.stderr
    assert [path.read_bytes()[:1] for path in tmp_path.glob("codec-crash-*")] == [b"b"]


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_replay(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"[1")
    assert fuzz.main([target, "--replay", str(path)]) == 0
    assert "read without harm" in capsys.readouterr().out


def test_replay_needs_a_target(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        fuzz.main(["--replay", str(tmp_path)])
