"""What the instructors' page says of the grader is what the grader holds."""

from pathlib import Path

from autograder.refused import WHY
from autograder.sandbox import Limits
from tools import rungs_table

PAGE = (Path(__file__).resolve().parents[2] / "book" / "instructors.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_table_of_rungs_is_the_published_one() -> None:
    assert rungs_table.renewed(PAGE) == PAGE, "run `python -m tools.rungs_table`"
    assert "| rung 1 | rung 2 | rung 3 |" in PAGE


def test_everything_that_release_refuses_is_listed() -> None:
    for reason, way_round in WHY.values():
        assert f"| {reason} | {way_round} |" in PAGE


def test_limits_are_those_in_force() -> None:
    limits = Limits()
    assert f"Memory ({limits.memory_mib} MiB), processes ({limits.processes})" in WORDS
    assert f"files ({limits.file_mib} MiB each, {limits.disk_mib} together)" in WORDS


def test_the_picture_states_its_claim_to_those_who_cannot_see_it() -> None:
    svg = (Path(__file__).resolve().parents[2] / "book/_static/grader-processes.svg").read_text()
    assert 'role="img"' in svg and "aria-labelledby" in svg and "<title" in svg
    assert "http" not in svg and "<script" not in svg
