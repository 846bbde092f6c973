"""A chapter carries the number of its file, and so do its sections, equations and figures."""

from __future__ import annotations

import re

from small_book import KATEX

TOC = """format: jb-book
root: index
parts:
  - caption: Chapters
    numbered: true
    chapters:
{files}
  - caption: Around
    chapters:
      - file: around
"""
CHAPTER = "# Title {n}\n\nSee {{eq}}`eq-{n}`.\n\n## Section\n\n$$ x $$ (eq-{n})\n"


def make(book, files: list[str]):
    pages = {"index.md": "# Root\n", "around.md": "# Around\n\nNo number.\n"}
    pages |= {f"{name}.md": CHAPTER.format(n=int(name[:2])) for name in files}
    pages["_toc.yml"] = TOC.format(files="\n".join(f"      - file: {name}" for name in files))
    return book(
        ["myst_parser", "sphinx_external_toc", "chapter_numbers", "katex_html"],
        pages,
        {
            "html_math_renderer": "katex",
            "katex_module": str(KATEX),
            "numfig": True,
            "math_numfig": True,
            "math_eqref_format": "({number})",
            "external_toc_path": "_toc.yml",
            "use_multitoc_numbering": False,
        },
    )


def numbers(html: str) -> list[str]:
    return re.findall(r'<h\d><span class="section-number">([\d.]+)', html)


def test_numbers_follow_the_file_names(book) -> None:
    result = make(book, ["02_hmm", "07_lstm"]).build()
    assert result.clean, result.warnings
    for name, n in (("02_hmm", 2), ("07_lstm", 7)):
        html = result.html(name)
        assert numbers(html) == [f"{n}.", f"{n}.1."], name
        assert f'<span class="eqno">({n}.1)' in html
        assert f">({n}.1)</a>" in html
    assert numbers(result.html("around")) == []


def test_a_new_chapter_before_it_changes_nothing(book) -> None:
    made = make(book, ["02_hmm"])
    assert made.build().clean
    made.write("01_markov.md", CHAPTER.format(n=1))
    made.write("_toc.yml", TOC.format(files="      - file: 01_markov\n      - file: 02_hmm"))
    result = made.build()
    assert result.clean, result.warnings
    assert numbers(result.html("01_markov"))[0] == "1."
    assert numbers(result.html("02_hmm"))[0] == "2."
