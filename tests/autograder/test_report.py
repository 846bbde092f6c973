"""The class report: complete, self-contained, and safe to open."""

from html.parser import HTMLParser

import numpy as np
import pytest

from autograder import report
from autograder.journal import Entry
from autograder.marks import Mark
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


def test_marks_by_hand_count_once_all_are_given() -> None:
    people = [
        entry("ada", ("a", 4.0, "passed", ""), ("b", None, "manual", "")),
        entry("bob", ("a", 0.0, "failed", "off"), ("b", None, "manual", "")),
    ]
    by_hand = {("nb", "b")}
    one = {("ada", "nb", "b"): Mark(3.0, True, False, "good")}
    text = " ".join(Page(report.render("ps", people, by_hand, one)).text.split())
    assert "2.0 of 4 mean of the automatic points" in text and "1 answers wait" in text
    both = one | {("bob", "nb", "b"): Mark(1.0, True, True, "")}
    text = " ".join(Page(report.render("ps", people, by_hand, both)).text.split())
    assert "4.0 of 8 mean of the points" in text and "0 answers wait" in text
    assert "1 marks by hand to be looked at again" in text
    assert "50 %" in text and "2 marked" in text
    assert "bob: 1 of 8 points" in text


def test_agreement_is_the_correlation_with_the_other_tasks() -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 5, (30, 3)).astype(float)
    table[:, 1] = table[:, 0]  # two tasks that ask the same, one of chance
    people = [
        entry(
            f"s{i:02}",
            *((cell, float(x), "passed", "") for cell, x in zip("abc", row, strict=True)),
        )
        for i, row in enumerate(table)
    ]
    text = " ".join(Page(report.render("ps", people, set())).text.split())
    for j in range(3):
        rest = np.delete(table, j, axis=1).sum(1)
        assert f"{np.corrcoef(table[:, j], rest)[0, 1]:+.2f}" in text
    few = " ".join(Page(report.render("ps", people[:9], set())).text.split())
    assert "+0." not in few.replace("+0.00", "")


def test_slowest_cells_and_who_ended_early() -> None:
    people = [
        entry("ada", ("a", 4.0, "passed", ""), seconds={"nb/task": 0.2, "nb/a": 0.1}),
        entry("bob", ("a", 4.0, "passed", ""), seconds={"nb/task": 9.5, "nb/a": 0.3}),
        entry("cem", ("a", 0.0, "timeout", "not done"), seconds={"nb/task": 0.4, "nb/a": 30.0}),
    ]
    text = " ".join(Page(report.render("ps", people, set())).text.split())
    assert text.index("nb/a0.30 s30.00 scem") < text.index("nb/task0.40 s9.50 sbob")
    assert "cem: 0 of 4 points; 1 x timeout" in text
