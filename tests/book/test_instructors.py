"""What the instructors' page says of the grader is what the grader holds."""

from pathlib import Path

from autograder.refused import WHY
from autograder.sandbox import Limits, table

PAGE = (Path(__file__).resolve().parents[2] / "book" / "instructors.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_table_of_rungs_is_the_published_one() -> None:
    assert table.markdown() in PAGE, f"put this into book/instructors.md:\n{table.markdown()}"


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
