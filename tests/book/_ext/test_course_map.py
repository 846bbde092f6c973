"""The landing page's picture and contents: a link where a page exists, an honest word where not."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from small_book import ROOT

PAGE = """# Course

```{course-arc}
```

```{course-contents}
```

```{toctree}
:glob:
book/*
```
"""


@pytest.fixture
def course(book):
    plan = (ROOT / "book" / "course.yml").read_text("utf-8")
    made = book(
        ["myst_parser", "course_map"],
        {"index.md": PAGE, "course.yml": plan, "_toc.yml": "", "book/02_hmm.md": "# HMM\n"},
        {"course_plan": "course.yml"},
    )
    return made


def test_what_exists_is_a_link_and_the_rest_says_so(course) -> None:
    result = course.build()
    assert result.clean, result.warnings
    html = result.html("index")
    contents = html[html.index('<ol class="course-contents">') :]
    assert '<a href="book/02_hmm.html"><strong>Hidden Markov models</strong></a>' in contents
    assert '<a href="book/03_em.html"' not in html
    entries = re.findall(r'<li class="([^"]*)"', contents)
    assert entries.count("ready") == 1 and entries.count("planned") == 11
    assert entries.count("problem-set planned") == 6
    assert contents.count("in preparation") == 11 + 6


def test_a_new_chapter_becomes_a_link(course) -> None:
    assert course.build().clean
    course.write("book/03_em.md", "# EM\n")
    course.write("_toc.yml", "# changed with the new chapter\n")
    html = course.build().html("index")
    assert html.count('href="book/03_em.html"') >= 2


def test_picture_is_sound_svg_with_words(course) -> None:
    html = course.build().html("index")
    pictures = re.findall(r"<svg .*?</svg>", html, re.S)
    assert len(pictures) == 2
    space = "{http://www.w3.org/2000/svg}"
    for picture in pictures:
        root = ET.fromstring(picture)
        words = root.find(f"{space}desc")
        assert words is not None and words.text is not None
        assert "2 HMM" in words.text and "in preparation" in words.text
        cells = [r for r in root.iter(f"{space}rect") if "cell" in r.get("class", "")]
        assert len(cells) == 12
        links = [a.get("href") for a in root.iter(f"{space}a")]
        assert links == ["book/02_hmm.html"]
        # labels stay inside the picture
        _, _, width, height = map(float, root.get("viewBox", "").split())
        for text in root.iter(f"{space}text"):
            assert 0 <= float(text.get("x", "-1")) <= width
            assert 0 <= float(text.get("y", "-1")) <= height
