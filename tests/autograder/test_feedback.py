"""Hidden tests stay hidden on the pages that students get, stock nbgrader's and ours."""

from collections.abc import Callable
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from tiny_course import TEXT, Done, cell, hand_in, solved, stock

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]

HIDDEN = """x = 11
### BEGIN HIDDEN TESTS
SECRET_INPUT = 73819
assert double(SECRET_INPUT) == 2 * SECRET_INPUT, "the misconception in words"
assert half(SECRET_INPUT) == 0, f"SECRET_MESSAGE {SECRET_INPUT}"
### END HIDDEN TESTS"""


def test_stock_feedback_shows_no_hidden_test(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    text = TEXT.replace("HIDDEN_MARKER_2", "SECRET_NAME")
    task = "### BEGIN SOLUTION\nhalf_again = 1\n### END SOLUTION"
    text += "\n" + cell("tells", HIDDEN, points=1, grade=True, locked=True)
    text += "\n" + cell("later", task, solution=True)
    root = make_course(text.replace("return x / 2", "return 0 if x > 9 else x / 2"))
    assert autograder("release", "--course-dir", root).returncode == 0
    remembers = "seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x"
    raises = "def half(x):\n    raise ValueError(f'was called with {x}, before with {seen}')"
    answers = {"tiny-half": raises, "later": "print('my own words', seen)"}
    hand_in(root, "spy", solved(root, {"tiny-double": remembers} | answers))
    four = "def double(x):\n    print('MY OWN PRINT')\n    return 4"
    hand_in(root, "wrong", solved(root, {"tiny-double": f"{four}\nprint('before the tests')"}))
    done = autograder("grade", "tiny", "--course-dir", root, "--json", root / "m.json")
    assert done.returncode == 0, done.stderr
    assert "73819" in (root / "autograded/spy/tiny/tiny.ipynb").read_text()  # for the instructor
    stock(root, tmp_path, "generate_feedback", "tiny")
    pages = {who: (root / f"feedback/{who}/tiny/tiny.html").read_text() for who in ("spy", "wrong")}
    done = autograder("feedback", "tiny", "--course-dir", root)
    assert done.returncode == 0, done.stderr
    ours = {who: (root / f"feedback/{who}/tiny/tiny.html").read_text() for who in ("spy", "wrong")}
    assert "made by `python -m autograder feedback" in ours["spy"]
    for page in [*pages.values(), *ours.values(), (root / "m.json").read_text()]:
        for secret in ("SECRET_NAME", "SECRET_INPUT", "SECRET_MESSAGE", "73819"):
            assert secret not in page
    assert "ValueError" in pages["spy"] and "Not shown: hidden tests had run" in pages["spy"]
    assert "double must work for 3 too" in pages["wrong"]
    assert "before the tests" in pages["wrong"]
    assert "ValueError" in ours["spy"] and "it is one that you cannot see" in ours["spy"]
    assert "double must work for 3 too" in ours["wrong"] and "MY OWN PRINT" in ours["wrong"]


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


def test_a_page_shows_the_answer_and_what_people_said(
    make_course: MakeCourse, autograder: Command
) -> None:
    root = make_course(TEXT)
    assert autograder("release", "--course-dir", root).returncode == 0
    nb = solved(
        root, {"tiny-double": "def double(x):\n    return '</code><script>alert(1)</script>'"}
    )
    shown = [
        {"output_type": "stream", "name": "stdout", "text": "\x1b[31mI SAW <b>THIS</b>\x1b[0m"},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": PNG}},
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"text/html": "<script>x</script>"},
        },
    ]
    mine = next(cell for cell in nb.cells if "alert(1)" in cell.source)
    mine.outputs = [nbformat.from_dict(out) for out in shown]
    hand_in(root, "ann", nb)
    (root / "submitted" / "eve").mkdir()
    (root / "submitted" / "eve" / "tiny").symlink_to(root / "solutions" / "tiny")
    done = autograder("grade", "tiny", "--course-dir", root)
    assert done.returncode == 0, done.stderr
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        notebook = book.find_submission_notebook("tiny", "tiny", "ann")
        written = next(g for g in notebook.grades if g.auto_score is None)
        written.manual_score, written.needs_manual_grade = 1.5, False
        comment = next(c for c in notebook.comments if c.name == written.name)
        comment.manual_comment = "well <i>argued</i>"
        book.db.commit()
    done = autograder("feedback", "tiny", "--course-dir", root)
    assert done.returncode == 0, done.stderr
    page = (root / "feedback/ann/tiny/tiny.html").read_text()
    assert "I SAW &lt;b&gt;THIS" in page and "\x1b" not in page
    assert f"data:image/png;base64,{PNG}" in page
    assert "well &lt;i&gt;argued" in page and "1.5 of" in page
    assert "<script" not in page and "://" not in page
    eve = (root / "feedback/eve/tiny/tiny.html").read_text()
    assert "symbolic link" in eve and "return 2 * x" not in eve


def test_nbgrader_hands_our_pages_out(
    make_course: MakeCourse, autograder: Command, tmp_path: Path
) -> None:
    root = make_course(TEXT)
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ann", solved(root))
    folder = root / "submitted" / "ann" / "tiny"
    (folder / "timestamp.txt").write_text("2026-10-16 15:20:00 UTC")
    (folder / "submission_secret.txt").write_text("as `nbgrader submit` writes it")
    hand_in(root, "eve", solved(root, {}))
    (root / "submitted/eve/tiny/submission_secret.txt").symlink_to(root / "gradebook.db")
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    for _ in range(2):  # again, over what is there
        assert autograder("feedback", "tiny", "--course-dir", root).returncode == 0
    assert not (root / "feedback/eve/tiny/submission_secret.txt").exists()
    eve = (root / "feedback/eve/tiny/tiny.html").read_text()
    assert "the task was not answered" in eve
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    options = (f"--Exchange.root={exchange}", "--course", "c1", "--student", "ann")
    stock(root, tmp_path, "release_feedback", "tiny", *options)
    (page,) = (exchange / "c1" / "feedback").glob("*.html")
    assert page.read_text() == (root / "feedback/ann/tiny/tiny.html").read_text()
    # stock pages take the same files from autograded/
    assert (root / "autograded/ann/tiny/submission_secret.txt").is_file()


def test_feedback_refuses_what_it_cannot_know(make_course: MakeCourse, autograder: Command) -> None:
    root = make_course(TEXT)
    assert autograder("release", "--course-dir", root).returncode == 0
    done = autograder("feedback", "tiny", "--course-dir", root)
    assert done.returncode == 2 and "nothing of tiny is graded" in done.stderr
