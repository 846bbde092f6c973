"""Hidden tests stay hidden on the pages of stock nbgrader."""

from collections.abc import Callable
from pathlib import Path

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
    for page in [*pages.values(), (root / "m.json").read_text()]:
        for secret in ("SECRET_NAME", "SECRET_INPUT", "SECRET_MESSAGE", "73819"):
            assert secret not in page
    assert "ValueError" in pages["spy"] and "Not shown: hidden tests had run" in pages["spy"]
    assert "double must work for 3 too" in pages["wrong"]
    assert "before the tests" in pages["wrong"]
