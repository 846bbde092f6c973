"""Grades for other programs: nbgrader's own table as witness, rosters of Canvas and Moodle."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from tiny_course import Done, hand_in, solved, stock

from autograder import export

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text())))


@pytest.fixture
def course(make_course: MakeCourse, autograder: Command) -> Path:
    """Ada is marked whole, bob late and by hand not yet, cora handed in nothing."""
    root = make_course()
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root))
    hand_in(root, "bob", solved(root, {"tiny-double": "double = None"}))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace",
                                      email="ada@example.org")  # fmt: skip
        book.update_or_create_student("cora", first_name="Cora, the", last_name='"Great"')
        notebook = book.find_submission_notebook("tiny", "tiny", "ada")
        for grade in notebook.grades:
            if grade.needs_manual_grade:
                grade.manual_score, grade.needs_manual_grade = 4.5, False
        book.find_submission_notebook("tiny", "tiny", "bob").late_submission_penalty = 0.5
        book.db.commit()
    return root


def test_nbgraders_table_is_what_nbgrader_exports(
    course: Path, autograder: Command, tmp_path: Path
) -> None:
    ours = tmp_path / "ours.csv"
    done = autograder("export", "tiny", "--course-dir", course, "--output", ours)
    assert done.returncode == 0 and "2 graded of 3 students" in done.stdout
    assert "bob" in done.stderr and "by hand" in done.stderr and "ada" not in done.stderr
    stock(course, tmp_path, "export", "--to", str(tmp_path / "stock.csv"))
    want = table(tmp_path / "stock.csv")
    got = {row[3]: row for row in table(ours)}
    assert table(ours)[0] == want[0] and len(got) == len(want)
    for row in want[1:]:
        if len(row) == len(want[0]):  # nbgrader does not quote: a comma in a name shifts its row
            assert got[row[3]] == row
    assert got["cora"][4:6] == ['"Great"', "Cora, the"]
    assert [got[who][9] for who in ("ada", "bob", "cora")] == ["9.5", "1.5", "0.0"]


def test_canvas_without_a_roster(course: Path, autograder: Command, tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    args = "export", "tiny", "--course-dir", course, "--to", "canvas", "--output", path
    assert autograder(*args).returncode == 0
    header, points, *people = table(path)
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny"]
    assert points[0].strip() == "Points Possible" and points[-1] == "10"
    assert {row[3]: row[5] for row in people} == {"ada": "9.5", "bob": "1.5", "cora": ""}
    assert {row[3]: row[0] for row in people}["ada"] == "Lovelace, Ada"
    assert autograder(*args, "--zero").returncode == 0
    assert {row[3]: row[5] for row in table(path)[2:]}["cora"] == "0"


def test_canvas_roster_is_filled_in(course: Path, autograder: Command, tmp_path: Path) -> None:
    roster, path = tmp_path / "roster.csv", tmp_path / "out.csv"
    roster.write_text(
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,tiny (4711),other (1)\n"
        "    Points Possible,,,,,10,5\n"
        '"Lovelace, Ada",17,S1,ADA,"A, B",,3\n'
        '"Who, Else",18,S2,else,A,2,1\n',
        encoding="utf-8",
    )
    done = autograder(
        "export", "tiny", "--course-dir", course, "--to", "canvas", "--roster", roster,
        "--output", path,
    )  # fmt: skip
    assert done.returncode == 0
    assert table(path) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny (4711)"],
        ["    Points Possible", "", "", "", "", "10"],
        ["Lovelace, Ada", "17", "S1", "ADA", "A, B", "9.5"],
        ["Who, Else", "18", "S2", "else", "A", ""],
    ]
    assert (
        "1 are graded here, but not in the roster: nothing is written of them: bob" in done.stderr
    )
    assert "1 are in the roster, but have no grade here: else" in done.stderr


def test_moodle_worksheet_is_filled_in(course: Path, autograder: Command, tmp_path: Path) -> None:
    roster, path = tmp_path / "roster.csv", tmp_path / "out.csv"
    roster.write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
        "Participant 1,Ada Lovelace,Ada@Example.org,Submitted,,10.00\n"
        "Participant 2,Nobody,nobody@example.org,No submission,1.00,10.00\n"
    )
    args = "export", "tiny", "--course-dir", course, "--to", "moodle", "--output", path
    assert autograder(*args, "--roster", roster).returncode == 0
    _, ada, nobody = table(path)
    assert ada[4] == "9.5" and nobody[4] == "1.00"  # what stood there stays
    assert autograder(*args).returncode == 0
    assert table(path)[0] == ["ID number", "Email address", "tiny"]
    assert ["ada", "ada@example.org", "9.5"] in table(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line must name Student"),
        ("Name,Mark\nx,1\n", "first line must name Student"),
        ("Student,Section\nx,1\n", "none of the columns"),
    ],
)
def test_a_wrong_roster_is_refused_and_nothing_written(
    course: Path, autograder: Command, tmp_path: Path, text: str, message: str
) -> None:
    roster, path = tmp_path / "roster.csv", tmp_path / "out.csv"
    roster.write_text(text)
    done = autograder(
        "export", "tiny", "--course-dir", course, "--to", "canvas", "--roster", roster,
        "--output", path,
    )  # fmt: skip
    assert done.returncode == 2 and message in done.stderr and not path.exists()


def test_nothing_to_export(make_course: MakeCourse, autograder: Command, tmp_path: Path) -> None:
    root = make_course()
    done = autograder("export", "tiny", "--course-dir", root, "--output", tmp_path / "x.csv")
    assert done.returncode == 2 and "run `grade tiny` first" in done.stderr
    assert not (root / "gradebook.db").exists() and not (tmp_path / "x.csv").exists()


def test_rows_shorter_than_the_header_and_scores_without_noise() -> None:
    grade = export.Grade("a", "A", "", "", score=0.1 + 0.2)
    done = export.canvas(export.Table("ps", "", 1.0, [grade]))
    assert ",0.3\n" in done.text
