"""What one page promises another: bold terms in the glossary, mistakes collected, sources cited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.md"))


def prose(chapter: Path) -> str:
    """Return a chapter without code cells and formulas."""
    text = re.sub(r"^```\{code-cell\}.*?^```", "", chapter.read_text(), flags=re.M | re.S)
    return re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "", text, flags=re.S)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_bold_term_is_in_the_glossary_with_its_chinese_name(chapter: Path) -> None:
    entries = re.findall(r"^(\S.*) - (\S+)$", (BOOK / "glossary.md").read_text(), flags=re.M)
    assert all(re.search(r"[\u4e00-\u9fff]", chinese) for _, chinese in entries)
    known = {english.lower() for english, _ in entries}
    bold = re.findall(r"\*\*([^*]+)\*\*", prose(chapter))
    terms = [term for term in bold if not term[0].isdigit()]  # a number starts an exercise
    assert len(terms) >= 10, "found no bold terms: has the chapter's markup changed?"
    missing = {" ".join(term.split()).lower() for term in terms} - known
    assert not missing, f"in bold in {chapter.name}, not in glossary.md: {sorted(missing)}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_common_mistake_has_a_line_in_mistakes(chapter: Path) -> None:
    names = set(re.findall(r"^:name: (mistake-[\w-]+)$", chapter.read_text(), flags=re.M))
    listed = set(re.findall(r"<(mistake-[\w-]+)>", (BOOK / "mistakes.md").read_text()))
    assert names, f"{chapter.name} shows no common mistake"
    assert names <= listed, f"add to mistakes.md: {sorted(names - listed)}"


def test_mistakes_lead_to_a_box_that_exists() -> None:
    listed = re.findall(r"<(mistake-[\w-]+)>", (BOOK / "mistakes.md").read_text())
    shown = re.findall(
        r"^:name: (mistake-[\w-]+)$", "".join(path.read_text() for path in CHAPTERS), flags=re.M
    )
    assert sorted(listed) == sorted(shown)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_citation_is_in_the_bibliography(chapter: Path) -> None:
    cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", chapter.read_text())
    keys = set(re.findall(r"^@\w+\{(\S+),$", (BOOK / "references.bib").read_text(), flags=re.M))
    assert cited and {key.strip() for entry in cited for key in entry.split(",")} <= keys


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_exercises_are_at_least_six_and_each_has_a_folded_solution(chapter: Path) -> None:
    part = chapter.read_text().split("\n## Exercises\n")[1].split("\n## ")[0]
    exercises = re.split(r"^\*\*\d+\. ", part, flags=re.M)[1:]
    assert len(exercises) >= 6
    for number, exercise in enumerate(exercises, start=1):
        assert "{admonition} Solution\n:class: dropdown" in exercise, f"exercise {number}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_reader_sees_whole_lines_of_code(chapter: Path) -> None:
    for cell in re.findall(r"^```\{code-cell\}.*?^```", chapter.read_text(), flags=re.M | re.S):
        if "hide-input" in cell[:80] and "export" not in cell[:80]:
            continue  # a plot, folded away
        wide = [line for line in cell.splitlines() if len(line) > 84]
        assert not wide, f"a page shows 84 characters of a line: {wide[0]}"
