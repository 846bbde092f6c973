"""A tiny course, made anew for each test that needs one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_course import ROOT, TEXT, Done

from autograder import cli


@pytest.fixture
def make_course(tmp_path: Path) -> Callable[..., Path]:
    """Write a course folder with the project's own nbgrader configuration."""

    def make(text: str = TEXT, ps: str = "tiny", notebook: str = "tiny", config: str = "") -> Path:
        root = tmp_path / "course"
        folder = root / "solutions" / ps
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{notebook}.py").write_text(text)
        shutil.copy(ROOT / "nbgrader_config.py", root)
        if config:
            with (root / "nbgrader_config.py").open("a") as file:
                file.write(f"\n{config}\n")
        return root

    return make


@pytest.fixture
def autograder(capfd: pytest.CaptureFixture[str]) -> Callable[..., "Done"]:
    """Run a verb in this process (imports cost two seconds in a new one)."""

    def run(*args: object) -> Done:
        capfd.readouterr()
        if args[0] in ("grade", "bank") and "--jobs" not in args:
            args += ("--jobs", 1)  # a second worker takes longer to start than it saves here
        try:
            code = cli.main([str(a) for a in args])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        return Done(code, *capfd.readouterr())

    return run
