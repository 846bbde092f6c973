"""The demonstration class: twelve students whose marks are known before they are graded."""

from pathlib import Path

from autograder import bank, course
from tools import demo_class

ROOT = Path(__file__).resolve().parents[2]


def test_marks_are_known_from_the_bank(tmp_path: Path) -> None:
    home = course.load(ROOT)
    answers = bank.load(ROOT / "tests" / "answers" / demo_class.PS)
    students = demo_class.make_class(demo_class.PS, home, answers)
    assert len({student.name for student in students}) == 12
    marks = demo_class.expected_marks(demo_class.PS, home, students)
    most = max(marks.values())
    assert [marks[name] for name in ("andrei", "leonard", "lloyd")] == [most] * 3
    assert marks["sepp"] == marks["paul"] == 0
    assert 0 < marks["jeffrey"] < most  # a deleted test costs itself alone
    assert all(0 <= marks[s.name] < most for s in students[3:])


def test_unchanged_files_are_left_alone(tmp_path: Path) -> None:
    home = course.load(ROOT)
    answers = bank.load(ROOT / "tests" / "answers" / demo_class.PS)
    students = demo_class.make_class(demo_class.PS, home, answers)
    demo_class.write_course(demo_class.PS, home, tmp_path, students)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert len(times) >= 2 * 12 + 3
    demo_class.write_course(demo_class.PS, home, tmp_path, students)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == times
    demo_class.write_course(demo_class.PS, home, tmp_path, students[:5])
    assert len(list((tmp_path / "submitted").iterdir())) == 5
