"""A full disk, a locked gradebook, two runs at once: nothing is lost, and the message helps."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest
from tiny_course import Done, clean_env, hand_in, rows_of, solved

from autograder import gradebook

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]


def test_a_second_run_waits_for_nobody(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ann", solved(root))
    (root / ".autograder").mkdir(exist_ok=True)
    holds = (
        "import filelock, sys, time; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); "
        "print(flush=True); time.sleep(60)"
    )
    lock = root / ".autograder" / "run.lock"
    other = subprocess.Popen([sys.executable, "-c", holds, lock], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        done = autograder("grade", "tiny", "--course-dir", root)
        assert done.returncode == 2 and "another run is grading" in done.stderr
        assert not (root / "gradebook.db").exists()
    finally:
        other.kill()  # as the system does with a run that is killed
        other.wait()
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    with filelock.FileLock(lock, timeout=0):
        pass


def test_a_locked_gradebook_stops_a_run_with_a_clear_line(
    make_course: MakeCourse, autograder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook, "PATIENCE_S", 1.0)
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ann", solved(root))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    hand_in(root, "bob", solved(root))
    with_bob = ("grade", "tiny", "--course-dir", root, "--json", root / "m.json")
    for how in ("EXCLUSIVE", "IMMEDIATE"):
        holder = sqlite3.connect(root / "gradebook.db", isolation_level=None)
        holder.execute(f"BEGIN {how}")
        try:
            done = autograder(*with_bob)
            assert done.returncode == 1
            assert "locked by another program" in done.stderr and "close it" in done.stderr
            assert "Traceback" not in done.stderr
        finally:
            holder.execute("ROLLBACK")
            holder.close()
    done = autograder(*with_bob)
    assert done.returncode == 0 and "1 graded now, 1 unchanged" in done.stdout
    assert {row["outcome"] for row in rows_of(root / "m.json", "bob").values()} == {
        "passed",
        "manual",
    }


def test_somebody_who_saves_a_mark_meanwhile_stops_nothing(
    make_course: MakeCourse, autograder: Command
) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ann", solved(root))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    over = threading.Event()

    def saves() -> None:
        while not over.is_set():
            mine = sqlite3.connect(root / "gradebook.db", isolation_level=None, timeout=30)
            mine.execute("BEGIN IMMEDIATE")
            mine.execute("UPDATE grade SET extra_credit = 0")
            time.sleep(0.3)
            mine.execute("COMMIT")
            mine.close()
            time.sleep(0.02)

    other = threading.Thread(target=saves)
    other.start()
    try:
        done = autograder("grade", "tiny", "--course-dir", root, "--force")
    finally:
        over.set()
        other.join()
    assert done.returncode == 0, done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_a_run_which_goes_on_later(
    make_course: MakeCourse, small_disk: Path, tmp_path: Path
) -> None:
    made = make_course()
    root = small_disk / "course"
    command = [sys.executable, "-m", "autograder"]

    def run(*args: object) -> subprocess.CompletedProcess[str]:
        here = [*command, *map(str, args), "--course-dir", str(root)]
        env = clean_env(tmp_path) | {"PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(here, capture_output=True, text=True, timeout=120, env=env)

    made.rename(tmp_path / "made")
    subprocess.run(["cp", "-r", str(tmp_path / "made"), str(root)], check=True)
    assert run("release").returncode == 0
    for i in range(12):
        hand_in(root, f"s{i:02}", solved(root))
    assert run("grade", "tiny", "--student", "s00").returncode == 0
    before = sqlite3.connect(root / "gradebook.db").execute("SELECT count(*) FROM grade").fetchall()
    ballast = small_disk / "ballast"
    stat = os.statvfs(small_disk)
    ballast.write_bytes(bytes(max(0, (stat.f_bavail - 30) * stat.f_frsize)))
    done = run("grade", "tiny", "--jobs", 1)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the disk is full" in done.stderr and "free some space" in done.stderr
    assert "Traceback" not in done.stderr
    after = sqlite3.connect(root / "gradebook.db").execute("SELECT count(*) FROM grade").fetchall()
    assert after >= before
    ballast.unlink()
    done = run("grade", "tiny", "--jobs", 1, "--json", tmp_path / "m.json")
    assert done.returncode == 0, done.stderr
    assert "12 submissions" in done.stdout
    for i in range(12):
        outcomes = [row["outcome"] for row in rows_of(tmp_path / "m.json", f"s{i:02}").values()]
        assert outcomes == ["passed", "passed", "manual"]


def test_what_looks_like_a_slip_is_named(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ann", solved(root), notebook="tiny (1)")
    hand_in(root, "bob", solved(root))
    (root / "submitted/bob/tiny/timestamp.txt").write_text("yesterday\x1b[2J, around ten")
    edited = solved(root)
    next(c for c in edited.cells if c.id == "tiny-helper").source += "  # mine"
    hand_in(root, "cem", edited)
    done = autograder("grade", "tiny", "--course-dir", root)
    assert done.returncode == 0
    assert "tiny.ipynb was not handed in; there is tiny (1).ipynb: if that is it" in done.stderr
    page = (root / "reports/tiny.html").read_text()
    assert "timestamp.txt holds no time (yesterday, around ten): counted as on time" in page
    assert "tiny-helper: locked cell was edited" in page
    # an instructor mends a locked cell after the release: nobody has edited anything
    source = root / "solutions/tiny/tiny.py"
    source.write_text(source.read_text().replace("abs(a - b) < 1e-9", "abs(a - b) < 1e-8"))
    assert autograder("release", "--course-dir", root).returncode == 0
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    page = (root / "reports/tiny.html").read_text()
    assert page.count("tiny-helper: locked cell of an earlier release") == 1  # bob
    assert page.count("tiny-helper: locked cell was edited") == 1  # cem
