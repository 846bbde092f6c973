"""Made parts of pages are fresh, say what their source says, and name what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder import bank
from tools import kit, kit_answers, kit_equations, kit_needs, kit_syllabus

BOOK = kit.BOOK
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.md"))
BANKS = sorted(p.name for p in (BOOK.parent / "tests" / "answers").iterdir() if any(p.glob("*.py")))


@pytest.mark.parametrize("page", kit.PARTS)
def test_made_parts_are_as_they_would_be_made_now(page: str) -> None:
    text = (BOOK / page).read_text()
    assert kit.renewed(page, text) == text, "run `python -m tools.kit`"


def test_a_changed_part_is_stale_and_the_rest_of_the_page_stays() -> None:
    text = (BOOK / "syllabus.md").read_text()
    broken = text.replace("|---:|---|---|---|---:|---:|---:|---:|", "|---|", 1) + "mine\n"
    assert broken != text + "mine\n"
    assert kit.renewed("syllabus.md", broken) == text + "mine\n"


def test_a_page_without_the_place_is_refused() -> None:
    with pytest.raises(SystemExit, match="equations.md: no place for a part: .*sheet"):
        kit.renewed("equations.md", "# Equation sheet\n")


# ---- equations ------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_is_on_the_sheet_with_its_own_formulas(chapter: Path) -> None:
    """Read independently of the tool: from the label back to the dollars before it."""
    names = kit_equations.NAMES.get(chapter.stem, {})
    assert len(names) >= 2, f"add key equations of {chapter.name} to tools/kit_equations.py"
    page = (BOOK / "equations.md").read_text()
    text = chapter.read_text()
    for label in names:
        before = text[: text.index(f"\n$$ ({label})\n")]
        formula = before[before.rindex("\n$$\n") + 4 :]
        shown = page.split(f" {{eq}}`{label}`\n\n$$\n")[1].split("\n$$\n")[0]
        rest = formula.replace(shown.split("\\end{", maxsplit=1)[0].rstrip(), "", 1)
        assert re.fullmatch(r"[\s,.;]*(\\end\{\w+\}.*)?", rest, re.S), f"{label}: {rest!r}"


def test_the_last_display_of_a_derivation_carries_the_label() -> None:
    text = "$$\na = b ,\n$$\n\nso\n\n$$\na = c .\n$$ (one)\n\n```{code-cell}\n$$\nx\n$$ (no)\n```\n"
    assert kit_equations.formulas(text) == {"one": "a = c ."}


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("a = b .", "a = b"),
        ("a_{1,2} ,", "a_{1,2}"),
        ("a", "a"),
        ("\\begin{aligned} a &= b. \\end{aligned}", "\\begin{aligned} a &= b \\end{aligned}"),
        ("f(.5)", "f(.5)"),
    ],
)
def test_the_full_stop_of_the_chapter_is_left_there(formula: str, shown: str) -> None:
    assert kit_equations.without_punctuation(formula) == shown


def test_a_label_that_the_chapter_lost_is_named() -> None:
    with pytest.raises(SystemExit, match="02_hmm.md has no equation labelled 'hmm-joint'"):
        kit_equations.chapter_sheet("02_hmm", "# nothing here\n")


# ---- syllabus ------------------------------------------

SMALL = """---
kernelspec: words that do not count
---

# One two

three $four$ five.

$$
six
$$

$$
seven
$$ (label)

```{code-cell} ipython3
shown = 1
```

```{code-cell} ipython3
:tags: [hide-input]
folded = 1
```

## Exercises

**1. Eight.** nine

**2. Ten.** eleven

## Further reading
"""


def test_a_chapter_is_counted() -> None:
    found = kit_syllabus.count(SMALL)
    assert (found.formulas, found.cells, found.exercises) == (2, 1, 2)
    # three formulas stand as one letter each
    words = "One two three x five x x label Exercises Eight nine Ten eleven Further reading"
    assert found.words == len(words.split())


def test_columns_add_up() -> None:
    for table in (kit_syllabus.weeks(BOOK), kit_syllabus.short(BOOK)):
        rows = [line.strip("|").split("|") for line in table.splitlines()[2:]]
        figures = [[float(c) if c.strip() != "-" else 0 for c in row[-4:]] for row in rows]
        *body, last = figures
        assert last == [sum(column) for column in zip(*body, strict=True)]
        assert all(sum(row[:3]) == row[3] for row in figures)


def test_every_set_is_given_out_once_and_due_a_week_later() -> None:
    rows = [line.split("|") for line in kit_syllabus.weeks(BOOK).splitlines()[2:-1]]
    out = [row[3].strip() for row in rows]
    assert [row[4].strip() for row in rows] == ["", *out[:-1]]
    assert len([cell for cell in out if cell]) == 6
    assert 12 <= len(rows) <= 14


def test_the_short_course_names_chapters_and_sets_of_the_plan() -> None:
    course = kit_syllabus.load(BOOK)
    assert len(kit_syllabus.SHORT) == 6
    assert {name for name, _ in kit_syllabus.SHORT} <= set(course.chapters)
    assert {ps for _, ps in kit_syllabus.SHORT if ps} <= set(course.given_out.values())


# ---- dependencies ------------------------------------------


def test_needs_come_from_the_section_and_imports_from_cells() -> None:
    text = (
        "See {doc}`03_em`.\n## What you need\n\n{doc}`01_markov`, {doc}`02_hmm`.\n\n"
        "```{code-cell} ipython3\nfrom seqmodels import hmm, markov\n"
        "from seqmodels.rnn import step\n```\n\n`from seqmodels.gru import x`\n"
    )
    assert kit_needs.needed(text) == {"01_markov", "02_hmm"}
    assert kit_needs.imported(text) == {"hmm", "markov", "rnn"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_chapter_needs_a_later_one(chapter: Path) -> None:
    assert all(name < chapter.stem for name in kit_needs.needed(chapter.read_text()))


# ---- answers ------------------------------------------


@pytest.mark.parametrize("ps", BANKS)
def test_every_answer_stands_on_the_page(ps: str) -> None:
    page = (BOOK / "kill_matrix.md").read_text()
    for answer in bank.load(BOOK.parent / "tests" / "answers" / ps):
        part = page.split(f"::::{{dropdown}} {answer.task}: ")[1].split("\n::::\n")[0]
        wrong, right = part.split("\nRight, with full marks: ")
        name = kit_answers.plain(answer.name)
        if answer.right:
            assert name in right
        else:
            assert f"| {name} | {kit_answers.plain(answer.why)} |" in wrong
            assert all(f"`{cell}`" in wrong for cell in answer.loses)


def test_a_cell_that_an_answer_keeps_is_marked() -> None:
    answers = [
        bank.Answer("t", "a", True, (), "", ""),
        bank.Answer("t", "b | c", False, ("t-tests", "t-score"), "x * y", ""),
        bank.Answer("t", "d", False, ("t-score",), "why", ""),
    ]
    lines = kit_answers.task_matrix("t", answers, {"t-tests": 6, "t-score": 4.5})
    assert lines[0] == "::::{dropdown} t: 6 + 4.5 points, 1 right, 2 wrong"
    assert r"| b \| c | x \* y | yes | yes |" in lines
    assert "| d | why | no | yes |" in lines
