"""The class report: complete, self-contained, and safe to open."""

from html.parser import HTMLParser

import pytest

from autograder import report
from autograder.journal import Entry
from autograder.scoring import Row

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def entry(student: str, *marks: tuple[str, float | None, str, str], **more: object) -> Entry:
    rows = [Row(student, "ps", "nb", c, p, 4.0, o, m) for c, p, o, m in marks]
    return Entry(student, "key", rows, protection="rung 3: rlimits only", **more)  # type: ignore[arg-type]


class Page(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page() -> Page:
    people = [
        entry(EVIL, ("a-tests", 0.0, "failed", EVIL), ("b", None, "manual", ""), notes=[EVIL]),
        entry("ada", ("a-tests", 4.0, "passed", ""), ("b", None, "manual", "")),
        entry(
            "bob",
            ("a-tests", 0.0, "failed", "off by one"),
            ("b", None, "manual", ""),
            late_s=90_000,
        ),  # fmt: skip
        entry(
            "cut",
            ("a-tests", 0.0, "error", EVIL),
            ("b", 0.0, "error", EVIL),
            unreadable=[f"nb.ipynb {EVIL}"],
        ),  # fmt: skip
        entry("odd", ("a-tests", None, "grader_fault", "worker"), ("b", None, "manual", "")),
    ]
    return Page(report.render("ps", people, {("nb", "b")}))


def test_nothing_from_students_becomes_markup(page: Page) -> None:
    assert "script" not in page.tags and "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(EVIL) == 5  # student, table, message, note, why unreadable


def test_page_needs_nothing_else(page: Page) -> None:
    assert not {"link", "iframe", "object"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href")]
    policy = [v for _, v in page.attributes if v and "default-src 'none'" in v]
    assert len(policy) == 1


def test_page_tells_what_there_is_to_know(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "Protection in force:" in text and "rung 3: rlimits only" in text
    assert "1.0 of 4 mean of the automatic points" in text
    assert "1 × off by one" in text
    assert "25 %" in text  # one of the four who have a mark
    assert "4 answers wait for a person" in text
    assert "1 d 1 h late" in text
    assert "The grader failed on these" in text
    histogram = next(v for n, v in page.attributes if n == "aria-label" and v and "Hist" in v)
    assert "0 to 10 %: 3" in histogram and "90 to 100 %: 1" in histogram
